"""Somebody else looks before an issue is closed."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tracker import (
    Issue,
    IssueEdit,
    IssueType,
    Status,
    Tracker,
    deeds,
    dependencies,
    editing,
    files,
    moves,
    reviews,
    talk,
)
from tracker.errors import InvalidFieldError, ReviewNeededError, SelfApprovalError, TransitionError
from tracker.files import FoundFile
from tracker.records import Decision, LogType, Review
from tracker.review_policy import Approval, Involved, Policy, refuse_approval


@pytest.fixture
def waiting(tracker: Tracker) -> Issue:
    """An issue that the tracker's session worked on and that is in review."""
    made = tracker.create("Oat milk")
    moves.start(tracker, [made.id])
    talk.log(tracker, made.id, "bought it")
    return reviews.request(tracker, [made.id]).issues[0]


def test_a_review_finds_what_was_done(tracker: Tracker, waiting: Issue) -> None:
    """A handoff is made of the logs where nobody made one."""
    assert (waiting.status, waiting.review_requested_by) == (Status.IN_REVIEW, tracker.session)
    handoff = talk.last_handoff(tracker, waiting.id)
    assert handoff is not None
    assert handoff.done == ("bought it",)


def test_somebody_else_approves_and_closes(tracker: Tracker, colleague: Tracker, waiting: Issue) -> None:
    """And is named for it."""
    (closed,) = reviews.approve(colleague, [waiting.id], reason="fine").issues

    assert (closed.status, closed.reviewer_session, closed.closed_by_session) == (
        Status.CLOSED,
        colleague.session,
        colleague.session,
    )
    (review,) = tracker.replica.select(Review)
    assert (review.decision, review.summary, review.self_review) == (Decision.APPROVED, "fine", False)


def test_who_worked_on_it_says_who_looked_or_why_nobody_did(tracker: Tracker, waiting: Issue) -> None:
    """Else it is refused, and where it is not, a log of its own kind tells."""
    for reason in ("", "fine"):
        with pytest.raises(SelfApprovalError):
            reviews.approve(tracker, [waiting.id], reason=reason)
    with pytest.raises(InvalidFieldError):
        reviews.approve(tracker, [waiting.id], is_self_review=True)

    reviews.approve(tracker, [waiting.id], reviewed_by="Ada, by mail")

    (review,) = tracker.replica.select(Review)
    assert (review.self_review, review.reviewed_by) == (True, "Ada, by mail")
    assert [log.type for log in talk.logs(tracker, waiting.id)][-1] is LogType.SECURITY


def test_a_recorded_approval_closes_nothing_and_lets_anybody_close(
    tracker: Tracker, colleague: Tracker, waiting: Issue
) -> None:
    """Who did not approve it says why they close it."""
    moved = reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)
    assert moved.issues[0].status is Status.IN_REVIEW

    with pytest.raises(InvalidFieldError):
        reviews.approve(tracker, [waiting.id])
    reviews.approve(tracker, [waiting.id], reason="was approved")

    closed = tracker.get(waiting.id)
    assert (closed.status, closed.closed_by_session) == (Status.CLOSED, tracker.session)
    (review,) = tracker.replica.select(Review)
    assert (closed.reviewer_session, closed.reviewed_at) == (colleague.session, review.created_at)


def test_who_closes_on_the_approval_of_somebody_else_says_why(
    tracker: Tracker, colleague: Tracker, waiting: Issue
) -> None:
    """Whichever way it is closed; the issue tells of who reviewed it, not of who closed it."""
    reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)

    with pytest.raises(InvalidFieldError):
        moves.close(tracker, [waiting.id])
    with pytest.raises(InvalidFieldError):
        tracker.update(waiting.id, IssueEdit(status=Status.CLOSED))
    (closed,) = moves.close(tracker, [waiting.id], reason="was approved").issues

    assert (closed.reviewer_session, closed.closed_by_session) == (colleague.session, tracker.session)


def test_who_approved_closes_without_another_word(tracker: Tracker, colleague: Tracker, waiting: Issue) -> None:
    """The approval has said it all."""
    reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)

    (closed,) = moves.close(colleague, [waiting.id]).issues

    assert (closed.status, closed.reviewer_session) == (Status.CLOSED, colleague.session)


@pytest.mark.parametrize(
    "edit",
    [
        IssueEdit(title="Soy milk"),
        IssueEdit(description="more"),
        IssueEdit(type=IssueType.BUG),
        IssueEdit(minor=True),
        IssueEdit(status=Status.OPEN),
    ],
)
def test_an_edit_ends_an_approval(tracker: Tracker, colleague: Tracker, waiting: Issue, edit: IssueEdit) -> None:
    """What was approved is not what is there now."""
    reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)

    tracker.update(waiting.id, edit)

    assert deeds.approvals(tracker, tracker.get(waiting.id)) == []


def test_labels_and_days_do_not_end_an_approval(tracker: Tracker, colleague: Tracker, waiting: Issue) -> None:
    """They say nothing of the work."""
    reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)

    tracker.update(waiting.id, IssueEdit(add_labels=frozenset({"a"}), due_date=tracker.now().date()))

    assert len(deeds.approvals(tracker, tracker.get(waiting.id))) == 1


