"""What tests of moves do: open a local file, move it to a primary and back, and look at what is in which file.

Always true: `rows_in` reads a file with SQLite itself, past the toolkit.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from replica import MoveReport, Replica, make_way, open_replica, put_away
from replica.history import CHANGE_COLUMNS
from tests.replica.team import MIGRATIONS, Item

SWITCHED: Final = "switched"
_QUERIES: Final = (
    "SELECT * FROM items ORDER BY id",
    "SELECT * FROM _replica_conflicts ORDER BY id",
    f"SELECT {', '.join(CHANGE_COLUMNS)} FROM _replica_changes ORDER BY mutation, position",
)


def open_local(directory: Path, *, migrations: Path = MIGRATIONS) -> Replica:
    """The items of a directory in mode `local`."""
    return open_replica(
        directory, records=[Item], migrations=migrations, machine="laptop00", session="ses_laptop00_LOCAL0"
    )


def open_moved(directory: Path, url: str, *, migrations: Path = MIGRATIONS) -> Replica:
    """The items of a directory as a replica of a primary."""
    return open_replica(
        directory, records=[Item], migrations=migrations, mode="libsql", url=url, machine="laptop00",
        session="ses_laptop00_MOVED0",
    )  # fmt: skip


def switch(directory: Path, mode: str) -> None:
    """What a program writes down as its config."""
    (directory / SWITCHED).write_text(mode)


def mode_of(directory: Path) -> str:
    """What the program that uses a directory was told last."""
    path = directory / SWITCHED
    return path.read_text() if path.exists() else "local"


def unwatched(_doing: str, _done: int, _total: int) -> None:
    """Nobody looks how far it is."""


def move_in(directory: Path, url: str, source: Path | None = None) -> MoveReport:
    """Move a local file, by default the one of the directory, to a primary, and put it away."""
    make_way(directory, url)
    with open_moved(directory, url) as replica:
        moved = replica.moving.take_in(
            source or directory / "data.db", switch=lambda: switch(directory, "libsql"), show=unwatched
        )
    put_away(directory, mode="libsql")
    return moved


def move_out(directory: Path, url: str) -> MoveReport:
    """Move a replica to a local file, and put it away."""
    with open_moved(directory, url) as replica:
        moved = replica.moving.write_out(switch=lambda: switch(directory, "local"), show=unwatched)
    put_away(directory, mode="local")
    return moved


def rows_in(path: Path) -> list[list[tuple[object, ...]]]:
    """The items, the conflicts and the history of a local file, or of a base."""
    with closing(sqlite3.connect(path)) as connection:
        return [connection.execute(sql).fetchall() for sql in _QUERIES]


def counts_of(moved: MoveReport) -> dict[str, int]:
    """How many rows of each table are where they were moved to, as they were."""
    return {each.table: each.rows for each in moved.tables}
