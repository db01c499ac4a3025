"""The files of a move: which one is moved, who may write it meanwhile, and where it goes afterwards.

Always true:
- no file is deleted in which anything was ever written, but for copies made here: it gets another name, or a folder,
  with the moment in it;
- what was moved is frozen first: it refuses writes itself, to programs of any version, so that one that still has it
  open is told, and writes nothing that nobody would see;
- a file is only renamed while nobody has it open.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Final

from replica import outbox
from replica.drivers.embedded import LOCAL_FILE
from replica.drivers.local_file import FILE_NAME
from replica.errors import BusyError, ForeignFileError, InputError, StorageError
from replica.history import HISTORY
from replica.migrate import migrate_file
from replica.pull import BASE_FILE, base_files
from replica.schema import Schema, quote
from replica.sqlite_file import APPLICATION_ID, MOVED, create_private, open_file, storage_errors

_FREEZE: Final = "replica_moved"
_MOVING: Final = "moving"
_COPY: Final = "moving.db"
_PATIENCE_S: Final = 2.0


def freeze_file(connection: sqlite3.Connection, told: str) -> None:
    """Let a local file refuse every write from now on, in the caller's transaction; told: why."""
    _freeze(connection, HISTORY, told)


def freeze_replica(connection: sqlite3.Connection, told: str) -> None:
    """Let the `local.db` of a replica refuse every write from now on, in the caller's transaction; told: why."""
    _freeze(connection, "mutations", told)


def _freeze(connection: sqlite3.Connection, table: str, told: str) -> None:
    words = f"{MOVED}{told}".replace("'", "''")
    connection.execute(f"DROP TRIGGER IF EXISTS main.{_FREEZE}")
    connection.execute(
        f"CREATE TRIGGER main.{_FREEZE} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END"
    )


def thaw(directory: Path, *, is_local: bool) -> bool:
    """Let the local file, or the replica, in a directory take writes again. Returns whether it was frozen."""
    path = directory / (FILE_NAME if is_local else LOCAL_FILE)
    if not path.exists() or not _is_frozen(path):
        return False
    with closing(open_file(path)) as connection, storage_errors(path):
        connection.execute(f"DROP TRIGGER IF EXISTS {_FREEZE}")
    return True


def _is_frozen(path: Path) -> bool:
    with storage_errors(path), closing(_looking(path)) as connection:
        found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = ?", (_FREEZE,))
        return found.fetchone() is not None


