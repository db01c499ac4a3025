"""Measure one load: `python -m benchmarks.load --clients N --rate R --seconds T [--read-replica] [--rows STORED]`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.ground import show
from benchmarks.load.client import Load
from benchmarks.load.figures import Figures
from benchmarks.load.fleet import run


def main() -> int:
    """Run, print, and say by the exit code whether nothing was lost."""
    options = _options(sys.argv[1:])
    load = Load(**vars(options))
    with tempfile.TemporaryDirectory() as directory:
        figures = run(Path(directory), load)
    print("\n".join(lines(figures)))
    return 0 if figures.verdict.holds else 1


def _options(typed: list[str]) -> argparse.Namespace:
    known = Load()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--clients", type=int, default=known.clients, help="replicas")
    parser.add_argument("--rate", type=float, default=known.rate, help="transactions a second, of each")
    parser.add_argument("--seconds", type=float, default=known.seconds, help="for how long they write")
    parser.add_argument("--burst", type=int, default=known.burst, help="transactions before a sync")
    parser.add_argument("--sync-every", type=float, dest="sync_every_s", default=known.sync_every_s, help="seconds")
    parser.add_argument("--shared", type=float, default=known.shared, help="part of the writes that go to shared rows")
    parser.add_argument("--rows", type=int, default=known.rows, help="rows stored before it begins")
    parser.add_argument("--read-replica", action="store_true", help="a second sqld takes the pulls")
    parser.add_argument("--processes", type=int, default=known.processes, help="that hold the replicas")
    parser.add_argument("--seed", type=int, default=known.seed, help="of what each client does when")
    return parser.parse_args(typed)


def lines(figures: Figures) -> list[str]:
    """A run as a person reads it."""
    traffic, used = figures.traffic, figures.used
    errors = ", ".join(f"{code} {count}" for code, count in sorted(figures.errors.items())) or "none"
    never = f", {figures.unseen} never" if figures.unseen else ""
    late = f"began up to {show(figures.late_p99)} late (p99)"
    hrana, pulls, up, down = (
        figures.each_sync(total) for total in (traffic.hrana, traffic.pulls, traffic.bytes_up, traffic.bytes_down)
    )
    servers = f"primary {used.primary:.2f}, read replica {used.read_replica:.2f}"
    told = {
        "commit to visible elsewhere": f"p50 {show(figures.visible_p50)}, p99 {show(figures.visible_p99)}{never}",
        "a sync": f"p50 {show(figures.sync_p50)}, p99 {show(figures.sync_p99)}; {late}",
        "requests a sync": f"{hrana:.1f} Hrana, {pulls:.1f} replication",
        "bytes a sync": f"{up / 1e3:.1f} KB up, {down / 1e3:.1f} KB down",
        "cores used": f"{servers}, clients {used.clients:.2f}, meter {used.meter:.2f}, others {used.others:.2f}",
        "memory of the primary": f"{used.primary_mb:.0f} MB",
        "errors of syncs": f"{errors}; answers 429: {traffic.turned_away}, other errors: {traffic.failed}",
        "sent again": f"{figures.sent_again} mutations",
    }
    head = f"{figures.load.clients} clients, {figures.syncs} syncs, {figures.ended_a_s:.1f} a second"
    return [head, *(f"{name:29}{text}" for name, text in told.items()), str(figures.verdict)]


if __name__ == "__main__":
    sys.exit(main())
