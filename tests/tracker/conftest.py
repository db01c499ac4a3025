"""A tracker in a directory of its own, with a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tracker.clock import Clock
from tracker import Tracker, open_tracker


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until it is moved."""
    return Clock()


@pytest.fixture
def tracker(tmp_path: Path, clock: Clock) -> Iterator[Tracker]:
    """An empty tracker in mode local."""
    with open_tracker(tmp_path / "laptop", session="ses_laptop_000001", machine="laptop", clock=clock) as opened:
        yield opened
