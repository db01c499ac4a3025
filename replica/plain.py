"""Plain fields: those whose values need no pydantic to be checked, which is dear to import.

A field is plain whose type is a text, a number, bytes, a date, a moment or an enum, or a list, tuple, set or dict of
texts and numbers; it may be None. Always true:
- what is taken, pydantic would take as it is; about everything else `NotPlainError` leaves the word to pydantic;
- what is read is what was written, and in the form that is written here; about other forms, the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin

from replica.columns import without_none
from replica.mutation import StoredValue
from replica.rules import Rule

Stored = Sequence[StoredValue]
Read = Callable[[Stored], Iterable[object]]

_SCALARS: Final = frozenset({str, int, float, bool})
_TEXT: Final = frozenset({str})


class NotPlainError(Exception):
    """A value that only pydantic can judge."""


class PlainField(NamedTuple):
    """How the values of one field are taken and read.

    kinds: of which types they are, to the letter. read: the values of many rows from what is stored. copy: what looks
    at the members of one, and makes one that its author does not share.
    """

    kinds: frozenset[type]
    read: Read
    copy: Callable[[Any], object] | None = None

    def take(self, value: Any) -> object:  # whatever a program passes
        """The value, if it is one of this field. Raises NotPlainError."""
        if type(value) not in self.kinds:
            raise NotPlainError
        return value if self.copy is None or value is None else self.copy(value)


def plain_field(annotation: Any) -> PlainField | None:  # an annotation may be any object
    """The plain field that an annotation describes, if it is one."""
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        if not all(isinstance(item, Rule) for item in metadata):
            return None
    annotation, is_optional = without_none(annotation)
    none = frozenset({NoneType}) if is_optional else frozenset()
    if annotation in (str, int, float, bytes):
        kinds = none | {annotation}
        return PlainField(kinds, _same(kinds))
    if annotation is bool:
        return PlainField(none | {bool}, _named({0: False, 1: True}, int, none))
    if annotation is datetime or annotation is date:
        read = _moment if annotation is datetime else _day
        return PlainField(none | {annotation}, _each(read, none))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        members: dict[Any, object] = {member.value: member for member in annotation}
        return PlainField(none | {annotation}, _named(members, type(next(iter(members))), none))
    return _container(annotation, none)


def _container(annotation: Any, none: frozenset[type]) -> PlainField | None:
    kind: Any = get_origin(annotation)  # a class, or None
    elements = _elements(kind, get_args(annotation))
    if not elements:
        return None

    def checked(value: Any) -> object:
        members = value.values() if kind is dict else value
        if object not in elements and not elements.issuperset(map(type, members)):
            raise NotPlainError
        if kind is dict and not _TEXT.issuperset(map(type, value)):
            raise NotPlainError
        return kind(value)

    def read(text: StoredValue) -> object:
        if type(text) is not str:
            raise NotPlainError
        found = json.loads(text)
        if type(found) is not (dict if kind is dict else list):
            raise NotPlainError
        return checked(found)

    return PlainField(none | {kind}, _each(read, none, can_change=kind not in (tuple, frozenset)), checked)


def _elements(kind: Any, inner: tuple[Any, ...]) -> frozenset[type]:
    """Of which types the members of a container are, to the letter; `object`: of any; none: it is not plain."""
    if kind is tuple and inner[1:] == (...,):
        inner = inner[:1]
    elif kind is dict and inner[0] is str:
        inner = inner[1:]
    elif kind not in (set, frozenset, list):
        return frozenset()
    if inner[0] in (Any, object) and kind in (list, dict):
        return frozenset({object})
    return frozenset(inner) if inner[0] in _SCALARS else frozenset()


def _same(kinds: frozenset[type]) -> Read:
    """Values that are stored as they are."""

    def read(values: Stored) -> Stored:
        if not kinds.issuperset(map(type, values)):
            raise NotPlainError
        return values

    return read


def _named(members: Mapping[Any, object], kind: type, none: frozenset[type]) -> Read:
    """Values that stand for others. kind: of which type the stored ones are: to a dict, 1, 1.0 and True are one."""
    kinds = none | {kind}
    named = {**members, None: None} if none else members

    def read(values: Stored) -> list[object]:
        if not kinds.issuperset(map(type, values)):
            raise NotPlainError
        try:
            return [named[value] for value in values]
        except KeyError as error:
            raise NotPlainError from error

    return read


def _each(read_one: Callable[[StoredValue], object], none: frozenset[type], *, can_change: bool = False) -> Read:
    """Values that are read one by one; those that cannot change, once for all rows that have the same."""

    def read_or_none(value: StoredValue) -> object:
        return None if value is None and none else read_one(value)

    def read(values: Stored) -> list[object]:
        try:
            if can_change:
                return [read_or_none(value) for value in values]
            known = {value: read_or_none(value) for value in set(values)}
            return [known[value] for value in values]
        except ValueError as error:
            raise NotPlainError from error

    return read


def _moment(text: StoredValue) -> datetime:
    # Python reads many forms of a moment, and this is the one that is written here.
    if type(text) is str and len(text) == 27 and text[7] == "-" and text[10] == "T" and text[26] == "Z":
        return datetime.fromisoformat(text)
    raise NotPlainError


def _day(text: StoredValue) -> date:
    if type(text) is str and len(text) == 10 and text[7] == "-":
        return date.fromisoformat(text)
    raise NotPlainError


class PlainFields:
    """The fields of a class that are all plain. defaults: of those that need not be given."""

    def __init__(self, fields: Mapping[str, PlainField], defaults: Mapping[str, object]) -> None:
        self._fields, self._defaults = fields, defaults

    def take(self, values: Mapping[str, object]) -> dict[str, object]:
        """All values of a record that is made of these. Raises NotPlainError."""
        taken: dict[str, object] = {}
        given = 0
        for name, field in self._fields.items():
            if name in values:
                given += 1
                taken[name] = field.take(values[name])
            elif name in self._defaults:
                taken[name] = field.take(self._defaults[name])
            else:
                raise NotPlainError
        if given != len(values):
            raise NotPlainError
        return taken

    def take_some(self, values: Mapping[str, object]) -> dict[str, object]:
        """Some of the values. Raises NotPlainError."""
        return {name: self._fields[name].take(value) for name, value in values.items()}

    def read(self, names: Sequence[str], rows: Sequence[Stored]) -> list[dict[str, object]]:
        """All values of each of some rows. names: of their columns. Raises NotPlainError."""
        if self._fields.keys() != set(names):
            raise NotPlainError
        # A column at a time: that is mostly done without a step of Python for each value.
        columns = zip(*rows, strict=True)
        read = [self._fields[name].read(values) for name, values in zip(names, columns, strict=True)]
        return [dict(zip(names, values, strict=True)) for values in zip(*read, strict=True)]
