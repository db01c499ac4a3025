"""A backlog: one client comes back with much to send, and what that costs in time, requests and bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.entries import Entry, open_entries
from benchmarks.load.meter import Meter, Traffic
from benchmarks.load.processes import cpu_s
from sqld import run_sqld

_SEVERAL_MADE = 50


@dataclass(frozen=True, slots=True)
class Backlog:
    """One sync with `pending` mutations of one row each: seconds, what passed, and CPU seconds of the primary."""

    pending: int
    taken_s: float
    traffic: Traffic
    primary_s: float


def measure(directory: Path, pending: int) -> Backlog:
    """Write that many mutations without syncing, half inserts and half updates, then sync once."""
    with (
        run_sqld(data_dir=directory / "primary") as server,
        Meter(server.port, server.port) as meter,
        open_entries(directory / "client", meter.url) as replica,
    ):
        with replica.transaction() as tx:
            entries = [tx.insert(Entry(title=f"first {number}")) for number in range(_SEVERAL_MADE)]
        replica.sync()
        for number in range(pending):
            with replica.transaction() as tx:
                if number % 2:
                    kept = tx.get(Entry, entries[number % _SEVERAL_MADE].id)
                    tx.update(kept, title=f"pending {number}")
                else:
                    tx.insert(Entry(title=f"pending {number}"))
        before, cpu, start = meter.traffic(), cpu_s(server.pid), time.perf_counter()
        report = replica.sync(deadline_s=600)
        taken = time.perf_counter() - start
        assert (report.error, report.pushed, report.pending) == (None, pending, 0), report
        return Backlog(pending, taken, meter.traffic() - before, cpu_s(server.pid) - cpu)
