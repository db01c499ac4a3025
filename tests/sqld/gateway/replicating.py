"""Replicate a primary as td does, and look at what came."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from replica.pull import base_path, pull


def pulled(url: str, token: str | None, directory: Path) -> list[str]:
    """The notes that a new client replicates into `directory`. Raises as `pull` does."""
    directory.mkdir()
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
    try:
        pull(directory, url, token, deadline=time.monotonic() + 20, lock_file=lock, sleep=lambda _: None)
    finally:
        os.close(lock)
    with closing(sqlite3.connect(base_path(directory))) as base:
        return [str(row[0]) for row in base.execute("SELECT text FROM notes")]
