"""The puller: a child process that fetches the base, may be killed at any time, and may not be possible at all."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from replica import PullUnavailableError, ReplicaError, Stage, UnreachableError
from replica.pull import pull
from sqld import Server
from tests.faults import FaultProxy
from tests.hrana_client import HranaClient
from tests.replica.notebook import Note, add, open_notes, settle, titles, until
from tests.sqld.processes import is_alive

TOKEN: Final = "a-token-nobody-may-see"
PULLER: Final = Path(sys.modules[pull.__module__].__file__ or "").with_name("puller.py")


@pytest.fixture
def lock_file(tmp_path: Path) -> Iterator[int]:
    """The descriptor that a pull passes on."""
    descriptor = os.open(tmp_path / "sync.lock", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


class PullInThread:
    """A pull that runs while the test looks on."""

    def __init__(self, directory: Path, url: str, lock_file: int, *, within_s: float) -> None:
        self.error: ReplicaError | None = None
        self._thread = threading.Thread(target=self._run, args=(directory, url, lock_file, within_s))
        self._thread.start()

    def _run(self, directory: Path, url: str, lock_file: int, within_s: float) -> None:
        try:
            pull(directory, url, TOKEN, deadline=time.monotonic() + within_s, lock_file=lock_file, sleep=time.sleep)
        except ReplicaError as error:
            self.error = error

    def join(self) -> ReplicaError | None:
        """What it ended with."""
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()
        return self.error


def pullers() -> list[int]:
    """The processes that this one has pull, by their ids."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if fields[0] != "Z" and int(fields[1]) == os.getpid() and str(PULLER) in command_line(entry):
                    found.append(int(entry.name))
    return found


def command_line(process: Path) -> str:
    """The arguments of a process."""
    return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


# -- without the client library


@pytest.fixture
def python_without_libsql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real interpreter that has none of our packages takes the place of this one for child processes."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))


def test_without_a_client_library_all_but_the_pull_works(
    tmp_path: Path, primary_server: Server, python_without_libsql: None
) -> None:
    """Changes are made, read and sent; the error says what cannot be done, and what to install."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        note = add(notes, "Milk")
        report = notes.sync()
        with notes.transaction() as tx:
            tx.update(note, title="Oat milk")
        notes.sync()
        with notes.transaction("online") as tx:
            tx.insert(Note(title="Bread"))

        assert titles(notes) == ["Bread", "Oat milk"]
        assert (report.pushed, report.pending, report.stage) == (1, 0, Stage.PULL)
        assert isinstance(report.error, PullUnavailableError)
        assert "libsql-experimental" in str(report.error) + report.error.hint
    with HranaClient(primary_server.port) as hrana:
        assert hrana.run("SELECT title FROM notes ORDER BY title") == [["Bread"], ["Oat milk"]]


def test_once_the_client_library_is_there_the_pull_goes_on(
    tmp_path: Path, primary_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be done again."""
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", str(tmp_path / "bare" / "bin" / "python"))
            notes.sync()

        settle(notes)

        assert titles(notes) == ["Milk"]


# -- deadlines and kills


def test_a_pull_from_a_frozen_primary_ends_at_its_deadline(tmp_path: Path, network: FaultProxy, lock_file: int) -> None:
    """And leaves no process behind."""
    network.freeze()
    started = time.monotonic()

    with pytest.raises(UnreachableError, match="in time"):
        pull(tmp_path, network.url, None, deadline=started + 0.3, lock_file=lock_file, sleep=time.sleep)

    assert time.monotonic() - started < 2
    assert pullers() == []


