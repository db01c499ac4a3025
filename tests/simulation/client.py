"""A client process: one program on one replica, which does what it is told over a pipe and tells what came of it.

Always true:
- every message is one JSON document; the last one of a call has `done`, and the ones before it are told as they happen;
- it can be killed at any moment: what counts is what it had told.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import resource
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import replica.sync
from replica import Replica
from tests.replica.killed_process import Countdown, watch
from tests.simulation.journal import journal
from tests.simulation.plants import PLANTS
from tests.simulation.records import PROGRAMS, open_program
from tests.simulation.work import Act, perform

Json = Any  # a JSON document of our own making

_SERVER: Final = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.simulation.client", "replica.delivery", "merge3", "httpx"])
_ONLINE_PATIENCE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Start:
    """What a client process is started with. `name` tells it from others on the same replica."""

    name: str
    directory: str
    url: str
    migrations: str
    version: int
    clock_offset_s: float
    plant: str | None


class _Clock:
    """The clock of this machine, wrong by some seconds."""

    def __init__(self, offset_s: float) -> None:
        self.offset_s = offset_s

    def __call__(self) -> float:
        return time.time() + self.offset_s


class _Client:
    """One process's life: its replica, its clock, and what it was told."""

    def __init__(self, start: Start, pipe: Connection) -> None:
        self._start, self._pipe = start, pipe
        self._program = PROGRAMS[start.version]
        self._clock = _Clock(start.clock_offset_s)
        self._countdown = Countdown()
        watch(self._countdown)

    def tell(self, message: Json) -> None:
        self._pipe.send_bytes(json.dumps(message).encode())

    def run(self) -> None:
        start = self._start
        member = open_program(
            self._program,
            Path(start.directory),
            start.url,
            migrations=Path(start.migrations),
            name=start.name,
            clock=self._clock,
        )
        with journal(self.tell), member:
            self.tell({"done": {}})
            while True:
                call = json.loads(self._pipe.recv_bytes())
                if call["do"] == "leave":
                    return
                self._answer(member, call)

    def _answer(self, member: Replica, call: Json) -> None:
        self._countdown.arm(call.get("kill_at", 0))
        done = self._do(member, call)
        self._countdown.arm(0)
        self.tell({"done": done})

    def _do(self, member: Replica, call: Json) -> Json:
        if call["do"] == "clock":
            self._clock.offset_s = call["offset_s"]
            return {}
        if call["do"] == "disk":
            _limit_files(Path(self._start.directory), call["room_bytes"])
            return {}
        act = Act(member, self._program, random.Random(call["dice"]), call["mark"])
        return perform(act, call)


def _limit_files(directory: Path, room_bytes: int | None) -> None:
    """Let no file of this process grow beyond the largest one there is and a little; None: as large as they like."""
    limit = resource.RLIM_INFINITY
    if room_bytes is not None:
        sizes = [path.stat().st_size for path in directory.glob("local.db*")]
        limit = max(sizes, default=0) + room_bytes
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))


def _main(start: Start, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An online write waits ten seconds for the network; a simulated person has less patience.
    replica.sync._LOCK_WAIT_S = _ONLINE_PATIENCE_S  # type: ignore[misc] # final for everybody else
    if start.plant is not None:
        PLANTS[start.plant].apply()
    client = _Client(start, pipe)
    try:
        client.run()
    except (EOFError, BrokenPipeError):
        return
    except BaseException:  # noqa: BLE001 - told to the parent, which fails the run with it
        with suppress(OSError):
            client.tell({"crash": traceback.format_exc()})


class ClientProcess:
    """A client process as its parent sees it."""

    def __init__(self, start: Start) -> None:
        """Start it; it tells `done` once its replica is open."""
        self.start = start
        self.pipe, other = _SERVER.Pipe()
        self._process = _SERVER.Process(target=_main, args=(start, other), daemon=True)
        self._process.start()
        other.close()

    def send(self, call: Json) -> None:
        """Tell it what to do. One that is dead already is found out by reading."""
        with suppress(OSError):
            self.pipe.send_bytes(json.dumps(call).encode())

    def receive(self) -> Json | None:
        """The next message; None once it is dead and all it told was read."""
        try:
            return json.loads(self.pipe.recv_bytes())
        except (EOFError, OSError):
            return None

    def kill(self) -> None:
        """End it at once."""
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, signal.SIGKILL)

    def bury(self) -> None:
        """Wait until it has ended, and let go of it."""
        self._process.join()
        self.pipe.close()
