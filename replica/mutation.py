"""What a write is: mutations, their changes, and the values in them.

Always true:
- a stored value is what SQLite can hold: None, int of 64 bits, float, str or bytes;
- `decode_fields(encode_fields(fields)) == fields`, to the last bit, whatever SQLite or JSON reader stood between;
- a change of kind `insert` has no `seen`, and its fields are the whole row; of kind `delete`, its fields are the
  whole row as it was, with None as the new value; of kind `update`, only what changed;
- only an update yields.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from replica.errors import DamagedError

StoredValue = None | int | float | str | bytes
Row = Mapping[str, StoredValue]
Fields = Mapping[str, tuple[StoredValue, StoredValue]]


class Kind(StrEnum):
    """What a change does to its row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One row's part of a mutation.

    seen: the row's stamp when its author read it ("" for an insert): the compare of the compare-and-swap.
    stamp: the row's stamp after this change; for a delete, when it was made.
    fields: name → (value before, new value), without `id` and `updated_at`.
    encoded: the fields as JSON text where they were read from it, so that 10,000 of them are not encoded again.
    ground: the row on the primary that a rebase laid this change over; its author sees it with the change on it until
        that is settled. It stays here and is not sent.
    yields: whether it is a consequence of the other changes of its mutation: where somebody else has changed one of its
        fields otherwise, or removed the row, theirs stands, and the rest of the mutation goes on.
    """

    table: str
    row_id: str
    kind: Kind
    seen: str
    stamp: str
    fields: Fields
    encoded: str = field(default="", compare=False, repr=False)
    ground: Row | None = field(default=None, compare=False, repr=False)
    yields: bool = False

    def fields_text(self) -> str:
        """The fields as JSON text."""
        return self.encoded or encode_fields(self.fields)

    def new_values(self) -> dict[str, StoredValue]:
        """The new value of each field."""
        return {name: pair[1] for name, pair in self.fields.items()}


@dataclass(frozen=True, slots=True)
class Mutation:
    """One atomic group of changes made by one transaction.

    made_at: when its author committed it, never altered by a rebase, so that rule `last` can compare it.
    schema_version: the version of the application's schema it was made under.
    """

    id: str
    session: str
    machine: str
    made_at: str
    schema_version: int
    changes: tuple[Change, ...]


@contextmanager
def legible() -> Iterator[None]:
    """Read back what was kept of changes. Raises DamagedError where that is not what was written."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise DamagedError("what is kept of a change cannot be read", "keep the file, and run `td doctor`") from error


def _encode_value(value: StoredValue) -> object:
    if isinstance(value, bytes):
        return {"blob": value.hex()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    return value


def _decode_value(value: object) -> StoredValue:
    if isinstance(value, dict):
        if "blob" in value:
            return bytes.fromhex(value["blob"])
        return float(value["float"])
    if value is None or isinstance(value, int | float | str):
        return value
    raise TypeError(f"not a stored value: {type(value).__name__}")


def encode_fields(fields: Fields) -> str:
    """Fields as JSON text: `{"title": [before, new]}`; bytes as `{"blob": hex}`, infinities as `{"float": text}`.

    Python writes the shortest decimal that reads back as the same float, and the text is only ever parsed by
    Python, because SQLite and serde_json round some decimals to a neighbouring float (measured).
    """
    plain = {name: (_encode_value(before), _encode_value(new)) for name, (before, new) in fields.items()}
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def decode_fields(text: str) -> dict[str, tuple[StoredValue, StoredValue]]:
    """The inverse of `encode_fields`."""
    return {name: (_decode_value(before), _decode_value(new)) for name, (before, new) in json.loads(text).items()}


def encode_row(row: Row) -> str:
    """A whole row as JSON text, in the encoding of `encode_fields`."""
    return json.dumps(
        {name: _encode_value(value) for name, value in row.items()}, separators=(",", ":"), ensure_ascii=False
    )


def decode_row(text: str) -> dict[str, StoredValue]:
    """The inverse of `encode_row`."""
    return {name: _decode_value(value) for name, value in json.loads(text).items()}


def encode_changes(changes: Sequence[Change]) -> str:
    """Changes as JSON text, for keeping a whole mutation in one field."""
    # Without a mark where none yields: a program of before there was one reads that too.
    return json.dumps(
        [
            [c.table, c.row_id, c.kind.value, c.seen, c.stamp, c.fields_text(), *([1] if c.yields else [])]
            for c in changes
        ],
        separators=(",", ":"),
        ensure_ascii=False,
    )


def decode_changes(text: str) -> tuple[Change, ...]:
    """The inverse of `encode_changes`."""
    return tuple(_decode_change(*item) for item in json.loads(text))


def _decode_change(table: str, row_id: str, kind: str, seen: str, stamp: str, fields: str, *yields: object) -> Change:
    return Change(table, row_id, Kind(kind), seen, stamp, decode_fields(fields), yields=any(yields))
