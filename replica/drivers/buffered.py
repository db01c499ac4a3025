"""A transaction kept in memory until it is sent whole, for writes that go to the primary first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from replica.drivers.protocol import Rows
from replica.errors import InputError
from replica.mutation import Change, Mutation, Row, StoredValue
from replica.schema import Table, quote

if TYPE_CHECKING:
    from replica.capture import Noted


class Reader(Protocol):
    """Runs SQL that reads."""

    def __call__(self, sql: str, params: tuple[StoredValue, ...]) -> Rows:
        """Run it."""


class BufferedWork:
    """Reads what is there, remembers what changes, and hands the mutation to `send` at the end."""

    def __init__(self, tables: Mapping[str, Table], read: Reader, send: Callable[[Mutation], None]) -> None:
        self._tables, self._read, self._send = tables, read, send
        self._rows: dict[tuple[str, str], Row | None] = {}

    def row(self, table: str, row_id: str) -> Row | None:
        """The row as this transaction sees it."""
        if (table, row_id) in self._rows:
            return self._rows[table, row_id]
        columns = self._tables[table].columns
        found = self._read(f"SELECT {', '.join(map(quote, columns))} FROM {quote(table)} WHERE id = ?", (row_id,)).rows
        return dict(zip(columns, found[0], strict=True)) if found else None

    def apply(self, change: Change, row: Row | None) -> None:
        """Remember the row."""
        self._rows[change.table, change.row_id] = row

    def note(self, sql: str, params: Sequence[StoredValue]) -> Noted:  # noqa: ARG002 - the same for every statement
        """Refuse it: SQLite itself must run it, and the rows are on the primary."""
        raise InputError(
            "SQL that writes needs the rows on this disk", "use it in mode local, libsql or turso, with queued writes"
        )

    def commit(self, mutation: Mutation) -> None:
        """Send it. Raises ConflictError, OfflineError, InputError."""
        self._send(mutation)

    def rollback(self) -> None:
        """Forget it; nothing was sent."""
        self._rows.clear()
