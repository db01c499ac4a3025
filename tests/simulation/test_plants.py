"""The checker is tested by bugs: each planted one is found, and the same runs without it are clean."""

from pathlib import Path

import pytest

from tests.simulation.plan import Fault, make_plan
from tests.simulation.plants import PLANTS
from tests.simulation.run import simulate

_CLIENTS = 4


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_a_planted_bug_is_found(name: str, sqld_binary: Path) -> None:
    """By the promise that it breaks, in a short run of one seed."""
    plant = PLANTS[name]
    plan = make_plan(plant.seed, clients=_CLIENTS, steps=plant.steps, faults=plant.faults, plant=name)

    outcome = simulate(plan, sqld_binary)

    found = {violation.invariant for violation in outcome.violations}
    assert found & plant.breaks, f"found {found}"


@pytest.mark.parametrize(
    ("seed", "steps", "faults"), sorted({(plant.seed, plant.steps, plant.faults) for plant in PLANTS.values()})
)
def test_the_same_run_without_the_bug_is_clean(
    seed: int, steps: int, faults: tuple[Fault, ...], sqld_binary: Path
) -> None:
    """So what was found was the plant."""
    outcome = simulate(make_plan(seed, clients=_CLIENTS, steps=steps, faults=faults), sqld_binary)

    assert outcome.violations == []
