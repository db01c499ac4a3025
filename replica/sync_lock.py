"""The sync lock: one process syncs a replica at a time, because a second syncer corrupts the base (FACTS 4).

Our own and not a library's, because the puller has to inherit the descriptor: a lock of `flock` belongs to the open
file, so it is held until the last process that has it open is gone, even if the one that took it was killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from replica.errors import BusyError, StorageError

LOCK_FILE = "sync.lock"


@contextmanager
def sync_lock(directory: Path, *, wait_s: float, sleep: Callable[[float], None]) -> Iterator[int]:
    """Hold the lock, and yield its descriptor. Raises BusyError, naming the holder, after `wait_s`."""
    path = directory / LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error.strerror}") from error
    try:
        _take(descriptor, time.monotonic() + wait_s, sleep)
        with suppress(OSError):
            # Who holds it is a courtesy to those who wait, and not worth failing for on a full disk.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "since": time.time()}).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int, deadline: float, sleep: Callable[[float], None]) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BusyError(f"another process {_holder(descriptor)}syncs this replica") from None
            sleep(0.02)
        else:
            return


def _holder(descriptor: int) -> str:
    try:
        return f"(pid {json.loads(os.pread(descriptor, 200, 0))['pid']}) "
    except (ValueError, KeyError, TypeError):
        return ""


def is_locked(directory: Path) -> bool:
    """Whether somebody syncs right now."""
    try:
        with sync_lock(directory, wait_s=0.0, sleep=time.sleep):
            return False
    except BusyError:
        return True
    except StorageError:
        return False
