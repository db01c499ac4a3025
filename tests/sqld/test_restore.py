"""A restore touches nothing before it is sure, and never deletes what was there."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sqld.restore as restore_module
from sqld import (
    Backup,
    DamagedBackupError,
    DataDirInUseError,
    DataDirNotEmptyError,
    DataDirUnusableError,
    NotABackupError,
    RestoreError,
    Server,
    back_up,
    restore_backup,
)
from sqld.data_dir import log_position
from tests.sqld.primaries import ask, files_in

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def primary(sqld_binary: Path, tmp_path: Path) -> Iterator[Server]:
    """A running sqld, on a directory of the test."""
    (tmp_path / "place").mkdir()
    with Server(sqld_binary, data_dir=tmp_path / "place" / "data") as server:
        ask(server, "CREATE TABLE notes (text TEXT)")
        ask(server, "INSERT INTO notes (text) VALUES ('milk')")
        yield server


@pytest.fixture
def backup(primary: Server, sqld_binary: Path, tmp_path: Path) -> Backup:
    """Of one note; the primary has two by now."""
    made = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)
    ask(primary, "INSERT INTO notes (text) VALUES ('bread')")
    return made


def test_what_is_restored_is_what_was_backed_up_under_a_new_log(
    primary: Server, backup: Backup, sqld_binary: Path
) -> None:
    """Under the old log id, clients would go on as if nothing had happened."""
    primary.stop()
    before = log_position(primary.data_dir, "default")

    restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True)

    after = log_position(primary.data_dir, "default")
    assert before is not None
    assert after is not None
    assert before.id != after.id
    primary.start()
    assert ask(primary, "SELECT text FROM notes") == [["milk"]]
    assert log_position(primary.data_dir, "default") == after


def test_what_was_there_is_kept_whole_beside_it(primary: Server, backup: Backup, sqld_binary: Path) -> None:
    """Whoever restored the wrong one can go back."""
    primary.stop()
    before = files_in(primary.data_dir)

    done = restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True, clock=lambda: NOON)

    assert done.set_aside == primary.data_dir.with_name("data.replaced-2026-11-21T12-00-00.000000Z")
    assert files_in(done.set_aside) == before
    assert sorted(primary.data_dir.parent.iterdir()) == [primary.data_dir, done.set_aside]
    with Server(sqld_binary, data_dir=done.set_aside) as old:
        assert ask(old, "SELECT text FROM notes") == [["milk"], ["bread"]]


@pytest.mark.parametrize("state", ["missing", "empty"])
def test_a_directory_without_anything_needs_no_leave(
    backup: Backup, sqld_binary: Path, tmp_path: Path, state: str
) -> None:
    """Nothing is set aside."""
    target = tmp_path / "new" / "data"
    if state == "empty":
        target.mkdir(parents=True)

    done = restore_backup(backup.folder, target, binary=sqld_binary)

    assert done.set_aside is None
    assert target.stat().st_mode & 0o777 == 0o700
    with Server(sqld_binary, data_dir=target) as server:
        assert ask(server, "SELECT text FROM notes") == [["milk"]]


def test_a_backup_can_be_restored_again_and_again(backup: Backup, sqld_binary: Path, tmp_path: Path) -> None:
    """The backup stays as it is."""
    before = files_in(backup.folder)

    for name in ("one", "two"):
        restore_backup(backup.folder, tmp_path / name, binary=sqld_binary)

    assert files_in(backup.folder) == before


def test_a_directory_with_something_in_it_is_refused(primary: Server, backup: Backup, sqld_binary: Path) -> None:
    """And is as it was."""
    primary.stop()
    before = files_in(primary.data_dir)

    with pytest.raises(DataDirNotEmptyError):
        restore_backup(backup.folder, primary.data_dir, binary=sqld_binary)

    assert files_in(primary.data_dir) == before
    assert list(primary.data_dir.parent.iterdir()) == [primary.data_dir]


@pytest.mark.parametrize("by", ["us", "somebody else"])
def test_a_directory_that_an_sqld_runs_on_is_refused(
    primary: Server, backup: Backup, sqld_binary: Path, by: str
) -> None:
    """Ours holds a lock of its own; every sqld holds one on its databases."""
    if by == "somebody else":
        (primary.data_dir / "sqld.lock").unlink()

    with pytest.raises(DataDirInUseError):
        restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True)

    assert ask(primary, "SELECT text FROM notes") == [["milk"], ["bread"]]
    assert list(primary.data_dir.parent.iterdir()) == [primary.data_dir]


def test_a_killed_primary_can_be_restored(primary: Server, backup: Backup, sqld_binary: Path) -> None:
    """What it left open is no sign that it runs."""
    primary.kill()

    restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True)

    primary.start()
    assert ask(primary, "SELECT text FROM notes") == [["milk"]]


def test_a_primary_cannot_be_started_while_it_is_restored(primary: Server, backup: Backup, sqld_binary: Path) -> None:
    """It would write to what is about to be set aside."""
    primary.stop()
    refused = []

    def start(_doing: str, _done: int, _total: int) -> None:
        with pytest.raises(DataDirInUseError):
            primary.start()
        refused.append(True)

    restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True, progress=start)

    assert refused


KILLED = """
import os, pathlib, signal, sys
import sqld.restore
from sqld import find_sqld, restore_backup
def kill(*arguments):
    if sys.argv[3] in ("move", arguments[0]):
        os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "move":
    sqld.restore.move = kill
