"""What is read from outside the process may be anything: a few hundred inputs of each kind, always the same ones."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fuzz.promise import Promise
from tests.fuzz.promises import PROMISES
from tests.fuzz.workbench import Workbench


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """What the promises work with."""
    with Workbench(tmp_path_factory.mktemp("fuzz")) as workbench:
        yield workbench


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.name)
def test_it_holds_for_whatever_is_read(bench: Workbench, promise: Promise[Any]) -> None:
    """No traceback, no hang, nothing written in part; what exactly, each promise says itself."""
    promise.hold(bench, examples=promise.examples)

    assert promise.tried > 0
