"""python -m tests.simulation.soak --minutes N | --seeds N: many seeds, one after the other, and one line in the end."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqld import find_sqld
from tests.simulation.__main__ import faults_of, report_failure
from tests.simulation.plan import Fault, make_plan
from tests.simulation.run import simulate, told


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds until the time or their number is up; 1 if any promise was not kept."""
    options = _parser().parse_args(arguments)
    binary = find_sqld()
    total: Counter[str] = Counter()
    began, seeds, failed = time.monotonic(), 0, []
    while seeds < options.seeds and time.monotonic() - began < options.minutes * 60:
        seed = options.first + seeds
        plan = make_plan(seed, clients=options.clients, steps=options.steps, faults=options.faults)
        outcome = simulate(plan, binary)
        sys.stdout.write(told(outcome) + "\n")
        if outcome.violations:
            failed.append(seed)
            report_failure(outcome, options.out, faults=",".join(options.faults) or "none")
        sys.stdout.flush()
        total += outcome.counts()
        seeds += 1
    faults = "all faults" if set(options.faults) == set(Fault) else f"faults {','.join(options.faults) or 'none'}"
    counts = ", ".join(f"{number:,} {name}" for name, number in total.items() if name != "violations")
    line = (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC: seeds {options.first} to {options.first + seeds - 1} ({seeds}), "
        f"{options.clients} clients, {options.steps} steps, {faults}: {counts}; {total['violations']} violations"
        f"{f' in seeds {failed}' if failed else ''}; {time.monotonic() - began:.0f} s"
    )
    sys.stdout.write(line + "\n")
    if options.result is not None:
        with options.result.open("a", encoding="utf-8") as result:
            result.write(line + "\n")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--seeds", type=int, default=sys.maxsize)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--faults", type=faults_of, default=tuple(Fault), help="all, none, or names with commas")
    parser.add_argument("--out", type=Path, default=Path("simulation-failures"), help="where failing histories go")
    parser.add_argument("--result", type=Path, help="a file to which the last line is added")
    return parser


if __name__ == "__main__":
    sys.exit(main())
