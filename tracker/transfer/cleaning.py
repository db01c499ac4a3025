"""Make a record of what a source says, by the rules for what people type.

Always true:
- a value that cannot be kept as it is becomes the nearest one that can be, or its row is left out; both are told;
- the same file gives the same records on every machine and at any time, so that two who take it in agree.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

from pydantic import ValidationError

from replica import InputError, Record
from tracker.errors import InvalidFieldError
from tracker.ids import can_be_typed, is_row_id
from tracker.names import parse_priority, parse_status, parse_type
from tracker.records import RECORDS, Issue, IssueType, Priority, Status
from tracker.transfer.fields import kind_of
from tracker.transfer.found import Found, Tally
from tracker.transfer.moments import parse_foreign_day, parse_foreign_moment
from tracker.values import (
    LABEL_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    TITLE_LENGTH_MAX,
    check_label,
    encodable,
    plain_line,
    plain_text,
)

ROW_BYTES_MAX: Final = 1_900_000
"""What a row may take as JSON: a little less than the toolkit takes for one change."""
UNKNOWN_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LINE_LENGTH_MAX: Final = 1_000
# The texts of several lines; every other one is a line.
_TEXTS: Final = frozenset({"description", "acceptance", "text", "message", "content", "summary", "query", "value"})
# A row that says nothing in one of these is none; a title or name can be made up.
_SAYING: Final = frozenset({"text", "message"})
_NAMELESS: Final = {"title": "untitled", "name": "unnamed"}
_ALIASES: Final[Mapping[type, Callable[[str], StrEnum]]] = {
    IssueType: parse_type,
    Priority: parse_priority,
    Status: parse_status,
}


class _UnfitError(Exception):
    """A row that cannot be taken; the text is the reason."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A column: its type without None, whether it may be None, and whether it must be given."""

    name: str
    kind: Any  # an annotation may be any object
    is_optional: bool
    is_required: bool


