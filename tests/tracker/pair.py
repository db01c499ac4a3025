"""Two trackers with one primary, as if on two machines."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqld import Server
from tests.tracker.clock import Clock
from tracker import Issue, IssueFilter, Tracker, open_tracker
from tracker import sync as sync_tracker

EVERYTHING = IssueFilter(with_closed=True, with_deleted=True, with_deferred=True)


@contextmanager
def opened(tmp_path: Path, name: str, server: Server, clock: Clock) -> Iterator[Tracker]:
    """The tracker of one of them."""
    with open_tracker(
        tmp_path / name, mode="libsql", url=server.url, session=f"ses_{name}_000001", machine=name, clock=clock
    ) as tracker:
        yield tracker


def sync(*trackers: Tracker) -> list[str]:
    """Sync each in turn, as td does. Returns what was mended."""
    told = []
    for tracker in trackers:
        done = sync_tracker(tracker)
        assert done.report.error is None, done.report.error
        told += [f"{one.issue_id} {one.told}" for one in done.mended]
    return told


def agreed(laptop: Tracker, desktop: Tracker) -> list[Issue]:
    """All issues, after both have everything; they must be the same."""
    sync(laptop, desktop, laptop)
    assert laptop.find(EVERYTHING) == desktop.find(EVERYTHING)
    assert not laptop.replica.pending()
    assert not desktop.replica.pending()
    return laptop.find(EVERYTHING)
