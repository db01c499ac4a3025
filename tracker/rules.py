"""How an issue changes: pure functions from an issue and a wish to the fields that change.

Always true:
- `closed_at` is set exactly while the status is closed;
- a wish that is already fulfilled changes nothing;
- a deleted issue is only ever restored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tracker.errors import IssueDeletedError, NothingToChangeError
from tracker.records import Issue, IssueType, Priority, Status

Changes = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEdit:
    """What to change of an issue; None leaves a field as it is."""

    title: str | None = None
    description: str | None = None
    type: IssueType | None = None
    priority: Priority | None = None
    status: Status | None = None
    add_labels: frozenset[str] = frozenset()
    remove_labels: frozenset[str] = frozenset()

    def is_empty(self) -> bool:
        """Whether it names no field at all."""
        return self == IssueEdit()


def edit_issue(issue: Issue, edit: IssueEdit, now: datetime) -> Changes:
    """The fields that `edit` changes. Raises NothingToChangeError or IssueDeletedError."""
    if edit.is_empty():
        raise NothingToChangeError
    check_not_deleted(issue)
    changes: dict[str, object] = {}
    for name in ("title", "description", "type", "priority"):
        value = getattr(edit, name)
        if value is not None:
            changes[name] = value
    if edit.add_labels or edit.remove_labels:
        changes["labels"] = (issue.labels | edit.add_labels) - edit.remove_labels
    if edit.status is not None:
        changes |= enter_status(issue, edit.status, now)
    return changes


def enter_status(issue: Issue, status: Status, now: datetime) -> Changes:
    """The fields that change when the issue comes to `status`."""
    if status is issue.status:
        return {}
    return {"status": status, "closed_at": now if status is Status.CLOSED else None}


def close_issue(issue: Issue, now: datetime) -> Changes:
    """The fields that closing changes. Raises IssueDeletedError."""
    check_not_deleted(issue)
    return enter_status(issue, Status.CLOSED, now)


def reopen_issue(issue: Issue, now: datetime) -> Changes:
    """The fields that reopening changes: only a closed issue is reopened. Raises IssueDeletedError."""
    check_not_deleted(issue)
    return enter_status(issue, Status.OPEN, now) if issue.status is Status.CLOSED else {}


def delete_issue(issue: Issue, now: datetime) -> Changes:
    """The fields that deleting changes."""
    return {} if issue.deleted_at else {"deleted_at": now}


def restore_issue(issue: Issue, now: datetime) -> Changes:  # noqa: ARG001 - all five have one shape
    """The fields that restoring changes."""
    return {"deleted_at": None} if issue.deleted_at else {}


MOVES: Final[Mapping[str, Callable[[Issue, datetime], Changes]]] = {
    "close": close_issue,
    "reopen": reopen_issue,
    "delete": delete_issue,
    "restore": restore_issue,
}
"""What can be done to several issues at once, by name."""


def check_not_deleted(issue: Issue) -> None:
    """Raise IssueDeletedError if it is deleted."""
    if issue.deleted_at is not None:
        raise IssueDeletedError(issue.id)
