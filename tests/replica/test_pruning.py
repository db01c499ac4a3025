"""History is pruned by age, on the primary, never within the time that a client may be offline, and that is no loss."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from replica import Replica, UnreachableError
from replica.primary import HISTORY_DAYS_KEPT
from sqld import Server
from tests.hrana_client import HranaClient
from tests.replica.backups import back_up, restore
from tests.replica.notebook import Note, open_notes, settle
from tests.replica.team import Team, Truth, add, all_synced, change, synced

DAY_S = 86_400


def _three_notes(directory: Path, server: Server) -> None:
    with open_notes(directory, "libsql", server.url) as notes:
        for title in ("first", "second", "third"):
            with notes.transaction() as tx:
                tx.insert(Note(title=title))
        settle(notes)


def _sync_tomorrow(directory: Path, server: Server) -> list[str]:
    """Sync once more, a day later by the client's clock; the titles that it then has."""
    with open_notes(directory, "libsql", server.url, clock=lambda: time.time() + DAY_S) as notes:
        settle(notes)
        return [note.title for note in notes.select(Note, "ORDER BY title")]


def test_history_older_than_a_client_may_be_offline_goes_and_the_rows_stay(
    primary_server: Server, tmp_path: Path
) -> None:
    """The newest entry stays in any case: by it a client knows its primary again."""
    _three_notes(tmp_path, primary_server)
    with HranaClient(primary_server.port) as primary:
        primary.run(f"UPDATE _replica_changes SET received_at = unixepoch() - {(HISTORY_DAYS_KEPT + 1) * DAY_S}")

        titles = _sync_tomorrow(tmp_path, primary_server)

        assert titles == ["first", "second", "third"]
        assert primary.run("SELECT count(*), max(seq) FROM _replica_changes") == [["1", "3"]]


def test_history_within_that_time_stays_whatever_a_clients_clock_says(primary_server: Server, tmp_path: Path) -> None:
    """A client whose clock is a year ahead prunes nothing: the primary's clock decides."""
    _three_notes(tmp_path, primary_server)
    with HranaClient(primary_server.port) as primary:
        primary.run(f"UPDATE _replica_changes SET received_at = unixepoch() - {(HISTORY_DAYS_KEPT - 1) * DAY_S}")

        with open_notes(tmp_path, "libsql", primary_server.url, clock=lambda: time.time() + 365 * DAY_S) as notes:
            settle(notes)

        assert primary.run("SELECT count(*) FROM _replica_changes") == [["3"]]


def _age(truth: Truth, days: int) -> None:
    """Let time pass on the primary since all that it received."""
    truth.run(f"UPDATE _replica_changes SET received_at = received_at - {days * DAY_S}")


def _prune(team: Team, truth: Truth) -> None:
    """Have somebody new prune, as everybody does once a day."""
    before = len(truth.applied())
    synced(team.join("pruner"))
    assert len(truth.applied()) < before


def _counted(member: Replica, *others: Replica) -> None:
    """Have a counter that everybody knows: sent again, what it was counted up by would count twice."""
    change(member, add(member, "counter").id, stars=5)
    all_synced(member, *others)


