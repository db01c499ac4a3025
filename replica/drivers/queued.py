"""A queued transaction: it ends in outbox and overlay, and needs no network, nor even a base that can be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replica import outbox, overlay
from replica.drivers.attached import Attached
from replica.errors import DamagedBaseError, DamagedError, ReplicaError
from replica.mutation import Change, Kind, Mutation, Row, StoredValue
from replica.schema import Table, quote, writable
from replica.sqlite_file import storage_errors, translate

if TYPE_CHECKING:
    from replica.capture import Noted


class QueuedWork:
    """A transaction that ends in the outbox."""

    def __init__(
        self,
        attached: Attached,
        tables: Mapping[str, Table],
        path: Path,
        note: Callable[[ReplicaError], ReplicaError],
        damage: DamagedError | None = None,
    ) -> None:
        """In a transaction that was just begun.

        `note`: says which file is damaged, and remembers a damaged base. `damage`: why that cannot be read, if so.
        """
        self._attached, self._tables, self._path, self._note, self._damage = attached, tables, path, note, damage
        self._laid: list[tuple[Change, Row | None]] = []

    def row(self, table: str, row_id: str) -> Row | None:
        """The row as this transaction sees it. Raises DamagedError where only a damaged base could tell."""
        try:
            row = read_row(self._attached.connection, self._tables[table], row_id)
        except sqlite3.Error as error:
            translated = self._note(translate(error, self._path))
            if isinstance(translated, DamagedBaseError):
                self._go_blind(translated)
            raise translated from error
        if row is None and self._damage is not None:
            raise self._damage
        return row

    def _go_blind(self, damage: DamagedError) -> None:
        """Begin anew without the base: SQLite writes nothing in a transaction that met damage, in no file.

        What was inserted before is inserted again. A row that was changed may be another by now, so that one who
        changed any is to begin anew themselves.
        """
        self._damage = damage
        if all(change.kind is Kind.INSERT for change, _ in self._laid):
            self._attached.connection.execute("ROLLBACK")
            self._note(damage)
            self._attached.detach()
            with storage_errors(self._path):
                self._attached.connection.execute("BEGIN IMMEDIATE")
            again, self._laid = self._laid, []
            for change, row in again:
                self.apply(change, row)

    def apply(self, change: Change, row: Row | None) -> None:
        """Lay the row over the base."""
        with storage_errors(self._path):
            overlay.put(self._attached.connection, self._tables[change.table], change.row_id, row)
        self._laid.append((change, row))

    def note(self, sql: str, params: Sequence[StoredValue]) -> Noted:
        """Run a statement over the views. Raises DamagedError where the base cannot be read: it may mean any row."""
        from replica.capture import note_statement  # noqa: PLC0415 - only SQL that writes pays for it

        if self._damage is not None:
            raise self._damage
        try:
            return note_statement(self._attached.connection, writable(self._tables), sql, params, path=self._path)
        except DamagedError as error:
            raise self._note(error) from error.__cause__

    def commit(self, mutation: Mutation) -> None:
        """Append to the outbox and commit; from here on nothing can lose it."""
        with storage_errors(self._path):
            outbox.append(self._attached.connection, mutation)
            self._attached.connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        if self._attached.connection.in_transaction:
            self._attached.connection.execute("ROLLBACK")
        if self._damage is not None:
            self._note(self._damage)


def read_row(connection: sqlite3.Connection, table: Table, row_id: str) -> Row | None:
    """One row by its whole id, through the view."""
    listing = ", ".join(map(quote, table.columns))
    found = connection.execute(f"SELECT {listing} FROM {quote(table.name)} WHERE id = ?", (row_id,)).fetchone()
    return None if found is None else dict(zip(table.columns, found, strict=True))
