"""What a reader sees while others write and sync: whole mutations (I5), no gap in its own (I6), and at once (I8)."""

import multiprocessing
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

import pytest

from replica.drivers.attached import Attached
from replica.drivers.embedded import Embedded, Trust
from sqld import Server
from tests.faults import FaultProxy
from tests.replica.team import Item, Team, Truth, add, change, open_member, rows_of, synced

_PROCESSES: Final = multiprocessing.get_context("forkserver")
_ROUNDS: Final = 25
_POLLS_A_PROCESS: Final = 20
_PAIR: Final = "SELECT title FROM items WHERE id IN ('left', 'right')"
_COUNT: Final = "SELECT stars FROM items WHERE id = 'counted'"


@dataclass(frozen=True)
class _Shared:
    """What the reader and its test tell each other."""

    committed: Any  # multiprocessing's Value is a function, so it has no type of its own
    is_over: Event
    polls: Any  # the same
    complaints: Any  # multiprocessing's SimpleQueue: the same


def _read_on(directory: Path, url: str, shared: _Shared) -> None:
    while not shared.is_over.is_set():
        # Opened again and again, because a program that starts now must not see less than one that runs.
        with open_member(directory, url) as member:
            for _ in range(_POLLS_A_PROCESS):
                committed = shared.committed.value
                (stars,) = [int(str(row[0])) for row in member.query(_COUNT).rows] or [-1]
                if stars < committed:
                    shared.complaints.put(f"{committed} was committed, {stars} was read")
                titles = [str(row[0]) for row in member.query(_PAIR).rows]
                if len(titles) != 2 or titles[0] != titles[1]:
                    shared.complaints.put(f"half a mutation: {titles}")
                shared.polls.value += 1


@contextmanager
def _reader(directory: Path, url: str) -> Iterator[_Shared]:
    """A process that reads all the time; at the end it must have had nothing to complain about."""
    shared = _Shared(_PROCESSES.Value("q", 0), _PROCESSES.Event(), _PROCESSES.Value("q", 0), _PROCESSES.SimpleQueue())
    process = _PROCESSES.Process(target=_read_on, args=(directory, url, shared))
    process.start()
    try:
        yield shared
    finally:
        shared.is_over.set()
        process.join(30)
        process.kill()
    assert process.exitcode == 0
    assert shared.complaints.empty(), shared.complaints.get()
    assert shared.polls.value > _ROUNDS


