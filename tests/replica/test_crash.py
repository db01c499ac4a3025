"""A process killed at any instruction loses no acknowledged write, and the next one goes on from what is on disk."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from replica import Replica, open_replica
from replica.drivers.embedded import Embedded, Trust
from sqld import Server
from tests.replica.killed_process import Act, survives
from tests.replica.team import (
    MIGRATIONS,
    Item,
    Team,
    Truth,
    add,
    change,
    open_member,
    remove,
    rows_of,
    synced,
)


def _commit(member: Replica) -> None:
    with member.transaction() as tx:
        tx.update(tx.get(Item, "known"), title="changed")
        tx.insert(Item(id="made", title="made"))


def _sync(member: Replica) -> None:
    report = member.sync()
    assert report.error is None, report


def _resolve(member: Replica) -> None:
    member.resolve(member.conflicts()[0].id, "mine")


@pytest.fixture
def rival(primary_server: Server, tmp_path: Path) -> Iterator[Replica]:
    """Somebody who changes the primary directly."""
    with open_replica(
        tmp_path / "rival", records=[Item], migrations=MIGRATIONS, mode="remote", url=primary_server.url,
        machine="rival000", session="ses_rival000_AAAAAA",
    ) as member:  # fmt: skip
        yield member


def _kill_points(act: Act | None, team: Team, url: str) -> Iterator[int]:
    """The steps of an act, each after a process was killed there, until one lived through it all."""
    for step in count(1):
        if survives(act, team.directory_of("laptop"), url, killed_at=step):
            assert step > 5, "the act was not watched"
            return
        yield step


def test_a_commit_that_is_killed_is_whole_or_nothing(team: Team, truth: Truth, primary_server: Server) -> None:
    """I5: at every statement of it; the outbox, the overlay and the primary agree on which."""
    laptop = team.join("laptop")
    add(laptop, "known", id="known")
    synced(laptop)

    for step in _kill_points(_commit, team, primary_server.url):
        is_there = bool(laptop.query("SELECT 1 FROM items WHERE id = 'made'").rows)
        assert (laptop.get(Item, "known").title == "changed") is is_there, step
        assert len(laptop.pending()) == int(is_there), step
        if is_there:
            synced(laptop)
            assert truth.title("made") == "made"
            remove(laptop, "made")
            change(laptop, "known", title="known")
            synced(laptop)

    assert laptop.get(Item, "known").title == "changed"


def test_a_first_open_that_is_killed_leaves_a_directory_that_opens(team: Team, primary_server: Server) -> None:
    """Half of `local.db` is no obstacle to the next."""
    for step in _kill_points(None, team, primary_server.url):
        if step % 5 == 0:
            with open_member(team.directory_of("laptop"), primary_server.url) as member:
                assert member.select(Item) == []


def test_i1_i2_a_sync_that_is_killed_loses_and_repeats_nothing(
    team: Team, truth: Truth, primary_server: Server, rival: Replica
) -> None:
    """At every step of push, resolve, park, pull and settle; the next sync brings each mutation there once."""
    laptop = team.join("laptop")
    for name in ("merged", "parked", "counted"):
        add(laptop, name, id=name)
    synced(laptop)
    made: list[str] = []

    def write(step: int) -> None:
        change(rival, "merged", body=f"theirs {step}")
        change(rival, "parked", title=f"theirs {step}")
        change(rival, "counted", stars=rival.get(Item, "counted").stars + 1)
        add(laptop, f"new {step}")
        made.append(change(laptop, "merged", title=f"mine {step}"))
        made.append(change(laptop, "parked", title=f"mine {step}"))
        made.append(change(laptop, "counted", stars=laptop.get(Item, "counted").stars + 1))

    write(0)
    for step in _kill_points(_sync, team, primary_server.url):
        synced(laptop)
        assert rows_of(laptop) == truth.rows(), step
        write(step)

    synced(laptop)
    applied = truth.applied()
    assert [mutation for mutation in applied if mutation in set(made)] == made
    assert truth.parked() == made[1::3]
    assert truth.run("SELECT stars FROM items WHERE id = 'counted'") == [[str(2 * len(made) // 3)]]
    assert rows_of(laptop) == truth.rows()


def test_a_base_whose_replacement_is_killed_is_there_whole(team: Team, truth: Truth, primary_server: Server) -> None:
    """At every step of fetching a fresh base and moving it into place; a program started then finds all its rows."""
    laptop = team.join("laptop")
    for number in range(5):
        add(laptop, f"item {number}")
        synced(laptop)
    add(laptop, "pending")
    store = laptop._driver
    assert isinstance(store, Embedded)
    store.distrust_base(Trust.OUTDATED)

    for step in _kill_points(_sync, team, primary_server.url):
        with open_member(team.directory_of("laptop"), primary_server.url) as started_now:
            assert len(started_now.select(Item)) == 6, step
            store.distrust_base(Trust.OUTDATED)

    synced(laptop)
    assert rows_of(laptop) == truth.rows()
    assert len(laptop.select(Item)) == 6


def test_a_decision_that_is_killed_is_whole_or_nothing(
    team: Team, truth: Truth, primary_server: Server, rival: Replica
) -> None:
    """A conflict is closed in the mutation that carries its outcome, so it is never closed without one."""
    laptop = team.join("laptop")
    add(laptop, "Milk", id="known")
    synced(laptop)
    change(rival, "known", title="theirs")
    change(laptop, "known", title="mine")
    synced(laptop)

    for step in _kill_points(_resolve, team, primary_server.url):
        is_open = bool(laptop.conflicts())
        assert laptop.get(Item, "known").title == ("theirs" if is_open else "mine"), step
        if not is_open:
            return

    assert laptop.get(Item, "known").title == "mine"
