"""What fuzzing found, each in the smallest form it had: what is read from outside is refused in words, and in time."""

import json
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from replica import (
    DamagedError,
    ForeignFileError,
    InputError,
    NotFoundError,
    PrimaryError,
    SchemaMismatchError,
    UnreachableError,
)
from replica.hrana import Hrana, Statement
from replica.primary import Primary
from replica.schema import Schema, load_migrations
from tests.fuzz.lying_server import LyingServer, reply
from tests.replica.garbage_server import GarbageServer
from tests.replica.notebook import Note, add, open_notes


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_drips_ends_at_the_deadline(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in its head, and where no sync has set a deadline."""
    monkeypatch.setattr("replica.hrana._ANSWER_S_MAX", 0.3)
    start = time.monotonic()
    with (
        GarbageServer(answer, drip=b"x") as server,
        closing(Hrana(server.url, timeout_s=0.3)) as hrana,
        pytest.raises(UnreachableError),
    ):
        hrana.execute(Statement("SELECT 1"))

    assert time.monotonic() - start < 2


def _batch(rows: object, *, error: object = None) -> bytes:
    """An answer to a batch of one statement."""
    good = None if error else {"cols": [{"name": "a"}, {"name": "b"}], "rows": rows}
    result = {"step_results": [good], "step_errors": [error], "replication_index": None}
    return reply(json.dumps({"results": [{"type": "ok", "response": {"type": "batch", "result": result}}]}).encode())


@pytest.mark.parametrize(
    "cell",
    [
        {"type": "text", "value": "\ud800"},
        {"type": "integer", "value": str(2**63)},
        {"type": "integer", "value": "1" * 5000},
    ],
)
def test_a_value_that_sqlite_cannot_hold_is_refused(cell: object) -> None:
    """It would end in a traceback where it is written."""
    with LyingServer() as liar, closing(Hrana(liar.url)) as hrana:
        liar.tell(lambda _request, _true: _batch([[cell, cell]]))

        with pytest.raises(PrimaryError):
            hrana.execute(Statement("SELECT 1"))


def test_what_a_primary_says_of_an_error_can_be_written_down() -> None:
    """A sync keeps it for `status`."""
    with LyingServer() as liar, closing(Hrana(liar.url)) as hrana:
        liar.tell(lambda _request, _true: _batch([], error={"message": "half \ud800", "code": "\udfff"}))

        with pytest.raises(PrimaryError) as caught:
            hrana.execute(Statement("SELECT 1"))

    assert str(caught.value).encode().endswith(b"half \\ud800")


@pytest.mark.parametrize("rows", [[], [[]]])
def test_rows_of_another_width_are_no_answer(rows: object) -> None:
    """A primary is asked for its id, and has no row, or one of nothing."""
    with LyingServer() as liar, closing(Primary(Hrana(liar.url), Schema((), (), {}), {})) as primary:
        liar.tell(lambda _request, _true: _batch(rows))

        with pytest.raises(PrimaryError):
            primary.identity()


def test_a_primary_that_says_nothing_of_our_last_change_does_not_know_it() -> None:
    """It was asked for one row, and gave none."""
    none: dict[str, list[object]] = {"cols": [], "rows": []}
    result = {"step_results": [none] * 4, "step_errors": [None] * 4}
    answer = json.dumps({"results": [{"type": "ok", "response": {"type": "batch", "result": result}}]}).encode()
    with LyingServer() as liar, closing(Primary(Hrana(liar.url), Schema((), (), {}), {})) as primary:
        liar.tell(lambda _request, _true: reply(answer))

        assert not primary.greet([(1, "a")]).knows_our_tail


@pytest.mark.parametrize("name", ["id", "fields", "kind", "state"])
def test_an_outbox_with_another_text_in_it_is_damaged_in_words(tmp_path: Path, name: str) -> None:
    """A bit of the file was flipped: in a page that SQLite finds sound, it is what is written there that is not."""
    with open_notes(tmp_path, "libsql", "http://127.0.0.1:1") as notes:
        add(notes, "Milk")
    table = "mutations" if name in ("id", "state") else "changes"
    with closing(sqlite3.connect(tmp_path / "local.db")) as connection, connection:
        connection.execute(f"UPDATE {table} SET {name} = CAST(x'ff' || 'x' AS TEXT)")

    with open_notes(tmp_path, "libsql", "http://127.0.0.1:1") as notes:
        for ask in (notes.pending, notes.undo, lambda: notes.sync(deadline_s=1), notes.checks, notes.status):
            with suppress(DamagedError, NotFoundError):
                ask()


def test_a_file_that_is_refused_keeps_no_log_beside_it(tmp_path: Path) -> None:
    """Whoever opened it lets go of it again."""
    with open_notes(tmp_path, "libsql", "http://127.0.0.1:1"):
        pass
    with closing(sqlite3.connect(tmp_path / "local.db")) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    refused: list[ForeignFileError] = []
    try:
        open_notes(tmp_path, "libsql", "http://127.0.0.1:1")
    except ForeignFileError as error:
        refused.append(error)

    assert len(refused) == 1
    assert not list(tmp_path.glob("local.db-*"))


@pytest.mark.parametrize("value", [2**63, [], {"blob": "zz"}, "\ud800"])
def test_salvaged_changes_that_nobody_could_have_written_are_refused(tmp_path: Path, value: object) -> None:
    """Before any of them is taken."""
    fields = json.dumps({"title": [None, value]})
    change = ["notes", "a", "insert", "", "2026-11-21T05:00:00.000000Z", fields]
    mutation = {"id": "m", "session": "s", "machine": "m", "made_at": "t", "schema_version": 1, "changes": [change]}
    document = {"format": "replica pending 1", "primary": "", "mutations": [mutation], "lost": [], "incomplete": []}
    (tmp_path / "file.json").write_text(json.dumps({**document, "fragments": []}))

    with open_notes(tmp_path / "notes", "libsql", "http://127.0.0.1:1") as notes:
        with pytest.raises(InputError):
            notes.recovery.import_pending(tmp_path / "file.json")

        assert notes.pending() == []


def test_a_migration_that_cannot_be_read_is_a_mismatch(tmp_path: Path) -> None:
    """Bytes that are no text, and a directory of that name."""
    (tmp_path / "bytes").mkdir()
    (tmp_path / "bytes" / "0001_a.sql").write_bytes(b"\x80")
    (tmp_path / "folder" / "0001_a.sql").mkdir(parents=True)

    for name in ("bytes", "folder"):
        with pytest.raises(SchemaMismatchError):
            load_migrations(tmp_path / name)


@pytest.mark.parametrize("mode", ["local", "libsql"])
def test_an_id_that_is_no_text_has_no_history(tmp_path: Path, mode: str) -> None:
    """An argument of a program may hold any bytes."""
    with open_notes(tmp_path, mode, "http://127.0.0.1:1") as notes, pytest.raises(NotFoundError):
        notes.history(Note, "\ud800")
