"""Records: the rows of a program as typed, frozen values.

    class Note(Record, table="notes"):
        title: str
        body: Annotated[str, Rule.TEXT] = ""
        tags: Annotated[frozenset[str], Rule.UNION] = frozenset()

Always true:
- `decode(encode(record)) == record` for every type a record may have;
- what cannot be stored without loss (an integer beyond 64 bits, NaN, text with a NUL or half a surrogate pair)
  is refused with `InputError` before anything is written.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import Annotated, Any, ClassVar, Self, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from replica.errors import InputError, SchemaMismatchError
from replica.mutation import StoredValue
from replica.rules import Rule, canonical_set
from replica.storable import check_storable


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


class Record(BaseModel):
    """Base of all records: a row of the table named in the class statement.

    id: made by the replica when left empty: `id_prefix` and 8 characters where the class names a prefix, a UUIDv7
    otherwise. updated_at: the stamp of the last write; "" until the row is written; only the replica sets it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = ""
    updated_at: str = ""

    replica_table: ClassVar[str] = ""
    replica_id_prefix: ClassVar[str] = ""
    replica_columns: ClassVar[tuple[Column, ...]] = ()

    def __init_subclass__(
        cls, *, table: str = "", id_prefix: str = "", **kwargs: Any
    ) -> None:  # pydantic's own signature
        super().__init_subclass__(**kwargs)
        cls.replica_table = table
        cls.replica_id_prefix = id_prefix

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:  # pydantic's own signature
        names = [name for name in cls.model_fields if name not in ("id", "updated_at")]
        cls.replica_columns = tuple(_column(cls, name) for name in names)

    @classmethod
    def from_row(cls, names: Sequence[str], values: Sequence[StoredValue]) -> Self:
        """The record of a stored row.

        Raises SchemaMismatchError, naming row and column, when a value does not fit its field.
        """
        row = dict(zip(names, values, strict=True))
        for column in cls.replica_columns:
            if column.form in (Form.SET, Form.JSON):
                row[column.name] = _load_json(cls, column.name, row)
        try:
            return cls.model_validate(row)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            told = error.errors()[0]["msg"]
            message = f"{cls.replica_table} {row.get('id')!s}: column {where} holds a value that is not valid: {told}"
            raise SchemaMismatchError(message, "the row was written by another program; correct it there") from error

    def to_row(self) -> dict[str, StoredValue]:
        """The fields as stored values, without `id` and `updated_at`. Raises InputError for what cannot be stored."""
        return {column.name: encode_value(column, getattr(self, column.name)) for column in self.replica_columns}

    def with_changes(self, changes: Mapping[str, object]) -> Self:
        """A validated copy with some fields changed. Raises InputError for an unknown field or a bad value."""
        allowed = {column.name for column in self.replica_columns}
        for name in changes:
            if name not in allowed:
                raise InputError(
                    f"{self.replica_table} has no field {name}", f"the fields are {', '.join(sorted(allowed))}"
                )
        values = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            return type(self).model_validate(values | dict(changes))
        except ValidationError as error:
            raise invalid_record(type(self), error) from error


def invalid_record(record: type[Record], error: ValidationError) -> InputError:
    """A validation failure of pydantic as one line that names the field."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "record"
    return InputError(f"{record.replica_table}: {where}: {first['msg']}")


def rules_of(record: type[Record]) -> dict[str, Rule]:
    """The merge rule of every field."""
    return {column.name: column.rule for column in record.replica_columns}


def _load_json(record: type[Record], name: str, row: Mapping[str, StoredValue]) -> Any:  # any JSON document
    text = row[name]
    if text is None:
        return None
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise SchemaMismatchError(f"{record.replica_table} {row.get('id')!s}: column {name} is not JSON") from error


def _column(record: type[Record], name: str) -> Column:
    info = record.model_fields[name]
    rule = next((item for item in info.metadata if isinstance(item, Rule)), Rule.KEEP)
    form, inner = _form_of(record, name, info.annotation)
    if rule is Rule.UNION and form is not Form.SET:
        raise TypeError(f"{record.__name__}.{name}: rule union needs a set or frozenset")
    if rule is Rule.SUM and inner is not int:
        raise TypeError(f"{record.__name__}.{name}: rule sum needs an int")
    if rule is Rule.TEXT and inner is not str:
        raise TypeError(f"{record.__name__}.{name}: rule text needs a str")
    return Column(name, form, rule)


def _form_of(record: type[Record], name: str, annotation: Any) -> tuple[Form, type]:  # an annotation may be any object
    origin = get_origin(annotation)
    if origin is Annotated:
        return _form_of(record, name, get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        inner = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(inner) == 1:
            return _form_of(record, name, inner[0])
    kind = origin or annotation
    if isinstance(kind, type):
        if issubclass(kind, BaseModel):
            return Form.JSON, kind
        if issubclass(kind, Enum):
            return _form_of_enum(record, name, kind), kind
        if kind in _FORMS:
            return _FORMS[kind], kind
    known = ", ".join(form.__name__ for form in _FORMS)
    raise TypeError(
        f"{record.__name__}.{name}: {annotation} cannot be stored; use {known}, an Enum or a pydantic model"
    )


def _form_of_enum(record: type[Record], name: str, kind: type[Enum]) -> Form:
    forms = {_FORMS.get(type(member.value)) for member in kind}
    form = forms.pop() if len(forms) == 1 else None
    if form not in (Form.TEXT, Form.INTEGER, Form.REAL):
        raise TypeError(
            f"{record.__name__}.{name}: {kind.__name__} cannot be stored; let all its values be of one type"
        )
    return form


def encode_value(column: Column, value: object) -> StoredValue:
    """One value as stored. Raises InputError for what cannot be stored without loss."""
    if isinstance(value, Enum):
        value = value.value
    if value is not None and column.form is Form.JSON:
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
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
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


def _plain(value: object) -> object:
    """A JSON document of plain values: models become dicts, enums their values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value
