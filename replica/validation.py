"""What pydantic says of the values of a record: all that is not plain, and every error.

Imported only when it is asked. Always true: the pydantic model of a record class has its fields, with the same
annotations and defaults, and what the class brings of pydantic's own (validators, `Field`, `model_config`).
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from replica.errors import InputError
from replica.records import Record, is_of_pydantic


def validated(record: type[Record], values: Mapping[str, object]) -> dict[str, object]:
    """All values of a record that is made of these. Raises ValidationError."""
    model = model_of(record)  # type: ignore[arg-type] # mypy asks the class for the __hash__ of its instances
    return dict(model.model_validate(values).__dict__)


def first_problem(error: ValidationError) -> tuple[str, str]:
    """The field that a validation failure names first, and what is wrong with it."""
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def invalid_record(record: type[Record], error: ValidationError) -> InputError:
    """A validation failure of pydantic as one line that names the field."""
    where, told = first_problem(error)
    return InputError(f"{record.replica_table}: {where or 'record'}: {told}")


@cache
def model_of(record: type[Record]) -> type[BaseModel]:
    """The pydantic model of a record class: for its JSON Schema, or for a program that speaks pydantic."""
    config = ConfigDict(frozen=True, extra="forbid")
    namespace: dict[str, Any] = {}  # what a class statement may hold
    for base in reversed(record.__mro__):
        for name, value in vars(base).items():
            if name == "model_config":
                config = ConfigDict(**{**config, **value})
            elif name in record.model_fields or is_of_pydantic(value):
                namespace[name] = value
    namespace |= {
        "__module__": record.__module__,
        "__qualname__": record.__qualname__,
        "__annotations__": dict(record.model_fields),
        "model_config": config,
    }
    model: type[BaseModel] = types.new_class(record.__name__, (BaseModel,), {}, lambda body: body.update(namespace))
    return model
