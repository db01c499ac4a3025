"""The base is a cache: whatever becomes of it, or of the primary it came from, costs a download at most."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from replica import (
    DamagedBaseError,
    DamagedError,
    PrimaryError,
    Replica,
    Stage,
    StorageError,
    UnreachableError,
    WriteRefusedError,
)
from replica.drivers.embedded import Embedded
from replica.pull import pull
from sqld import Server
from tests.faults import FaultProxy
from tests.replica.backups import back_up, restore
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, rows_of, synced

_COMPANIONS = ("-wal", "-shm", "-client_wal_index")


def _titles(member: Replica) -> list[str]:
    return sorted(item.title for item in member.select(Item))


def _damage(base: Path, *, from_page: int) -> None:
    data = bytearray(base.read_bytes())
    for start in range(4096 * from_page, len(data), 4096):
        data[start : start + 200] = b"\x55" * 200
    base.write_bytes(data)


@pytest.mark.parametrize("from_page", [0, 3])
def test_a_damaged_base_is_fetched_anew_and_what_waits_is_sent(team: Team, truth: Truth, from_page: int) -> None:
    """Damage in the header, and damage that only the reading of a later page finds."""
    laptop = team.join("laptop")
    with laptop.transaction() as tx:
        for number in range(200):
            tx.insert(Item(title=f"item {number}", body="x" * 500))
    synced(laptop)
    add(laptop, "pending")
    laptop.close()
    _damage(team.directory_of("laptop") / "replica.db", from_page=from_page)

    again = team.join("laptop")
    with pytest.raises(DamagedError):
        again.select(Item)
    report = synced(again)

    assert report.pushed == 1
    assert len(again.select(Item)) == 201
    assert rows_of(again) == truth.rows()


def test_damage_that_only_a_reader_meets_is_mended_by_the_next_sync(team: Team, truth: Truth) -> None:
    """A sync reads little of the base; what a reader found out is remembered for it."""
    laptop = team.join("laptop")
    with laptop.transaction() as tx:
        for number in range(200):
            tx.insert(Item(title=f"item {number}", body="x" * 500))
    synced(laptop)
    pages = laptop.query("SELECT rootpage FROM base.sqlite_schema WHERE name = 'items'").rows
    laptop.close()
    base = team.directory_of("laptop") / "replica.db"
    data = bytearray(base.read_bytes())
    start = (int(str(pages[0][0])) - 1) * 4096
    data[start : start + 200] = b"\x55" * 200
    base.write_bytes(data)

    again = team.join("laptop")
    with pytest.raises(DamagedError):
        again.query("SELECT count(*), max(body) FROM items")
    synced(again)

    assert len(again.select(Item)) == 200


def test_i8_a_damaged_base_keeps_nobody_from_writing(team: Team, truth: Truth, network: FaultProxy) -> None:
    """Without the network, too; what cannot be read is not changed unseen, and the sync says what it waits for."""
    laptop = team.join("laptop")
    settled = add(laptop, "settled")
    synced(laptop)
    pending = add(laptop, "pending")
    laptop.close()
    _damage(team.directory_of("laptop") / "replica.db", from_page=0)
    network.cut()

    again = team.join("laptop")
    added = add(again, "added")
    change(again, pending.id, stars=1)
    with pytest.raises(DamagedError):
        change(again, settled.id, stars=1)
    with pytest.raises(DamagedError):
        again.get(Item, settled.id)
    report = again.sync()

    assert isinstance(report.error, UnreachableError)
    assert report.pending == 3
    assert (again.status().state, again.status().pending) == ("damaged", 3)
    network.heal()
    synced(again)
    assert _titles(again) == ["added", "pending", "settled"]
    assert again.get(Item, added.id).title == "added"
    assert rows_of(again) == truth.rows()


@pytest.mark.parametrize("left_behind", [(), _COMPANIONS])
def test_a_deleted_base_is_fetched_anew(team: Team, truth: Truth, left_behind: tuple[str, ...]) -> None:
    """Also where its companions were left: an old log beside a new base must not be played back."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    items = [add(laptop, f"item {number}") for number in range(20)]
    all_synced(laptop, desktop)
    for item in items[:10]:
        change(laptop, item.id, title="changed", body="x" * 3000)
        synced(laptop)
    waiting = add(laptop, "pending")
    # As a crash would leave it: closed properly, there would be no log.
    shutil.copytree(team.directory_of("laptop"), team.directory_of("crashed"))
    for item in items:
        change(desktop, item.id, tags={"new"})
    synced(desktop)
    base = team.directory_of("crashed") / "replica.db"
    assert Path(f"{base}-wal").stat().st_size > 0
    for name in ("", *_COMPANIONS):
        if name not in left_behind:
            Path(f"{base}{name}").unlink(missing_ok=True)

    again = team.join("crashed")
    assert [item.id for item in again.select(Item)] == [waiting.id]
    synced(again)

    assert rows_of(again) == truth.rows()
    assert not (team.directory_of("crashed") / "set-aside").exists(), "it took two downloads"
    assert again.query("SELECT count(*) FROM items WHERE tags = '[\"new\"]'").rows == [(20,)]


