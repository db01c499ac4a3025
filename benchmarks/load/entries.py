"""The table that the load writes to, and the files of a replica that starts from a copy of another's base."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Final

from replica import Record, Replica, Rule, open_replica

MIGRATIONS: Final = Path(__file__).with_name("migrations")
CONTENT: Final = "SELECT id, updated_at, title, hits FROM entries"
SHARED: Final = 20
_MUTATION_ROWS: Final = 5_000


class Entry(Record, table="entries"):
    """A row of about 100 bytes, with a counter that all may add to."""

    title: str
    hits: Annotated[int, Rule.SUM] = 0


def open_entries(directory: Path, url: str, name: str = "filler") -> Replica:
    """A replica of the table; its machine is the name."""
    return open_replica(
        directory,
        records=[Entry],
        migrations=MIGRATIONS,
        mode="libsql",
        url=url,
        machine=f"{name:0>8}",
        session=f"ses_{name:0>8}_LOADED",
    )


def fill(directory: Path, url: str, rows: int, *, stored: int = 0) -> list[str]:
    """Bring the primary to so many rows; returns the ids of a few that clients share."""
    with open_entries(directory, url) as replica:
        for start in range(stored, rows, _MUTATION_ROWS):
            with replica.transaction() as tx:
                for number in range(start, min(rows, start + _MUTATION_ROWS)):
                    tx.insert(Entry(title=f"shared {number}" if number < SHARED else f"stored {number}"))
        report = replica.sync(deadline_s=900)
        assert report.error is None, report
        shared = replica.query("SELECT id FROM entries WHERE title LIKE 'shared %' ORDER BY id").rows
        return [str(row[0]) for row in shared]


def copy_base(source: Path, target: Path) -> None:
    """Give a replica that is not open yet the base of one that is closed, as if it had been fetched."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in source.glob("replica.db*"):
        shutil.copy(file, target / file.name)
