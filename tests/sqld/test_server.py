"""Running sqld: starting, answering, stopping, and failing clearly."""

import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import sqld.server
from sqld import (
    DataDirInUseError,
    DataDirUnusableError,
    PortTakenError,
    Server,
    SqldError,
    SqldUnusableError,
    StartError,
    free_port,
    run_sqld,
)
from tests.hrana_client import HranaClient
from tests.sqld.processes import is_alive, processes_naming

# Starts an sqld, says its pid, and then does what the test is about.
CHILD = """
import os, pathlib, signal, sys, time
from sqld import Server, find_sqld
server = Server(find_sqld(), data_dir=pathlib.Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
{then}
"""


def log_id(data_dir: Path) -> bytes:
    """What clients know the replication log by."""
    return (data_dir / "dbs" / "default" / "wallog").read_bytes()[16:32]


def ends_soon(pid: int) -> bool:
    """Whether the process ends, watched without a fixed wait."""
    ended = threading.Event()
    for _ in range(500):
        if not is_alive(pid):
            return True
        ended.wait(0.01)
    return False


def start_child(data_dir: Path, then: str) -> tuple[subprocess.Popen[str], int]:
    """A Python process in a session of its own with an sqld of its own, and the pid of that."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(then=then), data_dir],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stdout is not None
    return child, int(child.stdout.readline())


def test_it_answers_when_the_block_begins_and_is_gone_when_it_ends() -> None:
    """The whole of what a test needs."""
    with run_sqld() as server:
        with HranaClient(server.port) as client:
            rows = client.run("SELECT 42")
        pid, data_dir = server.pid, server.data_dir
        url, version, log = server.url, server.version(), server.log_path.read_text()

    assert rows == [["42"]]
    assert url == f"http://127.0.0.1:{server.port}"
    assert version.startswith("0.24.")
    assert "listening" in log
    assert not is_alive(pid)
    assert not data_dir.exists()


def test_started_again_it_has_the_same_port_data_and_log(primary_server: Server) -> None:
    """A clean stop keeps the id of the log, so that no client downloads everything again."""
    with HranaClient(primary_server.port) as client:
        client.run("CREATE TABLE t (x)")
    before = primary_server.url, log_id(primary_server.data_dir)

    primary_server.stop()
    primary_server.start()

    with HranaClient(primary_server.port) as client:
        assert client.run("SELECT count(*) FROM t") == [["0"]]
    assert (primary_server.url, log_id(primary_server.data_dir)) == before


def test_killed_it_keeps_the_data_and_gives_its_log_a_new_id(primary_server: Server) -> None:
    """The fault that replicas must survive."""
    with HranaClient(primary_server.port) as client:
        client.run("CREATE TABLE t (x)")
    before = log_id(primary_server.data_dir)

    primary_server.kill()
    primary_server.start()

    with HranaClient(primary_server.port) as client:
        assert client.run("SELECT count(*) FROM t") == [["0"]]
    assert log_id(primary_server.data_dir) != before


def test_a_client_that_never_asks_anything_does_not_keep_it_from_stopping(
    primary_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Left alone, sqld would wait for ever; its data are closed by then, so ending it costs nothing."""
    with HranaClient(primary_server.port) as client:
        client.run("CREATE TABLE t (x)")
    before = log_id(primary_server.data_dir)
    with socket.create_connection(("127.0.0.1", primary_server.port)), caplog.at_level(logging.WARNING):
        primary_server.stop()

    primary_server.start()

    assert log_id(primary_server.data_dir) == before
    assert caplog.records == []


