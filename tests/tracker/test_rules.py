"""How an issue changes."""

from datetime import UTC, datetime, timedelta

import pytest

from tracker import Issue, IssueDeletedError, IssueEdit, NothingToChangeError, Status
from tracker.rules import delete_issue, edit_issue, restore_issue

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
OPEN = Issue(id="td-00000000", title="Oat milk", labels=frozenset({"a", "b"}), created_at=NOW)
CLOSED = OPEN.model_copy(update={"status": Status.CLOSED, "closed_at": NOW})
DELETED = OPEN.model_copy(update={"deleted_at": NOW})
LATER = NOW + timedelta(hours=1)


def test_an_edit_changes_the_fields_it_names() -> None:
    """And no other."""
    changes = edit_issue(OPEN, IssueEdit(title="Soy milk", add_labels=frozenset({"c"}), remove_labels=frozenset({"a"})))

    assert changes == {"title": "Soy milk", "labels": {"b", "c"}}


def test_an_edit_of_nothing_is_a_mistake() -> None:
    """Its author forgot something."""
    with pytest.raises(NothingToChangeError):
        edit_issue(OPEN, IssueEdit())


def test_a_deleted_issue_is_only_restored() -> None:
    """Else a change would be made where nobody sees it."""
    with pytest.raises(IssueDeletedError, match="td-00000000 is deleted"):
        edit_issue(DELETED, IssueEdit(title="x"))

    assert restore_issue(DELETED) == {"deleted_at": None}


def test_a_wish_that_is_fulfilled_changes_nothing() -> None:
    """So that repeating a command is harmless."""
    assert delete_issue(DELETED, LATER) == {}
    assert restore_issue(OPEN) == {}


def test_what_is_appended_is_a_paragraph_of_its_own() -> None:
    """After what is there, or alone where nothing is."""
    described = OPEN.model_copy(update={"description": "one"})

    assert edit_issue(described, IssueEdit(append="two")) == {"description": "one\n\ntwo"}
    assert edit_issue(OPEN, IssueEdit(append="two")) == {"description": "two"}


def test_each_deferral_is_counted() -> None:
    """To another day, not to the same one, nor to none."""
    day = LATER.date()
    deferred = OPEN.model_copy(update={"defer_until": day, "defer_count": 1})

    assert edit_issue(OPEN, IssueEdit(defer_until=day)) == {"defer_until": day, "defer_count": 1}
    assert edit_issue(deferred, IssueEdit(defer_until=day)) == {"defer_until": day}
    assert edit_issue(deferred, IssueEdit(clear=frozenset({"defer_until"}))) == {"defer_until": None}
