"""Two people with a tracker each, and one primary for both."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqld import Server
from tests.tracker.clock import Clock
from tracker import Tracker, open_tracker


@contextmanager
def two_people(tmp_path: Path, server: Server, clock: Clock) -> Iterator[tuple[Tracker, Tracker]]:
    """A laptop and a desktop."""
    with (
        _tracker(tmp_path, "laptop", server, clock) as laptop,
        _tracker(tmp_path, "desktop", server, clock) as desktop,
    ):
        yield laptop, desktop


def _tracker(tmp_path: Path, name: str, server: Server, clock: Clock) -> Tracker:
    return open_tracker(
        tmp_path / name, mode="libsql", url=server.url, session=f"ses_{name}_000001", machine=name, clock=clock
    )


def sync(*trackers: Tracker) -> None:
    """Sync each in turn; none of them may find trouble."""
    for tracker in trackers:
        report = tracker.replica.sync()
        assert report.error is None, report.error
