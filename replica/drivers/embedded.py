"""Modes `libsql` and `turso`: an embedded replica that is read with plain SQLite and written through the outbox.

Owns the connections to `local.db` with the base attached. Always true:
- reading and queued writing never touch the network;
- a mutation is in outbox and overlay from one transaction, made durable before `commit` returns;
- the base is only ever attached read-only.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from replica import outbox, overlay
from replica.drivers.buffered import BufferedWork
from replica.drivers.protocol import Rows, Work
from replica.errors import DamagedError, SchemaTooNewError
from replica.migrate import READ_APPLIED, applied_from, version_of
from replica.mutation import Change, Mutation, Row, StoredValue
from replica.pull import base_path
from replica.schema import Schema, Table, quote, read_tables
from replica.sqlite_file import make_directory, open_file, run_read_only, storage_errors

LOCAL_FILE = "local.db"


class _Held:
    """One thread's connection, and the base it has attached."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.base_inode = -1
        self.base_schema = -1
        self.base_tables: dict[str, Table] = {}
        self.base_version = 0


class Embedded:
    """The driver of modes `libsql` and `turso`, without the syncing, which is `sync.py`."""

    def __init__(
        self, directory: Path, schema: Schema, tables: Mapping[str, Table], *, online: Callable[[Mutation], None]
    ) -> None:
        """`tables`: the application's and ours. `online`: sends one mutation to the primary and records it here."""
        make_directory(directory)
        self.directory = directory
        self.path = directory / LOCAL_FILE
        self.tables = tables
        self._schema, self._online = schema, online
        self._base = base_path(directory)
        self._threads = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self.connection()

    def connection(self, *, with_base: bool = True) -> sqlite3.Connection:
        """This thread's connection, with the base as it now is attached. Raises DamagedError for a damaged base."""
        held: _Held | None = getattr(self._threads, "held", None)
        if held is None:
            held = _Held(self._open())
            self._threads.held = held
            self._opened.append(held.connection)
        if with_base and not held.connection.in_transaction:
            self._refresh(held)
        return held.connection

    def _open(self) -> sqlite3.Connection:
        connection = open_file(self.path)
        with storage_errors(self.path):
            outbox.prepare(connection, self.path)
            overlay.prepare(connection, self.tables.values())
            # Until a base is attached, the views show what is pending, and all of that is local.
            overlay.make_views(connection, self.tables.values(), {})
        return connection

    def _refresh(self, held: _Held) -> None:
        """Attach the base that is there now, if it is another one than before."""
        try:
            inode = self._base.stat().st_ino
        except FileNotFoundError:
            return
        if inode != held.base_inode:
            self._attach(held, inode)

    def _attach(self, held: _Held, inode: int) -> None:
        connection = held.connection
        with suppress(sqlite3.OperationalError):
            connection.execute(f"DETACH {overlay.BASE}")
        held.base_inode = -1
        address = self._base.absolute().as_uri() + "?mode=ro"
        try:
            connection.execute(f"ATTACH ? AS {overlay.BASE}", (address,))
            held.base_tables = read_tables(connection, overlay.BASE)
            held.base_schema = connection.execute(f"PRAGMA {overlay.BASE}.schema_version").fetchone()[0]
            held.base_version = _base_version(connection, held.base_tables)
            overlay.make_views(connection, self.tables.values(), held.base_tables)
        except sqlite3.DatabaseError as error:
            raise DamagedError(
                "the local copy of the primary (replica.db) is damaged; pending changes are safe",
                "`sync` sets it aside and fetches it anew",
            ) from error
        held.base_inode = inode

    def refresh_schema(self) -> None:
        """See a schema of the base that has changed since it was attached."""
        held: _Held = self._threads.held
        if held.base_inode != -1 and not held.connection.in_transaction:
            now = held.connection.execute(f"PRAGMA {overlay.BASE}.schema_version").fetchone()[0]
            if now != held.base_schema:
                self._attach(held, held.base_inode)

    def detach(self) -> None:
        """Let go of the base, because it is about to be set aside."""
        held: _Held = self._threads.held
        with suppress(sqlite3.OperationalError):
            held.connection.execute(f"DETACH {overlay.BASE}")
        held.base_inode, held.base_tables, held.base_version = -1, {}, 0
        overlay.make_views(held.connection, self.tables.values(), {})

    def base_tables(self) -> dict[str, Table]:
        """The tables of the base that this thread has attached; empty without a base."""
        held: _Held = self._threads.held
        return held.base_tables

    def base_version(self) -> int:
        """The schema version of the base; 0 without a base."""
        held: _Held = self._threads.held
        return held.base_version

    def read(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of ours over base and overlay."""
        connection = self.connection()
        with storage_errors(self._base):
            cursor = connection.execute(sql, params)
            return Rows(tuple(item[0] for item in cursor.description or ()), cursor.fetchall())

    def query(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of a user's on a connection of its own that cannot write."""
        held = _Held(self._open())
        try:
            self._refresh(held)
            return Rows(*run_read_only(held.connection, sql, params, self.path))
        finally:
            held.connection.close()

    def begin(self, *, online: bool) -> Work:
        """Start a transaction. Raises SchemaTooNewError if the base is of a newer program."""
        connection = self.connection()
        with storage_errors(self.path):
            self.refresh_schema()
            if self.base_version() > self._schema.version:
                raise SchemaTooNewError(self.base_version(), self._schema.version)
            if online:
                return BufferedWork(self.tables, self.read, self._online)
            connection.execute("BEGIN IMMEDIATE")
        return QueuedWork(connection, self.tables, self.path)

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._threads = threading.local()


class QueuedWork:
    """A transaction that ends in the outbox."""

    def __init__(self, connection: sqlite3.Connection, tables: Mapping[str, Table], path: Path) -> None:
        self._connection, self._tables, self._path = connection, tables, path

    def row(self, table: str, row_id: str) -> Row | None:
        """The row as this transaction sees it."""
        with storage_errors(self._path):
            return read_row(self._connection, self._tables[table], row_id)

    def apply(self, change: Change, row: Row | None) -> None:
        """Lay the row over the base."""
        with storage_errors(self._path):
            overlay.put(self._connection, self._tables[change.table], change.row_id, row)

    def commit(self, mutation: Mutation) -> None:
        """Append to the outbox and commit; from here on nothing can lose it."""
        with storage_errors(self._path):
            outbox.append(self._connection, mutation)
            self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo everything since `begin`."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def read_row(connection: sqlite3.Connection, table: Table, row_id: str) -> Row | None:
    """One row by its whole id, through the view."""
    listing = ", ".join(map(quote, table.columns))
    found = connection.execute(f"SELECT {listing} FROM {quote(table.name)} WHERE id = ?", (row_id,)).fetchone()
    return None if found is None else dict(zip(table.columns, found, strict=True))


def _base_version(connection: sqlite3.Connection, tables: Mapping[str, Table]) -> int:
    if "_replica_migrations" not in tables:
        return 0
    return version_of(
        applied_from(
            connection.execute(
                READ_APPLIED.replace("_replica_migrations", f"{overlay.BASE}._replica_migrations")
            ).fetchall()
        )
    )