def test_a_puller_ends_at_its_own_deadline(tmp_path: Path, network: FaultProxy) -> None:
    """Whatever became of its parent, and though the library hangs, with the interpreter's lock held."""
    network.freeze()
    request = {"path": str(tmp_path / "replica.db"), "url": network.url, "token": None, "deadline_s": 0.5}
    request["parent"] = os.getpid()
    with subprocess.Popen([sys.executable, "-I", str(PULLER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as puller:
        puller.communicate(json.dumps(request).encode(), timeout=10)

    assert puller.returncode == -signal.SIGALRM


def test_a_killed_puller_is_told_and_the_next_pull_goes_on(
    tmp_path: Path, network: FaultProxy, primary_server: Server, lock_file: int
) -> None:
    """At whatever moment it was killed."""
    with open_notes(tmp_path / "writer", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        settle(notes)
    network.freeze()
    (tmp_path / "reader").mkdir()
    running = PullInThread(tmp_path / "reader", network.url, lock_file, within_s=20)
    network.wait_for(lambda counts: counts.held >= 1)
    (puller,) = pullers()
    os.kill(puller, signal.SIGKILL)
    error = running.join()
    network.heal()

    with open_notes(tmp_path / "reader", "libsql", primary_server.url) as notes:
        settle(notes)
        assert titles(notes) == ["Milk"]

    assert isinstance(error, UnreachableError)
    assert not is_alive(puller)


# -- secrets


def test_the_token_is_on_no_command_line_and_in_no_environment(
    tmp_path: Path, network: FaultProxy, lock_file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other users of the machine can read the one, and core dumps hold the other."""
    monkeypatch.setenv("TD_DATABASE_TOKEN", TOKEN)
    monkeypatch.setenv("BY_ANOTHER_NAME", f"Bearer {TOKEN}")
    for name in ("TD_VAULT_KEY", "TD_VAULT_PASSPHRASE", "PGPASSWORD", "SOMEBODYS_SECRET"):
        monkeypatch.setenv(name, "no-business-of-a-child")
    network.freeze()
    running = PullInThread(tmp_path, network.url, lock_file, within_s=20)
    network.wait_for(lambda counts: counts.held >= 1)
    (puller,) = pullers()
    processes = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    lines = []
    for process in processes:
        with suppress(OSError):
            lines.append(command_line(process))
    environment = Path(f"/proc/{puller}/environ").read_bytes()
    os.kill(puller, signal.SIGKILL)
    error = running.join()

    assert any(str(PULLER) in line for line in lines)
    assert [line for line in lines if TOKEN in line] == []
    assert b"RUST_LOG=off" in environment
    assert TOKEN.encode() not in environment
    assert b"no-business-of-a-child" not in environment
    assert TOKEN not in f"{error!r} {error}"


def test_the_token_is_in_no_file_of_the_replica(tmp_path: Path, primary_server: Server) -> None:
    """Neither after it went well, nor after it did not."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url, token=lambda: TOKEN) as notes:
        add(notes, "Milk")
        settle(notes)
        primary_server.stop()
        assert notes.sync(deadline_s=1).error is not None

    files = [path for path in (tmp_path / "notes").rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


# -- the base


def test_the_first_fetch_appears_whole_or_not_at_all(tmp_path: Path, primary_server: Server) -> None:
    """A reader beside it sees an empty notebook, and then the full one."""
    with open_notes(tmp_path / "writer", "libsql", primary_server.url) as notes:
        with notes.transaction() as tx:
            for number in range(3000):
                tx.insert(Note(title=f"{number}", body="x" * 500))
        settle(notes)
    is_done = threading.Event()

    def watch(seen: set[int]) -> None:
        with open_notes(tmp_path / "reader", "libsql", primary_server.url) as beside:
            while not is_done.is_set() or 3000 not in seen:
                seen.add(int(str(beside.query("SELECT count(*) FROM notes").rows[0][0])))

    seen: set[int] = set()
    watcher = threading.Thread(target=watch, args=(seen,))
    with open_notes(tmp_path / "reader", "libsql", primary_server.url) as reader:
        watcher.start()
        until(lambda: 0 in seen)
        settle(reader)
        is_done.set()
        watcher.join(timeout=20)

    assert seen == {0, 3000}


@pytest.mark.parametrize("lost", ["replica.db", "replica.db-client_wal_index", "replica.db-wal"])
def test_a_base_that_lost_a_file_is_fetched_again(tmp_path: Path, primary_server: Server, lost: str) -> None:
    """It costs a download, never data, and needs no hand."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        settle(notes)
        add(notes, "Bread")
    (tmp_path / "notes" / lost).unlink(missing_ok=True)

    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        assert "Bread" in titles(notes)
        settle(notes)
        assert titles(notes) == ["Bread", "Milk"]
        add(notes, "Rye")
        settle(notes)
        assert titles(notes) == ["Bread", "Milk", "Rye"]

    with closing(sqlite3.connect(tmp_path / "notes" / "replica.db")) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_files_of_a_replica_are_for_its_owner_only(tmp_path: Path, primary_server: Server) -> None:
    """Those of the puller too."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        settle(notes)

        paths = [tmp_path / "notes", *(tmp_path / "notes").rglob("*")]
        assert [path.name for path in paths if path.stat().st_mode & 0o077] == []
