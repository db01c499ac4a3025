"""python -m tests.simulation --seed S --clients 10 --steps 500 [--faults a,b,…|all|none] [--plant BUG]."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sqld import find_sqld
from tests.simulation.checker import check
from tests.simulation.history import read_history, write_history
from tests.simulation.plan import Fault, Plan, as_json, make_plan
from tests.simulation.plants import PLANTS
from tests.simulation.run import Outcome, simulate, told
from tests.simulation.shrink import shrink

_SHOWN = 10


def faults_of(text: str) -> tuple[Fault, ...]:
    """The faults that a command line names. Raises ValueError for an unknown one."""
    if text == "all":
        return tuple(Fault)
    return () if text == "none" else tuple(Fault(name) for name in text.split(","))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one seed, or judge one history again; 1 if a promise was not kept."""
    options = _parser().parse_args(arguments)
    if options.check is not None:
        violations = check([event for event in read_history(options.check) if event["n"] >= 0])
        _say("\n".join(map(str, violations[:_SHOWN])) or "no violation")
        return 1 if violations else 0
    plan = make_plan(
        options.seed, clients=options.clients, steps=options.steps, faults=options.faults, plant=options.plant
    )
    _say(f"seed {plan.seed}: {len(plan.clients)} clients, {len(plan.steps)} steps; faults: {_names(options.faults)}")
    binary = find_sqld()
    outcome = simulate(plan, binary)
    _say(told(outcome))
    if not outcome.violations:
        return 0
    report_failure(outcome, options.out, faults=_names(options.faults))
    if options.shrink_s > 0:
        _shrink(outcome, binary, options.out, options.shrink_s)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--faults", type=faults_of, default=tuple(Fault), help="all, none, or names with commas")
    parser.add_argument("--plant", choices=sorted(PLANTS), help="a bug to plant in the clients")
    parser.add_argument("--out", type=Path, default=Path("simulation-failures"), help="where failing histories go")
    parser.add_argument("--shrink-s", type=float, default=120.0, help="how long to look for a shorter plan")
    parser.add_argument("--check", type=Path, help="judge a history of before again, and run nothing")
    return parser


def report_failure(outcome: Outcome, folder: Path, *, faults: str) -> None:
    """Say what was not kept, keep the history, and say how to run it again."""
    plan = outcome.plan
    path = folder / f"seed-{plan.seed}.jsonl"
    write_history(path, outcome.events)
    for violation in outcome.violations[:_SHOWN]:
        _say(f"  {str(violation)[:400]}")
    planted = "" if plan.plant is None else f" --plant {plan.plant}"
    again = f"--seed {plan.seed} --clients {len(plan.clients)} --steps {plan.steps[-1].number + 1} --faults {faults}"
    _say(f"history: {path}\nagain: python -m tests.simulation {again}{planted}")


def _shrink(outcome: Outcome, binary: Path, folder: Path, seconds: float) -> None:
    invariants = {violation.invariant for violation in outcome.violations}

    def fails(plan: Plan) -> bool:
        return bool(invariants & {violation.invariant for violation in simulate(plan, binary).violations})

    small = shrink(outcome.plan, fails, deadline=time.monotonic() + seconds)
    path = folder / f"seed-{small.seed}-shrunk.json"
    path.write_text(json.dumps(as_json(small), indent=1), encoding="utf-8")
    _say(f"shrunk to {len(small.steps)} steps: {path}")


def _names(faults: Sequence[Fault]) -> str:
    return "all" if set(faults) == set(Fault) else ",".join(faults) or "none"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
