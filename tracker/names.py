"""What people call things, and what td calls them.

Always true: a name that is not understood is an error that lists the names that are; nothing is guessed.
"""

from enum import StrEnum
from typing import Final, TypeVar

from tracker.errors import InvalidFieldError
from tracker.records import FileRole, IssueType, LogType, Priority, Status, ViewMode

_Name = TypeVar("_Name", bound=StrEnum)

_TYPE_ALIASES: Final = {"story": IssueType.FEATURE}
_PRIORITY_ALIASES: Final = {
    **{priority.value[1:]: priority for priority in Priority},
    "critical": Priority.P0,
    "highest": Priority.P0,
    "high": Priority.P1,
    "medium": Priority.P2,
    "normal": Priority.P2,
    "default": Priority.P2,
    "low": Priority.P3,
    "lowest": Priority.P4,
    "none": Priority.P4,
}
_STATUS_ALIASES: Final = {"review": Status.IN_REVIEW}


def parse_type(typed: str) -> IssueType:
    """The type that `typed` names, in any case; a story is a feature. Raises InvalidFieldError."""
    return _parse("type", typed, IssueType, _TYPE_ALIASES)


def parse_priority(typed: str) -> Priority:
    """The priority that `typed` names: P0 to P4, 0 to 4, or critical to lowest. Raises InvalidFieldError."""
    return _parse("priority", typed, Priority, _PRIORITY_ALIASES)


def parse_status(typed: str) -> Status:
    """The status that `typed` names, in any case, with `-`, `_` or a space. Raises InvalidFieldError."""
    return _parse("status", typed, Status, _STATUS_ALIASES)


def parse_log_type(typed: str) -> LogType:
    """The kind of log that `typed` names, in any case. Raises InvalidFieldError."""
    return _parse("log type", typed, LogType, {})


def parse_role(typed: str) -> FileRole:
    """What a file is to an issue, by its name in any case. Raises InvalidFieldError."""
    return _parse("role", typed, FileRole, {})


def parse_view_mode(typed: str) -> ViewMode:
    """The view mode that `typed` names, in any case. Raises InvalidFieldError."""
    return _parse("view mode", typed, ViewMode, {})


def _parse(field: str, typed: str, names: type[_Name], aliases: dict[str, _Name]) -> _Name:
    wanted = typed.strip().lower().replace("-", "_").replace(" ", "_")
    known = {name.value.lower(): name for name in names} | aliases
    if wanted not in known:
        shown = ", ".join(name.value for name in names)
        raise InvalidFieldError(field, f"there is no {field} {_quoted(typed)}", f"use one of {shown}")
    return known[wanted]


def _quoted(typed: str) -> str:
    # What was typed may hold anything, and goes to a terminal.
    return ascii(typed if len(typed) <= 40 else typed[:39] + "…") if not typed.isprintable() else f"'{typed[:40]}'"


def split_title(typed: str) -> tuple[str, IssueType | None]:
    """A title, and the type that it begins with: `bug: it is slow` is a bug that is slow."""
    head, colon, rest = typed.partition(":")
    kind = {name.value: name for name in IssueType} | _TYPE_ALIASES
    found = kind.get(head.strip().lower()) if colon and rest.strip() else None
    return (typed, None) if found is None else (rest.strip(), found)
