"""A primary that went back in time: what it lost is kept here, and is sent again when a person says so."""

from contextlib import closing
from pathlib import Path

import pytest

from replica import Kind, Replica
from sqld import Server
from tests.replica.backups import back_up, restore
from tests.replica.epics import finish, titles, two_members
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, rows_of, synced


@pytest.fixture
def laptop(team: Team) -> Replica:
    """One who has three items, on the primary as well."""
    member = team.join("laptop")
    for name in ("milk", "bread", "tea"):
        add(member, name, id=name)
    synced(member)
    return member


def _work(laptop: Replica, desktop: Replica) -> list[str]:
    """One mutation of each kind, by two people, a parked one among them. Returns their ids in the primary's order."""
    all_synced(laptop, desktop)
    ids = [change(laptop, "milk", title="oat milk", stars=3), remove(laptop, "tea")]
    synced(laptop)
    ids.append(change(desktop, "milk", title="rice milk"))
    assert synced(desktop).parked == 1
    with desktop.transaction() as tx:
        tx.insert(Item(id="sugar", title="sugar", tags=frozenset({"new"})))
        tx.update(tx.get(Item, "bread"), body="rye")
        ids.append(tx.mutation_id)
    synced(desktop)
    ids.append(desktop.resolve(desktop.conflicts()[0].id, "mine").id)
    all_synced(desktop, laptop)
    return ids


def test_what_a_restored_primary_lost_is_listed_whole_in_its_order(
    team: Team, truth: Truth, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """Other people's too: this replica may be the only one that still knows them."""
    back_up(primary_server, tmp_path / "backup")
    ids = _work(laptop, team.join("desktop"))
    restore(primary_server, tmp_path / "backup")

    report = synced(laptop)

    lost = laptop.recovery.lost()
    assert report.lost == laptop.status().lost == len(ids)
    assert [mutation.id for mutation in lost] == ids
    assert [[change.kind for change in mutation.changes] for mutation in lost][3] == [Kind.INSERT, Kind.UPDATE]
    assert lost[0].changes[0].fields == {"title": ("milk", "oat milk"), "stars": (0, 3)}
    assert rows_of(laptop) == truth.rows()


def test_i2_what_was_lost_and_is_sent_again_by_all_who_know_it_is_there_once(
    team: Team, truth: Truth, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """Row for row as it was, conflicts included."""
    back_up(primary_server, tmp_path / "backup")
    desktop = team.join("desktop")
    ids = _work(laptop, desktop)
    before, applied = truth.rows(), truth.applied()
    restore(primary_server, tmp_path / "backup")
    synced(laptop)
    synced(desktop)

    assert [mutation.id for mutation in laptop.recovery.resend_lost()] == ids
    desktop.recovery.resend_lost()
    assert rows_of(laptop) == before
    all_synced(laptop, desktop)

    assert truth.rows() == before
    assert truth.applied() == applied
    assert rows_of(laptop) == rows_of(desktop) == before
    assert laptop.recovery.lost() == desktop.recovery.lost() == []


def test_what_another_one_sent_again_is_lost_no_more(
    team: Team, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """The list is of what the primary does not have."""
    back_up(primary_server, tmp_path / "backup")
    desktop = team.join("desktop")
    _work(laptop, desktop)
    restore(primary_server, tmp_path / "backup")
    all_synced(laptop, desktop)
    desktop.recovery.resend_lost()
    synced(desktop)

    synced(laptop)

    assert laptop.recovery.lost() == []


def test_what_is_let_go_is_not_listed_again(
    team: Team, truth: Truth, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """Somebody restored the older copy on purpose; also when the base is fetched anew."""
    back_up(primary_server, tmp_path / "backup")
    ids = _work(laptop, team.join("desktop"))
    restore(primary_server, tmp_path / "backup")
    synced(laptop)

    gone = laptop.recovery.forget_lost()
    (team.directory_of("laptop") / "replica.db").unlink()
    report = synced(laptop)

    assert [mutation.id for mutation in gone] == ids
    assert (report.lost, laptop.status().lost) == (0, 0)
    assert rows_of(laptop) == truth.rows()


def test_what_was_made_here_is_known_even_without_the_base(
    team: Team, truth: Truth, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """The primary went back and the base is gone, too: who wrote it remembers it."""
    back_up(primary_server, tmp_path / "backup")
    made = [change(laptop, "milk", title="oat milk"), change(laptop, "bread", stars=2)]
    synced(laptop)
    restore(primary_server, tmp_path / "backup")
    laptop.close()
    (team.directory_of("laptop") / "replica.db").unlink()

    again = team.join("laptop")
    report = synced(again)

    assert report.lost == 2
    assert [mutation.id for mutation in again.recovery.resend_lost()] == made
    synced(again)
    assert truth.title("milk") == "oat milk"
    assert synced(again).lost == 0


def test_i7_what_is_sent_again_goes_before_what_waits(
    team: Team, truth: Truth, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """It was made before; a change that builds on it finds it there."""
    back_up(primary_server, tmp_path / "backup")
    first = change(laptop, "milk", title="oat milk")
    synced(laptop)
    restore(primary_server, tmp_path / "backup")
    synced(laptop)
    second = change(laptop, "bread", title="rye")

    laptop.recovery.resend_lost()
    third = change(laptop, "milk", title="soy milk")
    report = synced(laptop)

    assert report.parked == 0
    assert truth.applied()[-3:] == [first, second, third]


def test_what_was_settled_a_month_ago_is_remembered_no_more(
    team: Team, primary_server: Server, laptop: Replica, tmp_path: Path
) -> None:
    """30 days; else it would grow for ever."""
    now = [1_800_000_000.0]
    back_up(primary_server, tmp_path / "backup")
    member = team.join("phone", clock=lambda: now[0])
    synced(member)
    old = change(member, "milk", stars=1)
    synced(member)
    now[0] += 29 * 86_400
    kept = change(member, "milk", stars=2)
    synced(member)
    now[0] += 2 * 86_400
    synced(member)
    restore(primary_server, tmp_path / "backup")
    member.close()
    (team.directory_of("phone") / "replica.db").unlink()

    again = team.join("phone", clock=lambda: now[0])
    synced(again)

    assert [mutation.id for mutation in again.recovery.lost()] == [kept] != [old]


@pytest.mark.parametrize("sender", ["who made it", "who only saw it"])
def test_a_consequence_that_was_lost_and_is_sent_again_gives_way_to_what_was_done_since(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path, sender: str
) -> None:
    """Whoever sends it: what yields is told by the history of the primary too."""
    maker, other = two_members(team)
    back_up(primary_server, tmp_path / "backup")
    finish(maker)
    all_synced(maker, other)
    restore(primary_server, tmp_path / "backup")
    with closing(team.join("third")) as third:
        synced(third)
        change(third, "epic", title="blocked")
        synced(third)
    member = maker if sender == "who made it" else other
    synced(member)

    member.recovery.resend_lost()

    assert (synced(member).parked, titles(truth)) == (0, ("done", "blocked"))
