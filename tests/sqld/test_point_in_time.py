"""What sqld's bottomless replication does: these are the promises of `docs/operations.md`, and sqld's to keep."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from sqld import Server, StartError, back_up, free_port, restore_backup
from tests.sqld.primaries import administer, ask
from tests.sqld.storage import Storage, until

# A table is two frames, a row is one; what was written together may be sent in two batches.
_NOTES_FRAMES: Final = 3


def has_frames(storage: Storage, database_id: str, count: int) -> bool:
    """Whether that many frames of a database are in the storage."""
    return max(storage.batches(database_id), default=0) >= count


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """An S3 for all tests here; each has a database of its own there."""
    with Storage() as found:
        yield found


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # sqld keeps what is not sent yet in a folder of the bucket's name, where it was started.
    monkeypatch.chdir(tmp_path)


def test_a_new_primary_has_all_that_the_lost_one_had_sent(storage: Storage, sqld_binary: Path, tmp_path: Path) -> None:
    """Also after SIGKILL: what was sent a second after it was written is there."""
    with Server(sqld_binary, data_dir=tmp_path / "lost", environ=storage.settings("lost")) as server:
        ask(server, "CREATE TABLE notes (text TEXT)")
        ask(server, "INSERT INTO notes VALUES ('milk')")
        until(lambda: has_frames(storage, "lost", _NOTES_FRAMES))
        server.kill()

    with Server(sqld_binary, data_dir=tmp_path / "new", environ=storage.settings("lost")) as server:
        assert ask(server, "SELECT text FROM notes") == [["milk"]]


def test_a_past_moment_becomes_a_primary_of_its_own(storage: Storage, sqld_binary: Path, tmp_path: Path) -> None:
    """By a fork, a backup, and one file."""
    admin_port = free_port()
    settings = {**storage.settings("past"), "SQLD_ADMIN_LISTEN_ADDR": f"127.0.0.1:{admin_port}"}
    with Server(sqld_binary, data_dir=tmp_path / "data", environ=settings) as server:
        ask(server, "CREATE TABLE notes (text TEXT)")
        ask(server, "INSERT INTO notes VALUES ('milk')")
        until(lambda: has_frames(storage, "past", _NOTES_FRAMES))
        moment = max(storage.batches("past").values())
        until(lambda: time.time() > moment + 1)
        ask(server, "DELETE FROM notes")
        until(lambda: max(storage.batches("past").values()) > moment)

        timestamp = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        administer(admin_port, "POST", "/v1/namespaces/default/fork/then", {"timestamp": timestamp})
        administer(admin_port, "POST", "/v1/namespaces/default/fork/ever", {"timestamp": "2020-01-01T00:00:00"})
        backup = back_up(server.data_dir, tmp_path / "backups", binary=sqld_binary)
        administer(admin_port, "DELETE", "/v1/namespaces/then")
        assert ask(server, "SELECT count(*) FROM notes") == [["0"]]

    assert not (server.data_dir / "dbs" / "then" / "data").exists()
    tables = {copy.name: copy.tables for copy in backup.manifest.namespaces}
    assert tables == {"default": {"notes": 0}, "then": {"notes": 1}, "ever": {}}
    (tmp_path / "new" / "dbs" / "default").mkdir(parents=True)
    shutil.copy(backup.folder / "dbs" / "then" / "data", tmp_path / "new" / "dbs" / "default" / "data")
    with Server(sqld_binary, data_dir=tmp_path / "new") as server:
        assert ask(server, "SELECT text FROM notes") == [["milk"]]


@pytest.mark.parametrize(("then", "rows"), [("same", "2"), ("other", "1")])
def test_a_restored_backup_needs_another_database_id(
    storage: Storage, sqld_binary: Path, tmp_path: Path, then: str, rows: str
) -> None:
    """Under the old one, sqld finds more in the storage and puts that in its place, without a word."""
    first, second = f"first-{then}", f"first-{then}" if then == "same" else "second"
    server = Server(sqld_binary, data_dir=tmp_path / "data", environ=storage.settings(first))
    server.start()
    ask(server, "CREATE TABLE notes (text TEXT)")
    ask(server, "INSERT INTO notes VALUES ('milk')")
    until(lambda: has_frames(storage, first, _NOTES_FRAMES))
    backup = back_up(server.data_dir, tmp_path / "backups", binary=sqld_binary)
    for number in range(5):
        ask(server, f"CREATE TABLE more_{number} (x)")
    ask(server, "INSERT INTO notes VALUES ('bread')")
    until(lambda: has_frames(storage, first, _NOTES_FRAMES + 5 * 2 + 1))
    for _ in range(2):
        server.stop()
        server.start()
    server.stop()
    restore_backup(backup.folder, server.data_dir, binary=sqld_binary, replace=True)

    with Server(sqld_binary, data_dir=server.data_dir, environ=storage.settings(second)) as again:
        assert ask(again, "SELECT count(*) FROM notes") == [[rows]]


def test_without_its_storage_a_primary_goes_on_and_does_not_start(sqld_binary: Path, tmp_path: Path) -> None:
    """Writes are acknowledged meanwhile, and are on this machine alone."""
    with Storage() as gone:
        settings = gone.settings("gone")
        server = Server(sqld_binary, data_dir=tmp_path / "data", environ=settings)
        server.start()
        ask(server, "CREATE TABLE notes (text TEXT)")
    ask(server, "INSERT INTO notes VALUES ('milk')")
    server.stop()

    with pytest.raises(StartError):
        server.start()

    with Server(sqld_binary, data_dir=server.data_dir) as alone:
        assert ask(alone, "SELECT text FROM notes") == [["milk"]]
