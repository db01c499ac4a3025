"""What SQLite, JSON and the primary can all hold without loss: the border of every value, id and SQL text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from replica.errors import InputError, QueryError

_INT64_MAX: Final = 2**63 - 1


def check_storable(name: str, value: object) -> None:
    """Raise InputError, beginning with `name`, for what cannot be stored as it is."""
    if isinstance(value, str):
        _check_text(name, value)
    elif isinstance(value, int):
        if not -_INT64_MAX - 1 <= value <= _INT64_MAX:
            raise InputError(f"{name}: {value} does not fit into 64 bits", "use text for larger numbers")
    elif isinstance(value, float):
        if math.isnan(value):
            raise InputError(f"{name}: NaN cannot be stored", "use None for no value")
    elif value is not None and not isinstance(value, bytes):
        raise InputError(
            f"{name}: a {type(value).__name__} cannot be stored", "use text, a number, bytes or None in its place"
        )


def _check_text(name: str, value: str) -> None:
    if "\0" in value:
        raise InputError(f"{name}: text cannot hold a NUL character", "use a bytes field for binary data")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"{name}: text holds half a surrogate pair, which is not a character", "check how it was decoded"
            ) from error


def check_query(sql: str, params: Sequence[object]) -> None:
    """Raise QueryError for SQL that is no text, InputError for a parameter that cannot be passed on as it is."""
    try:
        _check_text("SQL", sql)
    except InputError as error:
        raise QueryError(f"SQL does not run: {error}", error.hint) from error
    for position, value in enumerate(params, 1):
        check_storable(f"value {position}", value)
