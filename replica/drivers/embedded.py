"""Modes `libsql` and `turso`: an embedded replica that is read with plain SQLite and written through the outbox.

Owns the connections to `local.db` with the base attached. Always true:
- reading and queued writing never touch the network;
- a mutation is in outbox and overlay from one transaction, made durable before `commit` returns;
- the base is only ever attached read-only.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from replica import local_format, outbox, overlay
from replica.drivers.attached import Attached
from replica.drivers.buffered import BufferedWork
from replica.drivers.protocol import Rows, Work
from replica.drivers.queued import QueuedWork
from replica.errors import BusyError, DamagedBaseError, DamagedError, QueryError, ReplicaError
from replica.migrate import check_version
from replica.mutation import Mutation, StoredValue
from replica.pull import base_path, is_being_replaced, put_in_place
from replica.schema import Schema, Table
from replica.sqlite_file import (
    damaged,
    make_directory,
    one_moment,
    open_file,
    refuse_nesting,
    run_read_only,
    storage_errors,
    translate,
)
from replica.sync_lock import sync_lock

LOCAL_FILE = "local.db"
_TRUST = "base_is"
_OVERLAY_SCHEMA = "overlay_schema"
_PRIMARY = "primary"


class Trust(StrEnum):
    """What is known of the base: remembered, so that the next sync mends it, whoever found it out."""

    WHOLE = ""
    OUTDATED = "outdated"
    DAMAGED = "damaged"


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
        self._finish_swap()
        try:
            # Without the base: a damaged one must not keep a program from being opened, or it could never sync.
            self.connection(with_base=False)
            with suppress(DamagedError):
                self._catch_up()
        except BaseException:
            # Left open, a file that was refused would keep its log beside it.
            self.close()
            raise

    def _catch_up(self) -> None:
        """Derive the overlay again where an older program has pulled a base of a schema that it did not know."""
        connection = self.connection()
        version = self.attached().base_version
        with storage_errors(self.path):
            known = outbox.read_fact(connection, _OVERLAY_SCHEMA) or "0"
        if version <= self._schema.version and str(version) != known:
            with self.writing() as connection:
                self.rebuild_overlay(connection)

    def rebuild_overlay(self, connection: sqlite3.Connection) -> None:
        """Derive the overlay from the base that is attached and the outbox, in the caller's transaction."""
        attached = self.attached()
        overlay.rebuild(connection, self.tables, attached.base_tables)
        # The overlay of an older program lacks what it does not know.
        outbox.write_fact(connection, _OVERLAY_SCHEMA, str(min(attached.base_version, self._schema.version)))

    def _finish_swap(self) -> None:
        """Put a base in place whose process was killed between the old one and the fresh one."""
        if is_being_replaced(self.directory):
            with suppress(BusyError), sync_lock(self.directory, wait_s=0.0, sleep=time.sleep):
                put_in_place(self.directory)

    def connection(self, *, with_base: bool = True) -> sqlite3.Connection:
        """This thread's connection, with the base as it now is attached. Raises DamagedError for a damaged base."""
        attached = self.attached()
        if with_base:
            attached.refresh()
        return attached.connection

    @contextmanager
    def looking(self, *, with_base: bool = False) -> Iterator[sqlite3.Connection]:
        """This thread's connection, for SQL of ours that only reads; what SQLite says is translated."""
        with storage_errors(self.path):
            yield self.connection(with_base=with_base)

    def attached(self) -> Attached:
        """This thread's connection and what it knows of the base."""
        attached: Attached | None = getattr(self._threads, "writing", None)
        if attached is None:
            attached = self._threads.writing = self._open(reads_only=False)
        return attached

    def _open(self, *, reads_only: bool) -> Attached:
        connection = open_file(self.path)
        self._opened.append(connection)
        with storage_errors(self.path):
            local_format.prepare(connection, self.path)
            overlay.prepare(connection, self.tables.values())
            return Attached(connection, self._base, self.tables, reads_only=reads_only)

    def read(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of ours over base and overlay."""
        try:
            attached = self.attached()
            while True:
                try:
                    cursor = attached.connection.execute(sql, params)
                except sqlite3.OperationalError:
                    # The views are of a base that was migrated since, and what they name in it may be gone.
                    if attached.refresh_schema():
                        continue
                    raise
                rows = Rows(tuple([item[0] for item in cursor.description or ()]), cursor.fetchall())
                if attached.connection.in_transaction or attached.is_current():
                    return rows
                attached.refresh()
        except sqlite3.Error as error:
            raise self._noted(translate(error, self._base)) from error
        except DamagedError as error:
            raise self._noted(error) from error.__cause__

    def primary_id(self) -> str:
        """Which primary this replica belongs to; "" before it met one."""
        with storage_errors(self.path):
            return outbox.read_fact(self.connection(with_base=False), _PRIMARY)

    def belong_to(self, primary_id: str) -> None:
        """Remember which primary this replica belongs to."""
        if primary_id != self.primary_id():
            with self.writing(with_base=False) as connection:
                outbox.write_fact(connection, _PRIMARY, primary_id)

    def trust(self) -> Trust:
        """What is known of the base."""
        with storage_errors(self.path):
            told = outbox.read_fact(self.connection(with_base=False), _TRUST)
        # What cannot be read is no reason to trust.
        return Trust(told) if told in set(Trust) else Trust.DAMAGED

    def distrust_base(self, trust: Trust) -> None:
        """Remember what is known of the base."""
        with self.writing(with_base=False) as connection:
            outbox.write_fact(connection, _TRUST, trust.value)

    def own_damage(self) -> DamagedError | None:
        """What is wrong with `local.db` itself, without the base; None if all of it can be read."""
        try:
            verdict = str(self.connection(with_base=False).execute("PRAGMA main.quick_check(1)").fetchone()[0])
        except UnicodeDecodeError as error:
            verdict = str(error)
        except sqlite3.Error as error:
            told = translate(error, self.path)
            return told if isinstance(told, DamagedError) else None
        return None if verdict == "ok" else damaged(self.path, verdict)

    def _noted(self, error: ReplicaError) -> ReplicaError:
        """The error of a read, said of the file that is damaged; the next sync fetches a base anew that is."""
        if not isinstance(error, DamagedError):
            return error
        if (own := self.own_damage()) is not None:
            return own
        if not self.attached().connection.in_transaction:
            with suppress(ReplicaError):
                self.distrust_base(Trust.DAMAGED)
        return DamagedBaseError()

    def query(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of a user's on a connection of its own that cannot write."""
        reading: Attached | None = getattr(self._threads, "reading", None)
        if reading is None:
            reading = self._threads.reading = self._open(reads_only=True)
        try:
            while True:
                try:
                    rows = Rows(*run_read_only(reading.connection, sql, params, self._base))
                except (QueryError, DamagedError):
                    # Either may be of a base that is no longer the one in place; else as in `read`.
                    if reading.is_current() and not reading.refresh_schema():
                        raise
                else:
                    if reading.is_current():
                        return rows
                # Asked after a read only: what was read of another base is read again, and each asking costs a tenth.
                reading.refresh()
        except DamagedError as error:
            raise self._noted(error) from error.__cause__

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let this thread read what is there now, while the block lasts. Raises DamagedError for a damaged base."""
        refuse_nesting(self.attached().connection)
        while True:
            try:
                attached = self.attached()
                attached.refresh()
                attached.refresh_schema()
            except DamagedError as error:
                raise self._noted(error) from error.__cause__
            with one_moment(attached.connection, self.path):
                # As ever, `local.db` before the base. What a sync has settled by now, it settled in the base that is in
                # place: in another one than is attached it would be missed.
                self.read("SELECT 1 FROM main.mutations LIMIT 1")
                if attached.is_current():
                    if attached.base_tables:
                        self.read(f"SELECT 1 FROM {overlay.BASE}.sqlite_schema LIMIT 1")
                    yield
                    return

    def begin(self, *, online: bool) -> Work:
        """Start a transaction. Raises SchemaTooNewError if a newer program made the base, InputError within another."""
        refuse_nesting(self.attached().connection)
        while True:
            attached = self.attached()
            try:
                attached.refresh()
                attached.refresh_schema()
            except DamagedError as error:
                if online:
                    raise self._noted(error) from error.__cause__
                return self._begin_blind(error)
            check_version(attached.applied, self._schema)
            if online:
                return BufferedWork(self.tables, self.read, self._online)
            with storage_errors(self.path):
                attached.connection.execute("BEGIN IMMEDIATE")
                # From here on no sync can settle; one that did a moment ago has put its base in place before.
                if attached.is_current():
                    return QueuedWork(attached, self.tables, self.path, self._noted)
                attached.connection.execute("ROLLBACK")

    def _begin_blind(self, damage: DamagedError) -> Work:
        """Start a transaction on what is pending, for new rows; the base cannot be read until a sync has mended it."""
        self._noted(damage)
        attached = self.attached()
        attached.detach()
        with storage_errors(self.path):
            attached.connection.execute("BEGIN IMMEDIATE")
        return QueuedWork(attached, self.tables, self.path, self._noted, damage)

    @contextmanager
    def writing(self, *, with_base: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction of `local.db` for the sync's own bookkeeping."""
        connection = self.connection(with_base=with_base)
        with storage_errors(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._opened:
            connection.close()
        self._opened.clear()
        self._threads = threading.local()
