"""Migrations: each runs once, whole, whoever comes and whoever dies; old and new programs live side by side."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final

import pytest

from replica import BusyError, PrimaryError, Record, Replica, SchemaMismatchError, SchemaTooNewError
from replica.hrana import Hrana
from replica.migrate import plan_migrations
from replica.primary import Primary
from replica.schema import build_schema, load_migrations
from sqld import Server
from tests.faults import FaultProxy
from tests.hrana_client import HranaClient
from tests.replica.client_process import ClientProcess
from tests.replica.notebook import MIGRATIONS, Note, Shelf, add, open_notes, settle, titles, until

OpenNotes = Callable[..., Replica]

# Does nothing to an empty table, and takes a second for every ten million stars or so.
SLOW: Final = """CREATE TABLE half (id TEXT);
INSERT INTO half WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter
    WHERE n < (SELECT coalesce(max(stars), 0) FROM notes)) SELECT max(n) FROM counter;
CREATE TABLE whole (id TEXT);
"""
MANY: Final = 600_000
MORE_THAN_FIVE_SECONDS: Final = 65_000_000


class ColouredNote(Record, table="notes"):
    """A note as the next version of the program has it."""

    title: str
    body: str = ""
    tags: frozenset[str] = frozenset()
    stars: int = 0
    weight: float | None = None
    colour: str = "white"


NEW_RECORDS: Final = (ColouredNote, Shelf)
COLOUR: Final = "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'white';"


def migrations_with(folder: Path, *more: str) -> Path:
    """The migrations of the notebook and some more, in a folder of their own."""
    folder.mkdir()
    first = (MIGRATIONS / "0001_notes.sql").read_text()
    for number, text in enumerate((first, *more), 1):
        (folder / f"{number:04d}_{'notes' if number == 1 else f'step_{number}'}.sql").write_text(text)
    return folder


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a program that gave notes a colour."""
    return migrations_with(tmp_path / "newer", COLOUR)


@pytest.fixture
def hrana(primary_server: Server) -> Iterator[HranaClient]:
    """A plain connection to the primary."""
    with HranaClient(primary_server.port) as client:
        yield client


def applied_in(rows: Callable[[str], list[list[str | None]]]) -> list[tuple[str | None, int]]:
    """The application's migrations on record, each with how often."""
    sql = "SELECT name, count(*) FROM _replica_migrations WHERE owner = 'application' GROUP BY version, name ORDER BY 1"
    return [(name, int(times or 0)) for name, times in rows(sql)]


# -- many at once


def connect_all(directories: list[Path], mode: str, url: str | None, migrations: Path) -> list[dict[str, object]]:
    """What becomes of as many processes that open a notebook at one moment."""
    with ExitStack() as started:
        clients = [
            started.enter_context(ClientProcess(directory, mode, url, migrations=migrations, writes=1))
            for directory in directories
        ]
        for client in clients:
            client.wait_until_ready()
        for client in clients:
            client.go()
        return [client.outcome() for client in clients]


COUNTING: Final = (
    "CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0);",
    "UPDATE counter SET n = n + 1;",
    "UPDATE counter SET n = n + 10;",
)
EACH_ONCE: Final = [("notes", 1), ("step_2", 1), ("step_3", 1), ("step_4", 1)]


def test_twenty_processes_migrate_a_file_once(tmp_path: Path) -> None:
    """All of them come to work with it."""
    migrations = migrations_with(tmp_path / "migrations", *COUNTING)

    outcomes = connect_all([tmp_path / "notes"] * 20, "local", None, migrations)

    assert [outcome["error"] for outcome in outcomes] == [None] * 20, outcomes
    with open_notes(tmp_path / "notes", migrations=migrations) as notes:
        assert notes.query("SELECT n FROM counter").rows == [(11,)]
        assert applied_in(lambda sql: [[str(value) for value in row] for row in notes.query(sql).rows]) == EACH_ONCE
        assert len(titles(notes)) == 20