restore_backup(
    pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), binary=find_sqld(), replace=True,
    progress=(lambda *arguments: None) if sys.argv[3] == "move" else kill,
)
"""


def kill_at(moment: str, backup: Backup, primary: Server, binary: Path) -> dict[str, Path]:
    """Have a restore killed at a moment; what is then beside the data directory, by the kind of its name."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, backup.folder, primary.data_dir, moment],
        env=os.environ | {"TD_SQLD": str(binary)},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    return {path.name.removeprefix("data").split("-")[0]: path for path in primary.data_dir.parent.iterdir()}


@pytest.mark.parametrize("moment", ["copying the backup", "trying what was copied"])
def test_one_that_is_killed_has_touched_nothing(
    primary: Server, backup: Backup, sqld_binary: Path, moment: str
) -> None:
    """What it leaves is plainly not the data; the next restore goes through."""
    primary.stop()
    before = files_in(primary.data_dir)

    found = kill_at(moment, backup, primary, sqld_binary)

    assert set(found) == {"", ".restoring"}
    assert files_in(primary.data_dir) == before
    restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True)


def test_one_that_is_killed_between_its_two_renames_leaves_both_whole(
    primary: Server, backup: Backup, sqld_binary: Path
) -> None:
    """Either can be given the name of the data directory by hand."""
    primary.stop()

    found = kill_at("move", backup, primary, sqld_binary)

    assert set(found) == {".replaced", ".restoring"}
    for kind, texts in ((".replaced", [["milk"], ["bread"]]), (".restoring", [["milk"]])):
        with Server(sqld_binary, data_dir=found[kind]) as server:
            assert ask(server, "SELECT text FROM notes") == texts


def _flip(folder: Path) -> None:
    file = folder / "dbs" / "default" / "data"
    content = bytearray(file.read_bytes())
    content[5000] ^= 1
    file.write_bytes(content)


def _truncate(folder: Path) -> None:
    file = folder / "dbs" / "default" / "data"
    file.write_bytes(file.read_bytes()[:4096])


def _remove(folder: Path) -> None:
    (folder / "dbs" / "default" / "data").unlink()