def test_one_that_does_not_end_is_killed_at_the_deadline_and_warned_of(
    sqld_binary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A stopped process cannot act on SIGINT."""
    with Server(sqld_binary, stop_deadline_s=0.2) as server:
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)

        server.stop()

    assert not is_alive(pid)
    assert "was killed" in caplog.text


def test_one_that_forgets_the_first_interrupt_is_asked_again(
    sqld_binary: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As a real sqld may in its first moments: here a shell in front of it keeps the first for itself."""
    deaf = tmp_path / "deaf"
    deaf.write_text(f"""#!/bin/sh
trap 'trap "kill -s INT \\$child" INT' INT
{sqld_binary} "$@" &
child=$!
while kill -s 0 $child; do wait $child; done
""")
    deaf.chmod(0o755)
    server = Server(deaf, data_dir=tmp_path / "data")
    server.start()
    before = log_id(server.data_dir)

    server.stop()

    assert caplog.records == []
    assert not (tmp_path / "data" / "dbs" / "default" / ".sentinel").exists()
    assert log_id(server.data_dir) == before
    assert processes_naming(tmp_path) == []


def test_starting_and_stopping_twice_is_starting_and_stopping_once(primary_server: Server) -> None:
    """The second call finds nothing to do."""
    pid = primary_server.pid
    primary_server.start()
    same = primary_server.pid == pid
    primary_server.stop()

    primary_server.stop()

    assert same
    assert not primary_server.is_running


def test_wait_returns_when_it_ends_by_itself(primary_server: Server) -> None:
    """With its exit code; before that, nothing."""
    while_running = primary_server.wait(0)
    exit_code = None
    while exit_code is None:
        os.kill(primary_server.pid, signal.SIGINT)
        exit_code = primary_server.wait(0.2)

    assert while_running is None
    assert exit_code == 0


def test_a_given_port_that_is_taken_is_an_error(primary_server: Server, sqld_binary: Path) -> None:
    """Also when an sqld holds it, which would answer the question whether ours is up."""
    with pytest.raises(PortTakenError, match=str(primary_server.port)) as caught:
        Server(sqld_binary, port=primary_server.port).start()

    assert caught.value.port == primary_server.port


def test_a_port_lost_between_the_choice_and_the_start_is_chosen_anew(
    primary_server: Server, sqld_binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sqld that finds it taken: the check before the start is blinded here."""
    free = free_port()
    choices = iter([primary_server.port, free])
    monkeypatch.setattr(sqld.server, "free_port", lambda _host: next(choices))
    monkeypatch.setattr(sqld.server, "is_free", lambda _host, _port: True)

    with Server(sqld_binary) as server:
        assert server.port == free


def test_a_second_one_on_the_same_data_is_refused(primary_server: Server, sqld_binary: Path) -> None:
    """It would damage the log of the first."""
    with pytest.raises(DataDirInUseError):
        Server(sqld_binary, data_dir=primary_server.data_dir).start()

    assert primary_server.is_running


def test_a_data_directory_that_cannot_be_made_is_an_error(sqld_binary: Path, tmp_path: Path) -> None:
    """It says which, and why."""
    (tmp_path / "file").write_text("")

    with pytest.raises(DataDirUnusableError, match="Not a directory"):
        Server(sqld_binary, data_dir=tmp_path / "file" / "data").start()


def test_a_flag_that_sqld_does_not_know_ends_with_the_last_words_of_its_log(sqld_binary: Path, tmp_path: Path) -> None:
    """The reason is in the message, not in a file to go and find."""
    server = Server(sqld_binary, data_dir=tmp_path / "data", flags=["--no-such-flag"])

    with pytest.raises(StartError, match="--no-such-flag") as caught:
        server.start()

    assert "exit code" in caught.value.reason
    assert not server.is_running


def test_one_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    """At the deadline, with nothing left behind."""
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\necho starting\nexec sleep 60\n")
    silent.chmod(0o755)

    with pytest.raises(StartError, match=r"no answer within 0\.3 seconds"):
        Server(silent, data_dir=tmp_path / "data", start_deadline_s=0.3).start()

    assert processes_naming(silent) == []


def test_a_file_that_is_no_program_is_an_error(tmp_path: Path) -> None:
    """And the lock on the data is let go."""
    text = tmp_path / "text"
    text.write_text("not a program")
    text.chmod(0o755)

    with pytest.raises(SqldUnusableError):
        Server(text, data_dir=tmp_path / "data").start()
    with run_sqld(data_dir=tmp_path / "data") as server:
        assert server.is_running


def test_it_is_private_to_the_user_and_to_the_machine(primary_server: Server) -> None:
    """Loopback by default, and a directory of mode 0700."""
    assert primary_server.host == "127.0.0.1"
    assert primary_server.data_dir.stat().st_mode & 0o777 == 0o700


def test_it_ends_with_its_parent_however_that_ends(sqld_binary: Path, tmp_path: Path) -> None:
    """SIGKILL leaves no chance to clean up, and the log is closed all the same."""
    child, pid = start_child(tmp_path / "data", "time.sleep(60)")

    child.kill()
    child.communicate()

    assert ends_soon(pid)
    assert not (tmp_path / "data" / "dbs" / "default" / ".sentinel").exists()


def test_it_ends_with_a_parent_that_forgets_to_stop_it(sqld_binary: Path, tmp_path: Path) -> None:
    """Whoever does not use the block leaves nothing running either."""
    child, pid = start_child(tmp_path / "data", "os._exit(0)")
    child.communicate(timeout=10)

    assert ends_soon(pid)


def test_ctrl_c_reaches_the_parent_alone(sqld_binary: Path, tmp_path: Path) -> None:
    """A terminal sends SIGINT to the whole foreground group: sqld is not in it, and is stopped once, by us."""
    then = """
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print(server.is_running, flush=True)
    server.stop()
"""
    child, pid = start_child(tmp_path / "data", then)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"

    os.killpg(child.pid, signal.SIGINT)
    out, _ = child.communicate(timeout=10)

    assert out.strip() == "True"
    assert not is_alive(pid)
    assert (tmp_path / "data" / "sqld.log").read_text().count("Got SIGINT") == 1


def test_ten_started_at_once_get_ports_of_their_own(sqld_binary: Path) -> None:
    """The choice is retried when another was faster."""
    servers = [Server(sqld_binary) for _ in range(10)]

    threads = [threading.Thread(target=server.start) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ports = {server.port for server in servers if server.is_running}
    for server in servers:
        server.__exit__(None, None, None)

    assert len(ports) == 10


@pytest.mark.parametrize(
    "error",
    [
        PortTakenError("127.0.0.1", 1),
        DataDirInUseError(Path("a")),
        DataDirUnusableError(Path("a"), "b"),
        StartError("a", log_path=Path("b"), log_tail="c"),
    ],
    ids=lambda error: error.code,
)
def test_errors_pickle(error: SqldError) -> None:
    """They cross process borders in test runners and pools."""
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), again.code, again.hint) == (type(error), str(error), error.code, error.hint)
