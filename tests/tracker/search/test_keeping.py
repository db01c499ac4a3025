"""The file of the index is a cache: whatever happens to it, a search is right, and the next one is quick again."""

import fcntl
import multiprocessing
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from replica import BusyError, Snapshot
from sqld import Server
from tests.tracker.clock import Clock
from tracker import IssueFilter, SearchUnavailableError, Tracker, open_tracker, search
from tracker.search import documents, index, keeping
from tracker.search.documents import TALK, Document, said_sql

_PROCESSES = multiprocessing.get_context("forkserver")


@pytest.fixture
def file(tracker: Tracker) -> Path:
    """The index of three issues, made by a first search."""
    for title in ("plum one", "plum two", "pear"):
        tracker.create(title)
    assert count(tracker) == 2
    assert tracker.replica.directory is not None
    return tracker.replica.directory / search.FILE_NAME


def count(tracker: Tracker, typed: str = "plum") -> int:
    """How many issues are found."""
    return len(search.find(tracker, typed))


def test_nobody_else_can_read_it(file: Path) -> None:
    """Nor the lock beside it, and nothing else is left."""
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.glob("search*")}

    assert names == {"search.db": 0o600, "search.lock": 0o600}


@pytest.mark.parametrize("data", [b"", b"text", b"\x55" * 50_000, b"SQLite format 3\0" + b"\0" * 4080])
def test_a_damaged_index_is_made_anew(tracker: Tracker, file: Path, data: bytes) -> None:
    """By the search that finds it."""
    file.write_bytes(data)

    assert count(tracker) == 2

    inode = file.stat().st_ino
    assert count(tracker) == 2
    assert file.stat().st_ino == inode


def test_every_page_may_be_damaged(tracker: Tracker, file: Path) -> None:
    """None of it comes to a person as an error."""
    whole = file.read_bytes()
    for start in range(0, len(whole), 4096):
        file.write_bytes(whole[:start] + b"\xff" * 4096 + whole[start + 4096 :])

        assert count(tracker) <= 3


def test_an_index_that_lacks_a_table_is_made_anew(tracker: Tracker, file: Path) -> None:
    """As one of another program."""
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE parts")
    connection.close()
    tracker.create("plum three")

    assert count(tracker) == 3


def test_an_index_of_another_format_is_made_anew(tracker: Tracker, file: Path) -> None:
    """As that of a newer td."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 999")
        connection.execute("DELETE FROM issues")
    connection.close()

    assert count(tracker) == 2


def test_deleting_it_costs_no_more_than_making_it_anew(tracker: Tracker, file: Path) -> None:
    """With its lock or without."""
    for path in file.parent.glob("search*"):
        path.unlink()

    assert count(tracker) == 2


def test_a_journal_of_another_index_is_not_played_back(tracker: Tracker, file: Path) -> None:
    """It lies there when the process that wrote was killed, and the file was deleted since."""
    journal = Path(f"{file}-journal")
    journal.write_bytes(b"the journal of a file that is gone")

    with tracker.replica.snapshot() as seen:
        keeping._make_anew(file.parent, seen)

    assert not journal.exists()
    assert count(tracker) == 2


def test_a_build_that_was_interrupted_is_begun_anew(
    tracker: Tracker, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it left is not taken for an index."""
    file.unlink()

    def stop(seen: Snapshot) -> Iterator[Document]:
        yield from list(documents.all_documents(seen))[:1]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(keeping, "all_documents", stop)
        with pytest.raises(KeyboardInterrupt):
            count(tracker)
    assert not file.exists()
    Path(f"{file}.new").write_bytes(b"half an index")

    assert count(tracker) == 2
    assert not Path(f"{file}.new").exists()


