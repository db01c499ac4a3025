"""All of a local file is brought to a primary: once, whole, and without taking anything from others."""

from pathlib import Path

import pytest

from replica import (
    BusyError,
    ForeignFileError,
    InputError,
    MovedError,
    MoveMismatchError,
    PrimaryError,
    Record,
    Replica,
    UnreachableError,
    call_off_move,
    make_way,
    open_replica,
    put_away,
)
from sqld import Server
from tests.faults import FaultProxy
from tests.replica.killed_process import survives_all
from tests.replica.movers import counts_of, mode_of, move_in, open_local, open_moved, rows_in, switch, unwatched
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, synced


@pytest.fixture
def solo(tmp_path: Path) -> Path:
    """The directory of somebody who has worked alone: two items, one of them changed, one deleted again."""
    directory = tmp_path / "solo"
    with open_local(directory) as local:
        add(local, "Milk", id="milk", body="at the corner", tags=frozenset({"shop"}))
        add(local, "Bread \u2603 \U0001f35e", id="bread", stars=2**62, code="B")
        change(local, "milk", title="Oat milk", stars=3)
        add(local, "gone", id="gone")
        remove(local, "gone")
    return directory


def test_everything_arrives_with_its_ids_stamps_and_history(solo: Path, team: Team, truth: Truth) -> None:
    """Here, on the primary, and at a second client; the old file is kept as it was."""
    before = rows_in(solo / "data.db")

    moved = move_in(solo, team.url)

    assert counts_of(moved) == {"items": 2, "_replica_conflicts": 0, "_replica_changes": 5}
    assert mode_of(solo) == "libsql"
    assert rows_in(solo / "replica.db") == before
    (kept,) = solo.glob("data-moved-*.db")
    assert rows_in(kept) == before
    assert not (solo / "data.db").exists()
    desktop = team.join("desktop")
    synced(desktop)
    assert desktop.get(Item, "milk").title == "Oat milk"
    assert [entry.kind for entry in desktop.history(Item, "milk")] == ["insert", "update"]
    assert truth.title("bread") == "Bread \u2603 \U0001f35e"


def test_work_goes_on_where_it_was_moved_to(solo: Path, team: Team, truth: Truth) -> None:
    """What was moved is changed as any other row."""
    move_in(solo, team.url)

    with open_moved(solo, team.url) as replica:
        change(replica, "milk", title="Rice milk")
        synced(replica)

    assert truth.title("milk") == "Rice milk"
    assert truth.parked() == []


def test_what_is_moved_again_is_there_once(solo: Path, team: Team, truth: Truth, tmp_path: Path) -> None:
    """From the file that was kept, into another directory."""
    move_in(solo, team.url)
    applied = truth.applied()
    (kept,) = solo.glob("data-moved-*.db")

    moved = move_in(tmp_path / "other", team.url, kept)

    assert counts_of(moved) == {"items": 2, "_replica_conflicts": 0, "_replica_changes": 5}
    assert truth.applied() == applied
    assert kept.exists()
    assert not (tmp_path / "other" / "moving.db").exists()


def test_rows_of_others_stay_beside_those_that_are_moved(solo: Path, team: Team, truth: Truth) -> None:
    """Different ids never meet."""
    desktop = team.join("desktop")
    add(desktop, "theirs", id="theirs")
    synced(desktop)

    moved = move_in(solo, team.url)

    assert counts_of(moved)["items"] == 2
    assert [row[0] for row in truth.rows()] == ["bread", "milk", "theirs"]


def test_the_same_id_with_other_content_is_parked(solo: Path, team: Team, truth: Truth) -> None:
    """Nothing of theirs is overwritten, and mine waits for a person."""
    desktop = team.join("desktop")
    add(desktop, "Cow milk", id="milk", code="C")
    synced(desktop)

    moved = move_in(solo, team.url)

    assert truth.title("milk") == "Cow milk"
    assert (moved.parked, {each.table: each.others for each in moved.tables}["items"]) == (1, 1)
    with open_moved(solo, team.url) as replica:
        (conflict,) = replica.conflicts()
        assert (conflict.fields["title"].mine, conflict.fields["title"].theirs) == ("Oat milk", "Cow milk")
        replica.resolve(conflict.id, "mine")
        synced(replica)
    assert truth.title("milk") == "Oat milk"


