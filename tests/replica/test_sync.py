"""Sync: what it reports, what it costs, and what the network, the token and other processes can do to it."""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from replica import (
    BusyError,
    NotAllowedError,
    PrimaryBusyError,
    PrimaryError,
    ReplicaError,
    Stage,
    TokenRefusedError,
    UnreachableError,
)
from replica.hrana import BatchAnswer, Hrana, Step
from replica.mutation import Change, Kind, Mutation
from replica.primary import Primary
from replica.rebase import Ground, Key
from replica.sync import Sync
from replica.sync_lock import sync_lock
from tests.faults import FaultProxy
from tests.replica.garbage_server import GarbageServer
from tests.replica.team import Team, Truth, add, all_synced, change, rows_of, synced


def _no_child(*_arguments: object) -> str:
    raise AssertionError("a puller was started")


def test_a_sync_with_nothing_to_do_is_one_round_trip_and_no_puller(
    team: Team, network: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The greeting says that the base is as far as the primary; a program started just now knows that, too."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    synced(laptop)
    started_now = team.join("laptop")
    monkeypatch.setattr("replica.pull._run_child", _no_child)
    before = network.counts().requests

    report = synced(started_now)

    assert network.counts().requests - before <= 3
    assert (report.pushed, report.merged, report.parked, report.pulled, report.stage) == (0, 0, 0, 0, Stage.DONE)


def test_a_report_counts_mutations_by_what_became_of_them(team: Team, truth: Truth) -> None:
    """Pushed are all that the primary has now; merged and parked are among them; pulled are those of others."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    first, second = add(laptop, "Milk"), add(laptop, "Bread")
    all_synced(laptop, desktop)
    change(desktop, first.id, body="two litres")
    change(desktop, second.id, title="Rye bread")
    synced(desktop)
    change(laptop, first.id, title="Oat milk")
    change(laptop, second.id, title="White bread")
    add(laptop, "Butter")

    report = synced(laptop)

    assert (report.pushed, report.merged, report.parked, report.pulled) == (3, 1, 1, 2)
    assert synced(laptop).pulled == 0
    assert synced(desktop).pulled == 3


def test_what_the_primary_is_asked_for_is_cut_into_requests_that_it_takes(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten thousand ids at once; a whole outbox that waits for its pull may be more."""
    laptop = team.join("laptop")
    for number in range(5):
        add(laptop, f"item {number}")
    synced(laptop)
    asked = laptop._sync
    assert asked is not None
    monkeypatch.setattr("replica.primary._IDS_MAX", 2)
    sizes = []
    real = Hrana.batch

    def batch(self: Hrana, steps: list[Step], **options: float | None) -> BatchAnswer:
        sizes.append(len(json.loads(str(steps[0].statement.args[0]))))
        return real(self, steps, **options)

    monkeypatch.setattr(Hrana, "batch", batch)

    known = asked()._primary.known([*truth.applied(), "never made"])

    assert known == set(truth.applied())
    assert sizes == [2, 2, 2]


def test_i1_each_round_merges_what_the_author_made_and_not_what_an_earlier_round_made_of_it(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Merged with a value that was gone before anything was sent: there is nothing left that it gave way to."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    change(laptop, item.id, title="Oat milk")
    change(laptop, item.id, stars=1)
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    ground, changes_of_mind = Primary.ground, iter([item.id])

    def look_and_be_overtaken(primary: Primary, keys: Iterable[Key]) -> Ground:
        found = ground(primary, keys)
        for row_id in changes_of_mind:
            change(desktop, row_id, title="Milk")
            synced(desktop)
        return found

    monkeypatch.setattr(Primary, "ground", look_and_be_overtaken)

    synced(laptop)

    assert truth.run("SELECT title, stars FROM items") == [["Oat milk", "1"]]
    assert rows_of(laptop) == truth.rows()


def test_who_waits_in_vain_for_a_migration_is_told_of_it(team: Team, truth: Truth) -> None:
    """Not that the primary does not answer: it does."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    synced(laptop)
    truth.run("UPDATE _replica_lease SET holder = 'other', expires = unixepoch('subsec') + 1000")
    add(laptop, "Bread")

    reports = [laptop.sync(deadline_s=1.0) for _ in range(3)]

    assert [type(report.error) for report in reports] == [BusyError] * 3
    assert "migrating" in str(reports[0].error)
    assert reports[-1].pending == 1


def test_i3_a_base_with_the_frame_number_of_a_primary_that_holds_more_is_pulled(
    team: Team, truth: Truth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By chance: an sqld that was killed begins its log again, and numbers its frames anew."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(laptop, "Milk")
    synced(laptop)
    frame = laptop.status().base_frame
    add(desktop, "Bread")
    synced(desktop)
    greet = Primary.greet
    monkeypatch.setattr(Primary, "greet", lambda primary, tail: replace(greet(primary, tail), replication_index=frame))

    synced(laptop)

    assert rows_of(laptop) == truth.rows()


def test_a_second_syncer_is_told_who_syncs(team: Team, truth: Truth) -> None:
    """It does not wait for longer than it was told to, and what it has stays queued."""
    laptop = team.join("laptop")
    add(laptop, "Milk")

    with sync_lock(team.directory_of("laptop"), wait_s=0, sleep=time.sleep):
        report = laptop.sync(deadline_s=0.1)

    assert isinstance(report.error, BusyError)
    assert "(pid " in str(report.error)
    assert (report.stage, report.pending) == (Stage.IDLE, 1)
    assert synced(laptop).pushed == 1


def test_a_second_syncer_waits_for_the_first(team: Team, truth: Truth) -> None:
    """When the lock is free, it goes on by itself."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    is_waiting = threading.Event()

    def sleep(_seconds: float) -> None:
        is_waiting.set()
        released.wait(10)

    released = threading.Event()
    syncer = laptop._sync
    assert syncer is not None
    sync: Sync = syncer()
    object.__setattr__(sync._around, "sleep", sleep)
    with sync_lock(team.directory_of("laptop"), wait_s=0, sleep=time.sleep):
        waiting = threading.Thread(target=laptop.sync)
        waiting.start()
        assert is_waiting.wait(10)
    released.set()
    waiting.join(10)

    assert laptop.pending() == []
    assert len(truth.rows()) == 1


def test_a_primary_that_accepts_and_never_answers_is_given_up_at_the_deadline(team: Team, network: FaultProxy) -> None:
    """And the status says since when it is like that, and how much waits."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    synced(laptop)
    add(laptop, "Bread")
    network.freeze()
    started = time.monotonic()

    report = laptop.sync(deadline_s=0.5)

    assert time.monotonic() - started < 3
    assert isinstance(report.error, UnreachableError)
    assert (report.stage, report.pending) == (Stage.GREET, 1)
    status = laptop.status()
    assert (status.state, status.pending) == ("offline", 1)
    assert status.offline_since is not None
    network.heal()
    synced(laptop)
    assert laptop.status().offline_since is None


def test_an_answer_that_comes_in_drops_is_given_up_at_the_deadline(team: Team) -> None:
    """Each wait for a byte is short, and all of them together are not."""
    with GarbageServer(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", drip=b"x") as server:
        laptop = team.join("laptop", url=server.url)
        started = time.monotonic()

        report = laptop.sync(deadline_s=0.5)

    assert time.monotonic() - started < 3
    assert isinstance(report.error, UnreachableError)


def _answer(status: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def _steps(results: str, errors: str) -> bytes:
    result = f'{{"step_results": {results}, "step_errors": {errors}}}'
    return _answer("200 OK", f'{{"results": [{{"type": "ok", "response": {{"result": {result}}}}}]}}')


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_answer("200 OK", "hello"), PrimaryError),
        (_answer("200 OK", "[]"), PrimaryError),
        (_answer("200 OK", "null"), PrimaryError),
        (_answer("200 OK", '{"results": []}'), PrimaryError),
        (_answer("200 OK", '{"results": [{"type": "ok", "response": null}]}'), PrimaryError),
        (_steps("[]", "[]"), PrimaryError),
        (_steps("[1, 2, 3]", "[null, null, null]"), PrimaryError),
        (_answer("200 OK", '{"results": [{"type": "error", "error": {"message": "no"}}]}'), PrimaryError),
        (_answer("200 OK", "[" * 100_000), PrimaryError),
        (_answer("301 Moved", ""), PrimaryError),
        (_answer("404 Not Found", "nothing here"), PrimaryError),
        (_answer("401 Unauthorized", ""), TokenRefusedError),
        (_answer("403 Forbidden", ""), NotAllowedError),
        (_answer("429 Too Many Requests", ""), PrimaryBusyError),
        (_answer("503 Service Unavailable", ""), UnreachableError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", UnreachableError),
        (b"SSH-2.0-OpenSSH_9.6\r\n", UnreachableError),
        (b"", UnreachableError),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_of_a_primary_is_an_error_of_ours(
    team: Team, answer: bytes, error: type[ReplicaError]
) -> None:
    """Whatever listens at the address, a sync reports it, and what was written stays."""
    with GarbageServer(answer) as server:
        laptop = team.join("laptop", url=server.url)
        add(laptop, "Milk")

        report = laptop.sync(deadline_s=2)

    assert type(report.error) is error, report
    assert report.pending == 1


@pytest.mark.parametrize("fault", ["lose", "cut", "duplicate"])
def test_i2_a_push_whose_reply_is_lost_or_that_arrives_twice_counts_once(
    team: Team, truth: Truth, network: FaultProxy, fault: str
) -> None:
    """The id decides what was applied, not the answer."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    synced(laptop)
    change(laptop, item.id, stars=1)
    pending = [mutation.id for mutation in laptop.pending()]
    faults: dict[str, Callable[[], None]] = {
        "lose": lambda: network.lose_next_reply(matching="COMMIT"),
        "cut": lambda: network.cut_reply_after(40, matching="COMMIT"),
        "duplicate": lambda: network.duplicate_next_request(matching="COMMIT"),
    }
    faults[fault]()

    report = synced(laptop)

    assert (report.pushed, report.merged, report.parked) == (1, 0, 0)
    assert truth.applied()[1:] == pending
    assert truth.run("SELECT stars FROM items") == [["1"]]
    assert truth.run("SELECT count(*) FROM _replica_changes") == [["2"]]


def test_i2_a_mutation_that_changes_no_row_is_recorded_once_however_often_it_is_sent(team: Team, truth: Truth) -> None:
    """A merge can leave nothing to do; then no stamp tells the second time from the first, and the id alone does."""
    laptop = team.join("laptop")
    item = add(laptop, "Milk")
    synced(laptop)
    nothing = Change("items", item.id, Kind.UPDATE, item.updated_at, item.updated_at, {})
    mutation = Mutation("merged away", laptop.session, laptop.machine, item.updated_at, 1, (nothing,))
    syncer = laptop._sync
    assert syncer is not None
    primary = syncer()._primary

    answers = [primary.push([mutation]) for _ in range(2)]

    assert answers[0] is None
    assert answers[1] is not None
    assert truth.run("SELECT count(*) FROM _replica_changes WHERE mutation = 'merged away'") == [["1"]]


def test_i2_a_sync_cut_off_after_its_push_does_not_push_again(team: Team, truth: Truth, network: FaultProxy) -> None:
    """Acknowledged mutations wait for the base only; the next sync sends nothing."""
    laptop = team.join("laptop")
    add(laptop, "Milk")
    synced(laptop)
    add(laptop, "Bread")
    network.lose_next_reply(matching="COMMIT")
    real_sleep = time.sleep

    def cut(_seconds: float) -> None:
        network.cut()
        real_sleep(0)

    syncer = laptop._sync
    assert syncer is not None
    around = syncer()._around
    object.__setattr__(around, "sleep", cut)
    assert isinstance(laptop.sync(deadline_s=5).error, UnreachableError)
    network.heal()

    report = synced(laptop)

    assert len(truth.applied()) == 2
    assert rows_of(laptop) == truth.rows()
    assert report.parked == 0


def test_i7_mutations_reach_the_primary_in_the_order_they_were_made(team: Team, truth: Truth) -> None:
    """Also where some of them had to be merged or parked first."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    items = [add(laptop, f"item {number}") for number in range(4)]
    all_synced(laptop, desktop)
    change(desktop, items[0].id, body="theirs")
    change(desktop, items[2].id, title="theirs")
    synced(desktop)
    for number in range(12):
        change(laptop, items[number % 4].id, title=f"title {number}", stars=number)
    pending = [mutation.id for mutation in laptop.pending()]

    synced(laptop)

    assert [mutation for mutation in truth.applied() if mutation in pending] == pending