def test_an_update_that_was_interrupted_is_done_by_the_next_search(
    tracker: Tracker, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it or none."""
    inode = file.stat().st_ino
    tracker.create("plum three")

    def stop(connection: sqlite3.Connection, marker: str) -> None:
        del connection, marker
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(index, "write_marker", stop)
        with pytest.raises(KeyboardInterrupt):
            count(tracker)

    assert count(tracker) == 3
    assert file.stat().st_ino == inode


def test_where_the_index_cannot_be_written_a_search_goes_without(
    tracker: Tracker, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is full: nobody is kept from reading."""
    tracker.create("plum three")

    def full(connection: sqlite3.Connection, marker: str) -> None:
        if connection.execute("PRAGMA database_list").fetchone()[2]:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        del marker

    monkeypatch.setattr(index, "write_marker", full)

    assert count(tracker) == 3
    file.unlink()
    assert count(tracker) == 3


def test_where_there_is_no_place_for_a_lock_a_search_goes_without(tracker: Tracker, file: Path) -> None:
    """The directory may have become another's."""
    lock = file.with_name(keeping.LOCK_NAME)
    lock.unlink()
    lock.mkdir()

    assert count(tracker) == 2


def test_an_sqlite_without_full_text_search_is_told(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what can be done about it."""
    statement = "CREATE VIRTUAL TABLE text USING fts5_that_is_not_there (title)"
    monkeypatch.setattr(index, "_TABLES", (statement,))

    with pytest.raises(SearchUnavailableError) as caught:
        count(tracker)

    assert caught.value.hint


def test_who_waits_too_long_is_told(tracker: Tracker, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may have been stopped in the middle of it."""
    monkeypatch.setattr(keeping, "_WAIT_S", 0.05)
    descriptor = os.open(file.with_name(keeping.LOCK_NAME), os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    with pytest.raises(BusyError):
        count(tracker)

    os.close(descriptor)
    assert count(tracker) == 2


def _search_and_write(directory: Path, name: str, rounds: int) -> None:
    with open_tracker(directory, session=f"ses_{name}_000001", machine=name) as tracker:
        for number in range(rounds):
            issue = tracker.create(f"plum {name} {number}")
            assert issue.id in {hit.issue.id for hit in search.find(tracker, f"plum {name}", limit=1000)}
            if number % 3 == 0:
                (directory / search.FILE_NAME).unlink(missing_ok=True)


def test_two_processes_search_and_write_at_once(tracker: Tracker, file: Path) -> None:
    """Each finds at once what it wrote, while the other makes the index anew."""
    workers = [_PROCESSES.Process(target=_search_and_write, args=(file.parent, name, 6)) for name in ("one", "two")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(search.find(tracker, "plum", limit=1000)) == 2 + 12


def test_pending_work_of_a_replica_is_found_and_so_is_what_a_sync_brings(
    tmp_path: Path, primary_server: Server, clock: Clock
) -> None:
    """By no more than what changed: the index stays the file that it is."""

    def member(name: str) -> Tracker:
        where = tmp_path / name
        session = f"ses_{name}_000001"
        return open_tracker(where, mode="libsql", url=primary_server.url, session=session, machine=name, clock=clock)

    with member("laptop") as laptop, member("desktop") as desktop:
        laptop.create("plum one")
        for tracker in (laptop, desktop):
            assert tracker.replica.sync().error is None
        assert (count(laptop), count(desktop)) == (1, 1)
        inode = (tmp_path / "laptop" / search.FILE_NAME).stat().st_ino

        desktop.create("plum two")
        laptop.create("plum three")
        assert (count(laptop), count(desktop)) == (2, 2)
        for tracker in (desktop, laptop, desktop):
            assert tracker.replica.sync().error is None
        assert (count(laptop), count(desktop)) == (3, 3)
        assert (tmp_path / "laptop" / search.FILE_NAME).stat().st_ino == inode


def test_what_was_said_of_an_issue_is_looked_up_and_not_looked_for(tmp_path: Path, primary_server: Server) -> None:
    """The view of a replica is read by the indexes of the base, or a change would cost what is stored."""
    with open_tracker(
        tmp_path / "laptop", mode="libsql", url=primary_server.url, session="ses_laptop_000001", machine="laptop"
    ) as tracker:
        assert tracker.replica.sync().error is None
        found = {
            record: tracker.replica.read(f"EXPLAIN QUERY PLAN {said_sql(record)}", ("[]",)).rows for record in TALK
        }

    for record, rows in found.items():
        plan = [row[3] for row in rows]
        assert f"SEARCH b USING INDEX {record.replica_table}_by_issue (issue_id=?)" in plan
        assert "SCAN b" not in plan


def test_in_mode_remote_a_search_finds_the_same(tmp_path: Path, primary_server: Server, clock: Clock) -> None:
    """And keeps nothing on the disk."""
    with open_tracker(
        tmp_path / "far", mode="remote", url=primary_server.url, session="ses_far_000001", machine="far", clock=clock
    ) as tracker:
        shown = tracker.create("plum café", description="10% off", labels=frozenset({"web"}))
        tracker.comment(shown.id, 'the "quince" is ripe')
        tracker.create("pear")
        gone = tracker.create("plum gone")
        tracker.delete([gone.id])

        for typed in (
            "plum",
            "pl",
            "quince plum",
            '"is ripe"',
            "café",
            "CAFÉ",
            "10% off",
            "web",
            "plum -pear",
            shown.id,
        ):
            hits = search.find(tracker, typed)
            assert [hit.issue.id for hit in hits] == [shown.id], typed
            assert hits[0].snippet.marks or hits[0].match is search.Where.ID
        for typed in (
            "nut",
            "plum pear",
            "1%f",
            '"ripe is"',
            "plum -quince",
            "%",
            "",
            "x" * 60_000,
            "plum " * 2000 + "nut",
        ):
            assert search.find(tracker, typed, IssueFilter(with_closed=True)) == [], typed[:20]
        assert not list((tmp_path / "far").glob("search*"))