def test_a_rejected_issue_is_open_and_nobodys(tracker: Tracker, colleague: Tracker, waiting: Issue) -> None:
    """With the reason kept, and no approval left."""
    reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)

    (back,) = reviews.reject(colleague, [waiting.id], reason="sour").issues

    assert (back.status, back.implementer_session, back.review_requested_by) == (Status.OPEN, None, None)
    assert deeds.approvals(tracker, tracker.get(waiting.id)) == []
    decisions = [(one.decision, one.summary) for one in tracker.replica.select(Review, "ORDER BY created_at, decision")]
    assert (Decision.CHANGES_REQUESTED, "sour") in decisions


def test_what_is_not_in_review_is_neither_approved_nor_rejected(tracker: Tracker) -> None:
    """And what is in review is not just closed."""
    made = tracker.create("Oat milk")

    for decide in (reviews.approve, reviews.reject):
        with pytest.raises(TransitionError, match="is open"):
            decide(tracker, [made.id])
    reviews.request(tracker, [made.id])
    with pytest.raises(ReviewNeededError):
        moves.close(tracker, [made.id])


def test_an_epic_goes_to_review_with_its_parts_and_is_approved_with_them(tracker: Tracker, colleague: Tracker) -> None:
    """All in one mutation each."""
    epic = tracker.create("Ship it", type=IssueType.EPIC)
    parts = [editing.create(tracker, IssueEdit(title=title, parent_id=epic.id)).id for title in "ab"]

    moved = reviews.request(tracker, [epic.id])
    assert {tracker.get(one).status for one in (epic.id, *parts)} == {Status.IN_REVIEW}
    assert sorted(issue.id for issue in moved.followed) == sorted(parts)
    reviews.approve(colleague, [epic.id])

    assert {tracker.get(one).status for one in (epic.id, *parts)} == {Status.CLOSED}


def test_the_policy_is_of_the_whole_team(tracker: Tracker, colleague: Tracker, waiting: Issue) -> None:
    """It is a row like any other, and one that nobody knows is refused."""
    with pytest.raises(InvalidFieldError, match="no policy"):
        deeds.set_policy(tracker, "lenient")
    deeds.set_policy(colleague, "Delegated")

    with pytest.raises(SelfApprovalError, match="delegated"):
        reviews.approve(tracker, [waiting.id], reviewed_by="Ada")


WORKER, CREATOR, OTHER = "ses_a_000001", "ses_a_000002", "ses_a_000003"


@pytest.mark.parametrize(
    ("policy", "session", "approval", "may"),
    [
        (Policy.STRICT, OTHER, Approval(), True),
        (Policy.STRICT, CREATOR, Approval("fine"), False),
        (Policy.STRICT, WORKER, Approval("fine", "Ada"), False),
        (Policy.BALANCED, OTHER, Approval(), True),
        (Policy.BALANCED, CREATOR, Approval(), False),
        (Policy.BALANCED, CREATOR, Approval("fine"), True),
        (Policy.BALANCED, WORKER, Approval("fine", "Ada"), False),
        (Policy.DELEGATED, CREATOR, Approval(), True),
        (Policy.DELEGATED, WORKER, Approval("fine", "Ada"), False),
        (Policy.TRUSTED, CREATOR, Approval(), True),
        (Policy.TRUSTED, WORKER, Approval("fine"), False),
        (Policy.TRUSTED, WORKER, Approval(reviewed_by="Ada"), True),
        (Policy.TRUSTED, WORKER, Approval("alone", is_self_review=True), True),
        (Policy.OFF, WORKER, Approval(), True),
    ],
)
def test_who_may_approve(policy: Policy, session: str, approval: Approval, *, may: bool) -> None:
    """The table of the policies, line by line; a minor issue is for anybody under each of them."""
    made = Issue(
        id="td-00000000",
        title="Oat milk",
        created_at=datetime(2026, 11, 21, tzinfo=UTC),
        status=Status.IN_REVIEW,
        implementer_session=WORKER,
        creator_session=CREATOR,
    )

    assert (refuse_approval(made, session, policy, Involved(), approval) is None) == may
    assert refuse_approval(made.with_changes({"minor": True}), session, policy, Involved(), approval) is None


def test_another_file_or_dependency_ends_an_approval(tracker: Tracker, colleague: Tracker, waiting: Issue) -> None:
    """They are part of what was looked at."""
    first = tracker.create("first").id
    changes: list[Callable[[], object]] = [
        lambda: dependencies.add(tracker, waiting.id, [first]),
        lambda: files.link(tracker, waiting.id, [FoundFile("milk", "0" * 64)]),
    ]
    for change in changes:
        reviews.approve(colleague, [waiting.id], reason="fine", record_only=True)
        assert deeds.approvals(tracker, tracker.get(waiting.id))

        change()

        assert deeds.approvals(tracker, tracker.get(waiting.id)) == []


@pytest.mark.parametrize("is_part_first", [True, False])
def test_an_epic_and_its_part_are_approved_together(
    tracker: Tracker, colleague: Tracker, *, is_part_first: bool
) -> None:
    """What was approved with the epic is not refused for being closed."""
    epic = tracker.create("Ship it", type=IssueType.EPIC)
    part = editing.create(tracker, IssueEdit(title="a part", parent_id=epic.id))
    reviews.request(tracker, [epic.id])

    moved = reviews.approve(colleague, [part.id, epic.id] if is_part_first else [epic.id, part.id])

    assert {issue.status for issue in moved.issues} == {Status.CLOSED}
    assert moved.changed == {epic.id, part.id}
    assert len(tracker.replica.select(Review)) == 2
