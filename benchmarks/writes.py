"""Writing: one durable local write, and pushing many."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ground import BODY, Item, Result, held, median_s, open_items, show, taken_s
from benchmarks.rivals import DELEGATION, bare_sqlite, run_libsql, turso_replica, turso_server

WRITES = 1_000
PUSHED = 10_000


def run(directory: Path, url: str) -> Iterator[Result]:
    """All measurements of writing."""
    with turso_server(directory / "turso") as rival:
        yield from local_writes(directory, rival)
        yield from pushes(directory, url, rival)


def local_writes(directory: Path, rival: str | None) -> Iterator[Result]:
    """A queued write against a bare commit of the same row, and against Turso Sync's local commit."""
    bare = bare_sqlite(directory / "bare.db")
    numbers = iter(range(10**9))

    def write_bare() -> None:
        bare.execute("BEGIN IMMEDIATE")
        bare.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?)", (str(next(numbers)), "stamp", "title", BODY, 1))
        bare.execute("COMMIT")

    with open_items(directory / "writes", "http://127.0.0.1:9") as replica:

        def write_queued() -> None:
            with replica.transaction() as tx:
                tx.insert(Item(title="title", rank=1))

        # In turns, so that both meet the same disk.
        bare_s, ours_s = [], []
        for _ in range(10):
            bare_s.append(median_s(write_bare, WRITES // 10))
            ours_s.append(median_s(write_queued, WRITES // 10))
    ours, theirs = sorted(ours_s)[5], sorted(bare_s)[5]
    budget = "≤ 1.5 × a bare SQLite FULL commit"
    yield held("queued write, durable", ours, theirs, name="bare commit", at_most=1.5, budget=budget)
    turso = None if rival is None else _turso_commit_s(directory / "turso-writes.db", rival)
    yield held("queued write, durable", ours, turso, name="Turso Sync commit", at_most=1.0, budget="faster")


def _turso_commit_s(path: Path, url: str) -> float:
    connection = turso_replica(path, url)
    connection.execute("CREATE TABLE IF NOT EXISTS items (id TEXT PRIMARY KEY, title TEXT, body TEXT, rank INTEGER)")
    connection.commit()
    numbers = iter(range(10**9))

    def write() -> None:
        connection.execute("INSERT INTO items VALUES (?, ?, ?, ?)", (str(next(numbers)), "title", BODY, 1))
        connection.commit()

    taken = median_s(write, WRITES)
    connection.push()
    connection.close()
    return taken


def pushes(directory: Path, url: str, rival: str | None) -> Iterator[Result]:
    """Pushing and settling 10,000 queued one-row mutations, against Turso's push and against delegation."""
    with open_items(directory / "pushes", url) as replica:
        items = []
        for first in range(0, PUSHED, 5_000):
            with replica.transaction() as tx:
                items += [tx.insert(Item(title=str(first + number))) for number in range(5_000)]
        replica.sync()
        for item in items:
            with replica.transaction() as tx:
                tx.update(item, title=f"changed {item.title}")
        start = time.perf_counter()
        report = replica.sync()
        ours = time.perf_counter() - start
    assert (report.pushed, report.pending, report.error) == (PUSHED, 0, None), report
    updates, inserts = (None, None) if rival is None else _turso_push_s(directory / "turso-push.db", rival)
    path, name = "push of 10,000 updates, settled", "Turso Sync, 10,000 updates"
    yield held(path, ours, updates, name=name, at_most=0.5, budget="≤ 0.5 × Turso Sync")
    # Its inserts are far quicker than its updates, so the harder comparison stands here too.
    name = "Turso Sync, 10,000 inserts of one transaction"
    yield held(path, ours, inserts, name=name, at_most=0.5, budget="≤ 0.5 × Turso Sync")
    delegated = float(run_libsql(DELEGATION, str(directory / "delegated.db"), url, "100"))
    times = delegated / (ours / PUSHED)
    path, against = "one write to the primary", f"libSQL delegation {show(delegated)}"
    yield Result(path, show(ours / PUSHED), against, f"{times:.0f} × faster", "≥ 50 × faster", times >= 50)


def _turso_push_s(path: Path, url: str) -> tuple[float, float]:
    """Turso's push of 10,000 updates, and of 10,000 inserts."""
    connection = turso_replica(path, url)
    connection.execute("CREATE TABLE IF NOT EXISTS pushed (id TEXT PRIMARY KEY, title TEXT, body TEXT, rank INTEGER)")
    connection.commit()
    connection.push()
    for number in range(PUSHED):
        connection.execute("INSERT INTO pushed VALUES (?, ?, ?, ?)", (str(number), str(number), BODY, 1))
    connection.commit()
    inserts = taken_s(connection.push)
    for number in range(PUSHED):
        connection.execute("UPDATE pushed SET title = ? WHERE id = ?", (f"changed {number}", str(number)))
    connection.commit()
    updates = taken_s(connection.push)
    connection.close()
    return updates, inserts
