"""Run the measurements of DESIGN 16 in one go: `make bench`, or `python -m benchmarks [--quick] [--write]`.

--quick leaves out what takes minutes: 100,000 issues, the bootstrap, the growth to a million rows; --write puts the
table into docs/performance.md, and a few of its rows into README.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import commands, filters, moves, reads, searches, syncs, writes
from benchmarks.ground import Result
from sqld import run_sqld

_DOCUMENT = Path("docs/performance.md")
_FRONT = Path("README.md")
_AT_A_GLANCE = (
    "read by key, a row",
    "queued write, durable",
    "push of 10,000 updates, settled",
    "sync with nothing to do, the call",
    "`td list` of 1,000 issues",
)
_START, _END = "<!-- figures: start -->", "<!-- figures: end -->"
Measurement = Callable[[Path, str], Iterator[Result]]


def main() -> int:
    """Measure, print, and say by the exit code whether every budget holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out all that takes minutes")
    parser.add_argument("--write", action="store_true", help=f"put the table into {_DOCUMENT}")
    options = parser.parse_args()
    measurements: list[Measurement] = [
        reads.run,
        writes.run,
        syncs.run,
        commands.few,
        filters.few,
        searches.few,
    ]
    if not options.quick:
        measurements += [commands.many, filters.many, searches.many, moves.run, syncs.bootstrap, syncs.growth]
    results: list[Result] = []
    for measure in measurements:
        # A fresh primary for each, so that none pays for the rows of another.
        with tempfile.TemporaryDirectory() as directory, run_sqld(data_dir=Path(directory) / "primary") as server:
            for result in measure(Path(directory), server.url):
                print(line(result), flush=True)
                results.append(result)
    if options.write:
        write(results)
    return 1 if any(result.holds is False for result in results) else 0


def line(result: Result) -> str:
    """A result as a row of the table in docs/performance.md."""
    verdict = {True: "holds", False: "**missed**", None: "–"}[result.holds]
    return f"| {result.path} | {result.ours} | {result.against} | {result.ratio} | {result.budget} | {verdict} |"


def write(results: list[Result]) -> None:
    """Replace the figures of docs/performance.md."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    versions = f"CPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    head = (
        f"Measured on {datetime.now(UTC).date()} by `{' '.join(['python -m benchmarks', *sys.argv[1:]])}`: "
        f"{machine}; {versions}; primary and clients on loopback.\n\n"
        "| path | ours | held against | ratio | budget | verdict |\n|---|---|---|---|---|---|\n"
    )
    figures = head + "\n".join(map(line, results))
    _put(_DOCUMENT, figures)
    _put(_FRONT, at_a_glance(figures))


def at_a_glance(figures: str) -> str:
    """What README.md tells of the figures of docs/performance.md: a few rows of them, and their day."""
    (measured,) = re.findall(r"Measured on \S+", figures.split("|", maxsplit=1)[0])
    rows = [row.split(" | ")[:3] for row in figures.splitlines() if row.startswith("| ")]
    told = [f"{path} | {ours} | {against} |" for path, ours, against in rows if path[2:] in _AT_A_GLANCE]
    return "\n".join([f"{measured}.", "", "| | ours | held against |", "|---|---|---|", *told])


def _put(document: Path, figures: str) -> None:
    text = document.read_text(encoding="utf-8")
    before, after = text.split(_START)[0], text.split(_END)[1]
    document.write_text(f"{before}{_START}\n{figures}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
