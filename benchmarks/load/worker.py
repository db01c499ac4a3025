"""A worker: one process with a part of the clients, a thread each, led step by step by the fleet."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks.load.client import Client, Load, Notes
from benchmarks.load.entries import copy_base, open_entries

_SPAWN: Final = multiprocessing.get_context("spawn")
_AT_ONCE: Final = 2


class Worker:
    """The fleet's end of a worker."""

    def __init__(self, directory: Path, url: str, load: Load, numbers: Sequence[int], shared: list[str]) -> None:
        """`directory` holds the base to start from; `numbers`: which clients are this worker's."""
        self._end, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_run, args=(theirs, directory, url, load, list(numbers), shared))
        self._process.start()

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process.pid is not None
        return self._process.pid

    def tell(self, step: str, argument: float = 0.0) -> None:
        """Have it begin a step."""
        self._end.send((step, argument))

    def wait(self) -> Any:  # what the step answers with
        """Wait until the step is done. Raises EOFError if the worker died."""
        return self._end.recv()

    def close(self) -> None:
        """End it."""
        self._end.close()
        self._process.join(30)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _run(end: Connection, directory: Path, url: str, load: Load, numbers: list[int], shared: list[str]) -> None:
    with ExitStack() as opened, ThreadPoolExecutor(len(numbers)) as threads:
        clients = []
        for number in numbers:
            place = directory / f"client-{number}"
            copy_base(directory / "filler", place)
            replica = opened.enter_context(open_entries(place, url, str(number)))
            clients.append(Client(replica, load, number, shared))
        end.send("open")
        steps: dict[str, Callable[[float], list[Notes] | None]] = {
            "warm": lambda _: _few_at_a_time(lambda each: each.sync(time.monotonic()), clients),
            "run": lambda start: _all(threads, lambda each: each.run(start), clients),
            "drain": lambda _: _few_at_a_time(Client.drain, clients),
            "finish": lambda _: _few_at_a_time(Client.finish, clients),
            "notes": lambda _: [each.notes for each in clients],
        }
        while True:
            try:
                step, argument = end.recv()
            except EOFError:
                return
            end.send(steps[step](argument))


def _all(threads: ThreadPoolExecutor, act: Callable[[Client], object], clients: list[Client]) -> None:
    """Have each client act in a thread of its own, all at the same time."""
    list(threads.map(act, clients))


def _few_at_a_time(act: Callable[[Client], object], clients: list[Client]) -> None:
    """Have each client act, for steps that are not measured."""
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(act, clients))
