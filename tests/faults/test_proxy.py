"""Each fault of the proxy is seen to do what it says, against a real sqld."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sqld import Server
from tests.faults import FaultProxy
from tests.hrana_client import HranaClient

# A child process, as in real use: the library logs to stdout, holds the GIL, and must not share a process with sqlite3.
PULL = """
import sys, libsql_experimental
base = libsql_experimental.connect(sys.argv[1], sync_url=sys.argv[2])
base.sync()
print(base.execute("SELECT count(*) FROM t").fetchone()[0])
"""


@pytest.fixture
def direct(primary_server: Server) -> Iterator[HranaClient]:
    """Past the proxy: what the primary really holds."""
    with HranaClient(primary_server.port) as client:
        client.run("CREATE TABLE t (x)")
        yield client


@pytest.fixture
def through(network: FaultProxy, direct: HranaClient) -> Iterator[HranaClient]:
    """Through the proxy, to a database with an empty table `t`."""
    with HranaClient(network.port) as client:
        yield client


def count(client: HranaClient) -> int:
    """How many rows `t` has."""
    return int(client.run("SELECT count(*) FROM t")[0][0] or 0)


def start_pull(network: FaultProxy, base: Path) -> subprocess.Popen[str]:
    """An embedded replica in a child process, pulling through the proxy."""
    return subprocess.Popen(
        [sys.executable, "-c", PULL, base, network.url],
        env=os.environ | {"RUST_LOG": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def pull(network: FaultProxy, base: Path) -> tuple[int, str]:
    """Exit code and rows seen by an embedded replica after one pull."""
    process = start_pull(network, base)
    out, _ = process.communicate(timeout=30)
    return process.returncode, out.strip()


def test_a_whole_network_changes_nothing_and_is_counted(through: HranaClient, network: FaultProxy) -> None:
    """Keep-alive: many requests, one connection."""
    for number in range(3):
        through.run(f"INSERT INTO t VALUES ({number})")

    rows = through.run("SELECT x FROM t ORDER BY x")

    assert rows == [["0"], ["1"], ["2"]]
    counts = network.wait_for(lambda counts: counts.bytes_to_client > 0)
    assert (counts.connections, counts.requests, counts.forwarded, counts.held) == (1, 4, 4, 0)
    assert network.requests() == ["POST /v3/pipeline"] * 4


def test_a_large_answer_passes_whole(through: HranaClient) -> None:
    """Answers are streamed, and end where their length says."""
    rows = through.run("SELECT hex(zeroblob(1000000))")

    assert rows == [["0" * 2_000_000]]


def test_an_embedded_replica_pulls_through_it(through: HranaClient, network: FaultProxy, tmp_path: Path) -> None:
    """gRPC-web in chunked HTTP/1.1, both ways."""
    through.run("INSERT INTO t VALUES (1), (2)")

    outcome = pull(network, tmp_path / "base.db")

    assert outcome == (0, "2")
    assert "POST /wal_log.ReplicationLog/Hello" in network.requests()


def test_cut_ends_connections_and_refuses_new_ones_until_healed(through: HranaClient, network: FaultProxy) -> None:
    """As if nothing ran at that address."""
    through.run("INSERT INTO t VALUES (1)")
    network.cut()
    with pytest.raises(ConnectionError):
        through.run("SELECT 1")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", network.port), timeout=5)

    network.heal()

    through.close()
    assert count(through) == 1


def test_cut_breaks_a_pull(through: HranaClient, network: FaultProxy, tmp_path: Path) -> None:
    """The replica's client gives up at once, and pulls again after the network heals."""
    network.cut()
    code, _ = pull(network, tmp_path / "base.db")
    network.heal()

    assert code != 0
    assert pull(network, tmp_path / "base.db") == (0, "0")


def test_freeze_accepts_and_never_answers(through: HranaClient, network: FaultProxy, direct: HranaClient) -> None:
    """The connection stands, the client waits for its own timeout, and the primary hears nothing."""
    network.freeze()
    with HranaClient(network.port, timeout_s=0.2) as hasty, pytest.raises(TimeoutError):
        hasty.run("INSERT INTO t VALUES (1)")
    assert network.wait_for(lambda counts: counts.held == 1).forwarded == 0

    network.heal()

    network.wait_for(lambda counts: counts.held == 0)
    assert count(direct) == 0
    assert count(through) == 0


def test_freeze_catches_connections_that_were_open(through: HranaClient, network: FaultProxy) -> None:
    """A kept-alive connection is no way around it, and healing lets go of who still waits."""
    through.run("SELECT 1")
    network.freeze()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(through.run, "SELECT 1")
        network.wait_for(lambda counts: counts.held == 1)
        network.heal()

        error = waiting.exception(timeout=10)

    assert isinstance(error, ConnectionError)


