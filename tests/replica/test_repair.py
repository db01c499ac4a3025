"""Repair: mends base and overlay, compares with the primary, and keeps a copy of the outbox beside it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from replica import Check, DamagedError, InputError, Replica, salvage_outbox
from replica.compare import compare_table
from replica.drivers.embedded import Embedded
from tests.faults import FaultProxy
from tests.replica.notebook import open_notes
from tests.replica.team import Item, Team, Truth, add, change, rows_of, synced


@pytest.fixture
def laptop(team: Team) -> Replica:
    """Some items on the primary, and one change that waits."""
    member = team.join("laptop")
    with member.transaction() as tx:
        for number in range(300):
            tx.insert(Item(id=f"item {number:03d}", title=f"number {number}", body="x" * 100))
    synced(member)
    change(member, "item 000", title="waits")
    return member


def _checks(member: Replica, *, full: bool = True) -> dict[str, Check]:
    return {check.name: check for check in member.recovery.repair(full=full, deadline_s=20)}


def _copies(directory: Path) -> list[list[tuple[str]]]:
    found = []
    for path in sorted(directory.glob("local-before-repair-*.db")):
        with closing(sqlite3.connect(path)) as connection:
            found.append(connection.execute("SELECT id FROM mutations").fetchall())
    return found


@pytest.mark.parametrize("full", [True, False])
def test_a_sound_replica_comes_out_as_it_was(team: Team, truth: Truth, laptop: Replica, *, full: bool) -> None:
    """Each table is said to be as on the primary; a copy of what waited stands beside."""
    waiting = [mutation.id for mutation in laptop.pending()]

    checks = _checks(laptop, full=full)

    assert [name for name, check in checks.items() if not check.ok] == []
    assert {"table items", "table _replica_changes", "table _replica_conflicts"} <= checks.keys()
    assert "300 rows" in checks["table items"].detail
    assert _copies(team.directory_of("laptop")) == [[(each,) for each in waiting]]
    assert rows_of(laptop) == truth.rows()


def test_rows_that_are_not_as_on_the_primary_are_found_and_fetched_anew(
    team: Team, truth: Truth, laptop: Replica
) -> None:
    """A base that SQLite finds nothing wrong with."""
    laptop.close()
    with closing(sqlite3.connect(team.directory_of("laptop") / "replica.db")) as connection, connection:
        connection.execute("UPDATE items SET title = 'forged' WHERE id = 'item 123'")
        connection.execute("DELETE FROM items WHERE id = 'item 200'")
    again = team.join("laptop")
    assert again.get(Item, "item 123").title == "forged"

    checks = _checks(again)

    assert "items" in checks["fetch"].detail
    assert [name for name, check in checks.items() if not check.ok] == []
    assert again.get(Item, "item 123").title == "number 123"
    assert rows_of(again) == truth.rows()


def test_a_damaged_base_is_set_aside_and_fetched(team: Team, truth: Truth, laptop: Replica) -> None:
    """Though no read has met the damage yet."""
    laptop.close()
    path = team.directory_of("laptop") / "replica.db"
    data = bytearray(path.read_bytes())
    data[-4096:] = b"\x55" * 4096
    path.write_bytes(data)

    again = team.join("laptop")
    checks = _checks(again)

    assert "damaged" in checks["replica.db"].detail
    assert [name for name, check in checks.items() if not check.ok] == []
    assert rows_of(again) == truth.rows()


def test_damage_of_local_db_itself_is_told_of_it_and_leaves_the_base_alone(team: Team, laptop: Replica) -> None:
    """Whatever meets it: a read, a write, a sync, a repair; what waits can be taken out."""
    directory = team.directory_of("laptop")
    waiting = laptop.pending()
    laptop.close()
    with closing(sqlite3.connect(directory / "local.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'overlay_items'").fetchone()
    with (directory / "local.db").open("r+b") as file:
        file.seek(4096 * (root - 1))
        file.write(b"\x55" * 4096)
    again = team.join("laptop")
    meetings: list[Callable[[], object]] = [
        lambda: again.select(Item),
        lambda: again.query("SELECT * FROM items"),
        lambda: change(again, "item 000", title="again"),
        lambda: again.recovery.repair(deadline_s=20),
    ]

    for meet in meetings:
        with pytest.raises(DamagedError, match=r"local\.db"):
            meet()
    error = again.sync().error

    assert isinstance(error, DamagedError)
    assert "local.db" in str(error)
    assert not (directory / "set-aside").exists()
    again.close()
    assert salvage_outbox(directory).pending.mutations == waiting


def test_an_overlay_that_is_not_what_follows_from_the_outbox_is_derived_anew(
    laptop: Replica, network: FaultProxy
) -> None:
    """Without the network, too; what waits goes on waiting."""
    store = laptop._driver
    assert isinstance(store, Embedded)
    with store.writing() as connection:
        connection.execute("UPDATE overlay_items SET title = 'stale'")
        connection.execute("INSERT INTO overlay_items SELECT *, 0 FROM items WHERE id = 'item 007'")
    waiting = laptop.pending()
    network.cut()

    checks = _checks(laptop)

    assert laptop.get(Item, "item 000").title == "waits"
    assert laptop.pending() == waiting
    assert [name for name, check in checks.items() if not check.ok] == ["sync"]
    assert not any(name.startswith("table") for name in checks)


def test_while_others_write_nothing_is_said_to_differ(
    team: Team, laptop: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that changed between the sync and the look at it is looked at again."""
    desktop = team.join("desktop")
    synced(desktop)

    def compare_while_others_write(*arguments: object, **options: object) -> object:
        change(desktop, "item 001", title="meanwhile")
        add(desktop, "new")
        synced(desktop)
        return compare_table(*arguments, **options)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr("replica.repair.compare_table", compare_while_others_write)

    checks = _checks(laptop)

    assert [name for name, check in checks.items() if not check.ok] == []
    assert "fetch" not in checks


def test_without_a_replica_there_is_nothing_to_repair(tmp_path: Path) -> None:
    """And it says so."""
    with open_notes(tmp_path) as notes, pytest.raises(InputError):
        notes.recovery.repair()
