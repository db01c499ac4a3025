"""Reading: a row by its key through the overlay, against bare sqlite3 on the same file."""

from __future__ import annotations

import sqlite3
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.ground import Item, Result, held, open_items, show, taken_s

READS = 20_000
_PARTS = 50


def run(directory: Path, url: str) -> Iterator[Result]:
    """Reads by key with a few rows pending."""
    with open_items(directory / "reads", url) as replica:
        with replica.transaction() as tx:
            items = [tx.insert(Item(title=str(number))) for number in range(2_000)]
        replica.sync()
        with replica.transaction() as tx:
            for item in items[:20]:
                tx.update(item, title="pending")
        keys = [items[number % len(items)].id for number in range(READS)]
        bare = sqlite3.connect(f"{(directory / 'reads' / 'replica.db').absolute().as_uri()}?mode=ro", uri=True)
        sql = "SELECT id, updated_at, title, body, rank FROM items WHERE id = ?"
        # In turns, so that both meet the same machine.
        bare_s, ours_s, record_s = [], [], []
        for part in range(_PARTS):
            some = keys[part * READS // _PARTS : (part + 1) * READS // _PARTS]
            bare_s.append(_each(some, lambda key: bare.execute(sql, (key,)).fetchall()))
            ours_s.append(_each(some, lambda key: replica.query(sql, (key,))))
            record_s.append(_each(some, lambda key: replica.get(Item, key)))
        bare.close()
    theirs, ours, record = map(statistics.median, (bare_s, ours_s, record_s))
    yield held("read by key, a row", ours, theirs, name="bare sqlite3", at_most=2.5, budget="≤ 2.5 × bare sqlite3")
    yield Result(
        "read by key, a checked record",
        show(record),
        f"bare sqlite3 {show(theirs)}",
        f"{record / theirs:.2f}",
        "no budget",
        None,
    )


def _each(keys: Sequence[str], read: Callable[[str], object]) -> float:
    """Seconds a read, over all the keys."""
    return taken_s(lambda: [read(key) for key in keys]) / len(keys)