def test_a_move_that_others_and_i_changed_since_goes_on(solo: Path, team: Team, truth: Truth) -> None:
    """What only I changed arrives; what only they changed stays; of what both changed, other fields merge."""
    with open_local(solo) as local:
        add(local, "Eggs", id="eggs")
    make_way(solo, team.url)
    with open_moved(solo, team.url) as replica, pytest.raises(OSError, match="stopped"):
        replica.moving.take_in(solo / "data.db", switch=_stop, show=unwatched)
    call_off_move(solo, mode="local")
    desktop = team.join("desktop")
    synced(desktop)
    change(desktop, "bread", title="Rye")
    change(desktop, "eggs", code="E")
    synced(desktop)
    with open_local(solo) as local:
        mine = change(local, "milk", title="Rice milk")
        change(local, "eggs", title="Ten eggs")

    moved = move_in(solo, team.url)

    assert [truth.title(name) for name in ("milk", "bread", "eggs")] == ["Rice milk", "Rye", "Ten eggs"]
    assert truth.run("SELECT code FROM items WHERE id = 'eggs'") == [["E"]]
    assert mine in truth.applied()
    assert (moved.merged, moved.parked) == (1, 0)
    assert {each.table: each.others for each in moved.tables}["items"] == 2


def _stop() -> None:
    raise OSError("stopped")


def test_a_row_that_was_deleted_here_since_is_deleted_there(solo: Path, team: Team, truth: Truth) -> None:
    """As the change that it is; one that others changed meanwhile is left for a person."""
    make_way(solo, team.url)
    with open_moved(solo, team.url) as replica, pytest.raises(OSError, match="stopped"):
        replica.moving.take_in(solo / "data.db", switch=_stop, show=unwatched)
    call_off_move(solo, mode="local")
    desktop = team.join("desktop")
    synced(desktop)
    change(desktop, "bread", title="Rye")
    synced(desktop)
    with open_local(solo) as local:
        remove(local, "milk")
        remove(local, "bread")

    moved = move_in(solo, team.url)

    assert truth.title("milk") is None
    assert (truth.title("bread"), moved.parked) == ("Rye", 1)


def test_a_row_that_was_deleted_there_since_does_not_come_back(solo: Path, team: Team, truth: Truth) -> None:
    """Who deleted it had seen it."""
    make_way(solo, team.url)
    with open_moved(solo, team.url) as replica, pytest.raises(OSError, match="stopped"):
        replica.moving.take_in(solo / "data.db", switch=_stop, show=unwatched)
    desktop = team.join("desktop")
    synced(desktop)
    remove(desktop, "milk")
    synced(desktop)

    move_in(solo, team.url)

    assert truth.title("milk") is None
    assert truth.parked() == []


def test_a_move_that_is_killed_goes_on(solo: Path, team: Team, truth: Truth, primary_server: Server) -> None:
    """At any step, again and again: nothing is lost, nothing is there twice, and the file stays until all of it is."""
    before = rows_in(solo / "data.db")
    step = 1

    while not survives_all(_run_move, solo, primary_server.url, killed_at=step):
        files = [path for path in (solo / "data.db", *solo.glob("data-moved-*.db")) if path.exists()]
        assert [rows_in(path) for path in files] == [before], step
        # Each goes a little further than the one before it, over what that one left.
        step += 9

    assert step > 60, "the move was not watched"
    assert mode_of(solo) == "libsql"
    assert rows_in(solo / "replica.db") == before
    assert len(truth.applied()) == len(before[2])


def _run_move(directory: Path, url: str) -> None:
    """What a person types again and again until it is done."""
    if mode_of(directory) == "libsql":
        put_away(directory, mode="libsql")
    else:
        move_in(directory, url)


