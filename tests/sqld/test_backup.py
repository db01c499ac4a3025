"""A backup is whole, of one moment, and readable; what is not is plainly none."""

import errno
import itertools
import json
import os
import pickle
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import sqld.backup
from sqld import (
    BackupError,
    DamagedBackupError,
    DamagedDatabaseError,
    DataDirNotEmptyError,
    NoDatabaseError,
    NotABackupError,
    RestoreError,
    Server,
    SqldError,
    back_up,
    restore_backup,
)
from sqld.data_dir import log_position
from tests.hrana_client import HranaClient
from tests.sqld.primaries import administer, ask, ask_namespace, close_to_strangers, files_in, with_tenants

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

# Starts a backup that is killed at the moment that its progress comes to `sys.argv[3]`.
KILLED = """
import os, pathlib, signal, sys
from sqld import back_up, find_sqld
def progress(doing, done, total):
    if doing.startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
back_up(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), binary=find_sqld(), progress=progress)
"""

TRANSFER = (
    "BEGIN IMMEDIATE;"
    "INSERT INTO left_side (pad) VALUES (hex(randomblob(200)));"
    "UPDATE left_side SET pad = hex(randomblob(200)) WHERE id IN (SELECT abs(random()) % 2000 FROM left_side LIMIT 20);"
    "INSERT INTO right_side (pad) VALUES (hex(randomblob(200)));"
    "COMMIT"
)


@pytest.fixture
def primary(sqld_binary: Path, tmp_path: Path) -> Iterator[Server]:
    """A running sqld with a row in it, on a directory of the test."""
    with Server(sqld_binary, data_dir=tmp_path / "data") as server:
        ask(server, "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT)")
        ask(server, "INSERT INTO notes (text) VALUES ('milk')")
        yield server


def run_script(client: HranaClient, sql: str) -> None:
    """Run statements as one sequence."""
    requests = [{"type": "sequence", "sql": sql}, {"type": "close"}]
    client._connection.request("POST", "/v3/pipeline", json.dumps({"baton": None, "requests": requests}))
    answer = json.loads(client._connection.getresponse().read())
    assert answer["results"][0]["type"] == "ok", answer


def write_until(stop: threading.Event, server: Server, written: list[int]) -> None:
    """Write transactions that put one row on each side, and count those acknowledged."""
    with HranaClient(server.port) as client:
        while not stop.is_set():
            run_script(client, TRANSFER)
            written.append(1)


def sides_of(backup: Path) -> tuple[int, int]:
    """The rows of both tables, as plain SQLite reads the file of a backup."""
    connection = sqlite3.connect(f"{(backup / 'dbs/default/data').as_uri()}?immutable=1", uri=True)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (left,) = connection.execute("SELECT count(*) FROM left_side").fetchone()
        (right,) = connection.execute("SELECT count(*) FROM right_side").fetchone()
    finally:
        connection.close()
    return left, right