def test_twenty_processes_migrate_a_primary_once(tmp_path: Path, primary_server: Server, hrana: HranaClient) -> None:
    """Each has a replica of its own, and all of them come to work with it."""
    migrations = migrations_with(tmp_path / "migrations", *COUNTING)
    directories = [tmp_path / f"notes-{number}" for number in range(20)]

    outcomes = connect_all(directories, "libsql", primary_server.url, migrations)

    assert [outcome["error"] for outcome in outcomes] == [None] * 20, outcomes
    assert hrana.run("SELECT n FROM counter") == [["11"]]
    assert applied_in(hrana.run) == EACH_ONCE
    assert hrana.run("SELECT count(*) FROM notes") == [["20"]]


# -- killed in the middle


def is_locked(path: Path) -> bool:
    """Whether somebody writes to a file right now."""
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        with suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            return False
        return True


def test_a_process_killed_inside_a_migration_of_a_file_leaves_a_whole_version(tmp_path: Path) -> None:
    """And the next one finishes it."""
    migrations = migrations_with(tmp_path / "migrations", SLOW)
    with open_notes(tmp_path / "notes") as notes:
        note = add(notes, "Milk", stars=MANY)
    with ClientProcess(tmp_path / "notes", "local", migrations=migrations) as client:
        client.wait_until_ready()
        client.go()
        until(lambda: is_locked(tmp_path / "notes" / "data.db"))
        client.kill()

    tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('half', 'whole')"
    with open_notes(tmp_path / "notes") as notes:
        assert notes.query(tables).rows == [(0,)]
        with notes.transaction() as tx:
            tx.update(note, stars=1)
    with open_notes(tmp_path / "notes", migrations=migrations) as notes:
        assert notes.query(tables).rows == [(2,)]
        assert titles(notes) == ["Milk"]


def test_a_client_killed_inside_a_migration_of_a_primary_leaves_a_whole_version(
    tmp_path: Path, primary_server: Server, network: FaultProxy, hrana: HranaClient
) -> None:
    """And the next one finishes it, once the lease has run out."""
    migrations = migrations_with(tmp_path / "migrations", SLOW)
    with open_notes(tmp_path / "one", "libsql", primary_server.url) as notes:
        add(notes, "Milk", stars=MANY)
        settle(notes)
    with ClientProcess(tmp_path / "two", "libsql", network.url, migrations=migrations) as client:
        client.wait_until_ready()
        client.go()
        # The greeting, the lease, what is applied, and then the migration, which takes seconds.
        network.wait_for(lambda counts: counts.forwarded >= 4)
        client.kill()

    tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('half', 'whole')"
    before = (int(hrana.run(tables)[0][0] or 0), len(applied_in(hrana.run)))
    hrana.run("UPDATE _replica_lease SET expires = 0")
    with open_notes(tmp_path / "three", "libsql", primary_server.url, migrations=migrations) as notes:
        settle(notes)
        assert titles(notes) == ["Milk"]

    assert before in {(0, 1), (2, 2)}
    assert hrana.run(tables) == [["2"]]
    assert applied_in(hrana.run) == [("notes", 1), ("step_2", 1)]


def test_those_who_wait_for_a_slow_migration_do_not_disturb_it(tmp_path: Path, primary_server: Server) -> None:
    """A primary takes a transaction of over five seconds away from its owner as soon as another wants to write."""
    migrations = migrations_with(tmp_path / "migrations", SLOW)
    with open_notes(tmp_path / "before", "libsql", primary_server.url) as notes:
        add(notes, "Milk", stars=MORE_THAN_FIVE_SECONDS)
        settle(notes)

    outcomes = connect_all(
        [tmp_path / f"notes-{number}" for number in range(3)], "libsql", primary_server.url, migrations
    )

    assert [outcome["error"] for outcome in outcomes] == [None] * 3, outcomes


