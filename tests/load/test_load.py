"""The load generator: a small load loses nothing, and a verdict that should fail does."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from benchmarks.load.client import Load, Notes, Synced
from benchmarks.load.entries import fill
from benchmarks.load.figures import Figures, Used, figures_of, percentile
from benchmarks.load.fleet import run
from benchmarks.load.meter import Traffic
from benchmarks.load.plot import Axis, Line, draw
from benchmarks.load.processes import cpu_s
from benchmarks.load.verdict import Verdict, judge, sequence_of
from sqld import Server

NOTHING_USED: Final = Used(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
SMALL: Final = Load(clients=5, seconds=2.0, rate=5.0, burst=5, sync_every_s=0.5, shared=0.3, rows=50, processes=2)


@pytest.fixture(scope="module", params=[False, True], ids=["one sqld", "read replica"])
def figures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Five clients for two seconds, with and without a second sqld."""
    return run(tmp_path_factory.mktemp("load"), replace(SMALL, read_replica=request.param))


def test_five_clients_under_load_lose_nothing(figures: Figures) -> None:
    """Each acknowledged mutation is on the primary once, all replicas agree, and no addition is missing."""
    assert figures.verdict.holds, figures.verdict
    assert figures.verdict.acknowledged > 0
    assert figures.errors == {}


def test_what_is_measured_is_there(figures: Figures) -> None:
    """Every mutation was seen by everyone, and syncs took time, requests and bytes."""
    assert figures.unseen == 0
    assert 0 < figures.visible_p50 <= figures.visible_p99
    assert 0 < figures.sync_p50 <= figures.sync_p99
    assert figures.traffic.hrana >= figures.syncs
    assert figures.traffic.pulls > 0
    assert figures.traffic.bytes_up > 0
    assert figures.traffic.bytes_down > 0
    assert figures.sent_again >= 0


def test_what_was_lost_is_told(primary_server: Server, tmp_path: Path) -> None:
    """A mutation that the primary never had, a replica that differs, and an addition that is not in the sum."""
    fill(tmp_path / "filler", primary_server.url, 20)
    liar = Notes("liar", committed={"never-sent": 1.0}, added=2, pending=1, digest="other")

    verdict = judge(primary_server.url, [liar], sequence_of(primary_server.url))

    assert not verdict.holds
    assert (verdict.missing, verdict.differing, verdict.uncounted, verdict.pending) == (1, 1, 2, 1)
    assert "LOST" in str(verdict)


def test_latency_counts_from_the_commit_to_the_end_of_the_first_sync_that_showed_it() -> None:
    """On the others, not on its author; and what never came is told."""
    author = Notes("a", committed={"m1": 10.0, "m2": 11.0}, syncs=[_sync(10.5, 1)])
    other = Notes("b", syncs=[_sync(10.2, 0), _sync(13.0, 1), _sync(15.0, 1)])
    verdict = Verdict(2, 0, 0, 0, 0, 0, 0)

    found = figures_of(
        SMALL, [author, other], {"m1": [1], "m2": [2]}, (0.0, 20.0, 20.0),
        traffic=Traffic(), used=NOTHING_USED, verdict=verdict,
    )  # fmt: skip

    assert found.visible_p50 == found.visible_p99 == 3.0
    assert found.unseen == 1


def _sync(ended: float, last_seq: int) -> Synced:
    return Synced(due=ended - 0.2, began=ended - 0.1, ended=ended, code="", last_seq=last_seq, pushed=1)


def test_percentiles_are_values_that_were_measured() -> None:
    """The smallest that so large a part does not exceed."""
    values = [float(value) for value in range(1, 101)]

    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([7.0], 0.5), percentile([], 0.5)) == (
        50.0,
        99.0,
        7.0,
        0.0,
    )


def test_the_cpu_of_a_process_counts_that_of_its_children() -> None:
    """The pullers are most of what a client costs."""
    busy = "sum(range(30_000_000))"
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{busy}']); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()

        alone, together = cpu_s(parent.pid), cpu_s(parent.pid, with_children=True)
        parent.communicate(b"\n")

    assert together > alone + 0.1


def test_a_plot_has_a_line_and_a_name_for_each() -> None:
    """And text that is text, whatever is in it."""
    axis = Axis("clients < many", str)

    svg = draw("Latency", axis, axis, [Line("p50", [(10, 0.1), (100, 2.0)]), Line("p99", [(10, 0.2), (100, 9.0)])])

    assert svg.count("<polyline") == 2
    assert svg.count("<circle") == 4
    assert "clients &lt; many" in svg
