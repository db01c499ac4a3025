"""The file of the registry: its tables, its connection, its transactions.

Always true: a transaction is there whole or not at all, and one thread's never mixes with another's.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

from sqld.tenant_errors import RegistryError

_VERSION: Final = 1
_BUSY_TIMEOUT_S: Final = 10.0
# Times are seconds since 1970.
_SCHEMA: Final = """
CREATE TABLE tenants (
    name TEXT PRIMARY KEY,
    namespace TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('creating', 'active', 'suspended', 'deleting', 'deleted')),
    organisation TEXT UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (name),
    public_pem TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('coming', 'current', 'previous', 'retired')),
    created_at INTEGER NOT NULL,
    not_after INTEGER
) STRICT;
CREATE INDEX keys_by_tenant ON keys (tenant);
CREATE UNIQUE INDEX keys_one_current ON keys (tenant) WHERE state = 'current';
CREATE UNIQUE INDEX keys_one_coming ON keys (tenant) WHERE state = 'coming';
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (name),
    role TEXT NOT NULL CHECK (role IN ('rw', 'ro')),
    subject TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id),
    sha256 TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX tokens_by_tenant ON tokens (tenant);
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (name),
    role TEXT NOT NULL CHECK (role IN ('rw', 'ro')),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX api_keys_by_tenant ON api_keys (tenant);
CREATE TABLE requests (
    tenant TEXT NOT NULL REFERENCES tenants (name),
    id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX requests_by_age ON requests (made_at);
"""


class Storage:
    """One connection to the file, shared by the tables of the registry."""

    def __init__(self, path: Path) -> None:
        """Open the file; it is made if there is none, for its owner only. Raises RegistryError."""
        self._path = path
        self._turn = threading.RLock()
        with self._told():
            # Before SQLite makes it with what permissions it likes.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._told():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. May be called again."""
        with self._turn:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within, or nothing; inside another one it is part of that. Raises RegistryError."""
        with self._turn, self._told():
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *parameters: object) -> Sequence[sqlite3.Row]:
        """What a query finds. Raises RegistryError."""
        with self._turn, self._told():
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, *parameters: object) -> sqlite3.Row | None:
        """The first row that a query finds. Raises RegistryError."""
        found = self.rows(sql, *parameters)
        return found[0] if found else None

    def write(self, sql: str, *parameters: object) -> int:
        """Write; the number of rows that it touched. Raises RegistryError."""
        with self.transaction():
            return self._connection.execute(sql, parameters).rowcount

    def _prepare(self) -> None:
        connection = self._connection
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        with self.transaction():
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise RegistryError(self._path, f"it has version {version}, and this td knows {_VERSION}")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            # What is there already, its own table can tell.
            raise
        except sqlite3.Error as error:
            raise RegistryError(self._path, str(error)) from error
        except OSError as error:
            raise RegistryError(self._path, error.strerror or str(error)) from error


def number_or_none(value: Any) -> int | None:  # a column of a row
    """A moment that may not have come."""
    return None if value is None else int(value)
