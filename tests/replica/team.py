"""A team on one primary: several replicas of one small schema, and what the primary itself says.

Always true: what `rows_on`, `history_on` and `conflicts_on` return was read from the primary, past every replica.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Self

from replica import Conflict, Record, Replica, Rule, SyncReport, open_replica
from tests.hrana_client import HranaClient

MIGRATIONS: Final = Path(__file__).with_name("team_migrations")


class Item(Record, table="items"):
    """A row with the rules that differ in how they merge, and a code that the primary wants to be unique."""

    title: str
    body: Annotated[str, Rule.TEXT] = ""
    tags: Annotated[frozenset[str], Rule.UNION] = frozenset()
    stars: Annotated[int, Rule.SUM] = 0
    code: str | None = None


def open_member(
    directory: Path,
    url: str,
    *,
    machine: str = "laptop00",
    token: Callable[[], str | None] | None = None,
    renew: Callable[[str], str | None] | None = None,
    clock: Callable[[], float] = time.time,
    ca_file: Path | None = None,
    mode: str = "libsql",
) -> Replica:
    """One replica of the team's primary."""
    return open_replica(
        directory,
        records=[Item],
        migrations=MIGRATIONS,
        mode=mode,
        url=url,
        machine=machine,
        session=f"ses_{machine}_AAAAAA",
        token=token,
        renew=renew,
        clock=clock,
        ca_file=ca_file,
    )


class Team:
    """Replicas by name, each in a directory of its own; closed together."""

    def __init__(self, directory: Path, url: str) -> None:
        self._directory, self._url = directory, url
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @property
    def url(self) -> str:
        """Where the primary is."""
        return self._url

    def directory_of(self, name: str) -> Path:
        """Where the files of a member are."""
        return self._directory / name

    def join(self, name: str, *, url: str | None = None, clock: Callable[[], float] = time.time) -> Replica:
        """Open the replica of a member; its machine is the name, filled up to 8 characters."""
        machine = f"{name:0<8}"
        member = open_member(self.directory_of(name), url or self._url, machine=machine, clock=clock)
        return self._opened.enter_context(member)


def add(member: Replica, title: str, **fields: object) -> Item:
    """Insert one item, as a mutation of its own."""
    with member.transaction() as tx:
        return tx.insert(Item.model_validate({"title": title, **fields}))


def change(member: Replica, item_id: str, **fields: object) -> str:
    """Update one item as the member sees it now, as a mutation of its own, and return the mutation's id."""
    with member.transaction() as tx:
        tx.update(tx.get(Item, item_id), **fields)
        return tx.mutation_id


def remove(member: Replica, item_id: str) -> str:
    """Delete one item, as a mutation of its own, and return the mutation's id."""
    with member.transaction() as tx:
        tx.delete(tx.get(Item, item_id))
        return tx.mutation_id


def synced(member: Replica) -> SyncReport:
    """Sync, and hold the sync to having gone well."""
    report = member.sync()
    assert report.error is None, report
    assert report.pending == 0, report
    return report


def all_synced(*members: Replica) -> None:
    """Sync everyone twice: the second time brings what the others had pushed after one's first."""
    for member in (*members, *members):
        synced(member)


def rows_of(member: Replica) -> list[tuple[object, ...]]:
    """All items and conflicts as a replica shows them."""
    items = member.query("SELECT id, updated_at, title, body, tags, stars, code FROM items ORDER BY id").rows
    return [*items, *member.query("SELECT id, updated_at, mutation_id, state FROM _replica_conflicts ORDER BY id").rows]


class Truth:
    """The primary itself, asked past every replica."""

    def __init__(self, port: int) -> None:
        self._port = port

    def run(self, sql: str) -> list[list[str | None]]:
        """Run SQL on the primary; all values as text."""
        with HranaClient(self._port) as client:
            return client.run(sql)

    def rows(self) -> list[tuple[object, ...]]:
        """All items and conflicts, in the form of `rows_of`."""
        items = self.run("SELECT id, updated_at, title, body, tags, stars, code FROM items ORDER BY id")
        conflicts = self.run("SELECT id, updated_at, mutation_id, state FROM _replica_conflicts ORDER BY id")
        return [*((*row[:5], int(row[5] or 0), row[6]) for row in items), *map(tuple, conflicts)]

    def title(self, item_id: str) -> str | None:
        """The title of one item; None if there is no such item."""
        rows = self.run(f"SELECT title FROM items WHERE id = '{item_id}'")
        return rows[0][0] if rows else None

    def applied(self) -> list[str]:
        """The ids of the mutations in the order in which they were applied or parked, each once."""
        rows = self.run("SELECT mutation FROM _replica_changes GROUP BY mutation ORDER BY min(seq)")
        return [str(row[0]) for row in rows]

    def parked(self) -> list[str]:
        """The ids of the mutations that were parked, one entry for each conflict row."""
        return [str(row[0]) for row in self.run("SELECT mutation_id FROM _replica_conflicts ORDER BY id")]


def clash(laptop: Replica, desktop: Replica, **fields: object) -> Conflict:
    """An item whose title both changed; `fields` are what the laptop changed besides."""
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    change(laptop, item.id, title="Rice milk", **fields)
    all_synced(desktop, laptop)
    (conflict,) = laptop.conflicts()
    return conflict
