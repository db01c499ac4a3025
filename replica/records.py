"""Records: the rows of a program as typed, frozen values.

    class Note(Record, table="notes"):
        title: str
        body: Annotated[str, Rule.TEXT] = ""
        tags: Annotated[frozenset[str], Rule.UNION] = frozenset()

A record behaves as a frozen pydantic model does, and is checked as one; but pydantic, which takes longer to import than
a thousand rows to read, is imported only for what is not plain (`plain.py`). Always true:
- `decode(encode(record)) == record` for every type a record may have;
- whether pydantic was asked makes no difference to what is accepted, nor to the error where it is not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import FrozenInstanceError
from types import SimpleNamespace
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform, get_origin, get_type_hints

from replica.columns import Column, Form, column_of, encode_value
from replica.errors import InputError, SchemaMismatchError
from replica.mutation import StoredValue
from replica.plain import NotPlainError, PlainFields, plain_field
from replica.rules import Rule

R = TypeVar("R", bound="Record")


@dataclass_transform(kw_only_default=True, frozen_default=True)
class _Typed:
    """Tells type checkers that the annotations of a class are the arguments that make one."""


class Record(_Typed):
    """Base of all records: a row of the table named in the class statement.

    id: made by the replica when left empty: `id_prefix` and 8 characters where the class names a prefix, a UUIDv7
    otherwise. updated_at: the stamp of the last write; "" until the row is written; only the replica sets it.
    """

    id: str = ""
    updated_at: str = ""

    replica_table: ClassVar[str] = ""
    replica_id_prefix: ClassVar[str] = ""
    replica_columns: ClassVar[tuple[Column, ...]] = ()
    _plain_fields: ClassVar[PlainFields | None] = None
    model_fields: ClassVar[Mapping[str, Any]] = {"id": str, "updated_at": str}  # annotations may be any objects

    def __init_subclass__(cls, *, table: str = "", id_prefix: str = "") -> None:
        super().__init_subclass__()
        cls.replica_table = table
        cls.replica_id_prefix = id_prefix
        own = dict(cls.__dict__.get("__annotations__", {}))  # noqa: RUF063 - inspect is dear to import
        if any(isinstance(annotation, str) for annotation in own.values()):
            # Names of the function that the class is written in are known only here.
            local = {**sys._getframe(1).f_locals, **vars(cls)}  # noqa: SLF001 - see above
            names = vars(sys.modules[cls.__module__])
            own = get_type_hints(SimpleNamespace(__annotations__=own), names, local, include_extras=True)
        added = {name: annotation for name, annotation in own.items() if _is_field(name, annotation)}
        for name in added:
            if name not in cls.model_fields and hasattr(Record, name):
                raise TypeError(f"{cls.__name__}.{name}: every record has something else of that name")
        cls.model_fields = {**cls.model_fields, **added}
        named = [(name, found) for name, found in cls.model_fields.items() if name not in ("id", "updated_at")]
        cls.replica_columns = tuple(column_of(cls.__name__, name, annotation) for name, annotation in named)

    @classmethod
    def _plain(cls) -> PlainFields | None:
        if "_plain_fields" not in cls.__dict__:
            cls._plain_fields = _plain_fields(cls)
        return cls._plain_fields

    def __init__(self, **values: Any) -> None:  # checked here
        """Raises pydantic's ValidationError for values that do not fit."""
        self.__dict__.update(_taken(type(self), values))

    @classmethod
    def model_validate(cls, values: Mapping[str, Any]) -> Self:  # checked here
        """The record that is made of these values. Raises as the class itself does."""
        return cls(**values)

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:  # as in pydantic, by who knows them
        """A copy with other values in some fields, which are not checked."""
        return _made(type(self), {**self.__dict__, **(update or {})})

    @classmethod
    def from_row(cls, names: Sequence[str], values: Sequence[StoredValue]) -> Self:
        """The record of a stored row.

        Raises SchemaMismatchError, naming row and column, when a value does not fit its field.
        """
        return cls.from_rows(names, [values])[0]

    @classmethod
    def from_rows(cls, names: Sequence[str], rows: Sequence[Sequence[StoredValue]]) -> list[Self]:
        """The records of some stored rows. Raises as `from_row` does."""
        plain = cls._plain()
        if plain is not None:
            try:
                return [_made(cls, values) for values in plain.read(names, rows)] if rows else []
            except NotPlainError:
                # Another program wrote it, or it is damaged: pydantic knows whether it fits, and what to say.
                pass
        return [_validated_row(cls, names, row) for row in rows]

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
        plain = self._plain()
        if plain is not None:
            try:
                return _made(type(self), {**self.__dict__, **plain.take_some(changes)})
            except NotPlainError:
                pass
        from pydantic import ValidationError  # noqa: PLC0415 - see above

        from replica.validation import invalid_record, validated  # noqa: PLC0415 - see above

        try:
            return _made(type(self), validated(type(self), {**self.__dict__, **changes}))
        except ValidationError as error:
            raise invalid_record(type(self), error) from error

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self.model_fields)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self.model_fields)
        return f"{type(self).__name__}({fields})"

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"{type(self).__name__} is frozen: a transaction changes {name}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"{type(self).__name__} is frozen: {name} stays")


