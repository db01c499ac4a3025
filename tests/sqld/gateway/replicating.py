"""Replicate a primary as td does, and look at what came."""

import os
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from replica.pull import base_path, pull
from tests.sqld.gateway.site import Answered, Site

_GRPC: Final = ("Content-Type", "application/grpc-web")


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


# A frame of gRPC-Web: no flags, four bytes of length, the message. Empty, and "from frame 1 on".
HELLO: Final = b"\0\0\0\0\0"
_FROM_THE_START: Final = b"\0\0\0\0\2\x08\x01"
_ID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def session_of(site: Site, headers: Sequence[tuple[str, str]], *, port: int | None = None) -> str:
    """What sqld gives to a client that says hello, to be shown from then on; "" if it gives nothing."""
    path = "/wal_log.ReplicationLog/Hello"
    answer = site.ask("POST", path, headers=[*headers, _GRPC], body=HELLO, port=port)
    found = _ID.findall(answer.body)
    return found[-1].decode() if found else ""


def entries_of(
    site: Site, headers: Sequence[tuple[str, str]], *, port: int | None = None, session: str | None = None
) -> Answered:
    """The log of a primary, asked for with headers of any kind; it holds the pages of the database as they are."""
    session = session_of(site, headers, port=port) if session is None else session
    shown = [("x-session-token", session)] if session else []
    path = "/wal_log.ReplicationLog/BatchLogEntries"
    return site.ask("POST", path, headers=[*headers, *shown, _GRPC], body=_FROM_THE_START, port=port)
