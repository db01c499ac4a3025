"""Transactions: what a program does to rows, as one mutation.

Always true:
- a row that moved on since the caller read it is never overwritten: the compare is on `updated_at`;
- a row changed several times in one transaction is one change of the mutation, and yields only if all of them do;
- a transaction that changed nothing leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from random import randrange
from typing import Final, TypeVar

from replica.columns import encode_value
from replica.drivers.protocol import Work
from replica.errors import ConflictError, DamagedError, InputError, NotFoundError
from replica.mutation import Change, Fields, Kind, Mutation, Row, StoredValue, encode_changes, encode_fields
from replica.records import Record
from replica.stamps import Stamp, next_stamp
from replica.storable import check_storable

R = TypeVar("R", bound=Record)

# sqld refuses values beyond 5 MB (FACTS 8), and a change travels as JSON within JSON, a parked mutation in one value.
CHANGE_BYTES_MAX: Final = 2_000_000
MUTATION_BYTES_MAX: Final = 4_000_000
_CHANGE_OVERHEAD_BYTES: Final = 150


def row_to_record(record: type[R], row: Row) -> R:
    """The record of a stored row."""
    return record.from_row(tuple(row), tuple(row.values()))


class Transaction:
    """The changes of one mutation in the making; made by `Replica.transaction`."""

    def __init__(
        self, work: Work, *, mutation_id: str, now: Callable[[], Stamp], new_id: Callable[[type[Record]], str]
    ) -> None:
        self.mutation_id = mutation_id
        self._work, self._now, self._new_id = work, now, new_id
        self._changes: dict[tuple[str, str], Change] = {}

    def get(self, record: type[R], row_id: str) -> R:
        """The row with this whole id, with this transaction's own changes. Raises NotFoundError."""
        row = self._work.row(record.replica_table, row_id)
        if row is None:
            raise NotFoundError(record.__name__.lower(), row_id)
        return row_to_record(record, row)

    def insert(self, record: R) -> R:
        """Add a row; an empty `id` is filled in. Returns it as written. Raises ConflictError if the id is taken."""
        table, row_id = record.replica_table, record.id or self._new_id(type(record))
        check_storable("id", row_id)
        with suppress(DamagedError) if not record.id else nullcontext():
            # An id that was made a moment ago is free, whether or not a damaged base can say so.
            found = self._work.row(table, row_id)
            if found is not None:
                raise _moved_on(type(record), row_id, seen="", found=found)
        deleted_here = self._changes.get((table, row_id))
        stamp = next_stamp(self._now(), Stamp(deleted_here.stamp) if deleted_here else None, step_us=_step_us())
        values = record.to_row()
        fields: Fields = {name: (None, value) for name, value in values.items()}
        self._take(Change(table, row_id, Kind.INSERT, "", stamp, fields), {"id": row_id, "updated_at": stamp, **values})
        return record.model_copy(update={"id": row_id, "updated_at": stamp})

    def update(self, record: R, **changes: object) -> R:
        """Change some fields of a row that was read before. Returns the new record; without a difference, the old one.

        Raises ConflictError, with the row as it is now, if it moved on since `record` was read; InputError for an
        unknown field or a bad value.
        """
        return self._change(record, changes, yields=False)

    def follow(self, record: R, **changes: object) -> R:
        """As `update`, for what is only a consequence of what else this transaction does: it gives way to others.

        Where somebody else has changed one of these fields otherwise by the time this is synced, or removed the row,
        theirs stands: nothing of this change is done, and the rest of the transaction is done as if it had not been
        in it. Where nobody has, or the rules of the fields merge both, it is done as any other change. It is never a
        reason to park; parked with the rest, it is brought back with that if it still applies.

        A row that the transaction inserts, or changes otherwise too, does not yield. Raises as `update`; an online
        transaction also raises ConflictError where a row of a consequence has moved on.
        """
        return self._change(record, changes, yields=True)

    def _change(self, record: R, changes: Mapping[str, object], *, yields: bool) -> R:
        updated = record.with_changes(changes)
        row = self._current(record)
        fields: dict[str, tuple[StoredValue, StoredValue]] = {}
        for column in record.replica_columns:
            if column.name in changes:
                value = encode_value(column, getattr(updated, column.name))
                if not same_value(value, row[column.name]):
                    fields[column.name] = (row[column.name], value)
        if not fields:
            return record
        stamp = next_stamp(self._now(), Stamp(str(row["updated_at"])), step_us=_step_us())
        after = {**row, **{name: pair[1] for name, pair in fields.items()}, "updated_at": stamp}
        change = Change(record.replica_table, record.id, Kind.UPDATE, record.updated_at, stamp, fields, yields=yields)
        self._take(change, after)
        return updated.model_copy(update={"updated_at": stamp})

    def delete(self, record: Record) -> None:
        """Remove a row that was read before. Raises ConflictError if it moved on since."""
        row = self._current(record)
        stamp = next_stamp(self._now(), Stamp(str(row["updated_at"])), step_us=_step_us())
        fields: Fields = {name: (value, None) for name, value in row.items() if name not in ("id", "updated_at")}
        self._take(Change(record.replica_table, record.id, Kind.DELETE, record.updated_at, stamp, fields), None)

    def changes(self) -> tuple[Change, ...]:
        """What this transaction did so far, each row once, in the order the rows were first touched."""
        return tuple(self._changes.values())

    def finish(self, *, session: str, machine: str, schema_version: int) -> Mutation | None:
        """Commit what was done. Returns the mutation, or None if nothing changed."""
        if not self._changes:
            self._work.rollback()
            return None
        changes = tuple(replace(change, encoded=encode_fields(change.fields)) for change in self.changes())
        _check_size(changes)
        mutation = Mutation(self.mutation_id, session, machine, self._now(), schema_version, changes)
        self._work.commit(mutation)
        return mutation

    def _current(self, record: Record) -> Row:
        row = self._work.row(record.replica_table, record.id)
        if row is None or row["updated_at"] != record.updated_at:
            raise _moved_on(type(record), record.id, seen=record.updated_at, found=row)
        return row

    def _take(self, change: Change, row: Row | None) -> None:
        self._work.apply(change, row)
        key = (change.table, change.row_id)
        earlier = self._changes.get(key)
        combined = change if earlier is None else combine(earlier, change)
        if combined is None:
            del self._changes[key]
        else:
            self._changes[key] = combined