def test_a_lost_network_leaves_everything_as_it_was(solo: Path, team: Team, network: FaultProxy, truth: Truth) -> None:
    """The error says so; the same move goes on when it is back."""
    network.cut()
    with pytest.raises(UnreachableError, match="did not answer") as told:
        move_in(solo, team.url)

    assert told.value.hint.startswith("nothing was switched")
    assert mode_of(solo) == "local"
    with open_local(solo) as local:
        change(local, "milk", title="Rice milk")
    network.heal()
    move_in(solo, team.url)
    assert truth.title("milk") == "Rice milk"


def test_nobody_writes_what_is_moved(solo: Path, team: Team) -> None:
    """While it is moved they wait, and are told; afterwards the file itself refuses."""
    late = open_local(solo)
    refused: list[str] = []

    def write() -> None:
        with pytest.raises(MovedError) as told:
            add(late, "too late")
        refused.append(str(told.value))
        switch(solo, "libsql")

    make_way(solo, team.url)
    with open_moved(solo, team.url) as replica:
        replica.moving.take_in(solo / "data.db", switch=write, show=unwatched)

    assert refused == [f"what is here was moved to {team.url}"]
    assert len(late.select(Item)) == 2
    # As long as somebody has it open it keeps its name.
    assert put_away(solo, mode="libsql") is None
    late.close()
    assert put_away(solo, mode="libsql") is not None