def test_i2_what_was_pruned_before_a_restore_is_noticed_is_not_sent_again(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """Only what came after the older copy is lost."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    _counted(laptop, desktop)
    _age(truth, HISTORY_DAYS_KEPT + 1)
    add(desktop, "recent")
    all_synced(desktop, laptop)
    back_up(primary_server, tmp_path / "backup")
    lost = change(laptop, add(laptop, "bread").id, title="rye")
    synced(laptop)
    restore(primary_server, tmp_path / "backup")
    _prune(team, truth)

    report = synced(laptop)

    assert report.lost == 2
    assert laptop.recovery.resend_lost()[-1].id == lost
    synced(laptop)
    assert truth.run("SELECT title, stars FROM items ORDER BY stars, title") == [
        ["recent", "0"],
        ["rye", "0"],
        ["counter", "5"],
    ]


def test_i2_nothing_is_lost_where_a_primary_that_was_killed_is_pruned(
    team: Team, truth: Truth, primary_server: Server
) -> None:
    """Its frame number alone looks as if it had gone back; the newest change, which both have, says that it did not."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    _counted(laptop, desktop)
    _age(truth, HISTORY_DAYS_KEPT + 1)
    for number in range(8):
        add(desktop, f"recent {number}")
        all_synced(desktop, laptop)
    primary_server.kill()
    primary_server.start()
    _prune(team, truth)

    report = synced(laptop)

    assert (report.lost, laptop.recovery.lost()) == (0, [])


def test_i2_what_is_older_than_a_change_that_is_still_there_was_pruned_whatever_the_clocks_say(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """The primary's clock may have been ahead as it was pruned, and be right by now."""
    laptop = team.join("laptop")
    _counted(laptop)
    add(laptop, "recent")
    synced(laptop)
    back_up(primary_server, tmp_path / "backup")
    lost = add(laptop, "lost")
    synced(laptop)
    restore(primary_server, tmp_path / "backup")
    truth.run("DELETE FROM _replica_changes WHERE seq < (SELECT max(seq) FROM _replica_changes)")

    synced(laptop)

    (found,) = laptop.recovery.lost()
    assert found.changes[0].row_id == lost.id


def test_i1_an_emptied_primary_lost_all_that_it_cannot_have_pruned(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """It has no change by which to tell the two apart, so age decides: of what is older, nothing is sent again."""
    laptop = team.join("laptop")
    synced(laptop)
    back_up(primary_server, tmp_path / "backup")
    _counted(laptop)
    _age(truth, 2)
    add(laptop, "within")
    synced(laptop)
    _age(truth, HISTORY_DAYS_KEPT - 1)
    recent = add(laptop, "recent")
    all_synced(laptop)
    restore(primary_server, tmp_path / "backup")

    report = synced(laptop)

    assert report.lost == 2
    assert [mutation.changes[0].row_id for mutation in laptop.recovery.lost()][1:] == [recent.id]
    laptop.recovery.resend_lost()
    synced(laptop)
    assert truth.run("SELECT title FROM items ORDER BY title") == [["recent"], ["within"]]


def test_i1_what_was_lost_is_found_below_a_thousand_that_somebody_sent_again(
    team: Team, primary_server: Server, tmp_path: Path
) -> None:
    """Sent again they are other changes than those of before, so they do not show that all before them is there."""
    laptop, desktop, phone = team.join("laptop"), team.join("desktop"), team.join("phone")
    all_synced(laptop, desktop, phone)
    back_up(primary_server, tmp_path / "backup")
    lost = add(phone, "lost")
    synced(phone)
    for number in range(1000):
        add(desktop, f"item {number}")
    all_synced(desktop, laptop)
    restore(primary_server, tmp_path / "backup")
    desktop.close()
    (team.directory_of("desktop") / "replica.db").unlink()
    desktop = team.join("desktop")
    assert synced(desktop).lost == 1000
    desktop.recovery.resend_lost()
    synced(desktop)

    synced(laptop)

    (found,) = laptop.recovery.lost()
    assert found.changes[0].row_id == lost.id


@pytest.mark.parametrize("make", [3, 4])
def test_i2_what_was_sent_from_here_and_pruned_is_not_lost_if_the_base_is(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch, make: int
) -> None:
    """By the primary's clock: here it settled a moment ago. Of what an older make kept, only that time is known."""
    now = time.time() - (HISTORY_DAYS_KEPT + 1) * DAY_S * (make == 3)
    laptop = team.join("laptop", clock=lambda: now)
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _fail)
        change(laptop, add(laptop, "counter").id, stars=5)
        laptop.sync()
    _age(truth, HISTORY_DAYS_KEPT + 1)
    add(laptop, "recent")
    synced(laptop)
    assert len(truth.applied()) == 1
    laptop.close()
    if make == 3:
        with closing(sqlite3.connect(team.directory_of("laptop") / "local.db")) as local:
            local.execute("DROP TABLE IF EXISTS received")
            local.execute("PRAGMA user_version = 3")
    (team.directory_of("laptop") / "replica.db").unlink()

    again = team.join("laptop")
    report = synced(again)

    assert (report.lost, again.recovery.lost()) == (0, [])


def _fail(*_arguments: object, **_options: object) -> None:
    raise UnreachableError("the network went down before the pull")
