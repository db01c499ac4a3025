"""Several processes on one replica, and processes that end in the middle: no write is lost, and one syncs at a time."""

import dataclasses
import json
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

from replica import BusyError, Replica, StorageError
from replica.sync_lock import is_locked
from sqld import Server
from tests.replica.team import Item, Team, Truth, add, change, open_member, rows_of, synced

_PROCESSES: Final = multiprocessing.get_context("forkserver")
_WRITERS: Final = 4
_WRITES: Final = 12


def _wait_until(reached: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not reached():
        assert time.monotonic() < deadline, "not reached in time"
        time.sleep(0.01)


def _write_and_sync(directory: Path, url: str, number: int) -> None:
    with open_member(directory, url) as member:
        for turn in range(_WRITES):
            add(member, f"{number} {turn}")
            with member.transaction() as tx:
                item = tx.get(Item, "counted")
                tx.update(item, stars=item.stars + 1)
        report = member.sync()
        assert report.error is None, report


def test_i1_processes_that_write_and_sync_at_once_lose_nothing(
    team: Team, truth: Truth, primary_server: Server
) -> None:
    """Each transaction holds the outbox while it reads and writes, and each sync takes along what all have written."""
    laptop = team.join("laptop")
    add(laptop, "counted", id="counted")
    synced(laptop)
    url = primary_server.url
    processes = [
        _PROCESSES.Process(target=_write_and_sync, args=(team.directory_of("laptop"), url, number))
        for number in range(_WRITERS)
    ]

    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * _WRITERS
    synced(laptop)
    assert len(laptop.select(Item)) == 1 + _WRITERS * _WRITES
    assert laptop.get(Item, "counted").stars == _WRITERS * _WRITES
    assert laptop.conflicts() == []
    assert rows_of(laptop) == truth.rows()
    assert len(truth.applied()) == 1 + 2 * _WRITERS * _WRITES


@contextmanager
def _tar_pit() -> Iterator[tuple[str, Callable[[], bool]]]:
    """An address that accepts and never answers, and whether somebody has connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)  # noqa: FBT003 - the name of the method says what
        kept = []

        def has_visitor() -> bool:
            try:
                kept.append(listener.accept()[0])
            except BlockingIOError:
                return bool(kept)
            return True

        yield f"http://127.0.0.1:{listener.getsockname()[1]}", has_visitor
        for connection in kept:
            connection.close()


def _pull_from(directory: Path, url: str, tar_pit: str) -> None:
    with open_member(directory, url) as member:
        syncer = member._sync
        assert syncer is not None
        sync = syncer()
        sync._base._around = dataclasses.replace(sync._around, url=tar_pit)
        add(member, "Milk")
        member.sync(deadline_s=600)


def test_a_puller_ends_with_its_parent_and_frees_the_lock(team: Team, truth: Truth, primary_server: Server) -> None:
    """A parent that is killed while it fetches holds nobody up, though its puller hangs."""
    laptop = team.join("laptop")
    synced(laptop)
    directory = team.directory_of("laptop")
    with _tar_pit() as (url, has_visitor):
        process = _PROCESSES.Process(target=_pull_from, args=(directory, primary_server.url, url))
        process.start()
        _wait_until(has_visitor)
        assert is_locked(directory)
        assert isinstance(laptop.sync(deadline_s=0.1).error, BusyError)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()

        _wait_until(lambda: not is_locked(directory))

    synced(laptop)
    assert [item.title for item in laptop.select(Item)] == ["Milk"]
    assert rows_of(laptop) == truth.rows()


def _write_until_full(member: Replica, length: int) -> int:
    for written in count():
        try:
            add(member, f"item {written}", body="x" * length)
        except StorageError:
            return written
    raise AssertionError


def _fill_disk(directory: Path, url: str, said: Path) -> None:
    with open_member(directory, url) as member:
        change(member, "known", stars=1)
        size = (directory / "local.db-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, resource.RLIM_INFINITY))
        written = sum(_write_until_full(member, length) for length in (5_000, 1))
        seen = len(member.select(Item))
        report = member.sync()
        failed = None if report.error is None else report.error.code
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        add(member, "after")
        said.write_text(json.dumps({"written": written, "seen": seen, "failed": failed}))


def test_i1_a_full_disk_refuses_a_write_and_keeps_the_earlier_ones(
    team: Team, truth: Truth, primary_server: Server, tmp_path: Path
) -> None:
    """The error is clear, the sync reports it rather than raise it, and with room again everything goes on."""
    laptop = team.join("laptop")
    add(laptop, "known", id="known")
    synced(laptop)
    said = tmp_path / "said.json"
    process = _PROCESSES.Process(target=_fill_disk, args=(team.directory_of("laptop"), primary_server.url, said))

    process.start()
    process.join(60)

    assert process.exitcode == 0
    told = json.loads(said.read_text())
    assert told["written"] > 0
    assert told["seen"] == told["written"] + 1
    assert told["failed"] == "storage"
    synced(laptop)
    assert len(laptop.select(Item)) == told["written"] + 2
    assert rows_of(laptop) == truth.rows()


def test_the_files_of_a_replica_are_for_their_owner_only(team: Team) -> None:
    """Also those that the puller made, and those beside them."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    synced(laptop)

    directory = team.directory_of("laptop")
    modes = {path.name: path.stat().st_mode & 0o777 for path in directory.rglob("*")}

    assert directory.stat().st_mode & 0o777 == 0o700
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}


def test_threads_of_one_program_share_a_replica(team: Team, truth: Truth) -> None:
    """Each with a connection of its own; they may all sync at once, and one does."""
    laptop = team.join("laptop")
    errors: list[object] = []

    def work(number: int) -> None:
        for turn in range(5):
            add(laptop, f"{number} {turn}")
        errors.append(laptop.sync().error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == [None] * 3
    synced(laptop)
    assert len(laptop.select(Item)) == 15
    assert rows_of(laptop) == truth.rows()


_ENDLESS: Final = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def _query_without_end(directory: Path, started: Event) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open_member(directory, "http://127.0.0.1:1") as member:
        try:
            started.set()
            member.query(_ENDLESS)
        except KeyboardInterrupt:
            os._exit(130)


def test_ctrl_c_ends_a_query_that_would_never_end(tmp_path: Path) -> None:
    """SQL of a user's may take as long as it likes, not longer than the user."""
    started = _PROCESSES.Event()
    process = _PROCESSES.Process(target=_query_without_end, args=(tmp_path, started))
    process.start()
    assert started.wait(20)
    assert process.pid is not None

    os.kill(process.pid, signal.SIGINT)

    process.join(20)
    assert process.exitcode == 130
