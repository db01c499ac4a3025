"""Make a failing plan smaller: leave out steps as long as it still fails in the same way.

Always true: what is returned has failed when it was last tried; the deadline bounds how long is searched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tests.simulation.plan import Plan, Step


def shrink(plan: Plan, fails: Callable[[Plan], bool], *, deadline: float) -> Plan:
    """Drop halves, quarters, … single steps of a plan until `deadline` (monotonic seconds); the first step stays.

    fails: runs a plan; whether it fails as the whole one did.
    """
    steps = _cut_tail(plan, fails, deadline)
    size = max(1, len(steps) // 2)
    while time.monotonic() < deadline:
        smaller = _one_pass(plan, steps, size, fails, deadline)
        if len(smaller) == len(steps) and size == 1:
            break
        size = max(1, size // 2) if len(smaller) == len(steps) else size
        steps = smaller
    return replace(plan, steps=tuple(steps))


def _cut_tail(plan: Plan, fails: Callable[[Plan], bool], deadline: float) -> list[Step]:
    """What a failure needs comes before it, so the end is the first to go."""
    steps = list(plan.steps)
    while len(steps) > 2 and time.monotonic() < deadline:
        shorter = steps[: len(steps) * 3 // 4]
        if not fails(replace(plan, steps=tuple(shorter))):
            break
        steps = shorter
    return steps


def _one_pass(plan: Plan, steps: list[Step], size: int, fails: Callable[[Plan], bool], deadline: float) -> list[Step]:
    start = 1
    while start < len(steps) and time.monotonic() < deadline:
        without = steps[:start] + steps[start + size :]
        if fails(replace(plan, steps=tuple(without))):
            steps = without
        else:
            start += size
    return steps
