"""Migrations: each runs once, whole, whoever comes and whoever dies; old and new programs live side by side."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final

import pytest

from replica import BusyError, PrimaryError, Replica, SchemaMismatchError, SchemaTooNewError
from replica.hrana import Hrana
from replica.migrate import plan_migrations
from replica.primary import Primary
from replica.schema import build_schema, load_migrations
from sqld import Server
from tests.faults import FaultProxy
from tests.hrana_client import HranaClient
from tests.replica.client_process import ClientProcess
from tests.replica.notebook import MIGRATIONS, Note, Shelf, add, migrations_with, open_notes, settle, titles, until

OpenNotes = Callable[..., Replica]

# Does nothing to an empty table, and takes a second for every ten million stars or so.
SLOW: Final = """CREATE TABLE half (id TEXT);
INSERT INTO half WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter
    WHERE n < (SELECT coalesce(max(stars), 0) FROM notes)) SELECT max(n) FROM counter;
CREATE TABLE whole (id TEXT);
"""
MANY: Final = 600_000
MORE_THAN_FIVE_SECONDS: Final = 65_000_000


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


def test_a_remote_write_waits_while_the_primary_is_migrated(
    primary_server: Server, hrana: HranaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would break the migration off; it does not wait for ever."""
    with open_notes(Path(), "remote", primary_server.url) as notes:
        hrana.run("UPDATE _replica_lease SET expires = unixepoch() + 2")
        add(notes, "Milk")
        hrana.run("UPDATE _replica_lease SET expires = unixepoch() + 30")
        monkeypatch.setattr("replica.drivers.remote._WRITE_PATIENCE_S", 0.2)
        with pytest.raises(BusyError):
            add(notes, "Bread")

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
