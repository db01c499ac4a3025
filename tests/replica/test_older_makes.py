"""What an older make of the toolkit left on the disk or on the primary is taken over, with all that waits in it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest

from replica import Kind, Replica, SchemaTooNewError, lost, overlay, salvage_outbox
from replica.drivers.embedded import Embedded
from replica.local_format import FORMAT
from replica.migrate import APPLICATION, BOOTSTRAP, OURS, our_migrations
from replica.schema import Migration, load_migrations
from replica.sqlite_file import APPLICATION_ID
from sqld import Server
from tests.replica.epics import finish, titles
from tests.replica.team import MIGRATIONS, Item, Team, Truth, open_member, rows_of, synced

FORMATS: Final = Path(__file__).with_name("local_formats")
IDS: Final = ["01a1ee56-5e00-7111-a0ee-dd95d66fed30", "01a1ee56-6da0-7228-bdf9-a63c74813ebb"]


@pytest.fixture
def directory(team: Team) -> Path:
    """The laptop's, with a `local.db` of format 4 in which two mutations wait."""
    folder = team.directory_of("laptop")
    folder.mkdir(mode=0o700)
    with closing(sqlite3.connect(folder / "local.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.executescript((FORMATS / "4.sql").read_text(encoding="utf-8"))
        connection.execute("PRAGMA user_version = 4")
    return folder


@pytest.mark.usefixtures("directory")
def test_i1_what_waits_in_a_file_of_an_older_format_is_shown_and_sent(team: Team, truth: Truth) -> None:
    """As it was made, and by a program that goes on writing into it."""
    laptop = team.join("laptop")
    assert [mutation.id for mutation in laptop.pending()] == IDS
    assert not any(change.yields for mutation in laptop.pending() for change in mutation.changes)
    milk = laptop.get(Item, "milk")
    assert (milk.title, milk.stars, milk.tags) == ("Oat milk", 3, frozenset({"dairy"}))
    with laptop.transaction() as tx:
        tx.follow(tx.get(Item, "bread"), title="Rye")
        last = tx.mutation_id
    assert laptop.pending()[-1].changes[0].yields

    synced(laptop)

    assert truth.applied() == [*IDS, last]
    assert rows_of(laptop) == truth.rows()


def test_a_file_of_an_older_format_is_taken_over_once_whoever_opens_it_at_the_same_moment(directory: Path) -> None:
    """None of them fails, and each sees what waits."""
    together = Barrier(8)

    def open_one(number: int) -> list[str]:
        together.wait()
        with open_member(directory, "http://127.0.0.1:9", machine=f"laptop{number:02d}") as laptop:
            return [mutation.id for mutation in laptop.pending()]

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(open_one, range(8)))

    assert seen == [IDS] * 8
    with closing(sqlite3.connect(directory / "local.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (FORMAT,)


def test_what_waits_in_a_file_of_an_older_format_can_be_salvaged(directory: Path) -> None:
    """Its rows are shorter."""
    salvaged = salvage_outbox(directory)

    assert [mutation.id for mutation in salvaged.pending.mutations] == IDS
    kinds = [[change.kind for change in mutation.changes] for mutation in salvaged.pending.mutations]
    assert kinds == [[Kind.INSERT, Kind.INSERT], [Kind.UPDATE]]
    assert (salvaged.pending.incomplete, salvaged.pending.fragments) == ([], [])


def _record(truth: Truth, owner: str, migration: Migration, *, run: bool = True) -> None:
    for statement in migration.statements if run else ():
        truth.run(statement)
    truth.run(
        "INSERT INTO _replica_migrations (owner, version, name, checksum, session, at) "
        f"VALUES ('{owner}', {migration.version}, '{migration.name}', '{migration.checksum}', 'ses', 'then')"
    )


@pytest.fixture
def older_primary(truth: Truth, primary_server: Server) -> Server:
    """A primary that a toolkit has migrated which knew no consequences; two items on it, made by one mutation."""
    for statement in BOOTSTRAP:
        truth.run(statement)
    _record(truth, OURS, our_migrations()[0])
    _record(truth, APPLICATION, load_migrations(MIGRATIONS)[0])
    for position, (row_id, title) in enumerate((("task", "to do"), ("epic", "open"))):
        truth.run(f"INSERT INTO items (id, updated_at, title) VALUES ('{row_id}', '2026', '{title}')")
        values = f"'old', {position}, 'items', '{row_id}', 'insert', '', '2026', '{{\"title\":[null,\"{title}\"]}}'"
        truth.run(
            "INSERT INTO _replica_changes (mutation, position, table_name, row_id, kind, seen, stamp, fields, "
            f"session, machine, made_at, schema_version) VALUES ({values}, 'ses', 'm', '2026', 1)"
        )
    return primary_server


def _with_older_base(team: Team, truth: Truth) -> Replica:
    """One who has pulled from that primary and could not migrate it, for it was of a newer program's schema."""
    newer = Migration(2, "newer", "of a newer program", ())
    _record(truth, APPLICATION, newer, run=False)
    laptop = team.join("laptop")
    assert isinstance(laptop.sync().error, SchemaTooNewError)
    truth.run(f"DELETE FROM _replica_migrations WHERE name = '{newer.name}'")
    return laptop


@pytest.mark.usefixtures("older_primary")
def test_a_primary_of_an_older_make_is_brought_forward_and_seen_so_at_once(team: Team, truth: Truth) -> None:
    """By the first sync; who has it open since before reads history before and after."""
    laptop = _with_older_base(team, truth)
    assert [entry.mutation_id for entry in laptop.history(Item, "epic")] == ["old"]
    assert not any(change.yields for change in laptop.mutation("old").changes)

    synced(laptop)
    mutation_id = finish(laptop)
    synced(laptop)

    assert [change.yields for change in laptop.mutation(mutation_id).changes] == [False, True]
    assert not any(change.yields for change in laptop.mutation("old").changes)
    assert titles(truth) == ("done", "closed")
    versions = truth.run("SELECT version FROM _replica_migrations WHERE owner = 'replica' ORDER BY version")
    assert versions == [[str(migration.version)] for migration in our_migrations()]


@pytest.mark.usefixtures("older_primary")
def test_what_a_primary_of_an_older_make_lost_is_kept_from_a_base_of_that_make(team: Team, truth: Truth) -> None:
    """Nothing of it yields."""
    store = _with_older_base(team, truth)._driver
    assert isinstance(store, Embedded)

    lost.gather_gone(store.connection(), [["old"]])
    with store.writing() as connection:
        lost.note_gone(connection, overlay.BASE)

    (mutation,) = lost.load(store.connection())
    assert [(change.row_id, change.yields) for change in mutation.changes] == [("task", False), ("epic", False)]
