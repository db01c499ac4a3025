"""Writes that go to the primary first: they are there when the block ends, or nothing is anywhere."""

import time
from collections.abc import Iterator
from typing import Final

import httpx
import pytest

from replica import (
    ConflictError,
    InputError,
    OfflineError,
    PrimaryBusyError,
    StorageError,
    UnknownOutcomeError,
    UnreachableError,
)
from replica.hrana import Hrana
from tests.faults import FaultProxy
from tests.replica.team import Item, Team, Truth, add, all_synced, change, rows_of, synced

_SENT_AT_MOST: Final = 4


def test_an_online_write_is_on_the_primary_and_here_when_its_block_ends(team: Team, truth: Truth) -> None:
    """Nothing is left to push; the base will hold it after the next sync."""
    laptop = team.join("laptop")
    synced(laptop)

    with laptop.transaction("online") as tx:
        item = tx.insert(Item(title="Milk"))

    assert truth.title(item.id) == "Milk"
    assert laptop.get(Item, item.id) == item
    assert synced(laptop).pushed == 0
    assert rows_of(laptop) == truth.rows()


def test_an_online_write_to_a_row_that_moved_on_is_refused_with_the_row_as_it_is(team: Team, truth: Truth) -> None:
    """The caller can decide at once; nothing is queued and nothing was changed."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(desktop, item.id, title="Oat milk", stars=3)
    synced(desktop)

    with pytest.raises(ConflictError) as caught, laptop.transaction("online") as tx:
        tx.update(tx.get(Item, item.id), title="Rice milk")

    assert isinstance(caught.value.current, Item)
    assert (caught.value.current.title, caught.value.current.stars) == ("Oat milk", 3)
    assert laptop.pending() == []
    assert truth.title(item.id) == "Oat milk"


@pytest.mark.parametrize("weather", ["cut", "frozen"])
def test_i8_an_online_write_without_a_network_queues_nothing(
    team: Team, truth: Truth, network: FaultProxy, monkeypatch: pytest.MonkeyPatch, weather: str
) -> None:
    """OfflineError, soon; what was queued before stays queued, and the queued way is still open."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    synced(laptop)
    queued = change(laptop, item.id, stars=1)
    monkeypatch.setattr("replica.sync._LOCK_WAIT_S", 0.5)
    if weather == "cut":
        network.cut()
    else:
        network.freeze()

    with pytest.raises(OfflineError), laptop.transaction("online") as tx:
        tx.update(tx.get(Item, item.id), title="Oat milk")

    assert [mutation.id for mutation in laptop.pending()] == [queued]
    assert laptop.get(Item, item.id).title == "Milk"
    network.heal()
    synced(laptop)
    assert truth.title(item.id) == "Milk"


@pytest.mark.parametrize("fault", ["lost", "duplicated"])
def test_i2_an_online_write_whose_reply_is_lost_or_not_the_first_counts_once(
    team: Team, truth: Truth, network: FaultProxy, fault: str
) -> None:
    """It is asked for by its id, and found to be done."""
    laptop = team.join("laptop", url=network.url)
    item = add(laptop, "Milk")
    synced(laptop)
    if fault == "lost":
        network.lose_next_reply(matching="COMMIT")
    else:
        network.duplicate_next_request(matching="COMMIT")

    with laptop.transaction("online") as tx:
        tx.update(tx.get(Item, item.id), stars=1)

    synced(laptop)
    assert truth.run("SELECT stars FROM items") == [["1"]]
    assert len(truth.applied()) == 2
    assert rows_of(laptop) == truth.rows()


def test_i1_an_online_write_whose_every_reply_is_lost_is_not_called_a_failure(
    team: Team, truth: Truth, network: FaultProxy
) -> None:
    """It is there; the error says that this is not known, and names the mutation to look for."""
    laptop = team.join("laptop", url=network.url)
    synced(laptop)
    for _ in range(_SENT_AT_MOST):
        network.lose_next_reply(matching="COMMIT")

    with pytest.raises(UnknownOutcomeError) as caught, laptop.transaction("online") as tx:
        item = tx.insert(Item(title="Milk"))

    assert caught.value.mutation_id == tx.mutation_id
    assert truth.applied() == [tx.mutation_id]
    assert laptop.pending() == []
    synced(laptop)
    assert laptop.get(Item, item.id) == item


