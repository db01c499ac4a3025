"""How an issue is edited: pure functions from an issue and a wish to the fields that change.

Always true:
- a wish that is already fulfilled changes nothing;
- a deleted issue is only ever restored;
- an edit says nothing of the status: that is for `tracker.statuses`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Literal

from tracker.errors import InvalidFieldError, IssueDeletedError, NothingToChangeError
from tracker.records import Issue, IssueType, Priority, Status
from tracker.values import check_line, check_text, check_title

Changes = Mapping[str, object]
Clearable = Literal["parent_id", "points", "defer_until", "due_date"]

_SPRINT_LENGTH_MAX: Final = 50
POINTS: Final = (1, 2, 3, 5, 8, 13, 21)
_PLAIN: Final = (
    "title",
    "description",
    "acceptance",
    "type",
    "priority",
    "parent_id",
    "points",
    "sprint",
    "minor",
    "defer_until",
    "due_date",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEdit:
    """What to change of an issue; None leaves a field as it is.

    append: put at the end of the description, in a paragraph of its own. clear: fields to empty.
    """

    title: str | None = None
    description: str | None = None
    append: str | None = None
    acceptance: str | None = None
    type: IssueType | None = None
    priority: Priority | None = None
    status: Status | None = None
    parent_id: str | None = None
    points: int | None = None
    sprint: str | None = None
    minor: bool | None = None
    defer_until: date | None = None
    due_date: date | None = None
    add_labels: frozenset[str] = frozenset()
    remove_labels: frozenset[str] = frozenset()
    clear: frozenset[Clearable] = frozenset()

    def is_empty(self) -> bool:
        """Whether it names no field at all."""
        return self == IssueEdit()

    def checked(self) -> "IssueEdit":
        """The same with its texts as they are stored. Raises InvalidFieldError for a value that a field cannot have."""
        if self.points is not None:
            check_points(self.points)
        return replace(
            self,
            title=None if self.title is None else check_title(self.title),
            description=None if self.description is None else check_text("description", self.description),
            append=None if self.append is None else check_text("description", self.append),
            acceptance=None if self.acceptance is None else check_text("acceptance", self.acceptance),
            sprint=None if self.sprint is None else check_sprint(self.sprint),
        )


def edit_issue(issue: Issue, edit: IssueEdit) -> Changes:
    """The fields that a checked `edit` changes, but for the status. Raises NothingToChangeError, IssueDeletedError."""
    if edit.is_empty():
        raise NothingToChangeError
    check_not_deleted(issue)
    changes: dict[str, object] = dict.fromkeys(edit.clear)
    changes |= {name: value for name in _PLAIN if (value := getattr(edit, name)) is not None}
    if edit.append is not None:
        whole = "\n\n".join(part for part in (edit.description or issue.description, edit.append) if part)
        changes["description"] = check_text("description", whole)
    if edit.add_labels or edit.remove_labels:
        changes["labels"] = (issue.labels | edit.add_labels) - edit.remove_labels
    if "defer_until" in changes and changes["defer_until"] not in (None, issue.defer_until):
        changes["defer_count"] = issue.defer_count + 1
    return changes


def check_points(points: int) -> int:
    """How large an issue is, on the scale that td has. Raises InvalidFieldError."""
    if points not in POINTS:
        raise InvalidFieldError("points", f"there are no {points} points", f"use one of {', '.join(map(str, POINTS))}")
    return points


def check_sprint(typed: str) -> str:
    """The name of a sprint; an empty one takes the issue out of its sprint. Raises InvalidFieldError."""
    return check_line("sprint", typed, _SPRINT_LENGTH_MAX) if typed.strip() else ""


def delete_issue(issue: Issue, now: datetime) -> Changes:
    """The fields that deleting changes."""
    return {} if issue.deleted_at else {"deleted_at": now}


def restore_issue(issue: Issue) -> Changes:
    """The fields that restoring changes."""
    return {"deleted_at": None} if issue.deleted_at else {}


def check_not_deleted(issue: Issue) -> None:
    """Raise IssueDeletedError if it is deleted."""
    if issue.deleted_at is not None:
        raise IssueDeletedError(issue.id)
