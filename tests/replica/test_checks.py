"""Checks: each thing that can be wrong with a replica is named, with what to do; nothing is changed by looking."""

import shutil
from pathlib import Path

import pytest

from replica import Check, Replica
from sqld import Server
from tests.faults import FaultProxy
from tests.replica.backups import back_up, restore
from tests.replica.notebook import MIGRATIONS, add, migrations_with, open_notes, settle
from tests.replica.team import Team, synced
from tests.replica.team import add as add_item


def _found(notes: Replica) -> dict[str, Check]:
    return {check.name: check for check in notes.checks()}


def _bad(notes: Replica) -> list[str]:
    return [check.name for check in notes.checks() if not check.ok]


def test_all_is_well_in_every_mode(notes: Replica) -> None:
    """After a sync, and each check says what it saw."""
    add(notes, "Milk")
    settle(notes)

    assert _bad(notes) == []
    assert all(check.detail for check in notes.checks())
    assert "schema" in _found(notes)


def test_a_schema_newer_than_the_program_is_told(tmp_path: Path, primary_server: Server, mode: str) -> None:
    """In every mode, with what to do."""
    newer = migrations_with(tmp_path / "newer", "CREATE TABLE more (id TEXT PRIMARY KEY);")
    url = None if mode == "local" else primary_server.url
    with open_notes(tmp_path / "notes", mode, url, migrations=newer) as notes:
        settle(notes)

    with open_notes(tmp_path / "notes", mode, url) as old:
        check = _found(old)["schema"]

    assert not check.ok
    assert "upgrade" in check.hint


def test_a_schema_that_has_yet_to_be_brought_up_is_no_trouble(tmp_path: Path, primary_server: Server) -> None:
    """The next sync does it."""
    with open_notes(tmp_path / "one", "libsql", primary_server.url) as notes:
        settle(notes)
    newer = migrations_with(tmp_path / "newer", "CREATE TABLE more (id TEXT PRIMARY KEY);")

    with open_notes(tmp_path / "one", "libsql", primary_server.url, migrations=newer) as upgraded:
        check = _found(upgraded)["schema"]

    assert check.ok
    assert "next sync" in check.detail


def test_a_replica_that_was_not_fetched_and_cannot_reach_its_primary_says_both(
    tmp_path: Path, network: FaultProxy
) -> None:
    """Two things, two lines."""
    with open_notes(tmp_path / "notes", "libsql", network.url) as notes:
        network.cut()

        assert _bad(notes) == ["replica.db", "primary"]


def test_a_damaged_base_is_told(tmp_path: Path, primary_server: Server) -> None:
    """And that a sync mends it."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        settle(notes)
    (tmp_path / "notes" / "replica.db").write_bytes(b"no database" * 1000)

    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        check = _found(notes)["replica.db"]

    assert not check.ok
    assert "`sync`" in check.hint


def test_a_primary_that_went_back_in_time_is_told(team: Team, primary_server: Server, tmp_path: Path) -> None:
    """By its frame number."""
    laptop = team.join("laptop")
    synced(laptop)
    back_up(primary_server, tmp_path / "backup")
    for title in ("Milk", "Bread"):
        add_item(laptop, title)
        synced(laptop)
    restore(primary_server, tmp_path / "backup")

    assert _bad(laptop) == ["frame number"]


@pytest.mark.parametrize("is_new", [True, False])
def test_another_primary_is_told(team: Team, primary_server: Server, tmp_path: Path, *, is_new: bool) -> None:
    """Before anything else is held against it."""
    laptop = team.join("laptop")
    synced(laptop)
    primary_server.stop()
    shutil.rmtree(primary_server.data_dir / "dbs")
    primary_server.start()
    if not is_new:
        with open_notes(tmp_path / "other", "libsql", primary_server.url, migrations=MIGRATIONS) as other:
            settle(other)

    assert _bad(laptop) == ["primary"]
    assert ("new and empty" in _found(laptop)["primary"].detail) is is_new