def test_who_writes_for_too_long_is_waited_for_in_vain(solo: Path, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction that is open is never moved in half."""
    monkeypatch.setattr("replica.sqlite_file.BUSY_TIMEOUT_MS", 50)
    with open_local(solo) as local, local.transaction() as tx:
        tx.insert(Item(title="not yet"))
        with pytest.raises(BusyError, match="in use by another process"):
            move_in(solo, team.url)

    move_in(solo, team.url)
    assert mode_of(solo) == "libsql"


def test_a_move_that_is_called_off_lets_write_again(solo: Path, team: Team) -> None:
    """Killed between freezing the file and writing the config."""
    make_way(solo, team.url)
    with open_moved(solo, team.url) as replica, pytest.raises(OSError, match="stopped"):
        replica.moving.take_in(solo / "data.db", switch=_stop, show=unwatched)
    with open_local(solo) as local, pytest.raises(MovedError):
        add(local, "refused")

    assert call_off_move(solo, mode="local")

    with open_local(solo) as local:
        add(local, "written")
    assert not call_off_move(solo, mode="local")


def test_what_arrives_otherwise_is_told_and_nothing_is_switched(
    solo: Path, team: Team, truth: Truth, desktop: Replica
) -> None:
    """A primary that alters what it is sent is not one to rely on."""
    synced(desktop)
    truth.run(
        "CREATE TRIGGER altering AFTER INSERT ON _replica_changes "
        "BEGIN UPDATE _replica_changes SET session = 'nobody' WHERE seq = new.seq; END"
    )

    with pytest.raises(MoveMismatchError, match="_replica_changes"):
        move_in(solo, team.url)

    assert mode_of(solo) == "local"
    with open_local(solo) as local:
        add(local, "still writes")


def test_a_row_that_the_primary_refuses_ends_the_move(solo: Path, team: Team, desktop: Replica) -> None:
    """A code of mine that is taken there: said, and nothing is switched."""
    add(desktop, "theirs", code="B")
    synced(desktop)

    with pytest.raises(PrimaryError, match=r"refuses what is moved: .*UNIQUE constraint failed: items\.code"):
        move_in(solo, team.url)

    assert mode_of(solo) == "local"


def test_a_move_begun_to_another_primary_is_no_obstacle(solo: Path, team: Team, sqld_binary: Path) -> None:
    """What it made here is put away, not deleted."""
    with Server(sqld_binary) as elsewhere:
        make_way(solo, elsewhere.url)
        with open_moved(solo, elsewhere.url) as replica, pytest.raises(OSError, match="stopped"):
            replica.moving.take_in(solo / "data.db", switch=_stop, show=unwatched)
    call_off_move(solo, mode="local")

    moved = move_in(solo, team.url)

    assert counts_of(moved)["items"] == 2
    (aside,) = solo.glob("replica-moved-*")
    assert {path.name for path in aside.iterdir()} >= {"local.db", "replica.db"}


def test_many_rows_go_in_several_batches(tmp_path: Path, team: Team, truth: Truth) -> None:
    """More than one request holds."""
    directory = tmp_path / "solo"
    with open_local(directory) as local, local.transaction() as tx:
        for number in range(5_000):
            tx.insert(Item(title=f"item {number}", body="x" * 400))
    seen: list[tuple[str, int, int]] = []
    make_way(directory, team.url)

    with open_moved(directory, team.url) as replica:
        moved = replica.moving.take_in(directory / "data.db", switch=lambda: None, show=lambda *told: seen.append(told))

    assert counts_of(moved) == {"items": 5_000, "_replica_conflicts": 0, "_replica_changes": 5_000}
    assert truth.run("SELECT count(*) FROM items") == [["5000"]]
    sent = [done for doing, done, _ in seen if doing == "sending"]
    # How many depends on how fast the line is.
    assert len(sent) > 1
    assert sent == sorted(sent)
    assert sent[-1] == 10_000
    assert seen[-1] == ("checking", 10_000, 10_000)


def test_a_replica_elsewhere_is_moved_with_what_is_pending(
    team: Team, truth: Truth, laptop: Replica, sqld_binary: Path, tmp_path: Path
) -> None:
    """From the primary of before to another one; what it is stays as it is."""
    add(laptop, "settled", id="settled")
    synced(laptop)
    add(laptop, "pending", id="pending")
    with Server(sqld_binary) as elsewhere:
        moved = move_in(tmp_path / "other", elsewhere.url, team.directory_of("laptop"))
        with open_moved(tmp_path / "other", elsewhere.url) as replica:
            assert [item.title for item in replica.select(Item, "ORDER BY id")] == ["pending", "settled"]

    assert counts_of(moved) == {"items": 2, "_replica_conflicts": 0, "_replica_changes": 2}
    assert len(laptop.pending()) == 1
    all_synced(laptop)
    assert truth.title("pending") == "pending"


class Node(Record, table="nodes"):
    """A row that may refer to another one."""

    parent: str | None = None


def test_rows_that_refer_to_each_other_arrive_in_any_order(
    tmp_path: Path, primary_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a child goes in a batch before that of its parent."""
    for name in ("_BYTES_FIRST", "_BYTES_MAX"):
        monkeypatch.setattr(f"replica.moving.send.{name}", 1)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_nodes.sql").write_text(
        "CREATE TABLE nodes (id TEXT PRIMARY KEY, updated_at TEXT NOT NULL, parent TEXT REFERENCES nodes (id));"
    )

    def opened(mode: str) -> Replica:
        url = None if mode == "local" else primary_server.url
        return open_replica(tmp_path / "tree", records=[Node], migrations=tmp_path / "migrations", mode=mode, url=url)

    with opened("local") as local, local.transaction() as tx:
        tx.insert(Node(id="z"))
        tx.insert(Node(id="a", parent="z"))
    make_way(tmp_path / "tree", primary_server.url)

    with opened("libsql") as replica:
        moved = replica.moving.take_in(tmp_path / "tree" / "data.db", switch=lambda: None, show=unwatched)

    assert counts_of(moved)["nodes"] == 2


def test_a_replica_in_the_way_in_which_changes_wait_is_not_put_away(solo: Path, team: Team) -> None:
    """They were written for a primary that was named for one call; nobody would look for them any more."""
    with open_moved(solo, "http://127.0.0.1:1") as other:
        add(other, "waits")

    with pytest.raises(InputError, match="changes wait that no primary has: 1"):
        move_in(solo, team.url)

    with open_moved(solo, team.url) as other:
        synced(other)
    assert counts_of(move_in(solo, team.url))["items"] == 2


@pytest.mark.parametrize("content", [b"", b"no database at all, but text of some length", None])
def test_a_file_of_another_program_is_refused(team: Team, tmp_path: Path, content: bytes | None) -> None:
    """Or one that is not there; nothing is made of it."""
    path = tmp_path / "issues.db"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InputError if content is None else ForeignFileError):
        move_in(tmp_path / "other", team.url, path)

    assert not (tmp_path / "other" / "moving.db").exists()
