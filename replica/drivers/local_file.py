"""Mode `local`: one plain SQLite file holds the tables, and there is no primary.

Always true: a mutation's changes and the history of them commit in one transaction of the file.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from replica.drivers.protocol import Rows
from replica.errors import SchemaTooNewError
from replica.history import INSERT_CHANGE, change_values
from replica.migrate import applied_in, check_version, migrate_file
from replica.mutation import Change, Kind, Mutation, Row, StoredValue
from replica.schema import Schema, Table, quote, writable
from replica.sqlite_file import (
    forbid_writing,
    make_directory,
    one_moment,
    open_file,
    refuse_nesting,
    run_read_only,
    storage_errors,
)

if TYPE_CHECKING:
    from replica.capture import Noted

FILE_NAME = "data.db"


class LocalFile:
    """The driver of mode `local`. One connection a thread."""

    def __init__(self, directory: Path, schema: Schema, *, session: str, at: str) -> None:
        """Open `directory/data.db`, creating and migrating it as needed."""
        make_directory(directory)
        self._path = directory / FILE_NAME
        self._schema = schema
        self._threads = threading.local()
        self._opened: list[sqlite3.Connection] = []
        # Migrated by a newer program, the file is still read; `begin` refuses to write.
        try:
            with storage_errors(self._path), suppress(SchemaTooNewError):
                migrate_file(self._connection(), schema, session=session, at=at)
        except BaseException:
            self.close()
            raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = open_file(self._path)
            connection.execute("PRAGMA foreign_keys = ON")
            self._threads.connection = connection
            self._opened.append(connection)
        return connection

    def read(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of ours."""
        with storage_errors(self._path):
            cursor = self._connection().execute(sql, params)
            return Rows(tuple(item[0] for item in cursor.description or ()), cursor.fetchall())

    def query(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of a user's on a connection of its own that cannot write."""
        reading: sqlite3.Connection | None = getattr(self._threads, "reading", None)
        if reading is None:
            reading = self._threads.reading = open_file(self._path)
            self._opened.append(reading)
            forbid_writing(reading)
        return Rows(*run_read_only(reading, sql, params, self._path))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let this thread read what is there now, while the block lasts."""
        connection = self._connection()
        refuse_nesting(connection)
        with one_moment(connection, self._path):
            self.read("SELECT 1 FROM sqlite_schema LIMIT 1")
            yield

    def begin(self, *, online: bool) -> LocalWork:  # noqa: ARG002 - the file is the primary here, so every write is online
        """Start a transaction; it holds the file's write lock until it ends. Raises SchemaTooNewError."""
        with storage_errors(self._path):
            connection = self._connection()
            refuse_nesting(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                check_version(applied_in(connection) or {}, self._schema)
            except SchemaTooNewError:
                connection.execute("ROLLBACK")
                raise
        return LocalWork(connection, self._schema, self._path)

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()


class LocalWork:
    """A transaction on the file itself."""

    def __init__(self, connection: sqlite3.Connection, schema: Schema, path: Path) -> None:
        self._connection, self._schema, self._path = connection, schema, path

    def row(self, table: str, row_id: str) -> Row | None:
        """The row as this transaction sees it."""
        columns = self._schema.tables[table].columns
        with storage_errors(self._path):
            listing = ", ".join(map(quote, columns))
            found = self._connection.execute(f"SELECT {listing} FROM {quote(table)} WHERE id = ?", (row_id,)).fetchone()
        return None if found is None else dict(zip(columns, found, strict=True))

    def apply(self, change: Change, row: Row | None) -> None:
        """Write one change to its table. Raises InputError where a constraint of the table refuses it."""
        with storage_errors(self._path):
            self._connection.execute(*_statement(change, row))

    def note(self, sql: str, params: Sequence[StoredValue]) -> Noted:
        """Run a statement over views of the tables, so that it can change none of them."""
        from replica.capture import note_statement  # noqa: PLC0415 - only SQL that writes pays for it

        return note_statement(
            self._connection, writable(self._schema.tables), sql, params, path=self._path, views=_view
        )

    def commit(self, mutation: Mutation) -> None:
        """Write the history and commit."""
        with storage_errors(self._path):
            self._connection.executemany(INSERT_CHANGE, change_values(mutation))
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _view(table: Table) -> str:
    return f"SELECT {', '.join(map(quote, table.columns))} FROM main.{quote(table.name)}"


def _statement(change: Change, row: Row | None) -> tuple[str, tuple[StoredValue, ...]]:
    table = quote(change.table)
    if row is None:
        return f"DELETE FROM {table} WHERE id = ?", (change.row_id,)
    if change.kind is Kind.INSERT:
        marks = ", ".join("?" * len(row))
        return f"INSERT INTO {table} ({', '.join(map(quote, row))}) VALUES ({marks})", tuple(row.values())
    names = ["updated_at", *change.fields]
    assignments = ", ".join(f"{quote(name)} = ?" for name in names)
    return f"UPDATE {table} SET {assignments} WHERE id = ?", (*(row[name] for name in names), change.row_id)
