"""Ids of machines, sessions and rows, and the prefixes that people type for them."""

import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import NoReturn
from uuid import RFC_4122, UUID

import machineid
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica.errors import AmbiguousIdError, NotFoundError
from replica.identity import (
    IdSource,
    _keep_first,
    _kept_source,
    machine_id,
    new_session_id,
    new_short_id,
    new_uuid7,
    prefix_range,
    resolve_prefix,
)

BASE32 = "[0-9a-hjkmnp-tv-z]"
NOW_S = 1795237632.123

# Stands in for a container: no machine id, and its first call waits until all are ready to make it.
MACHINE_WITHOUT_ID = """
import sys
import machineid
def none():
    raise machineid.MachineIdNotFound
machineid.id = none
from replica.identity import machine_id
sys.stdin.read()
print(machine_id())
"""


def no_machine_id() -> NoReturn:
    """Stand in for an operating system without a machine id."""
    raise machineid.MachineIdNotFound


def same_bytes(fill: int) -> Callable[[int], bytes]:
    """Return a source of bytes that are all `fill`."""
    return lambda count: bytes([fill]) * count


def test_a_machine_has_one_id_that_does_not_show_the_one_of_its_operating_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Eight characters, the same each time, another for another machine."""
    monkeypatch.setattr(machineid, "id", lambda: "0123456789abcdef0123456789abcdef")

    found = machine_id()

    assert re.fullmatch(BASE32 + "{8}", found)
    assert found == machine_id()
    monkeypatch.setattr(machineid, "id", lambda: "0123456789abcdef0123456789abcdee")
    assert machine_id() != found


@pytest.mark.parametrize("found", ["none", "uninitialized"])
def test_a_machine_without_id_keeps_one_that_only_its_user_can_read(
    found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Containers, and images before their first boot, are told apart and recognised."""
    monkeypatch.setattr(machineid, "id", no_machine_id if found == "none" else lambda: found)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    first = machine_id()

    assert re.fullmatch(BASE32 + "{8}", first)
    assert machine_id() == first
    (kept,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept.stat().st_mode & 0o777 == 0o600


def test_processes_that_ask_at_once_for_the_first_time_get_the_same_machine_id(tmp_path: Path) -> None:
    """Whoever is first decides, and nobody sees half an id."""
    environment = os.environ | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MACHINE_WITHOUT_ID],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]

    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    found = [process.communicate(timeout=60)[0].strip() for process in processes]

    assert [process.returncode for process in processes] == [0] * 8
    assert len(set(found)) == 1
    assert re.fullmatch(BASE32 + "{8}", found[0])


def test_the_text_that_was_kept_first_counts(tmp_path: Path) -> None:
    """A process that was slower takes the other's, and leaves nothing behind."""
    path = tmp_path / "data" / "machine"
    _keep_first(path, b"first")

    second = _keep_first(path, b"second")

    assert second == b"first"
    assert [found.name for found in path.parent.iterdir()] == ["machine"]


