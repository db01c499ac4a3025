"""A fixed small set of runs keeps every promise; `make soak` runs many more."""

from pathlib import Path

import pytest

from tests.simulation import machine
from tests.simulation.plan import make_plan
from tests.simulation.run import simulate, told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_run_with_all_faults_keeps_every_promise(seed: int, sqld_binary: Path) -> None:
    """I1 to I9, and what each reader may rely on."""
    outcome = simulate(make_plan(seed, clients=6, steps=200), sqld_binary)

    assert outcome.violations == [], told(outcome)


def test_a_run_without_faults_keeps_every_promise(sqld_binary: Path) -> None:
    """People alone are trouble enough: conflicts, several processes on one replica, and syncs at the same time."""
    outcome = simulate(make_plan(1, clients=6, steps=200, faults=()), sqld_binary)

    assert outcome.violations == [], told(outcome)
    assert outcome.counts()["acknowledged"] > 50


def test_short_histories_drawn_by_hypothesis_keep_every_promise() -> None:
    """Few acts each, and shrunk where one fails."""
    machine.run(examples=12)
