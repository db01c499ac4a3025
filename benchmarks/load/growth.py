"""How the cost grows: with clients, with rows stored, with mutations pending. `python -m benchmarks.load.growth`.

--write puts figures into docs/performance.md and plots into docs/plots; --quick takes small numbers, to try it out.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.load.__main__ import lines
from benchmarks.load.backlog import Backlog, measure
from benchmarks.load.client import Load
from benchmarks.load.figures import Figures
from benchmarks.load.fleet import run
from benchmarks.load.page import plots, tables

_DOCUMENT: Final = Path("docs/performance.md")
_PLOTS: Final = Path("docs/plots")
_START, _END = "<!-- load: start -->", "<!-- load: end -->"

_EACH: Final = Load(seconds=20)
_FEW: Final = Load(clients=4, seconds=10, burst=5, sync_every_s=5)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: loads by number of clients, others to hold beside them, rows stored, and backlogs."""

    clients: list[Load]
    beside: list[tuple[str, Load]]
    stored: list[Load]
    pending: list[int]


WHOLE: Final = Plan(
    # At 300 every second of writing takes this machine many to fetch.
    clients=[replace(_EACH, clients=number, seconds=10 if number == 300 else 20) for number in (10, 30, 100, 300)],
    beside=[
        ("100 clients, pulls at a read replica", replace(_EACH, clients=100, read_replica=True)),
        ("10 clients, a sync each second", replace(_EACH, clients=10, sync_every_s=1, burst=1)),
        ("300 clients, a tenth of the writes", replace(_EACH, clients=300, rate=0.1, seconds=40, sync_every_s=30)),
    ],
    stored=[replace(_FEW, rows=rows) for rows in (1_000, 10_000, 100_000, 1_000_000)],
    pending=[1, 10, 100, 1_000, 10_000, 100_000],
)
_QUICK: Final = Load(clients=3, seconds=3, burst=2, sync_every_s=1, rows=100)
QUICK: Final = Plan(
    clients=[_QUICK, replace(_QUICK, clients=6)],
    beside=[("3 clients, pulls at a read replica", replace(_QUICK, read_replica=True))],
    stored=[_QUICK, replace(_QUICK, rows=2_000)],
    pending=[1, 100],
)


def main() -> int:
    """Measure all, print each as it comes, and say by the exit code whether nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers")
    parser.add_argument("--write", action="store_true", help=f"write {_DOCUMENT} and {_PLOTS}")
    options = parser.parse_args()
    plan = QUICK if options.quick else WHOLE
    began, others = time.monotonic(), os.getloadavg()[0]
    clients = _run_all(plan.clients)
    beside = list(zip([name for name, _ in plan.beside], _run_all(load for _, load in plan.beside), strict=True))
    stored = _run_all(plan.stored)
    pending = [_backlog(number) for number in plan.pending]
    head = _head(time.monotonic() - began, others)
    text = f"{head}\n\n{tables(clients, beside, stored, pending)}"
    print(text)
    if options.write:
        _write(text, plots(clients, stored, pending))
    everything = [*clients, *(each for _, each in beside), *stored]
    return 0 if all(each.verdict.holds for each in everything) else 1


def _run_all(loads: Iterable[Load]) -> list[Figures]:
    return [_run(load) for load in loads]


def _run(load: Load) -> Figures:
    with tempfile.TemporaryDirectory() as directory:
        figures = run(Path(directory), load)
    print("\n".join([f"-- {load}", *lines(figures)]), flush=True)
    return figures


def _backlog(pending: int) -> Backlog:
    with tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), pending)
    print(found, flush=True)
    return found


def _head(taken_s: float, others: float) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    command = " ".join(["python -m benchmarks.load.growth", *sys.argv[1:]])
    return (
        f"Measured on {datetime.now(UTC).date()} by `{command}` in {taken_s / 60:.0f} minutes: {machine}; CPython "
        f"{platform.python_version()}; servers, meter and clients on this one machine, over loopback. Load average at "
        f"the start: {others:.1f}; what other programs used meanwhile is the column *others*."
    )


def _write(text: str, drawn: dict[str, str]) -> None:
    _PLOTS.mkdir(exist_ok=True)
    for name, svg in drawn.items():
        (_PLOTS / name).write_text(svg, encoding="utf-8")
    page = _DOCUMENT.read_text(encoding="utf-8")
    before, after = page.split(_START)[0], page.split(_END)[1]
    _DOCUMENT.write_text(f"{before}{_START}\n{text}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
