"""All that a replica shows is written to a local file: what is pending too, with or without the primary."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from replica import (
    DamagedBaseError,
    InputError,
    MovedError,
    Replica,
    SchemaTooNewError,
    UnreachableError,
    make_way,
    open_replica,
    put_away,
)
from replica.drivers.embedded import Embedded, Trust
from sqld import Server
from tests.replica.backups import back_up, restore
from tests.replica.killed_process import survives_all
from tests.replica.movers import (
    counts_of,
    mode_of,
    move_in,
    move_out,
    open_local,
    open_moved,
    rows_in,
    switch,
    unwatched,
)
from tests.replica.notebook import Note, Shelf, migrations_with, open_notes
from tests.replica.team import Item, Team, Truth, add, all_synced, change, clash, synced


@pytest.fixture
def home(team: Team) -> Path:
    """The directory of somebody who works with others, with two settled items and the replica closed."""
    laptop = team.join("laptop")
    add(laptop, "Milk", id="milk")
    add(laptop, "Bread", id="bread")
    synced(laptop)
    laptop.close()
    return team.directory_of("laptop")


def test_there_and_back_is_the_same(tmp_path: Path, primary_server: Server) -> None:
    """Every value of every type, and the history, to the last bit."""
    with open_notes(tmp_path / "notes") as notes, notes.transaction() as tx:
        tx.insert(Shelf(label="\N{SNOWMAN} 'quoted' \"twice\" \\ \x01 \n"))
        for weight in (0.1, -1.5e-320, 1.7976931348623157e308, float("inf"), 3.0, None):
            tx.insert(Note(title="\U0001f35e", stars=-(2**63), tags=frozenset({"b", "a"}), weight=weight))
    before = _contents(tmp_path / "notes")
    make_way(tmp_path / "notes", primary_server.url)
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        there = notes.moving.take_in(tmp_path / "notes" / "data.db", switch=lambda: None, show=unwatched)
    put_away(tmp_path / "notes", mode="libsql")

    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        back = notes.moving.write_out(switch=lambda: None, show=unwatched)

    assert there.tables == back.tables
    assert _contents(tmp_path / "notes") == before


def _contents(directory: Path) -> list[object]:
    with open_notes(directory) as notes:
        sqls = (f"SELECT * FROM {table} ORDER BY id" for table in ("notes", "shelves"))
        history = "SELECT mutation, position, row_id, fields, session FROM _replica_changes ORDER BY seq"
        return [notes.query(sql).rows for sql in (*sqls, history)]


def test_what_others_did_comes_along(home: Path, team: Team) -> None:
    """There is a last sync."""
    desktop = team.join("desktop")
    synced(desktop)
    change(desktop, "milk", title="Oat milk")
    synced(desktop)

    moved = move_out(home, team.url)

    assert counts_of(moved) == {"items": 2, "_replica_conflicts": 0, "_replica_changes": 3}
    assert (mode_of(home), moved.without_primary) == ("local", None)
    with open_local(home) as local:
        assert local.get(Item, "milk").title == "Oat milk"
        change(local, "milk", title="Rice milk")
        assert len(local.history(Item, "milk")) == 3
    (kept,) = home.glob("replica-moved-*")
    assert {"local.db", "replica.db"} <= {path.name for path in kept.iterdir()}
    assert not (home / "local.db").exists()


def test_without_the_primary_what_is_here_comes_along(
    home: Path, team: Team, truth: Truth, primary_server: Server
) -> None:
    """What was pending too; and it reaches the primary once, if all of it is moved there again."""
    with open_moved(home, team.url) as replica:
        change(replica, "milk", title="Oat milk")
    primary_server.stop()

    moved = move_out(home, team.url)

    assert isinstance(moved.without_primary, UnreachableError)
    with open_local(home) as local:
        assert local.get(Item, "milk").title == "Oat milk"
        change(local, "bread", title="Rye")
    primary_server.start()
    move_in(home, team.url)
    assert [truth.title(name) for name in ("milk", "bread")] == ["Oat milk", "Rye"]
    assert len(truth.applied()) == 4
    assert truth.parked() == []


def test_what_was_changed_here_and_there_meanwhile_is_merged(home: Path, team: Team, truth: Truth) -> None:
    """Away from the others for a while: as if it had been pending all the time."""
    move_out(home, team.url)
    desktop = team.join("desktop")
    synced(desktop)
    change(desktop, "milk", title="Oat milk", body="theirs")
    synced(desktop)
    with open_local(home) as local:
        change(local, "milk", stars=2, body="mine")
        change(local, "bread", title="Rye")

    moved = move_in(home, team.url)

    assert moved.parked == 1
    assert truth.run("SELECT title, body, stars FROM items WHERE id = 'milk'") == [["Oat milk", "theirs", "0"]]
    assert truth.title("bread") == "Rye"
    with open_moved(home, team.url) as replica:
        (conflict,) = replica.conflicts()
        assert set(conflict.fields) == {"body"}
        replica.resolve(conflict.id, "mine")
        synced(replica)
    assert truth.run("SELECT title, body, stars FROM items WHERE id = 'milk'") == [["Oat milk", "mine", "2"]]


def test_an_open_conflict_goes_there_and_back(
    team: Team, laptop: Replica, desktop: Replica, truth: Truth, sqld_binary: Path
) -> None:
    """To a file, settled there, and to another primary."""
    conflict = clash(laptop, desktop)
    laptop.close()
    home = team.directory_of("laptop")

    moved = move_out(home, team.url)

    assert counts_of(moved)["_replica_conflicts"] == 1
    with open_local(home) as local:
        assert [each.id for each in local.conflicts()] == [conflict.id]
    with Server(sqld_binary) as elsewhere:
        moved = move_in(home, elsewhere.url)
        with open_moved(home, elsewhere.url) as replica:
            assert [each.id for each in replica.conflicts()] == [conflict.id]
            replica.resolve(conflict.id, "mine")
            synced(replica)
            assert replica.get(Item, conflict.row_id).title == "Rice milk"
    assert truth.parked() == [conflict.mutation_id]


def test_a_conflict_that_is_not_sent_yet_comes_along(
    team: Team, laptop: Replica, desktop: Replica, primary_server: Server
) -> None:
    """Parked here, and the primary went away before it had it."""
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    change(laptop, item.id, title="Rice milk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("replica.delivery.Delivery._push", _gone)
        laptop.sync()
    assert len(laptop.conflicts()) == 1
    primary_server.stop()
    laptop.close()

    move_out(team.directory_of("laptop"), team.url)

    with open_local(team.directory_of("laptop")) as local:
        (conflict,) = local.conflicts()
        local.resolve(conflict.id, "mine")
        assert local.get(Item, item.id).title == "Rice milk"


def _gone(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the primary is gone")


def test_a_move_out_that_is_killed_goes_on(home: Path, team: Team, primary_server: Server) -> None:
    """At any step: the replica is whole, or the file is, and then the file is what is used."""
    with open_moved(home, team.url) as replica:
        change(replica, "milk", title="Oat milk")
    primary_server.stop()
    step = 1

    while not survives_all(_run_move, home, team.url, killed_at=step):
        if mode_of(home) == "libsql":
            with open_moved(home, team.url) as replica:
                assert replica.get(Item, "milk").title == "Oat milk"
        else:
            assert (home / "data.db").exists()
        step += 11

    assert step > 60, "the move was not watched"
    with open_local(home) as local:
        assert local.get(Item, "milk").title == "Oat milk"
        add(local, "goes on")
    assert [len(table) for table in rows_in(home / "data.db")] == [3, 0, 4]


def _run_move(directory: Path, url: str) -> None:
    """What a person types again and again until it is done."""
    if mode_of(directory) == "local" and (directory / "data.db").exists():
        put_away(directory, mode="local")
    else:
        switch(directory, "libsql")
        move_out(directory, url)


def test_nobody_writes_to_a_replica_that_was_moved(home: Path, team: Team) -> None:
    """Who has it open is told."""
    with open_moved(home, team.url) as late:
        with open_moved(home, team.url) as replica:
            replica.moving.write_out(switch=lambda: switch(home, "local"), show=unwatched)

        with pytest.raises(MovedError, match="moved to a file"):
            add(late, "too late")

        assert put_away(home, mode="local") is None
        assert (home / "local.db").exists()
    assert put_away(home, mode="local") is not None


def test_a_file_that_is_in_the_way_is_kept(home: Path, team: Team) -> None:
    """Nobody knows any more what it was, so it is not written over."""
    with open_local(home) as older:
        add(older, "of long ago")
    before = rows_in(home / "data.db")

    move_out(home, team.url)

    (kept,) = home.glob("data-moved-*.db")
    assert rows_in(kept) == before
    assert len(rows_in(home / "data.db")[0]) == 2


def test_a_file_in_which_nothing_was_ever_written_is_not(home: Path, team: Team) -> None:
    """It would only be in the way again."""
    open_local(home).close()

    move_out(home, team.url)

    assert list(home.glob("data-moved-*.db")) == []


def test_a_base_of_an_older_make_is_moved_too(home: Path, team: Team, primary_server: Server) -> None:
    """Its history lacks what this one tells besides, and the primary is not there to be asked."""
    primary_server.stop()
    with closing(sqlite3.connect(home / "replica.db")) as base:
        base.execute("ALTER TABLE _replica_changes DROP COLUMN yields")

    assert counts_of(move_out(home, team.url))["_replica_changes"] == 2

    with open_local(home) as local:
        assert [entry.kind for entry in local.history(Item, "milk")] == ["insert"]


@pytest.mark.parametrize("missing", ["deleted", "damaged"])
def test_a_replica_that_is_not_whole_is_not_moved(home: Path, team: Team, primary_server: Server, missing: str) -> None:
    """Without the primary nobody can say what is missing."""
    with open_moved(home, team.url) as replica:
        store = replica._driver
        assert isinstance(store, Embedded)
        if missing == "damaged":
            store.distrust_base(Trust.DAMAGED)
    if missing == "deleted":
        for path in home.glob("replica.db*"):
            path.unlink()
    primary_server.stop()

    with pytest.raises(InputError if missing == "deleted" else DamagedBaseError):
        move_out(home, team.url)

    assert not (home / "data.db").exists()


def test_what_the_primary_lost_is_decided_about_first(
    home: Path, team: Team, primary_server: Server, tmp_path: Path
) -> None:
    """It is kept in a place that nothing would look at any more."""
    back_up(primary_server, tmp_path / "backup")
    with open_moved(home, team.url) as replica:
        change(replica, "milk", title="Oat milk")
        synced(replica)
    restore(primary_server, tmp_path / "backup")

    with pytest.raises(InputError, match="the primary lost 1 of the changes it had"):
        move_out(home, team.url)

    assert mode_of(home) == "local"  # as before: nothing was written down
    with open_moved(home, team.url) as replica:
        replica.recovery.resend_lost()
    assert counts_of(move_out(home, team.url))["items"] == 2


def test_a_replica_of_a_newer_program_is_not_moved(tmp_path: Path, primary_server: Server) -> None:
    """This program could not hold all of it."""
    newer = migrations_with(tmp_path / "newer", "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT '';")

    class Coloured(Note, table="notes"):
        colour: str = ""

    with open_replica(
        tmp_path / "notes", records=[Coloured, Shelf], migrations=newer, mode="libsql", url=primary_server.url
    ) as notes:
        assert notes.sync().error is None

    with (
        open_notes(tmp_path / "notes", "libsql", primary_server.url) as older,
        pytest.raises(SchemaTooNewError),
    ):
        older.moving.write_out(switch=lambda: None, show=unwatched)

    assert not list(tmp_path.glob("notes/data.db*"))


def test_a_directory_without_a_primary_has_nothing_to_move(tmp_path: Path) -> None:
    """It is a file already."""
    with open_local(tmp_path / "solo") as local, pytest.raises(InputError, match="only a replica"):
        local.moving.write_out(switch=lambda: None, show=unwatched)
