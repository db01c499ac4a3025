"""Rows that a program without a replica sends to the gateway, each with the `updated_at` that it saw.

Always true:
- a row is written as td itself would write it, by the rules that SQL is held to, with all that follows from it;
- each row is a mutation whose id is made of the request and of the row: sent again, it is known and not written twice.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from replica import (
    ConflictError,
    InputError,
    Kind,
    NotFoundError,
    Record,
    ReplicaError,
    RowChange,
    Transaction,
    new_short_id,
)
from tracker.errors import TrackerError
from tracker.records import RECORDS
from tracker.tracker import Tracker

_TABLES: Final = {record.replica_table: record for record in RECORDS}
# Of ids that are made of other names (RFC 9562 section 5.5): no other program's are in this space.
_SPACE: Final = uuid.UUID("5f0f1c52-6f1c-5b0e-9a54-3b1f0d8e2a77")
_KNOWN: Final = """SELECT mutation, row_id, stamp, kind FROM _replica_changes
WHERE position = 0 AND mutation IN (SELECT value FROM json_each(?))"""


@dataclass(frozen=True, slots=True)
class RowWish:
    """A row as somebody wants it. seen: its `updated_at` as they read it; "" for a new one, whose id may be "", too."""

    table: str
    kind: Kind
    id: str
    seen: str
    fields: Mapping[str, Any]  # any JSON: the record class checks it


@dataclass(frozen=True, slots=True)
class RowDone:
    """What became of a wish.

    updated_at: after it was written, "" if it was not. conflict: it was not as they saw it; then current is the row as
    it is now, None if it is gone. error: why it cannot be written, if that is the reason.
    """

    id: str
    updated_at: str = ""
    conflict: bool = False
    current: Record | None = None
    error: TrackerError | ReplicaError | None = None


def write_rows(tracker: Tracker, wishes: Sequence[RowWish], *, request: str) -> list[RowDone]:
    """Write the rows, one after the other; what became of each, in order.

    tracker: in mode `remote`. request: by which the wishes are known when they come again. Raises ReplicaError where
    the primary cannot be asked; what was written before then is known when the request comes again.
    """
    ids = [_mutation_id(request, place, wish) for place, wish in enumerate(wishes)]
    known = _known(tracker, ids)
    return [known.get(name) or _done(tracker, wish, name) for name, wish in zip(ids, wishes, strict=True)]


def _known(tracker: Tracker, ids: Sequence[str]) -> dict[str, RowDone]:
    rows = tracker.replica.read(_KNOWN, (json.dumps(ids),)).rows
    return {str(mutation): RowDone(str(row_id), _stamp(kind, stamp)) for mutation, row_id, stamp, kind in rows}


def _stamp(kind: object, stamp: object) -> str:
    return "" if kind == Kind.DELETE.value else str(stamp)


def _mutation_id(request: str, place: int, wish: RowWish) -> str:
    told = [request, place, wish.table, wish.kind.value, wish.id, wish.seen, wish.fields]
    return str(uuid.uuid5(_SPACE, json.dumps(told, sort_keys=True)))


def _done(tracker: Tracker, wish: RowWish, mutation_id: str) -> RowDone:
    try:
        with tracker.repeatable(mutation_id) as tx:
            change = tracker.sql_rules.check(_change(tracker, tx, wish))
            if change is None or (change.kind is Kind.UPDATE and not change.fields()):
                return RowDone(wish.id, wish.seen)
            change.write(tx)
            tracker.sql_rules.then(tx, [change])
            first = tx.changes()[0]
        return RowDone(first.row_id, _stamp(first.kind.value, first.stamp))
    except ConflictError as error:
        current = error.current if isinstance(error.current, Record) else None
        # Where the same request came twice at once, it was the other one that changed the row.
        other = _known(tracker, [mutation_id])
        return other.get(mutation_id) or RowDone(wish.id, conflict=True, current=current)
    except (InputError, NotFoundError, TrackerError) as error:
        return RowDone(wish.id, error=error)


def _change(tracker: Tracker, tx: Transaction, wish: RowWish) -> RowChange:
    """The wish as a change of a row. Raises ConflictError if the row is not as it was seen; InputError."""
    record = _TABLES.get(wish.table)
    if record is None:
        raise InputError("there is no such table", f"the tables are {', '.join(sorted(_TABLES))}")
    if wish.kind is Kind.INSERT:
        return RowChange(None, _new(tracker, record, wish, tx.mutation_id))
    try:
        before = tx.get(record, wish.id)
    except NotFoundError as error:
        raise ConflictError(wish.table, wish.id, seen=wish.seen, found="") from error
    if before.updated_at != wish.seen:
        raise ConflictError(wish.table, wish.id, seen=wish.seen, found=before.updated_at, current=before)
    return RowChange(before, None if wish.kind is Kind.DELETE else before.with_changes(wish.fields))


def _new_id(record: type[Record], mutation_id: str) -> str:
    """An id that comes of the mutation, so that whoever writes it a second time names the same row."""
    prefix = record.replica_id_prefix
    made_of = hashlib.sha256(mutation_id.encode()).digest()
    return new_short_id(prefix, random=lambda count: made_of[:count]) if prefix else mutation_id


def _new(tracker: Tracker, record: type[Record], wish: RowWish, mutation_id: str) -> Record:
    if "id" in wish.fields or "updated_at" in wish.fields:
        raise InputError("id and updated_at are not fields", "give the id beside the fields; updated_at is made")
    filled = tracker.sql_rules.fill(record)
    try:
        return record.model_validate({**filled, **wish.fields, "id": wish.id or _new_id(record, mutation_id)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{wish.table}: {where}: {first['msg']}") from error