def test_freeze_holds_a_pull(through: HranaClient, network: FaultProxy, tmp_path: Path) -> None:
    """The replica's client hangs with no timeout of its own: what a deadline is needed for."""
    network.freeze()
    process = start_pull(network, tmp_path / "base.db")
    network.wait_for(lambda counts: counts.held == 1)

    still_runs = process.poll() is None

    process.kill()
    process.communicate()
    assert still_runs


def test_a_lost_reply_leaves_the_write_on_the_primary(
    through: HranaClient, network: FaultProxy, direct: HranaClient
) -> None:
    """The primary acted, the client cannot know; only the next request is hit."""
    network.lose_next_reply()
    with pytest.raises(ConnectionError):
        through.run("INSERT INTO t VALUES (1)")
    through.close()

    through.run("INSERT INTO t VALUES (2)")

    assert direct.run("SELECT x FROM t ORDER BY x") == [["1"], ["2"]]
    assert network.counts().lost_replies == 1


def test_a_fault_may_wait_for_the_request_it_is_meant_for(through: HranaClient, network: FaultProxy) -> None:
    """Others pass, before and after."""
    network.lose_next_reply(matching="INSERT")
    assert count(through) == 0
    with pytest.raises(ConnectionError):
        through.run("INSERT INTO t VALUES (1)")
    through.close()

    assert count(through) == 1


def test_a_reply_lost_to_a_pull_is_made_good_by_the_next(
    through: HranaClient, network: FaultProxy, tmp_path: Path
) -> None:
    """The fault reaches replication as well."""
    network.lose_next_reply(matching="BatchLogEntries")
    code, _ = pull(network, tmp_path / "base.db")

    assert network.counts().lost_replies == 1
    assert code != 0
    assert pull(network, tmp_path / "base.db") == (0, "0")


@pytest.mark.parametrize("n_bytes", [0, 10, 200])
def test_a_reply_is_cut_after_the_bytes_asked_for(
    through: HranaClient, network: FaultProxy, direct: HranaClient, n_bytes: int
) -> None:
    """In the status line, in the head or in the body."""
    network.cut_reply_after(n_bytes)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        through.run("INSERT INTO t VALUES (zeroblob(5)) RETURNING hex(zeroblob(1000))")

    through.close()

    assert network.counts().bytes_to_client == n_bytes
    assert count(direct) == 1


def test_a_duplicated_request_is_acted_on_twice_and_answered_once(
    through: HranaClient, network: FaultProxy, direct: HranaClient
) -> None:
    """What a client must be able to live with."""
    network.duplicate_next_request()

    answer = through.run("INSERT INTO t VALUES (1) RETURNING x")

    assert answer == [["1"]]
    assert count(direct) == 2
    assert network.counts().forwarded == 2


def test_delay_holds_each_request_for_as_long(through: HranaClient, network: FaultProxy) -> None:
    """And healing ends it."""
    network.delay(0.2)
    started = time.monotonic()
    count(through)
    slow_s = time.monotonic() - started
    network.heal()
    started = time.monotonic()
    count(through)

    quick_s = time.monotonic() - started

    assert slow_s >= 0.2
    assert quick_s < 0.2


def test_a_delayed_request_arrives_though_its_client_gave_up(
    through: HranaClient, network: FaultProxy, direct: HranaClient
) -> None:
    """The late arrival that makes sending again dangerous."""
    network.delay(0.2)
    with HranaClient(network.port, timeout_s=0.05) as hasty, pytest.raises(TimeoutError):
        hasty.run("INSERT INTO t VALUES (1)")

    network.wait_for(lambda counts: counts.forwarded == 1 and counts.bytes_to_client > 0)

    assert count(direct) == 1


def test_a_stopped_primary_ends_the_clients_connection(
    through: HranaClient, network: FaultProxy, primary_server: Server
) -> None:
    """The proxy hides nothing: without the primary there is no answer, and with it there is again."""
    through.run("INSERT INTO t VALUES (1)")
    primary_server.stop()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        through.run("SELECT 1")
    through.close()

    primary_server.start()

    assert count(through) == 1


def test_many_clients_at_once(network: FaultProxy, direct: HranaClient) -> None:
    """Connections do not mix."""

    def echo(number: int) -> list[list[str | None]]:
        with HranaClient(network.port) as client:
            return client.run(f"SELECT {number}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(echo, range(40)))

    assert answers == [[[str(number)]] for number in range(40)]
    assert network.counts().connections == 40


@pytest.mark.parametrize("fault", [FaultProxy.cut, FaultProxy.freeze, FaultProxy.heal])
def test_nothing_is_left_when_the_block_ends(primary_server: Server, fault: Callable[[FaultProxy], None]) -> None:
    """In any weather."""
    threads_before = threading.active_count()
    with FaultProxy(primary_server.port) as proxy:
        with socket.create_connection(("127.0.0.1", proxy.port)) as idle:
            fault(proxy)
            idle.close()
        port = proxy.port

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert threading.active_count() == threads_before
