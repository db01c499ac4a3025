"""A tracker in a directory of its own, with a clock that the test moves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sqld import Server
from tests.tracker.clock import Clock
from tests.tracker.pair import opened
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


@pytest.fixture
def laptop(tmp_path: Path, primary_server: Server, clock: Clock) -> Iterator[Tracker]:
    """One of two with one primary."""
    with opened(tmp_path, "laptop", primary_server, clock) as tracker:
        yield tracker


@pytest.fixture
def desktop(tmp_path: Path, primary_server: Server, clock: Clock) -> Iterator[Tracker]:
    """The other."""
    with opened(tmp_path, "desktop", primary_server, clock) as tracker:
        yield tracker


@pytest.fixture
def colleague(tmp_path: Path, tracker: Tracker, clock: Clock) -> Iterator[Tracker]:
    """Another session in the same directory."""
    machine = tracker.replica.machine
    with open_tracker(tmp_path / machine, session=f"ses_{machine}_000002", machine=machine, clock=clock) as opened:
        yield opened
