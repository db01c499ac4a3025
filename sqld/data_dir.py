"""What lies in the data directory of an sqld.

```
DIR/dbs/NAMESPACE/data      the database, in WAL mode; `data-wal` and `data-shm` beside it
DIR/dbs/NAMESPACE/wallog    the replication log: clients know the primary's history by its id
DIR/metastore/data          the settings of the namespaces, their keys among them
```

Always true: nothing here changes what sqld wrote. That an sqld runs is seen by its lock on a database, whoever started
it.
"""

import contextlib
import fcntl
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from sqld.errors import DataDirInUseError, DataDirUnusableError

LOCK_NAME: Final = "sqld.lock"
LOG_NAME: Final = "sqld.log"
SETTINGS: Final = Path("metastore", "data")

# Every open connection of SQLite holds a read lock on these bytes, in WAL mode for as long as it is open
# (https://www.sqlite.org/src/file/src/os_unix.c, SHARED_FIRST and SHARED_SIZE).
_SHARED_FIRST: Final = 0x40000002
_SHARED_SIZE: Final = 510
_WALLOG_MAGIC: Final = b"SQLDWAL\0"


@dataclass(frozen=True, slots=True)
class LogPosition:
    """id: of the replication log. frame: the number of its last frame; None while it has none."""

    id: uuid.UUID
    frame: int | None


def database_of(namespace: str) -> Path:
    """Where a namespace's database is, from the data directory."""
    return Path("dbs", namespace, "data")


def namespaces_in(data_dir: Path) -> list[str]:
    """The namespaces that have a database there. Raises OSError."""
    folder = data_dir / "dbs"
    return sorted(entry.name for entry in folder.iterdir() if (entry / "data").is_file()) if folder.is_dir() else []


def log_position(data_dir: Path, namespace: str) -> LogPosition | None:
    """How far a namespace's replication log had come when its header was written; None without a log."""
    try:
        with (data_dir / "dbs" / namespace / "wallog").open("rb") as log:
            header = log.read(48)
    except FileNotFoundError:
        return None
    if len(header) < 48 or not header.startswith(_WALLOG_MAGIC):
        return None
    end = int.from_bytes(header[32:40], "little") + int.from_bytes(header[40:48], "little")
    return LogPosition(uuid.UUID(int=int.from_bytes(header[16:32], "little")), end - 1 if end else None)


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Keep every sqld of ours off a data directory that is there, for the length of a `with` block.

    Raises:
        DataDirInUseError: an sqld runs on it, whoever started it.
        DataDirUnusableError: it cannot be locked or read.
    """
    try:
        lock = FileLock(data_dir / LOCK_NAME, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise DataDirInUseError(data_dir) from error
    except OSError as error:
        raise DataDirUnusableError(data_dir, error.strerror or str(error)) from error
    try:
        if _is_served(data_dir):
            raise DataDirInUseError(data_dir)
        yield
    finally:
        lock.release()


def _is_served(data_dir: Path) -> bool:
    try:
        databases = [SETTINGS, *map(database_of, namespaces_in(data_dir))]
        return any(is_open_elsewhere(data_dir / database) for database in databases)
    except OSError as error:
        raise DataDirUnusableError(data_dir, error.strerror or str(error)) from error


def is_open_elsewhere(database: Path) -> bool:
    """Whether another process has a database open that is in WAL mode. Raises OSError."""
    # Closing the file lets go of every lock this process has on it: there must be no connection to it in here.
    try:
        descriptor = os.open(database, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
    except (BlockingIOError, PermissionError):
        return True
    finally:
        os.close(descriptor)
    return False