def test_an_older_backup_of_the_primary_is_noticed_and_the_loss_reported(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """The log keeps its id, so libSQL would not notice; what was lost is counted, and what waits here is kept."""
    laptop = team.join("laptop")
    add(laptop, "before")
    synced(laptop)
    back_up(primary_server, tmp_path / "backup")
    add(laptop, "lost")
    synced(laptop)
    add(laptop, "pending")
    restore(primary_server, tmp_path / "backup")

    report = synced(laptop)

    assert (report.lost, report.pushed) == (1, 1)
    assert _titles(laptop) == ["before", "pending"]
    assert rows_of(laptop) == truth.rows()
    assert synced(laptop).lost == 0


def test_an_older_backup_that_went_on_beyond_our_frame_is_noticed(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """The frame number alone would say that all is well."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(laptop, "before")
    all_synced(laptop, desktop)
    desktop.close()
    shutil.copytree(team.directory_of("desktop"), tmp_path / "desktop-before")
    back_up(primary_server, tmp_path / "backup")
    add(laptop, "lost")
    synced(laptop)
    frame = laptop.status().base_frame
    restore(primary_server, tmp_path / "backup")
    shutil.rmtree(team.directory_of("desktop"))
    shutil.copytree(tmp_path / "desktop-before", team.directory_of("desktop"))
    desktop = team.join("desktop")
    for number in range(6):
        add(desktop, f"after {number}")
        synced(desktop)
    reached = desktop.status().base_frame
    assert frame is not None
    assert reached is not None
    assert reached > frame

    report = synced(laptop)

    assert report.lost == 1
    assert rows_of(laptop) == truth.rows()


def test_what_was_acknowledged_and_then_lost_by_the_primary_is_sent_again(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledged is not settled: until the base holds a mutation it is kept here, and can be sent again."""
    laptop = team.join("laptop")
    add(laptop, "before")
    synced(laptop)
    back_up(primary_server, tmp_path / "backup")
    add(laptop, "acknowledged")
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        assert laptop.sync().pushed == 1
    restore(primary_server, tmp_path / "backup")

    synced(laptop)

    assert _titles(laptop) == ["acknowledged", "before"]
    assert rows_of(laptop) == truth.rows()


def test_i4_a_row_that_came_back_with_an_older_stamp_is_shown_as_the_merge_found_it(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deleted, and made again by a clock that is behind; what is written on it before the pull overwrites nothing."""
    laptop, desktop = team.join("laptop"), team.join("desktop", clock=lambda: time.time() - 3600)
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(laptop, item.id, stars=1)
    remove(desktop, item.id)
    synced(desktop)
    with desktop.transaction() as tx:
        tx.insert(Item(id=item.id, title="Oat milk", body="two litres"))
    synced(desktop)
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        assert laptop.sync().pushed == 1

    shown = laptop.get(Item, item.id)
    change(laptop, item.id, stars=shown.stars + 1)
    synced(laptop)

    assert (shown.title, shown.body, shown.stars) == ("Oat milk", "two litres", 1)
    assert laptop.get(Item, item.id).stars == 2
    assert rows_of(laptop) == truth.rows()


def test_a_row_that_is_gone_from_the_base_is_shown_the_same_however_often_it_is_derived(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or what was read before a sync could not be written after it."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    remove(desktop, item.id)
    synced(desktop)
    beside, writes = team.join("laptop"), iter([item.id])

    def write_and_pull(*arguments: object, **options: object) -> None:
        for row_id in writes:
            change(beside, row_id, stars=1)
        pull(*arguments, **options)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr("replica.base.pull", write_and_pull)
    assert laptop.sync().pending == 1
    store = laptop._driver
    assert isinstance(store, Embedded)
    read = laptop.get(Item, item.id)

    with store.writing() as connection:
        store.rebuild_overlay(connection)

    assert laptop.get(Item, item.id) == read
    with laptop.transaction() as tx:
        tx.update(read, stars=2)
    synced(laptop)
    assert len(laptop.conflicts()) == 2


def _fail(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the network went down before the pull")


@pytest.mark.parametrize("name", ["os.ftruncate", "os.pwrite", "os.mkdir", "os.rename"])
def test_a_disk_that_refuses_a_file_stops_a_sync_with_a_line_or_not_at_all(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No error of the system's own comes through, and the next sync goes on."""
    laptop = team.join("laptop")
    add(laptop, "Milk")

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(name, refuse)
        report = laptop.sync()

    assert report.error is None or isinstance(report.error, StorageError)
    synced(laptop)
    assert rows_of(laptop) == truth.rows()


def test_i6_an_outdated_base_stays_readable_until_the_fresh_one_is_whole(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network fails after the restore was noticed: a program started then still finds the rows it knew."""
    laptop = team.join("laptop")
    add(laptop, "before")
    synced(laptop)
    back_up(primary_server, tmp_path / "backup")
    add(laptop, "mine")
    synced(laptop)
    restore(primary_server, tmp_path / "backup")
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        report = laptop.sync()

    started_now = team.join("laptop")

    assert report.stage is Stage.PULL
    assert _titles(started_now) == ["before", "mine"]
    synced(started_now)
    assert _titles(started_now) == ["before"]


def test_i6_a_base_that_the_client_library_refuses_stays_readable_until_a_fresh_one_is_whole(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an sqld that went away in the middle of a pull: SQLite reads the file as well as before."""
    laptop = team.join("laptop")
    add(laptop, "settled")
    synced(laptop)
    add(laptop, "pending")
    errors: Iterator[Exception] = iter([DamagedError("no good"), UnreachableError("the primary is gone")])

    def fail(*_arguments: object, **_options: object) -> None:
        raise next(errors)

    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", fail)
        report = laptop.sync()
    started_now = team.join("laptop")

    assert isinstance(report.error, UnreachableError)
    assert _titles(laptop) == _titles(started_now) == ["pending", "settled"]
    # What is fetched a second time is not news.
    assert synced(started_now).pulled == 0
    assert rows_of(started_now) == truth.rows()


def test_i6_a_base_stays_readable_where_a_fresh_copy_is_refused_too(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy that was made from nothing tells nothing of the one that is here; it is told of the primary."""
    laptop = team.join("laptop")
    add(laptop, "settled")
    synced(laptop)
    add(laptop, "pending")
    tries = []

    def fail(*_arguments: object, **_options: object) -> None:
        tries.append(1)
        raise DamagedError("no good")

    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", fail)
        report = laptop.sync()
    started_now = team.join("laptop")

    assert type(report.error) is PrimaryError
    assert len(tries) == 2
    assert _titles(laptop) == _titles(started_now) == ["pending", "settled"]
    synced(started_now)
    assert rows_of(started_now) == truth.rows()


def test_a_query_that_meets_a_damaged_page_does_not_blame_local_db(team: Team) -> None:
    """Though it runs on a connection to that."""
    laptop = team.join("laptop")
    with laptop.transaction() as tx:
        for number in range(200):
            tx.insert(Item(title=f"item {number}", body="x" * 500))
    synced(laptop)
    laptop.close()
    _damage(team.directory_of("laptop") / "replica.db", from_page=12)
    again = team.join("laptop")

    for read in (lambda: again.query("SELECT max(body) FROM items"), lambda: again.select(Item)):
        with pytest.raises(DamagedBaseError):
            read()


@pytest.mark.parametrize("way", ["get", "change"])
def test_damage_that_is_met_within_a_transaction_is_told_of_the_base_and_mended_by_the_next_sync(
    team: Team, truth: Truth, way: str
) -> None:
    """Not of `local.db`, which is sound and must not be taken apart."""
    laptop = team.join("laptop")
    items = [add(laptop, f"item {number}", body="x" * 500) for number in range(100)]
    synced(laptop)
    laptop.close()
    _damage(team.directory_of("laptop") / "replica.db", from_page=12)
    again = team.join("laptop")

    def use_all() -> None:
        for item in items:
            with again.transaction() as tx:
                read = tx.get(Item, item.id)
                if way == "change":
                    tx.update(read, stars=read.stars + 1)

    with pytest.raises(DamagedError, match=r"replica\.db") as caught:
        use_all()

    assert "local.db" not in str(caught.value)
    synced(again)
    use_all()
    synced(again)
    assert rows_of(again) == truth.rows()


@pytest.mark.parametrize("from_page", [3, 6, 12])
def test_i8_damage_that_only_a_row_shows_keeps_nobody_from_writing(
    team: Team, truth: Truth, network: FaultProxy, from_page: int
) -> None:
    """Without the network, too: new rows need none of it, also several in one transaction."""
    laptop = team.join("laptop")
    with laptop.transaction() as tx:
        for number in range(200):
            tx.insert(Item(id=f"item {number:03d}", title=f"item {number}", body="x" * 500))
    synced(laptop)
    laptop.close()
    _damage(team.directory_of("laptop") / "replica.db", from_page=from_page)
    network.cut()
    again = team.join("laptop")
    for attempt in range(2):
        add(again, f"first {attempt}")
        with again.transaction() as tx:
            for number in range(20):
                # Ids in all of the table, so that the look-ups meet what can be read and what cannot.
                with suppress(DamagedError):
                    tx.get(Item, f"item {number * 10:03d}")
                tx.insert(Item(title=f"{attempt} {number}"))

    network.heal()
    synced(again)

    assert len(truth.rows()) == len(rows_of(again)) == 242
    assert rows_of(again) == truth.rows()


def test_every_read_of_a_damaged_base_says_so(team: Team) -> None:
    """The second as the first, for SQL of ours and of a user's."""
    laptop = team.join("laptop")
    add(laptop, "settled")
    synced(laptop)
    assert len(laptop.select(Item)) == len(laptop.query("SELECT * FROM items").rows) == 1
    base = team.directory_of("laptop") / "replica.db"
    base.rename(base.with_name("moved"))
    base.write_bytes(b"\x55" * 40_960)

    for _ in range(2):
        for read in (lambda: laptop.select(Item), lambda: laptop.query("SELECT * FROM items")):
            with pytest.raises(DamagedError):
                read()


def test_sql_of_a_users_cannot_write_after_a_damaged_base_was_met(team: Team) -> None:
    """To see what is there, the connection is opened for a moment; it must be closed again whatever is found."""
    laptop = team.join("laptop")
    add(laptop, "pending")
    base = team.directory_of("laptop") / "replica.db"
    base.write_bytes(b"\x55" * 40_960)
    with pytest.raises(DamagedError):
        laptop.query("SELECT * FROM items")
    base.unlink()

    with pytest.raises(WriteRefusedError):
        laptop.query("DELETE FROM mutations RETURNING id")

    assert len(laptop.pending()) == 1


def test_a_primary_killed_hard_costs_a_download_and_loses_nothing(
    team: Team, truth: Truth, primary_server: Server, network: FaultProxy
) -> None:
    """Its log gets a new id and starts again below our frame number."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    for number in range(5):
        add(laptop, f"item {number}")
        all_synced(laptop, desktop)
    primary_server.kill()
    primary_server.start()
    add(laptop, "after")

    all_synced(laptop, desktop)

    assert rows_of(laptop) == rows_of(desktop) == truth.rows()
    assert len(_titles(desktop)) == 6
