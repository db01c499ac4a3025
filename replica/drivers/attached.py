"""A connection to `local.db` with the base attached read-only and the views over both.

Always true:
- the base that is attached is the one that was in place when `refresh` was last called;
- a connection made for a user's SQL cannot write, nor reach outside these two files.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from replica import overlay
from replica.errors import DamagedBaseError, DamagedError, QueryError, ReplicaError, StorageError
from replica.migrate import READ_APPLIED, Applied, applied_from, version_of
from replica.pull import fetched_path, is_being_replaced
from replica.schema import Table, read_tables
from replica.sqlite_file import allow_writing, forbid_writing, translate

_NONE = -1
_SWAP_TRIES = 1000


class Attached:
    """One thread's connection, and what it knows of the base."""

    def __init__(
        self, connection: sqlite3.Connection, base: Path, tables: Mapping[str, Table], *, reads_only: bool
    ) -> None:
        """`connection`: to `local.db`, prepared. `tables`: those to show, by name."""
        self.connection = connection
        self.base_tables: dict[str, Table] = {}
        self.applied: Applied = {}
        self._base, self._tables, self._reads_only = base, tables, reads_only
        self._base_text, self._fetched_text = os.fspath(base), os.fspath(fetched_path(base.parent))
        self._inode = self._schema = _NONE
        # Whether a view shows defaults for a table or column that the base lacks, and may get with any pull.
        self._stands_in = False
        # Until a base is attached, the views show what is pending, and all of that is local.
        overlay.make_views(connection, tables.values(), {})
        if reads_only:
            forbid_writing(connection)

    def refresh(self) -> None:
        """Attach the base that is there now, if it is another one than before. Raises DamagedError, StorageError."""
        for _ in range(_SWAP_TRIES):
            if self.connection.in_transaction or self.is_current() or self._is_attached():
                return
            time.sleep(0.001)

    def is_current(self) -> bool:
        """Whether the base that is attached is the one in place, and shown as it is now.

        A read that finds it is not may have missed what a sync has settled meanwhile, and is to be repeated.
        """
        inode = self._inode_now()
        if inode == _NONE:
            # In the moment between an old base and the fresh one, who has neither must wait.
            return self._inode != _NONE or not os.path.exists(self._fetched_text)  # noqa: PTH110 - see _inode_now
        return inode == self._inode and not (self._stands_in and self._schema_now() != self._schema)

    def _is_attached(self) -> bool:
        """Attach what is there; False where it is just being replaced."""
        inode = self._inode_now()
        if inode == _NONE:
            return False
        try:
            self._attach(inode)
        except StorageError:
            # What was refused of a base that was being replaced says nothing of the one that is there now.
            if not is_being_replaced(self._base.parent) and self._inode_now() == inode:
                raise
            return False
        return True

    def _inode_now(self) -> int:
        # Asked with every read and write, so by texts: a Path costs as much again as the system takes to answer.
        try:
            return os.stat(self._base_text).st_ino  # noqa: PTH116 - see above
        except FileNotFoundError:
            return _NONE

    def refresh_schema(self) -> bool:
        """See a schema of the base that has changed since it was attached. Returns whether it has."""
        if self._inode == _NONE or self.connection.in_transaction or self._schema_now() == self._schema:
            return False
        self._attach(self._inode)
        return True

    def detach(self) -> None:
        """Let go of the base, which is about to be set aside or cannot be read; the views show what is pending."""
        with self._free():
            with suppress(sqlite3.OperationalError):
                self.connection.execute(f"DETACH {overlay.BASE}")
            self._inode, self._stands_in, self.base_tables, self.applied = _NONE, False, {}, {}
            overlay.make_views(self.connection, self._tables.values(), {})

    @contextmanager
    def _free(self) -> Iterator[None]:
        """Let SQL of ours do what a user's may not; whatever comes of it, the connection is as closed as before."""
        if self._reads_only:
            allow_writing(self.connection)
        try:
            yield
        finally:
            if self._reads_only:
                forbid_writing(self.connection)

    def _schema_now(self) -> int:
        try:
            with self._free():
                return int(self.connection.execute(f"PRAGMA {overlay.BASE}.schema_version").fetchone()[0])
        except sqlite3.DatabaseError as error:
            raise self._refused(error) from error

    def _attach(self, inode: int) -> None:
        try:
            with self._free():
                self._attach_freely()
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            # Views of a base that is not attached would fail in words of their own.
            self.detach()
            raise self._refused(error) from error
        self._inode = inode

    def _attach_freely(self) -> None:
        connection = self.connection
        with suppress(sqlite3.OperationalError):
            connection.execute(f"DETACH {overlay.BASE}")
        connection.execute(f"ATTACH ? AS {overlay.BASE}", (self._base.absolute().as_uri() + "?mode=ro",))
        self.base_tables = read_tables(connection, overlay.BASE)
        self._schema = int(connection.execute(f"PRAGMA {overlay.BASE}.schema_version").fetchone()[0])
        self._stands_in = any(
            name not in self.base_tables or not set(table.columns) <= set(self.base_tables[name].columns)
            for name, table in self._tables.items()
        )
        self.applied = self._applied()
        overlay.make_views(connection, self._tables.values(), self.base_tables)

    def _refused(self, error: Exception) -> ReplicaError:
        translated = translate(error, self._base) if isinstance(error, sqlite3.Error) else None
        # All this SQL is ours: where it does not run, the base is not what it should be.
        if translated is not None and not isinstance(translated, DamagedError | QueryError):
            return translated
        return DamagedBaseError()

    @property
    def base_version(self) -> int:
        """The schema version of the application that the base has; 0 without a base."""
        return version_of(self.applied)

    def _applied(self) -> Applied:
        if "_replica_migrations" not in self.base_tables:
            return {}
        sql = READ_APPLIED.replace("_replica_migrations", f"{overlay.BASE}._replica_migrations")
        return applied_from(self.connection.execute(sql).fetchall())