def test_a_push_waits_for_a_slow_migration(tmp_path: Path, primary_server: Server, hrana: HranaClient) -> None:
    """Also that of a program which knows nothing of it, because a push would take its transaction away as well."""
    migrations = migrations_with(tmp_path / "migrations", SLOW)
    url = primary_server.url
    with open_notes(tmp_path / "old", "libsql", url) as old:
        add(old, "Milk", stars=MORE_THAN_FIVE_SECONDS)
        settle(old)
        add(old, "Bread")
        with ClientProcess(tmp_path / "new", "libsql", url, migrations=migrations) as client:
            client.wait_until_ready()
            client.go()
            until(lambda: hrana.run("SELECT 1 FROM _replica_lease WHERE expires > unixepoch()") == [["1"]])

            report = old.sync()

            assert client.outcome()["error"] is None
        assert isinstance(report.error, SchemaTooNewError)
        assert titles(old) == ["Bread", "Milk"]
        assert old.status().pending == 1


def test_a_remote_write_is_refused_while_the_primary_is_migrated(primary_server: Server, hrana: HranaClient) -> None:
    """It would break the migration off, and has nowhere to wait."""
    with open_notes(Path(), "remote", primary_server.url) as notes:
        hrana.run("UPDATE _replica_lease SET expires = unixepoch() + 30")
        with pytest.raises(BusyError):
            add(notes, "Milk")

        hrana.run("UPDATE _replica_lease SET expires = 0")
        add(notes, "Milk")

        assert titles(notes) == ["Milk"]


# -- the lease


@pytest.fixture
def primary(primary_server: Server) -> Iterator[Primary]:
    """The primary as a client of the notebook sees it, not migrated yet."""
    schema = build_schema(load_migrations(MIGRATIONS), [Note, Shelf])
    with closing(Primary(Hrana(primary_server.url), schema, schema.tables)) as seen:
        yield seen


def test_a_lease_has_one_holder(primary: Primary) -> None:
    """Others wait."""
    assert primary._acquire("one", 30) is not None
    assert primary._acquire("two", 30) is None


def test_a_lease_that_ran_out_is_taken_over_with_a_larger_token(primary: Primary, hrana: HranaClient) -> None:
    """So that the two holders can be told apart for ever."""
    first = primary._acquire("one", 30)
    hrana.run("UPDATE _replica_lease SET expires = 0")
    second = primary._acquire("two", 30)

    assert first is not None
    assert second is not None
    assert second > first


def test_a_holder_whose_lease_was_taken_changes_nothing(primary: Primary, hrana: HranaClient) -> None:
    """It slept; whoever has the lease now does the work."""
    asleep = primary._acquire("one", 30)
    assert asleep is not None
    hrana.run("UPDATE _replica_lease SET expires = 0")
    primary._acquire("two", 30)

    primary._run_migrations(asleep, "one", "2026-11-21T05:00:00.000000Z", 30)

    assert hrana.run("SELECT name FROM sqlite_schema WHERE name = 'notes'") == []
    assert hrana.run("SELECT * FROM _replica_migrations") == []
    assert hrana.run("SELECT holder FROM _replica_lease") == [["two"]]


def test_a_holder_whose_lease_ran_out_changes_nothing_though_nobody_took_it(
    primary: Primary, hrana: HranaClient
) -> None:
    """It cannot know that nobody did."""
    token = primary._acquire("one", 30)
    assert token is not None
    hrana.run("UPDATE _replica_lease SET expires = 1")

    primary._run_migrations(token, "one", "2026-11-21T05:00:00.000000Z", 30)

    assert hrana.run("SELECT * FROM _replica_migrations") == []


def test_a_lease_is_given_back_after_the_work(primary: Primary) -> None:
    """The next migration need not wait for it to run out."""
    primary.migrate({}, holder="one", at="2026-11-21T05:00:00.000000Z", wait=time.sleep, deadline=time.monotonic())

    assert primary._acquire("two", 30) is not None


