"""The value of a field as a person types it, as `FIELD=VALUE` when a conflict is resolved.

Always true: a value is checked by the same rules as when the field was first written.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from tracker.boards import check_board_name, check_board_query
from tracker.days import parse_day
from tracker.deeds import check_setting
from tracker.errors import InvalidFieldError
from tracker.ids import full_prefix
from tracker.names import parse_priority, parse_status, parse_type
from tracker.notes import check_note_title
from tracker.records import Board, Comment, Issue, Note, Setting
from tracker.rules import check_points, check_sprint
from tracker.values import check_comment, check_line, check_text, check_title, parse_labels, parse_moment

_SESSION_LENGTH_MAX: Final = 100


def _description(typed: str) -> str:
    return check_text("description", typed)


def _content(typed: str) -> str:
    return check_text("content", typed)


def _labels(typed: str) -> frozenset[str]:
    return parse_labels([typed] if typed else [])


def _closed_at(typed: str) -> datetime | None:
    return parse_moment("closed_at", typed) if typed else None


def _deleted_at(typed: str) -> datetime | None:
    return parse_moment("deleted_at", typed) if typed else None


def _acceptance(typed: str) -> str:
    return check_text("acceptance", typed)


def _parent(typed: str) -> str | None:
    return full_prefix(typed) if typed else None


def _points(typed: str) -> int | None:
    if not typed:
        return None
    return check_points(int(typed) if typed.isascii() and typed.isdigit() else -1)


def _minor(typed: str) -> bool:
    wanted = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(typed.strip().lower())
    if wanted is None:
        raise InvalidFieldError("minor", f"{typed[:40]!a} is neither yes nor no", "use yes or no")
    return wanted


def _defer_until(typed: str) -> date | None:
    return _day("defer_until", typed)


def _due_date(typed: str) -> date | None:
    return _day("due_date", typed)


def _day(field: str, typed: str) -> date | None:
    # A day is one of the caller's own calendar.
    return parse_day(field, typed, date.today()) if typed else None  # noqa: DTZ011 - see above


def _session(typed: str) -> str | None:
    return check_line("implementer_session", typed, _SESSION_LENGTH_MAX) if typed else None


_PARSERS: Final[Mapping[str, Mapping[str, Callable[[str], object]]]] = {
    Issue.replica_table: {
        "title": check_title,
        "description": _description,
        "type": parse_type,
        "priority": parse_priority,
        "status": parse_status,
        "labels": _labels,
        "acceptance": _acceptance,
        "parent_id": _parent,
        "points": _points,
        "sprint": check_sprint,
        "minor": _minor,
        "defer_until": _defer_until,
        "due_date": _due_date,
        "implementer_session": _session,
        "closed_at": _closed_at,
        "deleted_at": _deleted_at,
    },
    Setting.replica_table: {"value": check_setting},
    Comment.replica_table: {"text": check_comment},
    Board.replica_table: {"name": check_board_name, "query": check_board_query, "deleted_at": _deleted_at},
    Note.replica_table: {"title": check_note_title, "content": _content, "deleted_at": _deleted_at},
}


def parse_field(table: str, name: str, typed: str) -> object:
    """The value of a field of a table; an empty text is no moment, no day, no labels. Raises InvalidFieldError.

    A field of another row than the one that the conflict is about is named with its row: `issues/td-7x2k9m1p.title`.
    """
    row, _, field = name.rpartition(".")
    parsers = _PARSERS.get(row.partition("/")[0] or table, {})
    if field not in parsers:
        known = ", ".join(parsers)
        hint = f"use one of {known}" if known else "take --mine or --theirs"
        raise InvalidFieldError("field", f"there is no field {name[:40]!a} to set", hint)
    return parsers[field](typed)