def test_a_kept_text_has_no_name_before_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader, and a crash, find all of it or nothing."""
    path = tmp_path / "machine"
    named_when_durable: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _handle: named_when_durable.append(path.exists()))

    _kept_source(path)

    assert named_when_durable == [False]
    assert path.exists()


def test_an_empty_file_is_damage_and_is_replaced(tmp_path: Path) -> None:
    """Two damaged machines do not become one."""
    path = tmp_path / "machine"
    path.touch()

    found = _kept_source(path)

    assert len(found) == 32
    assert _kept_source(path) == found


def test_where_nothing_can_be_kept_there_is_still_an_id(tmp_path: Path) -> None:
    """A read-only disk, or a user without a home, does not stop the program."""
    (tmp_path / "file").touch()

    assert len(_kept_source(tmp_path / "file" / "machine")) == 32
    assert len(_kept_source(Path("~/machine"))) == 32
    assert not Path("~").exists()


def test_a_session_names_its_machine() -> None:
    """`ses_<machine>_` and six characters nobody misreads."""
    first, second = new_session_id("jtr4n58w"), new_session_id("jtr4n58w")

    assert re.fullmatch(f"ses_jtr4n58w_{BASE32}{{6}}", first)
    assert first != second


def test_a_short_id_is_its_prefix_and_eight_characters() -> None:
    """All 40 random bits are in it."""
    assert new_short_id("td-", random=same_bytes(0)) == "td-00000000"
    assert new_short_id("td-", random=same_bytes(255)) == "td-zzzzzzzz"
    assert re.fullmatch(f"td-{BASE32}{{8}}", new_short_id("td-"))


def test_every_random_bit_is_in_a_short_id() -> None:
    """40 bits make 40 ids, none of them the one without."""
    found = {new_short_id("", random=(1 << bit).to_bytes) for bit in range(40)}

    assert len(found | {new_short_id("", random=same_bytes(0))}) == 41


def test_a_uuid7_has_the_layout_of_rfc_9562() -> None:
    """48 bits of milliseconds, version 7, variant 10, the rest random."""
    found = UUID(new_uuid7(1_645_557_742_000_999_999, same_bytes(255)))

    assert found.version == 7
    assert found.variant == RFC_4122
    assert found.int >> 80 == 0x017F22E279B0  # the timestamp of the example in RFC 9562, A.6
    assert str(found)[14:] == "77ff-bfff-ffffffffffff"


@given(st.lists(st.floats(-10, 10), max_size=50))
def test_ids_of_one_source_grow_whatever_the_clock_does(steps_s: list[float]) -> None:
    """Standing still and stepping back included."""
    moments = iter([NOW_S, *(NOW_S + step for step in steps_s)])
    source = IdSource(clock=lambda: next(moments))

    found = [source.new_uuid7() for _ in range(1 + len(steps_s))]

    assert all(one < other for one, other in pairwise(found))
    assert {UUID(one).version for one in found} == {7}


def test_only_one_thread_at_a_time_makes_an_id() -> None:
    """Two that could meet inside would make the same one."""
    meeting = threading.Barrier(2)
    met: list[int] = []

    def clock() -> float:
        with suppress(threading.BrokenBarrierError):
            met.append(meeting.wait(timeout=0.1))
        return NOW_S

    source = IdSource(clock)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: source.new_uuid7(), range(2)))

    assert not met
    assert len(set(found)) == 2


def test_ids_from_many_threads_are_all_different_and_grow_in_each() -> None:
    """One source serves every thread, also within one millisecond."""
    source = IdSource(clock=lambda: NOW_S)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: [source.new_uuid7() for _ in range(1000)], range(8)))

    assert len({one for ids in found for one in ids}) == 8000
    assert all(ids == sorted(ids) for ids in found)


def test_a_millisecond_that_is_full_borrows_the_next() -> None:
    """The random part never runs over into the version or the variant."""
    source = IdSource(clock=lambda: NOW_S, random=same_bytes(255))
    first = source.new_uuid7()
    source._tail = 2**74 - 1

    second = source.new_uuid7()

    assert second > first
    assert UUID(second).version == 7
    assert UUID(second).int >> 80 == (UUID(first).int >> 80) + 1


def test_an_id_carries_the_time_of_its_clock() -> None:
    """Ids of different machines sort by when they were made."""
    before_ms = time.time_ns() // 1_000_000

    made_ms = UUID(IdSource().new_uuid7()).int >> 80

    assert before_ms <= made_ms <= time.time_ns() // 1_000_000


IDS = ["td-0abc", "td-0abcd", "td-1x", "td-1y", "td-2"]


@pytest.mark.parametrize(("typed", "meant"), [("td-2", "td-2"), ("td-0abcd", "td-0abcd"), ("td-1y", "td-1y")])
def test_a_prefix_that_fits_one_id_stands_for_it(typed: str, meant: str) -> None:
    """Also where it is the id itself."""
    assert resolve_prefix(typed, IDS, "issue") == meant


def test_an_exact_id_wins_over_longer_ones() -> None:
    """An id can always be named, whatever other ids there are."""
    assert resolve_prefix("td-0abc", IDS, "issue") == "td-0abc"


def test_an_ambiguous_prefix_lists_the_candidates() -> None:
    """Sorted, so that the list can be read."""
    with pytest.raises(AmbiguousIdError) as raised:
        resolve_prefix("td-1", ["td-1y", "td-1x", "td-2", "td-1x"], "issue")

    assert raised.value.candidates == ("td-1x", "td-1y")


@pytest.mark.parametrize("typed", ["td-3", "td-0abcde", "TD-2", "", " "])
def test_what_fits_no_id_is_not_found(typed: str) -> None:
    """Nothing typed stands for nothing: not for the only issue there is."""
    with pytest.raises(NotFoundError):
        resolve_prefix(typed, ["td-2"] if not typed else IDS, "issue")


tricky = st.text(st.sampled_from("ab\x00~\x7f\ud7ff\ue000\uffff\U0010ffff"), max_size=4) | st.text(max_size=4)


@given(typed=tricky.filter(lambda text: text.strip("\U0010ffff")), rest=tricky, other=tricky)
def test_a_prefix_range_holds_exactly_the_ids_that_start_with_it(typed: str, rest: str, other: str) -> None:
    """As SQLite compares text, an index finds the candidates."""
    low, high = prefix_range(typed)

    with closing(sqlite3.connect(":memory:")) as database:
        for text in (typed + rest, other):
            (found,) = database.execute("SELECT ?1 >= ?2 AND ?1 < ?3", (text, low, high)).fetchone()
            assert bool(found) == text.startswith(typed)


@pytest.mark.parametrize("typed", ["", "\udcff", "td-\ud800", "\U0010ffff"])
def test_what_cannot_start_an_id_has_an_empty_range_that_sqlite_takes(typed: str) -> None:
    """Bytes from the command line that are no text find nothing, and break nothing."""
    low, high = prefix_range(typed)

    assert low >= high
    assert (low + high).encode() == b""
