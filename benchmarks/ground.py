"""What all measurements stand on: a table, rows that are the same in every run, clocks, and results."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from replica import Record, Replica, open_replica

BODY = "the quick brown fox jumps over the lazy dog " * 4
MIGRATIONS = Path(__file__).with_name("migrations")


class Item(Record, table="items"):
    """One row of about 250 bytes."""

    title: str
    body: str = BODY
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """One measured path: our figure, the budget as a sentence, what it is held against, and whether it holds."""

    path: str
    ours: str
    against: str
    ratio: str
    budget: str
    holds: bool | None


def open_items(directory: Path, url: str | None = None, mode: str = "libsql") -> Replica:
    """A replica of the measured table."""
    return open_replica(directory, records=[Item], migrations=MIGRATIONS, mode=mode, url=url)


def median_s(call: Callable[[], object], times: int) -> float:
    """The median time of a call, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def in_turns_s(ours: Callable[[], object], theirs: Callable[[], object], times: int) -> tuple[float, float]:
    """The median times of two calls, in seconds, made in turns: a machine that slows down slows both."""
    taken = [(taken_s(ours), taken_s(theirs)) for _ in range(times)]
    return statistics.median(mine for mine, _ in taken), statistics.median(other for _, other in taken)


def taken_s(call: Callable[[], object]) -> float:
    """The time of one call, in seconds."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def held(path: str, ours_s: float, theirs_s: float | None, *, name: str, at_most: float, budget: str) -> Result:
    """A result whose budget is a ratio: ours to theirs, at most `at_most`. Without the other side it is not judged."""
    if theirs_s is None:
        return Result(path, show(ours_s), f"{name}: not installed", "–", budget, None)
    ratio = ours_s / theirs_s
    return Result(path, show(ours_s), f"{name} {show(theirs_s)}", f"{ratio:.2f}", budget, ratio <= at_most)


def show(seconds: float) -> str:
    """Seconds as a person reads them."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
