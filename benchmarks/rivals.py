"""The other side: bare sqlite3, libsql's own write delegation, and Turso Sync with its own server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ITEMS = "CREATE TABLE items (id TEXT PRIMARY KEY, updated_at TEXT, title TEXT, body TEXT, rank INTEGER)"

DELEGATION = """
import json, sys, time, libsql_experimental
path, url, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = libsql_experimental.connect(path, sync_url=url)
connection.sync()
row = connection.execute("SELECT id FROM items LIMIT 1").fetchone()
start = time.perf_counter()
for number in range(times):
    connection.execute("UPDATE items SET title = ? WHERE id = ?", (str(number), row[0]))
    connection.commit()
print(json.dumps((time.perf_counter() - start) / times))
"""

BOOTSTRAP = """
import sys, libsql_experimental
libsql_experimental.connect(sys.argv[1], sync_url=sys.argv[2]).sync()
"""


def bare_sqlite(path: Path) -> sqlite3.Connection:
    """A plain SQLite file as durable as ours: WAL, synchronous=FULL."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(ITEMS)
    return connection


def run_libsql(script: str, *arguments: str) -> str:
    """Run a script with libsql_experimental in a process of its own, because it must not share one with sqlite3."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"RUST_LOG": "off"},
    )
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""


@contextmanager
def turso_server(directory: Path) -> Iterator[str | None]:
    """The URL of a `tursodb --sync-server`, or None where pyturso or the npm package `turso` is missing."""
    program = _tursodb()
    if program is None or find_spec("turso") is None:
        yield None
        return
    directory.mkdir(parents=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [program, str(directory / "server.db"), "--sync-server", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        # The npm package starts the server through node, so the whole group has to go.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _tursodb() -> str | None:
    here = Path("node_modules/.bin/turso")
    return str(here) if here.exists() else shutil.which("tursodb") or shutil.which("turso")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("the Turso sync server did not start")


def turso_replica(path: Path, url: str) -> Any:  # pyturso has no types
    """An open Turso Sync database."""
    import turso.sync  # noqa: PLC0415 - of the bench extra, which may be missing

    return turso.sync.connect(str(path), remote_url=url)
