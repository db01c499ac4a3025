"""Open SQLite files of ours, and say in our own errors what SQLite says in its.

Always true:
- a file is created with mode 0600 in a directory of mode 0700, before anything is in it;
- a committed transaction is on the disk: WAL with synchronous=FULL.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from replica.errors import (
    BusyError,
    DamagedError,
    ForeignFileError,
    InputError,
    MovedError,
    QueryError,
    ReplicaError,
    StorageError,
    WriteRefusedError,
)
from replica.mutation import StoredValue

BUSY_TIMEOUT_MS = 10_000
_INSTRUCTIONS_A_LOOK: Final = 1_000_000
# How the refusal of a file begins that was moved elsewhere: a trigger in it says so, to programs of any version.
MOVED: Final = "moved: "
APPLICATION_ID: Final = 0x72706C63  # "rplc": tells a file of ours from any other


def make_directory(directory: Path) -> None:
    """Create the directory of a replica, readable by its owner only. Raises StorageError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the directory {directory}: {error.strerror}") from error


def open_file(path: Path) -> sqlite3.Connection:
    """Open or create a durable file. Raises StorageError, or DamagedError for a file that is not ours."""
    create_private(path)
    with storage_errors(path):
        # Threads each have a connection of their own; only `close` touches it from another.
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, uri=True, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            is_new = _is_new(connection, path)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            if is_new:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        except (sqlite3.Error, ReplicaError):
            connection.close()
            raise
    return connection


