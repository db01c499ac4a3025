"""A promise that is held against many inputs, and what counts as keeping it.

Always true: an error that is none of the package's own, or no end within the deadline, fails the input.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from replica import ReplicaError
from tests.fuzz.workbench import Workbench

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 - the type of an input

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


@dataclass(slots=True)
class Promise(Generic[I]):
    """`check` holds for all of `inputs`. examples: how many are tried in `make test`. tried: how many were so far."""

    name: str
    text: str
    inputs: SearchStrategy[I]
    check: Callable[[Workbench, I], None]
    examples: int
    tried: int = field(default=0)

    def hold(self, bench: Workbench, *, examples: int, number: int | None = None) -> None:
        """Try so many inputs. number: of the random sequence; None: the one that `make test` always tries."""

        def check(drawn: I) -> None:
            self.tried += 1
            self.check(bench, drawn)

        tried = settings(
            max_examples=examples, deadline=None, database=None, derandomize=number is None, print_blob=False,
            suppress_health_check=_QUIET, phases=(Phase.explicit, Phase.generate, Phase.shrink),
        )(given(drawn=self.inputs)(check))  # fmt: skip
        (tried if number is None else seed(number)(tried))()


def promised(inputs: SearchStrategy[I], *, examples: int) -> Callable[[Callable[[Workbench, I], None]], Promise[I]]:
    """Make a function that checks one input a promise; its name and docstring say what is promised."""

    def make(check: Callable[[Workbench, I], None]) -> Promise[I]:
        text = " ".join((check.__doc__ or "").split())
        return Promise(check.__name__.replace("_", " "), text, inputs, check, examples)

    return make


def answered(act: Callable[[], T], *, within_s: float = 10.0) -> T | ReplicaError:
    """What `act` returned, or the error of ours that it raised, in one line and in time."""
    start = time.monotonic()
    outcome: T | ReplicaError
    try:
        outcome = act()
    except ReplicaError as error:
        outcome = error
    if isinstance(outcome, ReplicaError):
        assert len(str(outcome).splitlines()) == 1, f"not one line: {outcome!s}"
    took_s = time.monotonic() - start
    assert took_s < within_s, f"it took {took_s:.1f} s"
    return outcome
