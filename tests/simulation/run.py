"""One run, from a plan to a verdict, and what is said of it in a line."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.checker import check
from tests.simulation.history import Event, History
from tests.simulation.plan import Plan, as_json
from tests.simulation.story import Violation
from tests.simulation.world import run_plan


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run. took_s: wall time, without the checking."""

    plan: Plan
    events: list[Event]
    violations: list[Violation]
    took_s: float

    def counts(self) -> Counter[str]:
        """How often what happened: calls, mutations told and acknowledged, faults, kills, losses, violations."""
        kinds = Counter(str(event["event"]) for event in self.events)
        return Counter(
            {
                "calls": kinds["call"],
                "mutations": kinds["intent"],
                "acknowledged": kinds["kept"],
                "reads": sum(event["event"] == "call" and event["do"] == "read" for event in self.events),
                "syncs": sum(event["event"] == "call" and event["do"] == "sync" for event in self.events),
                "faults": sum(event["event"] == "fault" and event["what"] not in _MENDING for event in self.events),
                "kills": kinds["killed"],
                "losses": kinds["loss"],
                "violations": len(self.violations),
            }
        )


_MENDING = frozenset({"heal", "start", "backup", "upgrade"})


def simulate(plan: Plan, binary: Path) -> Outcome:
    """Run a plan on a fresh sqld in a temporary folder, and judge it."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
        history: History = run_plan(plan, Path(folder), binary)
    took_s = time.monotonic() - began
    events = [{"n": -1, "at_s": 0.0, "event": "plan", "plan": as_json(plan)}, *history.events]
    return Outcome(plan, events, check(history.events), took_s)


def told(outcome: Outcome) -> str:
    """A run in one line."""
    counts = ", ".join(f"{number} {name}" for name, number in outcome.counts().items())
    plan = outcome.plan
    return f"seed {plan.seed}: {len(plan.clients)} clients, {len(plan.steps)} steps: {counts}; {outcome.took_s:.1f} s"