def _looking(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def source_file(source: Path) -> Path:
    """The local file that `source` means, or the `local.db` of a replica. Raises InputError, ForeignFileError."""
    if source.is_dir():
        source = _in_directory(source)
    elif source.name == BASE_FILE:
        source = source.with_name(LOCAL_FILE)
    if not source.is_file():
        raise InputError(f"there is no file {source}", "name a data.db, or the directory that it is in")
    with storage_errors(source), closing(_looking(source)) as connection:
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_NOTADB:
                raise
            application = 0
        wanted = "mutations" if source.name == LOCAL_FILE else HISTORY
        found = (
            application == APPLICATION_ID
            and connection.execute(
                "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (wanted,)
            ).fetchone()
        )
    if not found:
        raise ForeignFileError(
            f"{source} is not a database of this program", "only such a one can be moved; nothing was touched"
        )
    return source


def _in_directory(directory: Path) -> Path:
    found = [path for path in (directory / FILE_NAME, directory / LOCAL_FILE) if path.is_file()]
    open_ones = [path for path in found if not _is_frozen(path)]
    if len(open_ones) > 1:
        raise InputError(f"{directory} has a {FILE_NAME} and a {LOCAL_FILE}", "name the one that is meant")
    if not found:
        raise InputError(f"there is no {FILE_NAME} in {directory}", "name the directory that holds one")
    return (open_ones or found)[0]


@contextmanager
def held(path: Path, schema: Schema, *, session: str, at: str) -> Iterator[sqlite3.Connection]:
    """A local file of the schema of this program, that nobody else can write while the block runs.

    What the block does to it through this connection is kept. Raises BusyError where somebody writes for too long.
    """
    with closing(open_file(path)) as connection, storage_errors(path):
        migrate_file(connection, schema, session=session, at=at)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def copied(source: Path, directory: Path, schema: Schema, *, session: str, at: str) -> Iterator[Path]:
    """A copy of a local file, as it is now, of the schema of this program, for as long as the block runs."""
    path = copy_path(directory)
    try:
        create_private(path)
        with storage_errors(source), closing(_looking(source)) as original, closing(sqlite3.connect(path)) as copy:
            original.backup(copy)
        with closing(open_file(path)) as connection, storage_errors(path):
            connection.execute(f"DROP TRIGGER IF EXISTS {_FREEZE}")
            migrate_file(connection, schema, session=session, at=at)
            connection.execute("PRAGMA journal_mode = DELETE").fetchall()
        yield path
    finally:
        remove_copy(directory)


def copy_path(directory: Path) -> Path:
    """Where the copy is of what is moved from elsewhere."""
    return directory / _COPY


def remove_copy(directory: Path) -> None:
    """Remove the copy, one that a killed process left too."""
    for end in ("", "-journal", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{copy_path(directory)}{end}").unlink()


def make_way(directory: Path, url: str, *, at: str) -> None:
    """Put away, before a replica of the primary at `url` is made for a move, what lies where its files will.

    A replica that an earlier move to the same primary began is left: the move goes on with it. Raises BusyError, and
    InputError where changes wait in a replica that no move made.
    """
    path = directory / LOCAL_FILE
    if path.exists() and (_is_frozen(path) or _purpose(path) != url):
        if waiting := _waiting(path):
            message = f"in {path} changes wait that no primary has: {waiting}"
            raise InputError(message, "bring them to their primary first, or move the file away")
        if not _is_alone(path):
            raise BusyError(f"{path} is in use by another process", "end that one, and move again")
        _put_replica_away(directory, at)


def _purpose(path: Path) -> str:
    """To which primary the move goes that made a replica; "" if none did."""
    with _facts(path) as connection:
        return "" if connection is None else outbox.read_fact(connection, _MOVING)


def _waiting(path: Path) -> int:
    """How many changes wait in a replica; none in one that was moved, or that a move made: those are in a file too."""
    if _is_frozen(path) or _purpose(path):
        return 0
    with _facts(path) as connection:
        return 0 if connection is None else outbox.count_queued(connection)


@contextmanager
def _facts(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that reads a `local.db`; None where a process was killed before its tables were made."""
    with storage_errors(path), closing(_looking(path)) as connection:
        found = connection.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'facts'").fetchone()
        yield None if found is None else connection


def note_purpose(connection: sqlite3.Connection, url: str) -> None:
    """Remember in `local.db` to which primary a move goes that was begun; "" once it is done."""
    outbox.write_fact(connection, _MOVING, url)


def put_away(directory: Path, *, is_local: bool, at: str) -> Path | None:
    """Give what was moved another name, so that it is kept and not taken for what is used. Returns where it is now.

    is_local: whether a local file is used now, and not a replica; what is used is never put away. What another process
    still has open stays where it is, frozen, until the next time.
    """
    path = directory / (LOCAL_FILE if is_local else FILE_NAME)
    if not path.exists() or not _is_frozen(path) or not _is_alone(path):
        return None
    if is_local:
        return _put_replica_away(directory, at)
    kept = _free_name(directory, f"data-moved-{_moment(at)}", ".db")
    _rename(path, kept)
    return kept


def put_file_away(directory: Path, *, at: str) -> Path | None:
    """Make room for a `data.db`: one that is there, which nothing reads any more, is kept under another name."""
    path = directory / FILE_NAME
    if not path.exists():
        return None
    if not _is_alone(path):
        raise BusyError(f"{path} is in use by another process", "end that one, and move again")
    if _is_empty(path):
        path.unlink()
        return None
    kept = _free_name(directory, f"data-moved-{_moment(at)}", ".db")
    _rename(path, kept)
    return kept


def _is_empty(path: Path) -> bool:
    """Whether nothing was ever written to a local file."""
    with storage_errors(path), closing(_looking(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        ours = ("_replica_migrations", "_replica_primary", "sqlite_sequence")
        tables = [quote(name) for name in names if name not in ours]
        return not any(connection.execute(f"SELECT EXISTS (SELECT 1 FROM {name})").fetchone()[0] for name in tables)


def _put_replica_away(directory: Path, at: str) -> Path:
    folder = _free_name(directory, f"replica-moved-{_moment(at)}", "")
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise StorageError(f"cannot make the directory {folder}: {error.strerror}") from error
    # The base first: `local.db` without one is a replica that has yet to fetch it, and finds itself again.
    for path in (*base_files(directory), directory / LOCAL_FILE):
        if path.exists():
            _rename(path, folder / path.name)
    return folder


def _rename(path: Path, to: Path) -> None:
    try:
        path.rename(to)
    except OSError as error:
        raise StorageError(f"cannot rename {path}: {error.strerror}") from error


def _is_alone(path: Path) -> bool:
    """Whether nobody else has a file open; its log is folded into it then, so that one rename moves all of it."""
    with storage_errors(path), closing(sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)) as connection:
        try:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            return False
    return str(mode) == "delete"


def _free_name(directory: Path, stem: str, end: str) -> Path:
    names = (directory / f"{stem}{f'-{number}' if number else ''}{end}" for number in count())
    return next(path for path in names if not path.exists())


def _moment(at: str) -> str:
    return at.replace(":", "").replace("-", "").split(".")[0]