def is_of_pydantic(value: object) -> bool:
    """Whether pydantic made it: a validator, or what `Field` returns."""
    return type(value).__module__.partition(".")[0] == "pydantic"


def rules_of(record: type[Record]) -> dict[str, Rule]:
    """The merge rule of every field."""
    return {column.name: column.rule for column in record.replica_columns}


def _is_field(name: str, annotation: Any) -> bool:  # an annotation may be any object
    return not name.startswith("_") and annotation is not ClassVar and get_origin(annotation) is not ClassVar


def _made(record: type[R], values: Mapping[str, Any]) -> R:  # checked before
    made = object.__new__(record)
    made.__dict__.update(values)
    return made


def _taken(record: type[Record], values: Mapping[str, Any]) -> dict[str, Any]:  # whatever a program passes
    plain = record._plain()  # noqa: SLF001 - of this module
    if plain is not None:
        try:
            return plain.take(values)
        except NotPlainError:
            pass
    from replica.validation import validated  # noqa: PLC0415 - brings pydantic

    return validated(record, values)


def _plain_fields(record: type[Record]) -> PlainFields | None:
    """The fields of a class, if all of them are plain and nothing of pydantic is in it."""
    bodies = [vars(base) for base in record.__mro__]
    if any("model_config" in body or any(map(is_of_pydantic, body.values())) for body in bodies):
        return None
    fields = {name: plain_field(annotation) for name, annotation in record.model_fields.items()}
    plain = {name: field for name, field in fields.items() if field is not None}
    defaults = {name: getattr(record, name) for name in plain if hasattr(record, name)}
    return PlainFields(plain, defaults) if len(plain) == len(fields) else None


def _validated_row(record: type[R], names: Sequence[str], values: Sequence[StoredValue]) -> R:
    from pydantic import ValidationError  # noqa: PLC0415 - see above

    from replica.validation import first_problem, validated  # noqa: PLC0415 - brings pydantic

    row = dict(zip(names, values, strict=True))
    for column in record.replica_columns:
        if column.form in (Form.SET, Form.JSON):
            row[column.name] = _load_json(record, column.name, row)
    try:
        return _made(record, validated(record, row))
    except ValidationError as error:
        where, told = first_problem(error)
        message = f"{record.replica_table} {row.get('id')!s}: column {where} holds a value that is not valid: {told}"
        raise SchemaMismatchError(message, "the row was written by another program; correct it there") from error


def _load_json(record: type[Record], name: str, row: Mapping[str, StoredValue]) -> Any:  # any JSON document
    text = row[name]
    if text is None:
        return None
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise SchemaMismatchError(f"{record.replica_table} {row.get('id')!s}: column {name} is not JSON") from error
