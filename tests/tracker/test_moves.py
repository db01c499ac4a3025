"""Issues go from one status to another, with all that follows."""

import pytest

from tests.tracker.clock import Clock
from tracker import Commit, Issue, IssueEdit, IssueType, LogType, Status, Tracker, deeds, editing, moves, reviews, talk
from tracker.errors import ClaimedError, IssueDeletedError, SelfApprovalError, TransitionError
from tracker.records import Involvement, Snapshot


def epic_of_two(tracker: Tracker) -> tuple[Issue, Issue, Issue]:
    """An epic and its two parts."""
    epic = tracker.create("Ship it", type=IssueType.EPIC)
    one, other = (editing.create(tracker, IssueEdit(title=title, parent_id=epic.id)) for title in ("one", "other"))
    return epic, one, other


def test_who_starts_an_issue_claims_it(tracker: Tracker) -> None:
    """With the moment, the commit, and a deed that a review will ask for."""
    made = tracker.create("Oat milk")

    (started,) = moves.start(tracker, [made.id], commit=Commit("c0ffee", "main", 2), reason="now").issues

    assert (started.status, started.implementer_session) == (Status.IN_PROGRESS, tracker.session)
    assert started.status_at == tracker.now()
    (snapshot,) = tracker.replica.select(Snapshot)
    assert (snapshot.commit_sha, snapshot.branch, snapshot.dirty_files) == ("c0ffee", "main", 2)
    assert [log.message for log in talk.logs(tracker, made.id)] == ["now"]
    assert [deed.action for deed in tracker.replica.select(Involvement)] == ["started"]


def test_an_issue_that_somebody_else_has_is_refused_with_their_name(tracker: Tracker, colleague: Tracker) -> None:
    """Force takes it over; nothing was written before that."""
    made = tracker.create("Oat milk")
    moves.start(tracker, [made.id])

    with pytest.raises(ClaimedError, match=tracker.session):
        moves.start(colleague, [made.id])
    (taken,) = moves.start(colleague, [made.id], is_forced=True).issues

    assert taken.implementer_session == colleague.session


def test_a_start_that_is_done_already_changes_nothing(tracker: Tracker) -> None:
    """Not even the history."""
    made = tracker.create("Oat milk")
    moves.start(tracker, [made.id])
    before = tracker.replica.history(Issue, made.id)

    moved = moves.start(tracker, [made.id])

    assert moved.changed == frozenset()
    assert tracker.replica.history(Issue, made.id) == before


def test_of_several_all_go_or_none(tracker: Tracker, colleague: Tracker) -> None:
    """One that cannot is a reason to leave all as they are."""
    free, taken = tracker.create("free"), tracker.create("taken")
    moves.start(colleague, [taken.id])

    with pytest.raises(ClaimedError):
        moves.start(tracker, [free.id, taken.id])

    assert tracker.get(free.id).status is Status.OPEN


def test_what_is_put_back_is_claimed_by_nobody(tracker: Tracker) -> None:
    """And what was never started stays as it is."""
    made, other = tracker.create("Oat milk"), tracker.create("Soy milk")
    moves.start(tracker, [made.id])

    moved = moves.unstart(tracker, [made.id, other.id])

    assert [issue.status for issue in moved.issues] == [Status.OPEN, Status.OPEN]
    assert moved.issues[0].implementer_session is None
    assert moved.changed == {made.id}


def test_claims_that_lie_still_are_found(tracker: Tracker, colleague: Tracker, clock: Clock) -> None:
    """By who has them, and by how long ago."""
    old, new = tracker.create("old"), tracker.create("new")
    moves.start(tracker, [old.id])
    clock.pass_seconds(3 * 3600)
    moves.start(colleague, [new.id])

    assert [issue.id for issue in moves.claimed(tracker, stale="2h")] == [old.id]
    assert [issue.id for issue in moves.claimed(tracker, session=colleague.session)] == [new.id]


def test_why_something_is_blocked_is_kept(tracker: Tracker) -> None:
    """As a log of its own kind; started again it is by force only."""
    made = tracker.create("Oat milk")

    moves.block(tracker, [made.id], reason="no milk")

    (log,) = talk.logs(tracker, made.id)
    assert (log.type, log.message) == (LogType.BLOCKER, "no milk")
    with pytest.raises(TransitionError):
        moves.start(tracker, [made.id])
    assert moves.unblock(tracker, [made.id]).issues[0].status is Status.OPEN