def _claim_more_rows(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["namespaces"][0]["tables"]["notes"] = 7
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("damage", [_flip, _truncate, _remove, _claim_more_rows])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    primary: Server, backup: Backup, sqld_binary: Path, damage: Callable[[Path], None]
) -> None:
    """It names the file."""
    primary.stop()
    before = files_in(primary.data_dir)
    damage(backup.folder)

    with pytest.raises(DamagedBackupError, match="dbs/default/data is damaged"):
        restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True)

    assert files_in(primary.data_dir) == before
    assert list(primary.data_dir.parent.iterdir()) == [primary.data_dir]


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"namespaces": 3},
        {"settings": {"file": "../../etc/passwd", "bytes": 1, "sha256": ""}},
        {"settings": {"file": "/etc/passwd", "bytes": 1, "sha256": ""}},
        {"more": 1},
    ],
    ids=["a later format", "not a list", "upward", "absolute", "an unknown field"],
)
def test_a_manifest_that_is_not_ours_is_refused(
    backup: Backup, sqld_binary: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    """It may come from anywhere."""
    manifest = json.loads((backup.folder / "manifest.json").read_text())
    (backup.folder / "manifest.json").write_text(json.dumps({**manifest, **change}))

    with pytest.raises(NotABackupError, match=r"manifest\.json"):
        restore_backup(backup.folder, tmp_path / "new", binary=sqld_binary)

    assert not (tmp_path / "new").exists()


def test_the_folder_of_all_backups_leads_to_the_newest(backup: Backup, sqld_binary: Path, tmp_path: Path) -> None:
    """It is what was typed to make them."""
    older = backup.folder.with_name("2001-01-01T00-00-00.000000Z")
    shutil.copytree(backup.folder, older)

    with pytest.raises(NotABackupError) as caught:
        restore_backup(backup.folder.parent, tmp_path / "new", binary=sqld_binary)

    assert caught.value.hint.endswith(str(backup.folder))


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b"])
def test_a_namespace_that_leads_elsewhere_is_refused(
    backup: Backup, sqld_binary: Path, tmp_path: Path, name: str
) -> None:
    """Its name is the name of a folder."""
    manifest = json.loads((backup.folder / "manifest.json").read_text())
    manifest["namespaces"][0]["name"] = name
    (backup.folder / "manifest.json").write_text(json.dumps(manifest))

    with pytest.raises(NotABackupError, match="name of a namespace"):
        restore_backup(backup.folder, tmp_path / "new", binary=sqld_binary)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_manifest_that_is_no_manifest_is_refused(
    backup: Backup, sqld_binary: Path, tmp_path: Path, content: bytes
) -> None:
    """With a reason in one line."""
    (backup.folder / "manifest.json").write_bytes(content)

    with pytest.raises(NotABackupError) as caught:
        restore_backup(backup.folder, tmp_path / "new", binary=sqld_binary)

    assert len(str(caught.value).splitlines()) == 1


def test_where_the_last_step_fails_all_is_as_it_was(
    primary: Server, backup: Backup, sqld_binary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody made the directory in the moment between, say."""
    primary.stop()
    before = files_in(primary.data_dir)

    def fail(_folder: Path, _final: Path) -> None:
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY))

    monkeypatch.setattr(restore_module, "move", fail)

    with pytest.raises(RestoreError, match="not empty"):
        restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True)

    assert files_in(primary.data_dir) == before
    assert list(primary.data_dir.parent.iterdir()) == [primary.data_dir]


def test_a_full_disk_leaves_all_as_it_was(primary: Server, backup: Backup, sqld_binary: Path) -> None:
    """The copy is made beside; what was begun is removed."""
    primary.stop()
    before = files_in(primary.data_dir)

    def fill(_doing: str, _done: int, _total: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(RestoreError, match="No space left"):
        restore_backup(backup.folder, primary.data_dir, binary=sqld_binary, replace=True, progress=fill)

    assert files_in(primary.data_dir) == before
    assert list(primary.data_dir.parent.iterdir()) == [primary.data_dir]


def test_what_is_not_of_an_sqld_is_not_set_aside(backup: Backup, sqld_binary: Path, tmp_path: Path) -> None:
    """A mistyped directory may be somebody's home; not even a lock is left in it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter").write_text("mine")

    with pytest.raises(DataDirUnusableError, match="no database of an sqld"):
        restore_backup(backup.folder, home, binary=sqld_binary, replace=True)

    assert [path.name for path in home.iterdir()] == ["letter"]


def test_a_file_in_its_place_is_told(backup: Backup, sqld_binary: Path, tmp_path: Path) -> None:
    """It is no directory, and stays."""
    (tmp_path / "file").write_text("mine")

    with pytest.raises(DataDirUnusableError):
        restore_backup(backup.folder, tmp_path / "file", binary=sqld_binary, replace=True)

    assert (tmp_path / "file").read_text() == "mine"
