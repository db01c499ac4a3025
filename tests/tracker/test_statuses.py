"""The states of an issue."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import Issue, Status
from tracker.errors import ClaimedError, ReviewNeededError, SelfApprovalError, TransitionError
from tracker.review_policy import Involved, Policy
from tracker.statuses import NEXT, Wish, check_way, enter_status, what_fits

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
OPEN = Issue(id="td-00000000", title="Oat milk", created_at=NOW, creator_session="ses_a")
ANYTHING = Wish(session="ses_a", is_forced=True, exception="because", is_approved=True)


def issue(status: Status, **fields: object) -> Issue:
    """An issue in a status."""
    return OPEN.with_changes({"status": status, **fields})


@given(st.lists(st.sampled_from(Status), max_size=6))
def test_an_issue_has_a_moment_of_closing_exactly_while_it_is_closed(way: list[Status]) -> None:
    """And somebody who claims it exactly while it is not open, whatever way it takes through the statuses."""
    found = OPEN
    for status in way:
        found = found.with_changes(enter_status(found, status, NOW, "ses_a"))

    assert (found.closed_at is not None) == (found.status is Status.CLOSED)
    assert found.status is not Status.OPEN or found.implementer_session is None


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("wanted", Status)
def test_only_the_ways_of_the_table_are_taken(status: Status, wanted: Status) -> None:
    """Whatever stands for them."""
    if status is wanted or wanted in NEXT[status]:
        check_way(issue(status), wanted, ANYTHING)
        return
    with pytest.raises(TransitionError) as refused:
        check_way(issue(status), wanted, ANYTHING)
    assert refused.value.hint


def test_what_somebody_else_has_started_is_not_started_again() -> None:
    """The error names who has it; force takes it over."""
    claimed = issue(Status.OPEN, implementer_session="ses_b")

    with pytest.raises(ClaimedError, match="started by ses_b"):
        check_way(claimed, Status.IN_PROGRESS, Wish(session="ses_a"))
    check_way(claimed, Status.IN_PROGRESS, Wish(session="ses_a", is_forced=True))
    check_way(claimed, Status.IN_PROGRESS, Wish(session="ses_b"))


def test_what_is_blocked_is_started_by_force_only() -> None:
    """Somebody said that it cannot go on."""
    with pytest.raises(TransitionError):
        check_way(issue(Status.BLOCKED), Status.IN_PROGRESS, Wish(session="ses_a"))


def test_nobody_closes_their_own_work_without_a_word() -> None:
    """Not while they do it, and not after they put it back; a minor issue, or a reason, lets them."""
    mine = issue(Status.IN_PROGRESS, implementer_session="ses_a")
    was_mine = Wish(session="ses_a", involved=Involved(frozenset({"ses_a"})))

    for refused, wish in ((mine, Wish(session="ses_a")), (OPEN, was_mine)):
        with pytest.raises(SelfApprovalError, match="your own work"):
            check_way(refused, Status.CLOSED, wish)
    check_way(mine, Status.CLOSED, Wish(session="ses_a", exception="nobody else is here"))
    check_way(mine.with_changes({"minor": True}), Status.CLOSED, Wish(session="ses_a"))
    check_way(mine, Status.CLOSED, Wish(session="ses_a", policy=Policy.OFF))
    check_way(mine, Status.CLOSED, Wish(session="ses_b"))
    check_way(OPEN, Status.CLOSED, Wish(session="ses_a"))


def test_what_waits_for_a_review_is_closed_by_an_approval_only() -> None:
    """Whoever asks."""
    waiting = issue(Status.IN_REVIEW)

    with pytest.raises(ReviewNeededError):
        check_way(waiting, Status.CLOSED, Wish(session="ses_b", is_forced=True, exception="x"))
    check_way(waiting, Status.CLOSED, Wish(session="ses_b", is_approved=True))


SESSIONS = st.sampled_from([None, "ses_a", "ses_b"])
MOMENTS = st.sampled_from([None, NOW])


@given(
    st.builds(
        issue,
        st.sampled_from(Status),
        implementer_session=SESSIONS,
        review_requested_by=SESSIONS,
        closed_by_session=SESSIONS,
        closed_at=MOMENTS,
    )
)
def test_what_belongs_to_a_status_fits_it_whatever_was_merged(merged: Issue) -> None:
    """Nothing is left of another status, nobody is missing, and what fits already stays."""
    found = merged.with_changes(what_fits(merged, NOW, "ses_c"))

    assert (found.closed_at is not None) == (found.status is Status.CLOSED)
    assert found.closed_by_session is None or found.status is Status.CLOSED
    if found.status is Status.OPEN:
        assert (found.implementer_session, found.review_requested_by) == (None, None)
    if found.status in (Status.IN_PROGRESS, Status.IN_REVIEW):
        assert found.implementer_session is not None
    assert found.status is not Status.IN_REVIEW or found.review_requested_by is not None
    assert found.with_changes(what_fits(found, NOW, "ses_d")) == found