@cache
def _fields(table: str) -> tuple[_Field, ...]:
    """The columns of a table but for its id and stamp."""
    (record,) = (one for one in RECORDS if one.replica_table == table)
    found = []
    for column in record.replica_columns:
        kind, is_optional = kind_of(record, column.name)
        found.append(_Field(column.name, kind, is_optional, not hasattr(record, column.name)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A row as it can be kept: its record, and the stored values of that as JSON."""

    record: Record
    document: str


def clean(found: Found, tally: Tally, *, is_ours: bool) -> Cleaned | None:
    """What a source says of a row, as it can be kept; None, and told, where it cannot.

    is_ours: it was written by td itself, so that what only looks odd stays as it is.
    """
    table = found.record.replica_table
    try:
        values: dict[str, object] = {"id": _row_id(found)}
        cleaner = _Cleaner(found, tally, is_ours)
        for field in _fields(found.record.replica_table):
            value = cleaner.value(field)
            if value is not _ABSENT:
                values[field.name] = value
        if not is_ours and found.record is Issue:
            cleaner.put_in_step(values)
        record = found.record.model_validate(values)
        document = _document(record)
    except _UnfitError as error:
        tally.skipped.add(table, str(error), found.where)
        return None
    except (ValidationError, InputError) as error:
        told = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        tally.skipped.add(table, f"it cannot be stored: {told}", found.where)
        return None
    for name in found.values.keys() - found.record.model_fields.keys():
        tally.homeless.add(table, f"field {plain_line(name)[:40]}", found.where)
    return Cleaned(record, document)


def stated(found: Found) -> frozenset[str]:
    """The columns that a source itself says something about."""
    return frozenset(
        field.name
        for field in _fields(found.record.replica_table)
        if field.name in found.values
        and field.name not in found.derived
        and (field.is_optional or found.values[field.name] is not None)
    )


_ABSENT: Final = object()


def _row_id(found: Found) -> str:
    row_id = found.values.get("id")
    is_usable = can_be_typed if found.record is Issue else is_row_id
    if not isinstance(row_id, str) or not is_usable(row_id):
        raise _UnfitError("its id cannot be used")
    return row_id


def _document(record: Record) -> str:
    text = json.dumps(record.to_row(), ensure_ascii=False)
    if len(text) > ROW_BYTES_MAX // 4 and len(text.encode()) > ROW_BYTES_MAX:
        raise _UnfitError(f"it takes more than {ROW_BYTES_MAX:,} bytes")
    return text


class _Cleaner:
    """The values of one row; what is changed in them is told."""

    def __init__(self, found: Found, tally: Tally, is_ours: bool) -> None:  # noqa: FBT001 - a private class
        self._found, self._tally, self._is_ours = found, tally, is_ours

    def value(self, field: _Field) -> object:
        """The value of a column, or `_ABSENT` for its default."""
        raw = self._found.values.get(field.name)
        if raw is None:
            if field.is_required:
                return self._made_up(field, None)
            return None if field.is_optional and field.name in self._found.values else _ABSENT
        value = self._converted(field, raw)
        if value is not None and value is not _ABSENT:
            return value
        if field.is_required:
            return self._made_up(field, raw)
        self._repair(f"{field.name} is not one that td knows, and is left out", raw)
        return _ABSENT

    def put_in_step(self, values: dict[str, object]) -> None:
        """Let an issue have a moment of closing exactly while it is closed."""
        is_closed = values.get("status") is Status.CLOSED
        if is_closed and values.get("closed_at") is None:
            values["closed_at"] = self._other_moment()
            self._repair("it is closed and does not say when: taken as when it was last changed", values["closed_at"])
        elif not is_closed and values.get("closed_at") is not None:
            self._repair("it is not closed and says when it was: left out", values.pop("closed_at"))

    def _converted(self, field: _Field, raw: object) -> object:
        """The value as its column has it; None or `_ABSENT` where it cannot be one."""
        kind = field.kind
        if kind is str:
            return self._text(field, raw)
        if kind is datetime:
            return self._moment(raw)
        if kind is frozenset:
            return self._labels(raw)
        return _CONVERSIONS[kind](raw) if kind in _CONVERSIONS else _member(kind, raw)

    def _text(self, field: _Field, raw: object) -> object:
        if not isinstance(raw, str):
            return None
        is_line = field.name not in _TEXTS
        text = plain_line(raw) if is_line else plain_text(raw)
        if text != raw and not self._is_trivial(raw, text):
            self._repair(f"{field.name} held characters that text cannot hold, and is without them", raw)
        if not text.strip():
            if field.name in _SAYING:
                raise _UnfitError(f"its {field.name} is empty")
            if field.name in _NAMELESS and field.is_required:
                return None
        return self._short(field.name, text, is_line=is_line)

    def _is_trivial(self, raw: str, text: str) -> bool:
        """Whether nothing but space at the ends, and how lines end, was changed: typed text loses that too."""
        return not self._is_ours and raw.replace("\r\n", "\n").replace("\r", "\n").strip() == text.strip()

    def _short(self, name: str, text: str, *, is_line: bool) -> str:
        if name == "title":
            limit = TITLE_LENGTH_MAX
        elif self._is_ours:
            return text
        else:
            limit = _LINE_LENGTH_MAX if is_line else TEXT_LENGTH_MAX
        if len(text) <= limit:
            return text
        self._repair(f"{name} had more than {limit:,} characters, and is cut", text)
        return text[: limit - 1] + "…"

    def _moment(self, raw: object) -> datetime | None:
        moment = parse_foreign_moment(raw) if isinstance(raw, str) else None
        # The zero time of Go means none.
        return None if moment is not None and moment.year == 1 and not self._is_ours else moment

    def _labels(self, raw: object) -> frozenset[str] | None:
        if not isinstance(raw, list):
            return None
        labels = set()
        for item in raw:
            if not isinstance(item, str):
                self._repair("a label is no text, and is left out", item)
                continue
            label = _label(item)
            if label != item.strip():
                self._repair("a label had characters that labels do not have; they are dashes now", item)
            if label:
                labels.add(label)
        return frozenset(labels)

    def _made_up(self, field: _Field, raw: object) -> object:
        """A value for a column that must have one: the same at every time and place."""
        if field.kind is datetime:
            value: object = self._other_moment()
        elif field.name in _NAMELESS:
            value = _NAMELESS[field.name]
        else:
            raise _UnfitError(f"its {field.name} is missing" if raw is None else f"its {field.name} cannot be used")
        self._repair(f"{field.name} was missing or not one that td knows, and is made up", raw)
        return value

    def _other_moment(self) -> datetime:
        """When something else happened to the row, or long ago."""
        for name in ("updated_at", "created_at", "started_at", "closed_at", "ended_at", "deleted_at"):
            moment = self._moment(self._found.values.get(name))
            if moment is not None:
                return moment
        return UNKNOWN_MOMENT

    def _repair(self, reason: str, raw: object) -> None:
        shown = plain_line(raw if isinstance(raw, str) else str(raw))[:40]
        example = self._found.where if raw is None else f"{self._found.where}: {shown!r}"
        self._tally.repaired.add(self._found.record.replica_table, reason, example)


def _integer(raw: object) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    return raw if isinstance(raw, int) and -(2**63) <= raw < 2**63 else None


def _flag(raw: object) -> bool | None:
    return bool(raw) if isinstance(raw, int) and raw in (0, 1) else None


def _day(raw: object) -> date | None:
    return parse_foreign_day(raw) if isinstance(raw, str) else None


def _texts(raw: object) -> tuple[str, ...] | None:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        return None
    return tuple(plain_text(item) for item in raw)


def _member(kind: type[StrEnum], raw: object) -> StrEnum | None:
    if not isinstance(raw, str | int) or isinstance(raw, bool):
        return None
    text = str(raw)
    if text in set(kind):
        return kind(text)
    try:
        return _ALIASES[kind](encodable(text)) if kind in _ALIASES else None
    except InvalidFieldError:
        return None


def _label(typed: str) -> str:
    """The label nearest to what was typed; "" for none."""
    try:
        return check_label(typed)
    except InvalidFieldError:
        return re.sub(r"[\s,]+", "-", plain_line(typed)).lstrip("+-")[:LABEL_LENGTH_MAX]


_CONVERSIONS: Final[Mapping[type, Callable[[object], object]]] = {bool: _flag, int: _integer, date: _day, tuple: _texts}