def test_each_backup_taken_under_load_holds_whole_transactions_only(
    primary: Server, sqld_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And all that was acknowledged before it was begun; writers are not held up, and do not make it begin anew."""
    # Small steps, so that there are writes between them.
    monkeypatch.setattr(sqld.backup, "_PAGES", 1)
    ask(primary, "INSERT INTO notes (text) VALUES (hex(zeroblob(2000000)))")
    steps: list[tuple[int, int]] = []
    with HranaClient(primary.port) as client:
        run_script(client, "CREATE TABLE left_side (id INTEGER PRIMARY KEY, pad)")
        run_script(client, "CREATE TABLE right_side (id INTEGER PRIMARY KEY, pad)")
        run_script(client, "CREATE INDEX left_pad ON left_side (pad)")
        for _ in range(50):
            run_script(client, TRANSFER)
    written = [1] * 50
    stop = threading.Event()
    writers = [threading.Thread(target=write_until, args=(stop, primary, written)) for _ in range(2)]
    for writer in writers:
        writer.start()

    taken = []
    try:
        for _ in range(6):
            before = len(written)
            steps.append((-1, 0))
            backup = back_up(
                primary.data_dir,
                tmp_path / "backups",
                binary=sqld_binary,
                progress=lambda doing, done, total: steps.append((done, total)) if doing == "copying default" else None,
            )
            taken.append((before, backup, len(written)))
    finally:
        stop.set()
        for writer in writers:
            writer.join()

    for before, backup, after in taken:
        left, right = sides_of(backup.folder)
        assert left == right
        assert before <= left <= after + len(writers)
        assert backup.manifest.namespaces[0].tables["left_side"] == left
    assert all(after > before for before, _, after in taken)
    assert all(done > before or done == -1 for (before, _), (done, _) in itertools.pairwise(steps))
    assert ask(primary, "PRAGMA integrity_check") == [["ok"]]


def test_the_manifest_says_what_is_there(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """When, which build, which files, how many rows, how far the log, and which primary it is."""
    ask(primary, "CREATE TABLE _replica_primary (id TEXT NOT NULL)")
    ask(primary, "INSERT INTO _replica_primary (id) VALUES ('p1')")

    backup = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary, clock=lambda: NOON)

    manifest = json.loads((backup.folder / "manifest.json").read_text())
    (copy,) = manifest["namespaces"]
    assert backup.folder == tmp_path / "backups" / "2026-11-21T12-00-00.000000Z"
    assert (manifest["made_at"], manifest["sqld"]) == ("2026-11-21T12:00:00.000000Z", primary.version())
    assert (copy["name"], copy["file"], copy["primary_id"]) == ("default", "dbs/default/data", "p1")
    assert copy["bytes"] == (backup.folder / copy["file"]).stat().st_size
    assert copy["tables"] == {"_replica_primary": 1, "notes": 1}
    assert manifest["settings"]["file"] == "metastore/data"


def test_the_frame_in_the_manifest_is_the_one_that_sqld_tells(
    primary: Server, sqld_binary: Path, tmp_path: Path
) -> None:
    """A client that has seen a higher one knows more than the backup."""
    with HranaClient(primary.port) as client:
        statement = {"type": "execute", "stmt": {"sql": "INSERT INTO notes (text) VALUES ('bread')"}}
        body = json.dumps({"baton": None, "requests": [statement, {"type": "close"}]})
        client._connection.request("POST", "/v3/pipeline", body)
        answer = json.loads(client._connection.getresponse().read())
    told = int(answer["results"][0]["response"]["result"]["replication_index"])

    (copy,) = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary).manifest.namespaces

    position = log_position(primary.data_dir, "default")
    assert position is not None
    assert (copy.frame, copy.log_id) == (told, str(position.id))


def test_a_backup_is_for_its_owner_only(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """It holds everybody's data."""
    backup = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    modes = {path.stat().st_mode & 0o777 for path in backup.folder.rglob("*") if path.is_file()}
    assert (backup.folder.stat().st_mode & 0o777, modes) == (0o700, {0o600})


def test_a_stopped_primary_is_left_as_it_was(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """Byte for byte: its log and its database still fit together."""
    primary.stop()
    before = files_in(primary.data_dir)

    backup = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    assert files_in(primary.data_dir) == before
    assert backup.manifest.namespaces[0].tables == {"notes": 1}


def test_a_killed_primary_can_be_backed_up(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """What it acknowledged may still be in its write-ahead log alone."""
    ask(primary, "INSERT INTO notes (text) VALUES ('bread')")
    primary.kill()

    backup = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    assert backup.manifest.namespaces[0].tables == {"notes": 2}
    primary.start()
    assert ask(primary, "SELECT count(*) FROM notes") == [["2"]]


def test_every_namespace_comes_back_with_its_settings(sqld_binary: Path, tmp_path: Path) -> None:
    """The key of a tenant among them: without it, anybody could read what was restored."""
    with with_tenants(sqld_binary, tmp_path / "data") as (server, admin_port):
        administer(admin_port, "POST", "/v1/namespaces/acme/create", {})
        assert ask_namespace(server, "acme", "CREATE TABLE secrets (x)")[0] == 200
        close_to_strangers(admin_port, "acme")
        assert ask_namespace(server, "default", "CREATE TABLE open_to_all (x)")[0] == 200

        backup = back_up(server.data_dir, tmp_path / "backups", binary=sqld_binary)

    restore_backup(backup.folder, tmp_path / "again", binary=sqld_binary)
    assert [copy.name for copy in backup.manifest.namespaces] == ["acme", "default"]
    with with_tenants(sqld_binary, tmp_path / "again") as (server, _):
        assert ask_namespace(server, "acme", "SELECT * FROM secrets")[0] == 401
        assert ask_namespace(server, "default", "SELECT * FROM open_to_all")[0] == 200


def test_a_namespace_that_is_deleted_meanwhile_is_left_out(sqld_binary: Path, tmp_path: Path) -> None:
    """The others are backed up all the same."""
    with with_tenants(sqld_binary, tmp_path / "data") as (server, admin_port):
        for name in ("acme", "zeta"):
            administer(admin_port, "POST", f"/v1/namespaces/{name}/create", {})
            assert ask_namespace(server, name, "CREATE TABLE notes (x)")[0] == 200

        def delete(doing: str, _done: int, _total: int) -> None:
            if doing == "trying acme":
                administer(admin_port, "DELETE", "/v1/namespaces/zeta")

        backup = back_up(server.data_dir, tmp_path / "backups", binary=sqld_binary, progress=delete)

    assert [copy.name for copy in backup.manifest.namespaces] == ["acme"]
    assert [path.name for path in (backup.folder / "dbs").iterdir()] == ["acme"]
    restore_backup(backup.folder, tmp_path / "again", binary=sqld_binary)


def test_what_only_libsql_can_read_is_backed_up_and_restored(
    primary: Server, sqld_binary: Path, tmp_path: Path
) -> None:
    """Plain SQLite does not know the function of a vector index."""
    ask(primary, "CREATE TABLE places (id INTEGER PRIMARY KEY, at F32_BLOB(2))")
    ask(primary, "CREATE INDEX places_at ON places (libsql_vector_idx(at))")
    ask(primary, "INSERT INTO places VALUES (1, vector('[1,2]'))")

    backup = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    restore_backup(backup.folder, tmp_path / "again", binary=sqld_binary)
    with Server(sqld_binary, data_dir=tmp_path / "again") as server:
        assert ask(server, "SELECT id FROM vector_top_k('places_at', vector('[1,2]'), 1)") == [["1"]]


@pytest.mark.parametrize("moment", ["copying the settings", "copying default", "trying default"])
def test_one_that_is_killed_leaves_what_is_plainly_none(
    primary: Server, sqld_binary: Path, tmp_path: Path, moment: str
) -> None:
    """By its name, and by having no manifest; the primary goes on, and so does the next backup."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, primary.data_dir, tmp_path / "backups", moment],
        env=os.environ | {"TD_SQLD": str(sqld_binary)},
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    (left,) = (tmp_path / "backups").iterdir()
    assert left.name.startswith("unfinished-")
    with pytest.raises(NotABackupError):
        restore_backup(left, tmp_path / "again", binary=sqld_binary)
    back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)


def test_a_full_disk_leaves_nothing_behind(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """It says why, and that the primary is well."""

    def fill(doing: str, _done: int, _total: int) -> None:
        if doing.startswith("trying"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(BackupError, match="No space left"):
        back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary, progress=fill)

    assert list((tmp_path / "backups").iterdir()) == []


def test_a_disk_too_full_for_the_trial_is_no_damage(
    primary: Server, sqld_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sqld of the trial would fail in words of its own."""
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)

    with pytest.raises(BackupError, match="No space left"):
        back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    assert list((tmp_path / "backups").iterdir()) == []


def test_a_damaged_database_is_told_and_not_kept(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """A backup that cannot be restored is worse than none."""
    ask(primary, "CREATE INDEX notes_text ON notes (text)")
    primary.stop()
    database = primary.data_dir / "dbs" / "default" / "data"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'notes_text'").fetchone()
    connection.close()
    # An index that has forgotten its entries: every statement works, and finds less than there is.
    with database.open("r+b") as file:
        file.seek((page - 1) * 4096 + 3)
        file.write(b"\0\0")

    with pytest.raises(DamagedDatabaseError, match="default is damaged"):
        back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    assert list((tmp_path / "backups").iterdir()) == []


def test_what_is_no_database_at_all_is_told(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """One that is encrypted looks like that, too."""
    primary.stop()
    (primary.data_dir / "dbs" / "default" / "data").write_bytes(os.urandom(8192))
    (primary.data_dir / "dbs" / "default" / "data-wal").unlink()

    with pytest.raises(BackupError, match="not a database"):
        back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)


def test_a_directory_without_data_is_told(sqld_binary: Path, tmp_path: Path) -> None:
    """And no folder for backups is made."""
    with pytest.raises(NoDatabaseError):
        back_up(tmp_path / "none", tmp_path / "backups", binary=sqld_binary)

    assert not (tmp_path / "backups").exists()


def test_a_folder_that_cannot_be_made_is_told(primary: Server, sqld_binary: Path, tmp_path: Path) -> None:
    """With its name."""
    (tmp_path / "file").write_text("")

    with pytest.raises(BackupError, match="file"):
        back_up(primary.data_dir, tmp_path / "file" / "backups", binary=sqld_binary)


def test_the_trial_takes_no_setting_of_the_real_one(
    primary: Server, sqld_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would send what it tries to the storage of the real one, or fetch from there."""
    monkeypatch.setenv("SQLD_ENABLE_BOTTOMLESS_REPLICATION", "true")
    monkeypatch.setenv("SQLD_PRIMARY_GRPC_URL", "http://127.0.0.1:9")

    backup = back_up(primary.data_dir, tmp_path / "backups", binary=sqld_binary)

    assert backup.manifest.namespaces[0].tables == {"notes": 1}


@pytest.mark.parametrize(
    "error",
    [
        BackupError(Path("a"), "b"),
        DamagedBackupError(Path("a"), "b"),
        DamagedDatabaseError("a", "b"),
        DataDirNotEmptyError(Path("a")),
        NoDatabaseError(Path("a")),
        NotABackupError(Path("a"), "b"),
        RestoreError(Path("a"), "b"),
    ],
    ids=lambda error: error.code,
)
def test_errors_pickle(error: SqldError) -> None:
    """They cross process borders in test runners and pools."""
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), again.code, again.hint) == (type(error), str(error), error.code, error.hint)
