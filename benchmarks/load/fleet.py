"""The fleet: servers, meter and workers of one run, and the run itself, step by step.

Always true: the clocks that are compared are one clock, the monotonic one of this machine; what is measured lies
between two readings of all counters; filling, copying, warming up and draining lie outside.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.load.client import Load, Notes
from benchmarks.load.entries import SHARED, fill
from benchmarks.load.figures import Figures, Used, figures_of
from benchmarks.load.meter import Meter, Traffic
from benchmarks.load.processes import cpu_s, machine_cpu_s, memory_mb
from benchmarks.load.verdict import judge, sequence_of
from benchmarks.load.worker import Worker
from sqld import Server, find_sqld
from sqld.ports import free_port

_HEAD_START_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where to write and where to pull."""

    primary: Server
    pulls: Server


def start_servers(opened: ExitStack, directory: Path, *, read_replica: bool) -> Servers:
    """An sqld, and a second one that follows it if it is to take the pulls."""
    binary = find_sqld()
    rpc = f"127.0.0.1:{free_port('127.0.0.1')}"
    primary = opened.enter_context(
        Server(binary, data_dir=directory / "primary", flags=["--grpc-listen-addr", rpc] if read_replica else [])
    )
    if not read_replica:
        return Servers(primary, primary)
    flags = ["--primary-grpc-url", f"http://{rpc}"]
    return Servers(primary, opened.enter_context(Server(binary, data_dir=directory / "read-replica", flags=flags)))


def run(directory: Path, load: Load) -> Figures:
    """Measure one load, in a directory of its own."""
    with ExitStack() as opened:
        servers = start_servers(opened, directory, read_replica=load.read_replica)
        shared = fill(directory / "clients" / "filler", servers.primary.url, max(load.rows, SHARED))
        return run_on(directory / "clients", servers, load, shared)


def run_on(directory: Path, servers: Servers, load: Load, shared: list[str]) -> Figures:
    """Measure one load on servers that run; `directory` holds `filler`, a closed replica to take the base from."""
    with ExitStack() as opened:
        meter = opened.enter_context(Meter(servers.primary.port, servers.pulls.port))
        count = min(load.processes, load.clients)
        workers = []
        for part in range(count):
            numbers = range(part, load.clients, count)
            workers.append(Worker(directory, meter.url, load, numbers, shared))
            opened.callback(workers[-1].close)
        for worker in workers:
            worker.wait()
        _step(workers, "warm")
        start = time.monotonic() + _HEAD_START_S
        _begin(workers, "run", start)
        _sleep_until(start)
        before = _counters(servers, meter, workers)
        # They go on syncing for a while, so that all that was written in this time is seen by all.
        _sleep_until(start + load.seconds)
        after = _counters(servers, meter, workers)
        _end(workers)
        passed, finished = meter.traffic() - before.traffic, time.monotonic()
        _step(workers, "drain")
        _step(workers, "finish")
        notes: list[Notes] = [each for part in _step(workers, "notes") for each in part]
    places = sequence_of(servers.primary.url)
    return figures_of(
        load,
        notes,
        places,
        (start, start + load.seconds, finished),
        traffic=passed,
        used=replace(_used(before, after), primary_mb=memory_mb(servers.primary.pid)),
        verdict=judge(servers.primary.url, notes, places),
    )


def _step(workers: Sequence[Worker], step: str, argument: float = 0.0) -> list[Any]:  # whatever the step answers
    """Have all workers do a step at the same time, and wait for all."""
    _begin(workers, step, argument)
    return _end(workers)


def _begin(workers: Sequence[Worker], step: str, argument: float) -> None:
    for worker in workers:
        worker.tell(step, argument)


def _end(workers: Sequence[Worker]) -> list[Any]:  # see above
    return [worker.wait() for worker in workers]


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))


@dataclass(frozen=True, slots=True)
class _Counters:
    at: float
    traffic: Traffic
    primary: float
    pulls: float
    clients: float
    meter: float
    machine: float


def _counters(servers: Servers, meter: Meter, workers: Sequence[Worker]) -> _Counters:
    return _Counters(
        time.monotonic(),
        meter.traffic(),
        cpu_s(servers.primary.pid),
        cpu_s(servers.pulls.pid) if servers.pulls is not servers.primary else 0.0,
        sum(cpu_s(worker.pid, with_children=True) for worker in workers),
        cpu_s(meter.pid),
        machine_cpu_s(),
    )


def _used(before: _Counters, after: _Counters) -> Used:
    taken = after.at - before.at
    primary, pulls, clients, meter, machine = (
        (getattr(after, name) - getattr(before, name)) / taken
        for name in ("primary", "pulls", "clients", "meter", "machine")
    )
    return Used(primary, pulls, clients, meter, max(0.0, machine - primary - pulls - clients - meter), 0.0)