def _is_new(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether a file is empty and nobody's. Asked before anything is set, so that a foreign file stays as it is."""
    # In one transaction: another process may be making the file.
    connection.execute("BEGIN")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    connection.execute("COMMIT")
    if application == APPLICATION_ID:
        return False
    if tables:
        raise ForeignFileError(
            f"{path} is an SQLite file of another program",
            "move it away, or choose another directory; nothing was touched",
        )
    return True


def _use_wal(connection: sqlite3.Connection) -> None:
    """Keep a log of writes. Of several processes that open a new file at once, SQLite turns some away unasked."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.002)
        else:
            return


def create_private(path: Path) -> None:
    """Create an empty file of mode 0600 if there is none; SQLite gives its companions the same mode."""
    try:
        # O_EXCL: an existing file is never opened here, because closing it would drop SQLite's locks of this process.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error


def refuse_nesting(connection: sqlite3.Connection) -> None:
    """Raise InputError where a transaction is open already: it would end with the inner one, half done."""
    if connection.in_transaction:
        raise InputError("this thread is in a transaction of this replica already", "end that one first")


@contextmanager
def one_moment(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Keep a read transaction open that writes nothing. What begins it is the first read in the block."""
    with storage_errors(path):
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
    try:
        yield
    finally:
        # The errors of the block are of the caller's own making, and go by as they are.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("PRAGMA query_only = OFF")


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Translate SQLite's errors about the file itself."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except UnicodeDecodeError as error:
        # What SQLite would have said of the damage, it took out of the file.
        raise damaged(path, "it holds text that is none") from error


def damaged(path: Path, told: object) -> DamagedError:
    """What is said of a file of ours that cannot be read; told: SQLite's own words."""
    return DamagedError(f"{path} is damaged or not a database of ours: {told}", "keep the file, and run `td doctor`")


def translate(error: sqlite3.Error, path: Path) -> ReplicaError:
    """What an error of SQLite means for the file at `path`."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StorageError(f"the disk refused to write {path}: {error}")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return StorageError(f"cannot open {path} for writing: {error}")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT) or is_no_text(error):
        return damaged(path, error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return BusyError(f"{path} is in use by another process")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return _refused(str(error))
    return QueryError(f"SQL does not run: {error}")


def is_no_text(error: sqlite3.Error) -> bool:
    """Whether Python could not make text of what SQLite gave as text."""
    return str(error).startswith("Could not decode to UTF-8")


def _refused(told: str) -> ReplicaError:
    if told.startswith(MOVED):
        return MovedError(told.removeprefix(MOVED))
    return InputError(f"the table refuses the row: {told}")


_READ_ACTIONS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
# SQLite says the last three of a view, and of its own tables, before it asks the authorizer.
_REFUSALS = ("not authorized", "because it is a view", "to a view", "may not be modified")
_REFUSED_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})


def may_read(action: int, second: str | None) -> bool:
    """Whether what SQLite asks its authorizer about is reading, and no more; `second`: its second argument."""
    return action in _READ_ACTIONS and not (action == sqlite3.SQLITE_FUNCTION and second in _REFUSED_FUNCTIONS)


def _only_reading(
    action: int, _first: str | None, second: str | None, _database: str | None, _source: str | None
) -> int:
    return sqlite3.SQLITE_OK if may_read(action, second) else sqlite3.SQLITE_DENY


def _go_on() -> int:
    return 0


@contextmanager
def interruptible(connection: sqlite3.Connection) -> Iterator[None]:
    """Let Ctrl-C end a statement of a user's, which may go on for ever."""
    connection.set_progress_handler(_go_on, _INSTRUCTIONS_A_LOOK)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def meet_json(connection: sqlite3.Connection) -> None:
    """Let a connection know the table-valued functions of JSON, which SQLite declares when they are first named.

    To an authorizer that looks like the making of a table, so they must be known before there is one.
    """
    connection.execute("SELECT 1 FROM json_each('[]'), json_tree('[]')").close()


def forbid_writing(connection: sqlite3.Connection) -> None:
    """Make a connection one that cannot write, nor attach another file (`query_only` and an authorizer)."""
    connection.execute("PRAGMA query_only = ON")
    meet_json(connection)
    # Called now and then, Python sees that Ctrl-C was pressed; else a query that never ends could only be killed.
    connection.set_progress_handler(_go_on, _INSTRUCTIONS_A_LOOK)
    connection.set_authorizer(_only_reading)


def allow_writing(connection: sqlite3.Connection) -> None:
    """Take back `forbid_writing`, for what we do ourselves."""
    connection.set_authorizer(None)
    connection.execute("PRAGMA query_only = OFF")


def is_refused_write(sql: str, error: Exception) -> bool:
    """Whether SQL that failed was to write: SQLite may find something else amiss before it comes to that."""
    # Only an error pays for it.
    from replica.sql_text import OF_THE_SCHEMA, first_word  # noqa: PLC0415 - see above

    return first_word(sql) in OF_THE_SCHEMA or any(text in str(error) for text in _REFUSALS)


def run_read_only(
    connection: sqlite3.Connection, sql: str, params: Sequence[StoredValue], path: Path
) -> tuple[tuple[str, ...], list[tuple[StoredValue, ...]]]:
    """Run one statement of a user's on a connection that cannot write (`forbid_writing`).

    Raises QueryError, or WriteRefusedError for anything but reading.
    """
    try:
        cursor = connection.execute(sql, params)
        if cursor.description is None:
            # What does more than read was refused by now.
            raise QueryError("there is no SQL statement to run", "for example SELECT 1")
        return tuple(item[0] for item in cursor.description), cursor.fetchall()
    except sqlite3.Warning as error:
        raise QueryError(f"one statement at a time: {error}", "run them one after the other") from error
    except sqlite3.ProgrammingError as error:
        raise QueryError(f"SQL does not run: {error}", "one statement at a time, with a value for each `?`") from error
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            # Nothing of ours interrupts a query: the progress handler was itself interrupted.
            raise KeyboardInterrupt from error
        if getattr(error, "sqlite_errorcode", 0) in (
            sqlite3.SQLITE_AUTH,
            sqlite3.SQLITE_READONLY,
        ) or is_refused_write(sql, error):
            raise WriteRefusedError("this SQL would write, or reach outside the database") from error
        if is_no_text(error):
            # SQL can make such text itself, so that it says nothing of the file.
            raise QueryError("this SQL gives text that is not UTF-8", "hex(…) shows its bytes") from error
        raise translate(error, path) from error
