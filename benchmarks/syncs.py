"""Syncing: nothing to do, bootstraps, and how the cost grows with what is stored."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ground import Item, Result, held, median_s, open_items, show, taken_s
from benchmarks.rivals import BOOTSTRAP, run_libsql, turso_replica, turso_server
from replica import Replica

BOOTSTRAP_ROWS = 200_000
STORED = (1_000, 10_000, 100_000, 1_000_000)


def run(directory: Path, url: str) -> Iterator[Result]:
    """A sync with nothing to do, as a call."""
    with open_items(directory / "idle", url) as replica:
        replica.sync()
        taken = median_s(replica.sync, 50)
        yield Result("sync with nothing to do, the call", show(taken), "–", "–", "≤ 3 round trips", None)


def bootstrap(directory: Path, url: str) -> Iterator[Result]:
    """A first sync of about 50 MB, against libsql's own and Turso Sync's."""
    with open_items(directory / "source", url) as source:
        fill(source, BOOTSTRAP_ROWS)
    with open_items(directory / "first", url) as replica:
        ours = taken_s(lambda: replica.sync(deadline_s=600))
        size = (directory / "first" / "replica.db").stat().st_size / 1e6
    libsql = taken_s(lambda: run_libsql(BOOTSTRAP, str(directory / "bootstrap.db"), url))
    path = f"bootstrap of {size:.0f} MB"
    yield held(path, ours, libsql, name="libSQL's own", at_most=1.2, budget="libSQL's own speed")
    with turso_server(directory / "turso-bootstrap") as rival:
        turso = None if rival is None else _turso_bootstrap_s(directory, rival)
    yield held(path, ours, turso, name="Turso Sync (same rows, no history)", at_most=1.0, budget="then Turso Sync's")


def _turso_bootstrap_s(directory: Path, url: str) -> float:
    source = turso_replica(directory / "turso-source.db", url)
    source.execute("CREATE TABLE items (id TEXT PRIMARY KEY, title TEXT, body TEXT, rank INTEGER)")
    for number in range(BOOTSTRAP_ROWS):
        source.execute("INSERT INTO items VALUES (?, ?, ?, ?)", (str(number), str(number), Item(title="").body, number))
    source.commit()
    source.push()
    source.close()
    start = time.perf_counter()
    first = turso_replica(directory / "turso-first.db", url)
    arrived = first.execute("SELECT count(*), sum(length(body)) FROM items").fetchone()
    taken = time.perf_counter() - start
    first.close()
    assert arrived[0] == BOOTSTRAP_ROWS, arrived
    return taken


def growth(directory: Path, url: str) -> Iterator[Result]:
    """One changed row pushed, pulled and settled, with more and more rows stored."""
    taken, stored = [], 0
    with open_items(directory / "growing", url) as replica:
        for wanted in STORED:
            fill(replica, wanted - stored)
            stored = wanted
            replica.sync(deadline_s=900)
            taken.append(median_s(lambda: _change_one(replica), 9))
    figures = ", ".join(f"{rows:,} rows {show(seconds)}" for rows, seconds in zip(STORED, taken, strict=True))
    ratio = taken[-1] / taken[0]
    path, budget = "a sync of one changed row", "does not grow with what is stored"
    yield Result(path, figures, "itself at 1,000 rows", f"{ratio:.2f}", budget, ratio <= 2.0)


def _change_one(replica: Replica) -> None:
    item = replica.select(Item, "LIMIT 1")[0]
    with replica.transaction() as tx:
        tx.update(item, title=f"changed at {time.time()}")
    report = replica.sync()
    assert report.error is None, report


def fill(replica: Replica, rows: int) -> None:
    """Add rows, in mutations of 5,000."""
    for start in range(0, rows, 5_000):
        with replica.transaction() as tx:
            for number in range(start, min(rows, start + 5_000)):
                tx.insert(Item(title=str(number), rank=number))
    report = replica.sync(deadline_s=900)
    assert report.error is None, report