@pytest.mark.parametrize("first", ["turned away", "lost"])
def test_an_online_write_that_a_busy_primary_turned_away_is_known_not_to_be_there(
    team: Team, truth: Truth, network: FaultProxy, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """Unless it was sent before in vain, when nobody knows."""
    laptop = team.join("laptop", url=network.url)
    synced(laptop)
    errors: Iterator[Exception] = iter([UnreachableError("no answer")] if first == "lost" else [])

    def busy(_steps: object) -> object:
        raise next(errors, PrimaryBusyError("the primary has too much to do"))

    with monkeypatch.context() as patched:
        patched.setattr("replica.primary.Primary.apply", lambda _self, steps: busy(steps))
        with pytest.raises(UnreachableError) as caught, laptop.transaction("online") as tx:
            tx.insert(Item(title="Milk"))

    assert type(caught.value) is (UnknownOutcomeError if first == "lost" else OfflineError)
    assert laptop.pending() == []
    assert truth.applied() == []


def test_an_online_write_turned_away_until_its_deadline_is_known_not_to_be_there(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in truth: the requests themselves wait, and there is no time left to send it once more."""
    laptop = team.join("laptop")
    synced(laptop)
    monkeypatch.setattr("replica.sync._LOCK_WAIT_S", 1.5)
    real = Hrana._post

    def post(self: Hrana, body: object, headers: dict[str, str], timeout_s: float) -> httpx.Response:
        if "COMMIT" in str(body) and self._deadline > time.monotonic():
            return httpx.Response(429, request=httpx.Request("POST", "http://primary"))
        return real(self, body, headers, timeout_s)

    monkeypatch.setattr(Hrana, "_post", post)

    with pytest.raises(OfflineError, match="429"), laptop.transaction("online") as tx:
        tx.insert(Item(title="Milk"))


@pytest.mark.parametrize("from_page", [3, 8, 12])
def test_i1_an_online_write_that_is_done_is_not_called_a_failure_for_a_damaged_base(
    team: Team, truth: Truth, from_page: int
) -> None:
    """Nor called done where it is not."""
    laptop = team.join("laptop")
    with laptop.transaction() as tx:
        for number in range(200):
            tx.insert(Item(title=f"item {number}", body="x" * 500))
    synced(laptop)
    laptop.close()
    base = team.directory_of("laptop") / "replica.db"
    base.write_bytes(base.read_bytes()[: from_page * 4096] + b"\x55" * (base.stat().st_size - from_page * 4096))
    again = team.join("laptop")

    with again.transaction("online") as tx:
        item = tx.insert(Item(title="new"))

    assert truth.title(item.id) == "new"
    synced(again)
    assert again.get(Item, item.id) == item
    assert rows_of(again) == truth.rows()


def test_an_online_write_that_cannot_be_noted_here_says_that_it_is_done(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or its author would make it once more."""
    laptop = team.join("laptop")
    synced(laptop)

    def refuse(*_arguments: object) -> None:
        raise StorageError("the disk refused to write local.db: database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("replica.outbox.append", refuse)
        with pytest.raises(StorageError, match="is on the primary") as caught, laptop.transaction("online") as tx:
            item = tx.insert(Item(title="Milk"))

    assert "do not make it again" in caught.value.hint
    assert truth.title(item.id) == "Milk"
    synced(laptop)
    assert laptop.get(Item, item.id) == item


def test_i7_an_online_write_goes_after_what_was_queued_before_it(team: Team, truth: Truth) -> None:
    """It may build on it."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    queued = [mutation.id for mutation in laptop.pending()]

    with laptop.transaction("online") as tx:
        tx.update(tx.get(Item, item.id), title="Oat milk")

    assert truth.applied() == [*queued, tx.mutation_id]
    assert truth.title(item.id) == "Oat milk"


def test_an_online_write_that_a_constraint_refuses_is_an_error_and_no_conflict(team: Team, truth: Truth) -> None:
    """Its author is there to hear it, so nothing needs to be parked."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(desktop, "Bread", code="bread")
    synced(desktop)
    synced(laptop)

    with pytest.raises(InputError, match="UNIQUE"), laptop.transaction("online") as tx:
        tx.insert(Item(title="Rye bread", code="bread"))

    assert laptop.pending() == []
    assert truth.parked() == []


def test_i4_a_queued_write_after_an_online_one_builds_on_it(team: Team, truth: Truth) -> None:
    """Before any pull, the row shows the online write, and the next change is compared with that."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    with laptop.transaction("online") as tx:
        tx.update(tx.get(Item, item.id), title="Oat milk")
    synced(desktop)
    change(desktop, item.id, title="Rice milk")
    synced(desktop)

    change(laptop, item.id, body="two litres")
    all_synced(laptop, desktop)

    assert truth.run("SELECT title, body FROM items") == [["Rice milk", "two litres"]]
    assert truth.parked() == []