def test_a_migration_that_the_primary_refuses_leaves_it_as_it_was_and_free(
    tmp_path: Path, primary_server: Server, hrana: HranaClient
) -> None:
    """The error names it, and the mended one runs at once."""
    bad = migrations_with(tmp_path / "bad", "CREATE TABLE other (id TEXT); CREATE UNIQUE INDEX one ON notes (title);")
    good = migrations_with(tmp_path / "good", "CREATE TABLE other (id TEXT);")
    with open_notes(tmp_path / "one", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        add(notes, "Milk")
        settle(notes)
    with open_notes(tmp_path / "two", "libsql", primary_server.url, migrations=bad) as notes:
        refused = notes.sync(deadline_s=5).error
    with open_notes(tmp_path / "three", "libsql", primary_server.url, migrations=good) as notes:
        mended = notes.sync(deadline_s=5).error

    assert isinstance(refused, PrimaryError)
    assert "0002_step_2.sql" in str(refused)
    assert mended is None
    assert applied_in(hrana.run) == [("notes", 1), ("step_2", 1)]


# -- the plan


def test_a_migration_that_was_edited_after_it_ran_is_refused(open_again: OpenNotes, mode: str, tmp_path: Path) -> None:
    """By name; nothing is run, and nothing is lost."""
    settle(open_again())
    edited = migrations_with(tmp_path / "edited")
    (edited / "0001_notes.sql").write_text((MIGRATIONS / "0001_notes.sql").read_text() + "-- harmless?\n")

    if mode == "libsql":
        error: object = open_again(migrations=edited).sync().error
    else:
        with pytest.raises(SchemaMismatchError) as caught:
            open_again(migrations=edited)
        error = caught.value

    assert isinstance(error, SchemaMismatchError)
    assert "0001_notes.sql" in str(error)


def test_a_plan_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Ours first, then the application's, each that is not on record."""
    schema = build_schema(load_migrations(migrations_with(tmp_path / "all", *COUNTING)), [Note, Shelf])
    everything = plan_migrations(schema, {})

    for done in range(len(everything) + 1):
        applied = {(step.owner, step.migration.version): step.migration.checksum for step in everything[:done]}
        assert plan_migrations(schema, applied) == everything[done:]


# -- old and new programs side by side


def test_with_a_schema_newer_than_the_program_reads_go_on_and_writes_are_refused(
    open_again: OpenNotes, newer: Path
) -> None:
    """The program is told to be upgraded; what it has stays readable."""
    old = open_again()
    note = add(old, "Milk")
    settle(old)
    old.close()
    new = open_again(records=NEW_RECORDS, migrations=newer)
    settle(new)
    new.close()

    again = open_again()

    assert titles(again) == ["Milk"]
    assert again.query("SELECT title FROM notes").rows == [("Milk",)]
    with pytest.raises(SchemaTooNewError) as caught:
        add(again, "Bread")
    assert (caught.value.found, caught.value.known) == (2, 1)
    with pytest.raises(SchemaTooNewError):
        again.undo(again.history(Note, note.id)[0].mutation_id)
    assert titles(again) == ["Milk"]


def test_a_program_that_runs_while_a_newer_one_migrates_is_told_at_its_next_write(
    open_again: OpenNotes, newer: Path
) -> None:
    """Not only at its next start; a replica, as soon as its base has the new schema, and here both share one."""
    old = open_again()
    add(old, "Milk")
    settle(old)
    settle(open_again(records=NEW_RECORDS, migrations=newer))

    with pytest.raises(SchemaTooNewError):
        add(old, "Bread")

    assert titles(old) == ["Milk"]


def test_changes_made_under_the_old_schema_wait_for_the_upgrade_and_are_then_pushed(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """Never dropped: they wait while the program is too old and its reads go on, and go out once it is not."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        settled = add(old, "Milk")
        settle(old)
        with old.transaction() as tx:
            tx.update(settled, stars=5)
        add(old, "Bread")
        with open_notes(tmp_path / "two", "libsql", url, records=NEW_RECORDS, migrations=newer) as new:
            settle(new)
            with new.transaction() as tx:
                tx.update(new.select(ColouredNote)[0], colour="red")
                tx.insert(ColouredNote(title="Sugar"))
            settle(new)
        report = old.sync()
        read = titles(old)

    assert isinstance(report.error, SchemaTooNewError)
    assert report.pending == 2
    assert read == ["Bread", "Milk", "Sugar"]
    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        before = upgraded.select(ColouredNote, "ORDER BY title")
        settle(upgraded)
        after = upgraded.select(ColouredNote, "ORDER BY title")
    seen = [[(note.title, note.stars, note.colour) for note in notes] for notes in (before, after)]
    assert seen == [[("Bread", 0, "white"), ("Milk", 5, "red"), ("Sugar", 0, "white")]] * 2


def test_changes_of_a_column_that_is_gone_are_parked(tmp_path: Path, primary_server: Server) -> None:
    """Whole, for a person to decide; those beside them go on."""

    class ShortNote(Record, table="notes"):
        """A note without a body."""

        title: str
        tags: frozenset[str] = frozenset()
        stars: int = 0
        weight: float | None = None

    url = primary_server.url
    without = migrations_with(tmp_path / "without", "ALTER TABLE notes DROP COLUMN body;")
    with open_notes(tmp_path / "one", "libsql", url) as old:
        milk, bread = add(old, "Milk"), add(old, "Bread")
        settle(old)
        with old.transaction() as tx:
            tx.update(milk, body="two litres")
        with old.transaction() as tx:
            tx.update(bread, stars=5)
    with open_notes(tmp_path / "two", "libsql", url, records=[ShortNote, Shelf], migrations=without) as new:
        settle(new)

    with open_notes(tmp_path / "one", "libsql", url, records=[ShortNote, Shelf], migrations=without) as upgraded:
        settle(upgraded)

        (conflict,) = upgraded.conflicts()
        assert conflict.changes[0].fields == {"body": ("", "two litres")}
        assert upgraded.get(ShortNote, bread.id).stars == 5


def test_a_reader_sees_a_column_that_arrived_while_it_ran(tmp_path: Path, primary_server: Server, newer: Path) -> None:
    """Its views were made when the base did not have it."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        settle(old)
    with (
        open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as one,
        open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as beside,
        open_notes(tmp_path / "two", "libsql", url, records=NEW_RECORDS, migrations=newer) as two,
    ):
        colour = "SELECT colour FROM notes"
        assert [reader.query(colour).rows for reader in (one, beside)] == [[("white",)]] * 2
        settle(two)
        with two.transaction() as tx:
            tx.update(two.get(ColouredNote, note.id), colour="red")
        settle(two)

        settle(one)

        for reader in (one, beside):
            assert reader.get(ColouredNote, note.id).colour == "red"
            assert reader.query(colour).rows == [("red",)]


def test_a_note_changed_before_its_base_has_the_new_column_keeps_the_default(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """A record of the new program is whole from the first read."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        settle(old)
        with old.transaction() as tx:
            tx.update(note, stars=1)
    with open_notes(tmp_path / "two", "libsql", url) as other:
        settle(other)
        with other.transaction() as tx:
            tx.update(other.get(Note, note.id), stars=10, title="Oat milk")
        settle(other)

    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        assert upgraded.get(ColouredNote, note.id).colour == "white"
        report = upgraded.sync()
        assert report.error is None

        (now,) = upgraded.select(ColouredNote)
        assert (now.title, now.stars, now.colour) == ("Oat milk", 10, "white")
        assert len(upgraded.conflicts()) == 1