def _step_us() -> int:
    return randrange(1, 1_000_000)  # noqa: S311 - to tell two authors apart, not to keep a secret


def _check_size(changes: Sequence[Change]) -> None:
    """Raise InputError for what the primary could not keep: each change, and each mutation if it is ever parked."""
    total = 0
    for change in changes:
        size = len(change.encoded) if change.encoded.isascii() else len(change.encoded.encode())
        if size > CHANGE_BYTES_MAX:
            message = f"{change.table} {change.row_id}: {size:,} bytes are too many for one change"
            raise InputError(message, f"old and new values together take at most {CHANGE_BYTES_MAX:,} bytes")
        total += size + _CHANGE_OVERHEAD_BYTES
    if total > MUTATION_BYTES_MAX // 2:
        # What counts is the mutation in one value, as JSON within JSON; only large ones are worth looking at that way.
        total = len(encode_changes(changes).encode())
    if total > MUTATION_BYTES_MAX:
        message = f"{len(changes):,} changes of {total:,} bytes are too many for one transaction"
        raise InputError(message, f"commit in parts of at most {MUTATION_BYTES_MAX:,} bytes")


def same_value(one: StoredValue, other: StoredValue) -> bool:
    """Equal and of one type: 1, 1.0 and True are three values."""
    return type(one) is type(other) and one == other


def combine(earlier: Change, later: Change) -> Change | None:
    """Two changes of one row, one after the other, as one; None if they take each other back."""
    table, row_id = earlier.table, earlier.row_id
    if earlier.kind is Kind.INSERT:
        if later.kind is Kind.DELETE:
            return None
        fields = {**earlier.fields, **{name: (None, new) for name, (_, new) in later.fields.items()}}
        return Change(table, row_id, Kind.INSERT, "", later.stamp, fields)
    if later.kind is Kind.DELETE:
        before = {
            name: (earlier.fields[name][0] if name in earlier.fields else value, None)
            for name, (value, _) in later.fields.items()
        }
        return Change(table, row_id, Kind.DELETE, earlier.seen, later.stamp, before)
    merged: dict[str, tuple[StoredValue, StoredValue]] = dict(earlier.fields)
    for name, (value, new) in later.fields.items():
        merged[name] = (earlier.fields[name][0] if name in earlier.fields else value, new)
    kept = {name: pair for name, pair in merged.items() if not same_value(*pair)}
    # Changed there and back, the row still has a new stamp here, so it must get that stamp on the primary too.
    yields = earlier.yields and later.yields
    return Change(table, row_id, Kind.UPDATE, earlier.seen, later.stamp, kept or merged, yields=yields)


def _moved_on(record: type[Record], row_id: str, *, seen: str, found: Row | None) -> ConflictError:
    if found is None and not seen:
        raise InputError(
            f"{record.replica_table} {row_id} was never written, so it cannot be changed", "insert it first"
        )
    current = None if found is None else row_to_record(record, found)
    stamp = "" if found is None else str(found["updated_at"])
    return ConflictError(record.replica_table, row_id, seen=seen, found=stamp, current=current)
