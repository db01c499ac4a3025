"""An SQLite file of another program, opened as a copy.

Always true: the file itself, and its journal or log, are read as bytes, and never written, locked or opened by SQLite;
what a crash left unfinished in them is finished in the copy.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from tracker.transfer.errors import SourceError
from tracker.transfer.opened import unreadable

_COMPANIONS: Final = ("", "-wal", "-journal")
_ATTEMPTS: Final = 3
_WRITTEN: Final = "stop the program that writes it, then try again; nothing was written"
_DAMAGED: Final = "nothing was written; mend it with the program that made it, or try sqlite3 FILE .recover"


@contextmanager
def opened_copy(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection on a copy of the file that is gone afterwards. Raises SourceError."""
    with tempfile.TemporaryDirectory(prefix="td-import-") as folder:
        copy = Path(folder) / "copy.db"
        _copy(path, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            with damage_told(path):
                connection.execute("PRAGMA trusted_schema = OFF")
                # Text of a foreign file may hold anything.
                connection.text_factory = lambda data: data.decode(errors="replace")
                verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
            if verdict != "ok":
                raise SourceError(path, f"it is damaged: {verdict}", _DAMAGED)
            yield connection


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Say of the file what SQLite says of its copy."""
    try:
        yield
    except sqlite3.Error as error:
        raise SourceError(path, f"it cannot be read: {error}", _DAMAGED) from error


def _copy(path: Path, copy: Path) -> None:
    """Copy the file with what belongs to it, as all of it was at one moment."""
    for _ in range(_ATTEMPTS):
        before = _marks(path)
        try:
            for suffix in _COMPANIONS:
                source, target = Path(f"{path}{suffix}"), Path(f"{copy}{suffix}")
                target.unlink(missing_ok=True)
                if not suffix or source.exists():
                    shutil.copyfile(source, target)
        except FileNotFoundError as error:
            if not path.exists():
                raise unreadable(path, error) from error
            continue
        except OSError as error:
            raise unreadable(path, error) from error
        if _marks(path) == before:
            return
    raise SourceError(path, "it was changed while it was read", _WRITTEN)


def _marks(path: Path) -> list[tuple[int, int] | None]:
    """What changes when one of the files does."""
    return [_mark(Path(f"{path}{suffix}")) for suffix in _COMPANIONS]


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