def test_i5_i6_a_reader_in_another_process_sees_whole_mutations_and_no_gap(
    team: Team, truth: Truth, primary_server: Server
) -> None:
    """Through push, merge, pull, settle and a base that is replaced, on a row that others change, too."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    for name in ("counted", "left", "right"):
        add(laptop, "Milk", id=name)
    synced(laptop)
    synced(desktop)
    store = laptop._driver
    assert isinstance(store, Embedded)

    with _reader(team.directory_of("laptop"), primary_server.url) as shared:
        for number in range(1, _ROUNDS + 1):
            change(laptop, "counted", stars=number)
            shared.committed.value = number
            writer = (laptop, desktop)[number % 2]
            with writer.transaction() as tx:
                for name in ("left", "right"):
                    tx.update(tx.get(Item, name), title=f"round {number}")
            change(desktop, "counted", body=f"round {number}")
            synced(desktop)
            if number % 4 == 0:
                store.distrust_base(Trust.OUTDATED)
            synced(laptop)

    assert truth.run("SELECT stars FROM items WHERE id = 'counted'") == [[str(_ROUNDS)]]
    assert rows_of(laptop) == truth.rows()


def test_i6_a_parked_write_is_seen_as_it_was_until_it_is_a_conflict(team: Team, truth: Truth) -> None:
    """In one transaction the write leaves the row and the conflict with all of it appears."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    synced(laptop)
    synced(desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    change(laptop, item.id, title="Rice milk")
    seen = set()
    both = """SELECT (SELECT title FROM items), (SELECT count(*) FROM _replica_conflicts)"""
    syncing = threading.Thread(target=laptop.sync)

    syncing.start()
    while syncing.is_alive():
        seen.add(laptop.query(both).rows[0])
    seen.add(laptop.query(both).rows[0])

    assert ("Milk", 0) not in seen
    assert ("Oat milk", 0) not in seen
    assert seen <= {("Rice milk", 0), ("Milk", 1), ("Oat milk", 1)}


@pytest.mark.parametrize("way", ["get", "select", "query", "transaction"])
def test_i6_a_base_that_is_put_in_place_at_the_last_moment_hides_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Another process swaps and settles between the look at the base and the read or write that relies on it."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    synced(laptop)
    change(laptop, item.id, title="Oat milk")
    member = team.join("laptop")
    store = laptop._driver
    assert isinstance(store, Embedded)
    store.distrust_base(Trust.OUTDATED)
    reads: dict[str, Callable[[], object]] = {
        "get": lambda: member.get(Item, item.id),
        "select": lambda: member.select(Item),
        "query": lambda: member.query("SELECT title FROM items").rows,
        "transaction": lambda: change(member, item.id, body="of oats") and member.get(Item, item.id),
    }
    refresh, swaps = Attached.refresh, iter([laptop])

    def refresh_and_be_overtaken(attached: Attached) -> None:
        refresh(attached)
        for syncing in swaps:
            synced(syncing)

    monkeypatch.setattr(Attached, "refresh", refresh_and_be_overtaken)

    seen = str(reads[way]())

    assert "Oat milk" in seen


def test_i6_a_base_that_is_replaced_while_it_is_attached_is_attached_again(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of one file and half of another is no news of either."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    synced(laptop)
    store = laptop._driver
    assert isinstance(store, Embedded)
    store.distrust_base(Trust.OUTDATED)
    attach, swaps = Attached._attach_freely, iter([laptop])

    def attach_and_be_overtaken(attached: Attached) -> None:
        for syncing in swaps:
            synced(syncing)
            error = sqlite3.OperationalError("of two files")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error
        attach(attached)

    monkeypatch.setattr(Attached, "_attach_freely", attach_and_be_overtaken)

    assert team.join("laptop").get(Item, item.id).title == "Milk"


def test_i8_reads_and_queued_writes_need_no_socket(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening, reading, writing, deciding and asking how it stands: all of it is local."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    synced(laptop)
    synced(desktop)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    change(laptop, item.id, title="Rice milk")
    synced(laptop)

    def no_socket(*_arguments: object, **_options: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", no_socket)
    again = team.join("laptop")
    again.resolve(again.conflicts()[0].id, "mine")
    change(again, item.id, body="two litres")
    with again.transaction() as tx:
        tx.delete(tx.insert(Item(title="Butter")))

    assert again.get(Item, item.id[:12]).title == "Rice milk"
    assert len(again.history(Item, item.id)) == 4
    assert again.status().pending == 2


def test_i8_reads_and_queued_writes_do_not_wait_for_a_sync_that_waits(team: Team, network: FaultProxy) -> None:
    """The primary accepts and never answers, and the sync hangs in the middle of its push."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    synced(laptop)
    change(laptop, item.id, stars=1)
    network.freeze()
    syncing = threading.Thread(target=laptop.sync, kwargs={"deadline_s": 30.0})
    syncing.start()
    network.wait_for(lambda counts: counts.held == 1)
    took_s = []

    for number in range(50):
        started = time.perf_counter()
        change(laptop, item.id, title=f"title {number}")
        assert laptop.get(Item, item.id).title == f"title {number}"
        took_s.append(time.perf_counter() - started)

    assert syncing.is_alive()
    assert max(took_s) < 0.5
    network.heal()
    syncing.join(30)
    synced(laptop)
