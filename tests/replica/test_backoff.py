"""Waiting: clients of a primary that has too much to do come back later and later, apart, and until their deadline."""

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica import PrimaryBusyError, Replica, Stage, SyncReport, UnreachableError
from replica.backoff import ANSWER_S, LAST_S, delays_s, delays_until_s
from replica.pull import pull
from replica.sync_lock import sync_lock
from tests.replica.busy_server import BusyServer
from tests.replica.team import Team, Truth, add, open_member, synced

CLIENTS: Final = 20
DEADLINE_S: Final = 4.0


@dataclass
class Told:
    """What 20 clients did that were told 429 from the first moment on: their reports, their times, when they came."""

    reports: list[SyncReport]
    taken_s: list[float]
    started: float
    arrivals: dict[str, list[float]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """All 20 start at the same moment, each with one mutation to send."""
    start = threading.Barrier(CLIENTS + 1)

    def sync(member: Replica) -> tuple[SyncReport, float]:
        start.wait(30)
        started = time.monotonic()
        return member.sync(deadline_s=DEADLINE_S), time.monotonic() - started

    with BusyServer() as server, ExitStack() as opened, ThreadPoolExecutor(CLIENTS) as threads:
        running = []
        for number in range(CLIENTS):
            name = f"client{number:02}"
            directory = tmp_path_factory.mktemp(name)
            member = opened.enter_context(open_member(directory, server.url, machine=name, token=token_of(name)))
            add(member, "Milk")
            running.append(threads.submit(sync, member))
        start.wait(30)
        started = time.monotonic()
        done = [each.result() for each in running]
        return Told([report for report, _ in done], [taken for _, taken in done], started, server.arrivals())


def token_of(name: str) -> Callable[[], str | None]:
    """By which the server tells the clients apart."""
    return lambda: name


def test_no_client_that_was_told_429_gives_up_before_its_deadline(told: Told) -> None:
    """But for its last moment, nor much after it; and each says why it waits, and still has what it had to send."""
    assert [type(report.error) for report in told.reports] == [PrimaryBusyError] * CLIENTS
    assert [(report.stage, report.pending) for report in told.reports] == [(Stage.GREET, 1)] * CLIENTS
    assert min(told.taken_s) >= DEADLINE_S - LAST_S
    assert max(told.taken_s) < DEADLINE_S + 2


def test_clients_that_were_told_429_together_do_not_come_back_together(told: Told) -> None:
    """After the first quarter of the time, no tenth of a second sees nearly all of the 20."""
    late = [at - told.started for times in told.arrivals.values() for at in times[1:]]
    settled = [at for at in late if at > DEADLINE_S / 4]

    crowds = [sum(start <= at < start + 0.1 for at in settled) for start in settled]

    assert len(told.arrivals) == CLIENTS
    # Without jitter it is all 20. By chance alone it is more than 12 less than once in 100 runs (simulated).
    assert max(crowds) < 16, sorted(settled)


def test_clients_that_were_told_429_come_back_later_and_later(told: Told) -> None:
    """Together they ask less often in the second half of the time than in the first, and a few times each in all."""
    middle = told.started + DEADLINE_S / 2
    times = [at for each in told.arrivals.values() for at in each]

    first, second = sum(at < middle for at in times), sum(at >= middle for at in times)

    assert statistics.mean(len(each) for each in told.arrivals.values()) < 16
    assert second < first, (first, second)


def test_a_pull_that_was_told_429_is_tried_again_until_its_deadline(tmp_path: Path) -> None:
    """The client library gives up after three seconds, and does not say why."""
    started = time.monotonic()
    with (
        BusyServer() as server,
        sync_lock(tmp_path, wait_s=1.0, sleep=time.sleep) as lock_file,
        pytest.raises(UnreachableError),
    ):
        pull(tmp_path, server.url, None, deadline=started + 5.0, lock_file=lock_file, sleep=time.sleep)

    times = [at for each in server.arrivals().values() for at in each]
    assert max(times) - min(times) > 3
    assert 4.5 <= time.monotonic() - started < 7


def test_a_primary_that_is_locked_is_asked_until_it_is_free(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLITE_BUSY means that nothing was done, so the number of attempts is not what ends it."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    synced(laptop)
    add(laptop, "Bread")
    syncer = laptop._sync
    assert syncer is not None
    primary = syncer()._primary
    real, turned_away = primary.apply, iter(range(9))

    def busy_at_first(steps: object) -> object:
        if next(turned_away, None) is not None:
            raise PrimaryBusyError("the primary is busy: database is locked")
        return real(steps)  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(primary, "apply", busy_at_first)
    monkeypatch.setattr("replica.backoff.delays_s", short_delays)

    report = synced(laptop)

    assert report.pushed == 1
    assert len(truth.applied()) == 2


def short_delays(random: Callable[[], float], **_longer: float) -> Iterator[float]:
    """As the real ones, for a test that does not wait."""
    return delays_s(random, first_s=0.001, longest_s=0.01)


@given(seed=st.integers(0, 2**32), deadline=st.floats(0.0, 100.0))
def test_waits_end_before_the_deadline_and_not_long_before(seed: int, deadline: float) -> None:
    """Whatever chance does: nobody asks without end where there is an end, nor when no answer can come any more."""
    chance = random.Random(seed)
    clock = [0.0]

    for delay in delays_until_s(deadline, chance.random, now=lambda: clock[0]):
        clock[0] += delay

    assert deadline - clock[0] < LAST_S
    assert clock[0] == 0 or deadline - clock[0] > ANSWER_S * 0.99


@given(seed=st.integers(0, 2**32))
def test_waits_grow_and_are_bounded(seed: int) -> None:
    """Each is drawn from a span that doubles, from 0.1 s to 5 s."""
    chance = random.Random(seed)

    waits = [delay for delay, _ in zip(delays_s(chance.random), range(50), strict=False)]

    assert all(0 <= wait <= min(0.1 * 2**number, 5.0) for number, wait in enumerate(waits))
    assert statistics.mean(waits[10:]) > statistics.mean(waits[:5])
