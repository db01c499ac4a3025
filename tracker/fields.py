"""The value of a field as a person types it, as `FIELD=VALUE` when a conflict is resolved.

Always true: a value is checked by the same rules as when the field was first written.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tracker.errors import InvalidFieldError
from tracker.names import parse_priority, parse_status, parse_type
from tracker.values import check_comment, check_text, check_title, parse_labels, parse_moment


def _description(typed: str) -> str:
    return check_text("description", typed)


def _labels(typed: str) -> frozenset[str]:
    return parse_labels([typed] if typed else [])


_PARSERS: Final[Mapping[str, Callable[[str], object]]] = {
    "title": check_title,
    "description": _description,
    "type": parse_type,
    "priority": parse_priority,
    "status": parse_status,
    "labels": _labels,
    "text": check_comment,
}
_MOMENTS: Final = ("closed_at", "deleted_at")


def parse_field(name: str, typed: str) -> object:
    """The value of the field `name`; an empty text is no moment, and no labels. Raises InvalidFieldError."""
    if name in _MOMENTS:
        return parse_moment(name, typed) if typed else None
    if name not in _PARSERS:
        known = ", ".join((*_PARSERS, *_MOMENTS))
        raise InvalidFieldError("field", f"there is no field {name[:40]!a} to set", f"use one of {known}")
    return _PARSERS[name](typed)
