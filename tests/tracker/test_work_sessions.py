"""Work on several issues in one stretch."""

import pytest

from tracker import Account, Commit, LogType, Status, Tracker, moves, talk, work_sessions
from tracker.errors import ClaimedError, NoWorkError, WorkGoesOnError
from tracker.records import WorkSessionIssue


def test_a_stretch_takes_issues_in_and_starts_them(tracker: Tracker) -> None:
    """And lets them go again."""
    issues = [tracker.create(title) for title in "ab"]
    work = work_sessions.begin(tracker, "dairy", commit=Commit("c0ffee"))

    tagged = work_sessions.tag(tracker, [issue.id for issue in issues])
    work_sessions.untag(tracker, [issues[1].id])

    assert [issue.status for issue in tagged.issues] == [Status.IN_PROGRESS, Status.IN_PROGRESS]
    assert tagged.changed == {issue.id for issue in issues}
    assert work_sessions.tag(tracker, [issues[0].id]).changed == frozenset()
    assert [issue.id for issue in work_sessions.find(tracker, work.id[:6]).issues] == [issues[0].id]
    assert work.start_sha == "c0ffee"


def test_one_stretch_at_a_time(tracker: Tracker) -> None:
    """And none to work in before one was begun."""
    with pytest.raises(NoWorkError):
        work_sessions.tag(tracker, [tracker.create("a").id])
    work_sessions.begin(tracker, "dairy")

    with pytest.raises(WorkGoesOnError, match="dairy"):
        work_sessions.begin(tracker, "bread")


def test_what_somebody_else_has_is_not_taken_in(tracker: Tracker, colleague: Tracker) -> None:
    """Nothing of it was written."""
    made = tracker.create("a")
    work_sessions.begin(tracker, "dairy")
    moves.start(colleague, [made.id])
    moves.unstart(colleague, [made.id])
    moves.start(colleague, [made.id])

    tagged = work_sessions.tag(tracker, [made.id])

    assert tagged.issues[0].implementer_session == colleague.session
    free = tracker.create("b")
    with colleague.transaction() as tx:
        tx.update(tx.get(type(free), free.id), implementer_session=colleague.session)
    with pytest.raises(ClaimedError):
        work_sessions.tag(tracker, [free.id])
    assert len(tracker.replica.select(WorkSessionIssue)) == 1


def test_its_end_hands_each_issue_off_with_what_was_logged(tracker: Tracker) -> None:
    """What is of all issues goes to each, what is of one only to that."""
    one, other = (tracker.create(title) for title in "ab")
    work = work_sessions.begin(tracker, "dairy")
    work_sessions.tag(tracker, [one.id, other.id])
    talk.log(tracker, None, "cleaned the fridge", work=work.id)
    talk.log(tracker, one.id, "use glass", kind=LogType.DECISION, work=work.id)
    talk.log(tracker, other.id, "where is the key", kind=LogType.BLOCKER, work=work.id)

    ended, handoffs = work_sessions.end(tracker, account=Account(remaining=(f"{one.id}: lid", "wash")))

    assert ended.ended_at is not None
    assert work_sessions.current(tracker) is None
    found = {handoff.issue_id: handoff for handoff in handoffs}
    assert found[one.id].done == ("cleaned the fridge",)
    assert (found[one.id].decisions, found[one.id].uncertain) == (("use glass",), ())
    assert (found[other.id].decisions, found[other.id].uncertain) == ((), ("where is the key",))
    assert (found[one.id].remaining, found[other.id].remaining) == ((f"{one.id}: lid", "wash"), ("wash",))
    assert [log.message for log in talk.logs(tracker, other.id)] == ["cleaned the fridge", "where is the key"]
