"""The file of the index, `search.db` beside the databases: a cache that mends itself.

Always true:
- what a question sees is what the replica shows at that moment, pending work included;
- only what changed since the last search is read, and nothing is written if nothing did;
- a file that is damaged, of another format, or of another past than the replica is made anew, beside, and then moved
  into place: who kills td at any moment leaves a whole index or the one before;
- one process at a time has it open, so that none ever plays back the journal of a file that another has replaced.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from replica import BusyError, Replica, Snapshot
from tracker.errors import SearchUnavailableError
from tracker.search import index
from tracker.search.documents import Document, all_documents, changes, documents, issues_to_read, talk_of

FILE_NAME: Final = "search.db"
LOCK_NAME: Final = "search.lock"
_NEW_NAME: Final = f"{FILE_NAME}.new"
_APPLICATION_ID: Final = 0x74647364  # "tdsd"
_FORMAT: Final = 1
# As long as somebody else may need to make an index of a million issues.
_WAIT_S: Final = 120.0
_CACHE_KIB: Final = 64_000
_UNWRITABLE: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)

Answer = TypeVar("Answer")
Question = Callable[[sqlite3.Connection, Snapshot], Answer]


class _UselessError(Exception):
    """The file is not one that could be brought up to date."""


def ask(replica: Replica, directory: Path, question: Question[Answer]) -> Answer:
    """What the index says to a question, as of now.

    Raises BusyError while another process makes one for too long, SearchUnavailableError, and as reading does.
    """
    try:
        with alone(directory), replica.snapshot() as seen:
            try:
                return _ask_file(directory / FILE_NAME, seen, question)
            except (_UselessError, sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if _is_unwritable(error):
                    raise
            _make_anew(directory, seen)
            return _ask_file(directory / FILE_NAME, seen, question)
    except (OSError, sqlite3.Error) as error:
        if not isinstance(error, OSError) and not _is_unwritable(error):
            raise
    # A disk that is full keeps nobody from reading.
    with replica.snapshot() as seen:
        return ask_in_memory(all_documents(seen), seen, question)


def ask_in_memory(found: Iterable[Document], seen: Snapshot, question: Question[Answer]) -> Answer:
    """What an index of these documents says to a question; nothing of it is kept."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _fill(connection, found)
        return question(connection, seen)


def _ask_file(path: Path, seen: Snapshot, question: Question[Answer]) -> Answer:
    if not path.exists():
        raise _UselessError
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as connection:
        if not is_ours(connection):
            raise _UselessError
        _catch_up(connection, seen)
        return question(connection, seen)


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether a file is an index as this program makes it."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    made = connection.execute("PRAGMA user_version").fetchone()[0]
    return (application, made) == (_APPLICATION_ID, _FORMAT)


def remove(path: Path) -> None:
    """Take an index away, with the lock held."""
    path.unlink(missing_ok=True)
    _journal(path).unlink(missing_ok=True)


def _journal(path: Path) -> Path:
    return Path(f"{path}-journal")


def _catch_up(connection: sqlite3.Connection, seen: Snapshot) -> None:
    marker = index.read_marker(connection)
    changed = changes(seen, marker)
    if changed.rows is None:
        raise _UselessError
    if changed.marker == marker:
        return
    connection.execute("BEGIN IMMEDIATE")
    # Rolled back, if need be, by closing the connection.
    issue_ids = issues_to_read(seen, changed.rows) | index.issues_of_parts(connection, talk_of(changed.rows))
    index.remove(connection, issue_ids)
    index.add(connection, documents(seen, sorted(issue_ids)))
    index.write_marker(connection, changed.marker)
    connection.execute("COMMIT")


def _make_anew(directory: Path, seen: Snapshot) -> None:
    path, new = directory / FILE_NAME, directory / _NEW_NAME
    remove(new)
    descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            # Nobody looks at this file before it is whole.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            _fill(connection, all_documents(seen), changes(seen, "").marker)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    # The journal of the file that goes must not be played back into the one that comes.
    _journal(path).unlink(missing_ok=True)
    new.replace(path)


def _fill(connection: sqlite3.Connection, found: Iterable[Document], marker: str = "") -> None:
    connection.execute("BEGIN")
    try:
        index.make_tables(connection)
    except sqlite3.OperationalError as error:
        if "fts5" in str(error):
            raise SearchUnavailableError from error
        raise
    index.add(connection, found)
    index.write_marker(connection, marker)
    connection.execute("COMMIT")


def _is_unwritable(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNWRITABLE


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the lock of the index. Raises BusyError where another process has it for too long."""
    descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + _WAIT_S
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() > deadline:
                raise BusyError("another process has the search index", "try again, or end that process")
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)