def test_ones_own_work_is_closed_with_a_reason_that_stays(tracker: Tracker, colleague: Tracker) -> None:
    """Or by somebody else."""
    mine, theirs = tracker.create("mine"), tracker.create("theirs")
    moves.start(tracker, [mine.id, theirs.id])

    with pytest.raises(SelfApprovalError):
        moves.close(tracker, [mine.id])
    moves.close(tracker, [mine.id], exception="nobody else is here")
    moves.close(colleague, [theirs.id])

    (log,) = talk.logs(tracker, mine.id)
    assert (log.type, log.message) == (LogType.SECURITY, "closed without a review: nobody else is here")
    assert tracker.get(theirs.id).closed_by_session == colleague.session


def test_the_last_part_of_an_epic_closes_it_in_the_same_mutation(tracker: Tracker) -> None:
    """Nobody closed it, and undo opens both."""
    epic, one, other = epic_of_two(tracker)
    moves.close(tracker, [one.id])

    moved = moves.close(tracker, [other.id])

    assert [issue.id for issue in moved.followed] == [epic.id]
    closed = tracker.get(epic.id)
    assert (closed.status, closed.closed_by_session) == (Status.CLOSED, None)
    tracker.undo()
    assert [tracker.get(issue.id).status for issue in (epic, one, other)] == [
        Status.OPEN,
        Status.CLOSED,
        Status.OPEN,
    ]


def test_an_epic_that_its_parts_closed_is_open_again_with_a_new_part(tracker: Tracker) -> None:
    """Or an old one that is opened; what somebody closed stays closed."""
    epic, one, other = epic_of_two(tracker)
    moves.close(tracker, [one.id, other.id])

    moves.reopen(tracker, [one.id])
    assert tracker.get(epic.id).status is Status.OPEN
    moves.close(tracker, [one.id])
    editing.create(tracker, IssueEdit(title="new", parent_id=epic.id))
    assert tracker.get(epic.id).status is Status.OPEN
    moves.close(tracker, [epic.id])
    editing.create(tracker, IssueEdit(title="newer", parent_id=epic.id))
    assert tracker.get(epic.id).status is Status.CLOSED


def test_what_waited_for_the_last_thing_is_open_and_nobodys(tracker: Tracker) -> None:
    """While one of them is not closed, it stays blocked."""
    first, second = tracker.create("first"), tracker.create("second")
    waiting = editing.create(tracker, IssueEdit(title="waiting"), depends_on=[first.id, second.id])
    moves.block(tracker, [waiting.id])

    moves.close(tracker, [first.id])
    assert tracker.get(waiting.id).status is Status.BLOCKED
    moved = moves.close(tracker, [second.id])

    assert [issue.id for issue in moved.followed] == [waiting.id]
    assert (tracker.get(waiting.id).status, tracker.get(waiting.id).implementer_session) == (Status.OPEN, None)


def test_what_is_deleted_does_not_move(tracker: Tracker) -> None:
    """Nobody would see it."""
    made = tracker.create("Oat milk")
    tracker.delete([made.id])

    for move in (moves.start, moves.block, moves.close, moves.reopen):
        with pytest.raises(IssueDeletedError):
            move(tracker, [made.id])


def test_work_that_begins_again_ends_an_approval(tracker: Tracker, colleague: Tracker) -> None:
    """What was approved is not what will be there."""
    made = tracker.create("Oat milk")
    reviews.request(tracker, [made.id])
    reviews.approve(colleague, [made.id], record_only=True, reason="fine")

    moves.start(tracker, [made.id])

    assert deeds.approvals(tracker, tracker.get(made.id)) == []


def test_a_creation_that_moved_others_is_taken_back_as_any_other(tracker: Tracker) -> None:
    """The new part is deleted, and can be restored; the epic that it opened is closed again."""
    epic, one, other = epic_of_two(tracker)
    moves.close(tracker, [one.id, other.id])
    part = editing.create(tracker, IssueEdit(title="new", parent_id=epic.id))
    tracker.comment(part.id, "I need it")
    created = tracker.replica.history(Issue, part.id)[0].mutation_id

    undone = tracker.undo(created)

    assert undone.deleted == (part.id,)
    assert tracker.get(part.id).deleted_at is not None
    assert tracker.get(epic.id).status is Status.CLOSED
    tracker.restore([part.id])
    assert [comment.text for comment in talk.comments(tracker, part.id)] == ["I need it"]


def test_an_approval_that_a_creation_ended_counts_again_once_that_is_taken_back(
    tracker: Tracker, colleague: Tracker
) -> None:
    """A new issue that blocks another changes what was approved, until it is gone."""
    made = tracker.create("Oat milk")
    reviews.request(tracker, [made.id])
    reviews.approve(colleague, [made.id], record_only=True, reason="fine")
    blocker = editing.create(tracker, IssueEdit(title="Buy a fridge"), blocks=[made.id])
    assert deeds.approvals(tracker, tracker.get(made.id)) == []

    undone = tracker.undo()

    assert undone.deleted == (blocker.id,)
    assert len(deeds.approvals(tracker, tracker.get(made.id))) == 1
