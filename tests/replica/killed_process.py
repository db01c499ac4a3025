"""A process that is killed at the n-th thing it does to a file, a database or the network.

Always true: the count is of what can be seen from outside (an SQL statement that may write, a request before and after
it, a process started, a file renamed or removed), so that a sweep over n meets every state that a crash can leave.
"""

import multiprocessing
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import httpx

from replica import Replica
from tests.replica.team import open_member

Act = Callable[[Replica], None]
Run = Callable[[Path, str], None]

_SERVER: Final = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["tests.replica.killed_process", "tests.replica.team", "replica.sync", "replica.moving.moves"]
)
_WATCHED: Final = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "subprocess.Popen", "fcntl.flock")
# These change nothing that outlives the process, so to die before or after them is the same.
_HARMLESS: Final = ("SELECT", "PRAGMA base", "CREATE TEMP VIEW", "DROP VIEW", "DETACH")


class Countdown:
    """Kills this process at the n-th step after it was armed."""

    def __init__(self) -> None:
        self._left = 0

    def arm(self, steps: int) -> None:
        """Count from here."""
        self._left = steps

    def step(self, *_about: object) -> None:
        """One more thing is about to be done, or has just been."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def watch(countdown: Countdown) -> None:
    """From now on, let everything this process does to a file, a database or the network count."""
    connect, send = sqlite3.connect, httpx.Client.send

    def trace(sql: str) -> None:
        if not sql.lstrip().startswith(_HARMLESS):
            countdown.step()

    def watched_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:  # passed on as they came
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(trace)
        return connection

    def watched_send(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:  # passed on
        countdown.step()
        response = send(client, request, **options)
        countdown.step()
        return response

    def audit(event: str, _arguments: object) -> None:
        if event in _WATCHED:
            countdown.step()

    sqlite3.connect = watched_connect  # type: ignore[assignment] # narrower than the real one, on purpose
    httpx.Client.send = watched_send  # type: ignore[method-assign, assignment] # one act long
    sys.addaudithook(audit)


def _open(directory: Path, url: str, steps: int, *, armed: bool) -> tuple[Countdown, Replica]:
    countdown = Countdown()
    watch(countdown)
    if armed:
        countdown.arm(steps)
    return countdown, open_member(directory, url)


def _run(act: Act, directory: Path, url: str, steps: int) -> None:
    countdown, member = _open(directory, url, steps, armed=False)
    countdown.arm(steps)
    act(member)


def _run_open(directory: Path, url: str, steps: int) -> None:
    _open(directory, url, steps, armed=True)


def _run_whole(run: Run, directory: Path, url: str, steps: int) -> None:
    countdown = Countdown()
    watch(countdown)
    countdown.arm(steps)
    run(directory, url)


def survives_all(run: Run, directory: Path, url: str, *, killed_at: int) -> bool:
    """As `survives`, for what opens its files itself."""
    process = _SERVER.Process(target=_run_whole, args=(run, directory, url, killed_at))
    return _is_whole(process, killed_at)


def survives(act: Act | None, directory: Path, url: str, *, killed_at: int) -> bool:
    """Let a process open a replica and do something, and kill it at the n-th step of what it does.

    Returns whether it was done before it came that far. With no act, it is killed while it opens the replica.
    """
    if act is None:
        process = _SERVER.Process(target=_run_open, args=(directory, url, killed_at))
    else:
        process = _SERVER.Process(target=_run, args=(act, directory, url, killed_at))
    return _is_whole(process, killed_at)


def _is_whole(process: ForkServerProcess, killed_at: int) -> bool:
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), f"it failed by itself, before step {killed_at}"
    return process.exitcode == 0
