"""How an issue changes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import MOVES, Issue, IssueDeletedError, IssueEdit, NothingToChangeError, Status
from tracker.rules import edit_issue, enter_status

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
OPEN = Issue(id="td-00000000", title="Oat milk", labels=frozenset({"a", "b"}), created_at=NOW)
CLOSED = OPEN.model_copy(update={"status": Status.CLOSED, "closed_at": NOW})
DELETED = OPEN.model_copy(update={"deleted_at": NOW})
LATER = NOW + timedelta(hours=1)


def test_an_edit_changes_the_fields_it_names() -> None:
    """And no other."""
    changes = edit_issue(
        OPEN, IssueEdit(title="Soy milk", add_labels=frozenset({"c"}), remove_labels=frozenset({"a"})), LATER
    )

    assert changes == {"title": "Soy milk", "labels": {"b", "c"}}


def test_an_edit_of_nothing_is_a_mistake() -> None:
    """Its author forgot something."""
    with pytest.raises(NothingToChangeError):
        edit_issue(OPEN, IssueEdit(), LATER)


@pytest.mark.parametrize("move", ["close", "reopen"])
def test_a_deleted_issue_is_only_restored(move: str) -> None:
    """Else a change would be made where nobody sees it."""
    with pytest.raises(IssueDeletedError, match="td-00000000 is deleted"):
        MOVES[move](DELETED, LATER)
    with pytest.raises(IssueDeletedError):
        edit_issue(DELETED, IssueEdit(title="x"), LATER)

    assert MOVES["restore"](DELETED, LATER) == {"deleted_at": None}


@pytest.mark.parametrize(
    ("move", "issue"), [("close", CLOSED), ("reopen", OPEN), ("delete", DELETED), ("restore", OPEN)]
)
def test_a_wish_that_is_fulfilled_changes_nothing(move: str, issue: Issue) -> None:
    """So that repeating a command is harmless."""
    assert MOVES[move](issue, LATER) == {}


def test_reopening_leaves_work_that_goes_on_alone() -> None:
    """Only a closed issue is reopened."""
    begun = OPEN.model_copy(update={"status": Status.IN_PROGRESS})

    assert MOVES["reopen"](begun, LATER) == {}


@given(st.lists(st.sampled_from(Status), max_size=6))
def test_an_issue_has_a_moment_of_closing_exactly_while_it_is_closed(way: list[Status]) -> None:
    """Whatever way it takes through the statuses."""
    issue = OPEN
    for status in way:
        issue = issue.with_changes(enter_status(issue, status, LATER))

    assert (issue.closed_at is not None) == (issue.status is Status.CLOSED)
