"""Whole syncs with a primary that lies: once it tells the truth again, nothing is lost and nothing came twice."""

import shutil
from pathlib import Path

from hypothesis import strategies as st

from replica import BusyError, Replica, ReplicaError
from sqld import Server, find_sqld
from tests.fuzz.kept import open_kept
from tests.fuzz.lies import Telling, lie_at, tellings
from tests.fuzz.lying_server import honest
from tests.fuzz.promise import answered, promised
from tests.fuzz.workbench import Workbench
from tests.hrana_client import HranaClient
from tests.replica.team import Item, Team, Truth, add, change, remove, rows_of, synced

_DEADLINE_S = 4.0


@promised(st.dictionaries(st.integers(0, 12), tellings, min_size=1, max_size=3), examples=12)
def whatever_a_primary_answers_in_a_sync_nothing_is_lost(bench: Workbench, lies: dict[int, Telling]) -> None:
    """The sync ends in time with a report; the next ones, told the truth, bring everything to its place, once."""
    template = _disagreeing(bench)
    directory = bench.copy(template / "laptop", "laptop")
    with Server(find_sqld(), data_dir=bench.copy(template / "primary", "primary")) as server:
        liar, truth = bench.liar(), Truth(server.port)
        with open_kept(directory, liar.url) as member:
            ids = [mutation.id for mutation in member.pending()]
            liar.tell(lie_at(lies), target=server.port)

            report = answered(lambda: member.sync(deadline_s=_DEADLINE_S), within_s=_DEADLINE_S + 12)

            assert not isinstance(report, ReplicaError), report
            answered(lambda: member.select(Item))
            waiting = {mutation.id for mutation in member._in_outbox()}
            assert set(ids) <= waiting | set(truth.applied())
            liar.tell(honest, target=server.port)
            _heal(member, server.port)
            assert sorted(truth.applied()[-len(ids) :]) == sorted(ids)
            assert rows_of(member) == truth.rows()


def _heal(member: Replica, port: int) -> None:
    report = member.sync(deadline_s=20.0, adopt_primary=True)
    for _ in range(4):
        if report.error is None and not report.pending:
            return
        if isinstance(report.error, BusyError):
            # The lease of a migration that it was told to run, which would run out by itself.
            with HranaClient(port) as client:
                client.run("UPDATE _replica_lease SET expires = 0")
        report = member.sync(deadline_s=20.0, adopt_primary=True)
    raise AssertionError(report)


def _disagreeing(bench: Workbench) -> Path:
    """A primary and a replica that both changed the same rows since they last met."""
    directory, is_new = bench.template("disagreeing")
    if is_new:
        with Server(find_sqld(), data_dir=directory / "primary") as server, Team(directory, server.url) as team:
            laptop, desktop = team.join("laptop"), team.join("desktop")
            for name in ("milk", "bread", "salt", "gone", "away"):
                add(laptop, name, id=name, body="a\nb\nc\n", tags={"x"}, stars=1)
            synced(laptop)
            synced(desktop)
            change(desktop, "milk", title="oat milk")
            change(desktop, "bread", stars=5, tags=frozenset("xy"), body="A\nb\nc\n")
            remove(desktop, "away")
            synced(desktop)
            change(laptop, "milk", title="soy milk")
            change(laptop, "bread", stars=2, tags=frozenset("z"), body="a\nb\nC\n")
            change(laptop, "away", title="still here")
            add(laptop, "new", id="new")
            remove(laptop, "gone")
            with laptop.transaction() as tx:
                tx.insert(Item(id="more", title="more"))
                tx.update(tx.get(Item, "salt"), code="s")
        shutil.rmtree(directory / "desktop")
    return directory
