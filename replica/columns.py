"""Columns: how the fields of a record are stored and merged, as their annotations say.

Always true:
- an annotation that no column can hold, or that does not fit its rule, is a `TypeError` where the class is written,
  before there is data;
- what cannot be stored without loss (an integer beyond 64 bits, NaN, text with a NUL or half a surrogate pair)
  is refused with `InputError` before anything is written.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Union, cast, get_args, get_origin

from replica.errors import InputError
from replica.mutation import StoredValue
from replica.rules import Rule, canonical_set
from replica.storable import check_storable

if TYPE_CHECKING:
    from pydantic import BaseModel


class Form(StrEnum):
    """How a field is stored."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    BLOB = "blob"
    SET = "set"
    JSON = "json"


_FORMS: dict[type, Form] = {
    str: Form.TEXT,
    bool: Form.INTEGER,
    int: Form.INTEGER,
    float: Form.REAL,
    bytes: Form.BLOB,
    date: Form.TEXT,
    datetime: Form.TEXT,
    set: Form.SET,
    frozenset: Form.SET,
    list: Form.JSON,
    tuple: Form.JSON,
    dict: Form.JSON,
}


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record as it is stored."""

    name: str
    form: Form
    rule: Rule


def column_of(record: str, name: str, annotation: Any) -> Column:  # an annotation may be any object
    """The column of a field. record: the name of the class. Raises TypeError for what cannot be stored so."""
    metadata = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    rule = next((item for item in metadata if isinstance(item, Rule)), Rule.KEEP)
    form, inner = _form_of(record, name, annotation)
    if rule is Rule.UNION and form is not Form.SET:
        raise TypeError(f"{record}.{name}: rule union needs a set or frozenset")
    if rule is Rule.SUM and inner is not int:
        raise TypeError(f"{record}.{name}: rule sum needs an int")
    if rule is Rule.TEXT and inner is not str:
        raise TypeError(f"{record}.{name}: rule text needs a str")
    return Column(name, form, rule)


def without_none(annotation: Any) -> tuple[Any, bool]:  # see above
    """What a field holds that may be None, and whether it may."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not types.NoneType]
        if len(inner) == 1:
            return inner[0], True
    return annotation, False


def is_model(kind: type) -> bool:
    """Whether a class is a pydantic model; where nobody has imported pydantic, there is none."""
    pydantic = sys.modules.get("pydantic.main")
    return pydantic is not None and issubclass(kind, pydantic.BaseModel)


def _form_of(record: str, name: str, annotation: Any) -> tuple[Form, type]:  # see above
    origin = get_origin(annotation)
    if origin is Annotated:
        return _form_of(record, name, get_args(annotation)[0])
    inner, is_optional = without_none(annotation)
    if is_optional:
        return _form_of(record, name, inner)
    kind = origin or annotation
    if isinstance(kind, type):
        if kind in _FORMS:
            return _FORMS[kind], kind
        if issubclass(kind, Enum):
            return _form_of_enum(record, name, kind), kind
        if is_model(kind):
            return Form.JSON, kind
    known = ", ".join(form.__name__ for form in _FORMS)
    raise TypeError(f"{record}.{name}: {annotation} cannot be stored; use {known}, an Enum or a pydantic model")


def _form_of_enum(record: str, name: str, kind: type[Enum]) -> Form:
    forms = {_FORMS.get(type(member.value)) for member in kind}
    form = forms.pop() if len(forms) == 1 else None
    if form not in (Form.TEXT, Form.INTEGER, Form.REAL):
        raise TypeError(f"{record}.{name}: {kind.__name__} cannot be stored; let all its values be of one type")
    return form


def encode_value(column: Column, value: object) -> StoredValue:
    """One value as stored. Raises InputError for what cannot be stored without loss."""
    if value is None:
        return None
    if type(value) is str and column.form is Form.TEXT:
        # Most values are text, and need none of what follows.
        check_storable(column.name, value)
        return value
    if isinstance(value, Enum):
        value = value.value
    if column.form is Form.JSON:
        value = _json_text(column, value)
    elif isinstance(value, set | frozenset):
        value = _set_text(column, value)
    elif isinstance(value, bool):
        value = int(value)
    elif isinstance(value, datetime):
        value = _utc_text(column, value)
    elif isinstance(value, date):
        value = value.isoformat()
    elif isinstance(value, float):
        value += 0.0  # SQLite keeps no sign of zero, so it has none from the start
    check_storable(column.name, value)
    return cast("StoredValue", value)


def _json_text(column: Column, value: object) -> str:
    try:
        return json.dumps(
            _json_value(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{column.name}: no JSON can hold it: {error}", "use text, numbers, lists and dicts"
        ) from error


def _set_text(column: Column, value: set[object] | frozenset[object]) -> str:
    try:
        return canonical_set(member.value if isinstance(member, Enum) else member for member in value)
    except InputError as error:
        raise InputError(f"{column.name}: {error}", "use text or finite numbers") from error


def _utc_text(column: Column, value: datetime) -> str:
    if value.tzinfo is None:
        raise InputError(f"{column.name}: a date and time needs its time zone", "for example datetime.now(UTC)")
    try:
        moment = value.astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"{column.name}: {value} is not within the years 1 to 9999 in UTC") from error
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json_value(value: object) -> object:
    """A JSON document of plain values: models become dicts, enums their values."""
    if is_model(type(value)):
        return cast("BaseModel", value).model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): _json_value(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value
