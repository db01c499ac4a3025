"""A replica belongs to one primary: shown another, it sends nothing and gives nothing up until it is told to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from replica import OtherPrimaryError, Replica
from sqld import Server
from tests.replica.team import Item, Team, Truth, add, open_member, rows_of, synced


@pytest.fixture
def elsewhere(sqld_binary: Path) -> Iterator[Server]:
    """Another primary, of people who have an item of their own."""
    with Server(sqld_binary) as server:
        with open_member(server.data_dir / "them", server.url, machine="them0000") as them:
            add(them, "theirs")
            synced(them)
        yield server


@pytest.fixture
def moved(team: Team, elsewhere: Server) -> Replica:
    """A replica with something settled and something pending, whose address was changed to another primary."""
    laptop = team.join("laptop")
    add(laptop, "settled")
    synced(laptop)
    add(laptop, "pending")
    laptop.close()
    return team.join("laptop", url=elsewhere.url)


def _titles(member: Replica) -> list[str]:
    return sorted(item.title for item in member.select(Item))


def _online(member: Replica) -> None:
    with member.transaction("online") as tx:
        tx.insert(Item(title="online"))


def _sync(member: Replica) -> None:
    report = member.sync()
    if report.error is not None:
        raise report.error


@pytest.mark.parametrize("act", [_sync, _online])
def test_i1_another_primary_gets_nothing_and_nothing_goes_out_of_sight(
    team: Team, truth: Truth, elsewhere: Server, moved: Replica, act: Callable[[Replica], None]
) -> None:
    """A mistyped address, or one that is meant for another directory."""
    with pytest.raises(OtherPrimaryError) as caught:
        act(moved)

    assert not caught.value.is_new
    assert Truth(elsewhere.port).run("SELECT title FROM items") == [["theirs"]]
    assert _titles(moved) == ["pending", "settled"]
    assert len(moved.pending()) == 1
    moved.close()
    laptop = team.join("laptop")
    synced(laptop)
    assert rows_of(laptop) == truth.rows()
    assert _titles(laptop) == ["pending", "settled"]


def test_another_primary_that_is_meant_gets_what_waits_and_the_rest_is_listed(
    elsewhere: Server, moved: Replica
) -> None:
    """What the old primary had is lost to the new one, until it is sent again."""
    report = moved.sync(adopt_primary=True)

    assert (report.error, report.pushed, report.lost) == (None, 1, 1)
    assert _titles(moved) == ["pending", "theirs"]
    moved.recovery.resend_lost()
    synced(moved)
    assert _titles(moved) == ["pending", "settled", "theirs"]
    assert rows_of(moved) == Truth(elsewhere.port).rows()


@pytest.mark.parametrize("is_base_there", [True, False])
def test_i1_an_emptied_primary_takes_nothing_away(
    team: Team, truth: Truth, primary_server: Server, *, is_base_there: bool
) -> None:
    """Its data directory was deleted, or it was started on a wrong one; told to go on, all is there again."""
    laptop = team.join("laptop")
    add(laptop, "settled")
    synced(laptop)
    add(laptop, "pending")
    laptop.close()
    primary_server.stop()
    shutil.rmtree(primary_server.data_dir / "dbs")
    primary_server.start()
    if not is_base_there:
        (team.directory_of("laptop") / "replica.db").unlink()

    again = team.join("laptop")
    error = again.sync().error

    assert isinstance(error, OtherPrimaryError)
    assert error.is_new
    assert truth.run("SELECT name FROM sqlite_schema") == []
    assert again.status().last_error == str(error)
    report = again.sync(adopt_primary=True)
    assert (report.error, report.pushed, report.lost) == (None, 1, 1)
    again.recovery.resend_lost()
    synced(again)
    assert _titles(again) == ["pending", "settled"]
    assert rows_of(again) == truth.rows()


def test_a_replica_that_never_synced_belongs_to_the_first_primary_it_meets(
    team: Team, primary_server: Server, elsewhere: Server
) -> None:
    """Until then its address may change as it likes."""
    laptop = team.join("laptop", url="http://127.0.0.1:1")
    add(laptop, "pending")
    laptop.sync()
    laptop.close()

    synced(team.join("laptop"))

    assert isinstance(team.join("laptop", url=elsewhere.url).sync().error, OtherPrimaryError)
