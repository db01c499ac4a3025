"""`td doctor --repair` and `td import`: as a person meets them after a bad day of the disk."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sqld import Server
from tests.cli.program import Program


def _todos(program: Program) -> Path:
    return program.directory / ".todos"


def test_a_sound_directory_is_compared_with_its_primary(laptop: Program) -> None:
    """Table by table; one JSON document; a copy of what waits stands beside."""
    laptop.create("Oat milk")
    laptop.done("sync")
    laptop.create("Bread")

    answer = laptop.done("doctor", "--repair", "--full", "--json").document()

    details = {check["name"]: check["detail"] for check in answer["checks"]}
    assert answer["ok"] is True
    assert "all 2 rows as on the primary" in details["table issues"]
    assert len(list(_todos(laptop).glob("local-before-repair-*.db"))) == 1


def test_a_forged_copy_of_the_primary_is_fetched_anew(laptop: Program) -> None:
    """And said to have differed."""
    issue_id = laptop.create("Oat milk")
    laptop.done("sync")
    with closing(sqlite3.connect(_todos(laptop) / "replica.db")) as connection, connection:
        connection.execute("UPDATE issues SET title = 'forged'")

    shown = laptop.done("doctor", "--repair").out

    assert "fetched anew, because it differed in issues" in shown
    assert laptop.done("show", issue_id, "--json").document()["title"] == "Oat milk"


def test_without_the_primary_it_says_what_it_could_not_do(laptop: Program, primary_server: Server) -> None:
    """Exit code 1; what waits goes on waiting."""
    laptop.create("Oat milk")
    primary_server.stop()

    answer = laptop("doctor", "--repair", "--json")

    assert answer.code == 1
    assert [check["name"] for check in answer.document()["checks"] if not check["ok"]] == ["sync"]
    assert len(laptop.done("sync", "pending", "--json").document()) == 1


@pytest.mark.parametrize("spoil", ["header", "a table", "all of it"])
def test_what_waited_in_a_damaged_file_is_taken_back(laptop: Program, spoil: str) -> None:
    """As far as it can be read; the file that could not be opened is kept."""
    laptop.create("Oat milk")
    path = _todos(laptop) / "local.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sql = "SELECT rootpage FROM sqlite_master WHERE name = 'overlay_issues'"
        (root,) = connection.execute(sql).fetchone()
    data = path.read_bytes()
    start, end = {"header": (0, 100), "a table": (4096 * (root - 1), 4096 * root), "all of it": (0, len(data))}[spoil]
    damaged = data[:start] + b"\x55" * (end - start) + data[end:]
    path.write_bytes(damaged)
    assert spoil != "a table" or "td doctor --repair" in laptop("doctor").out
    answer = laptop("doctor", "--repair", "--json")
    assert (answer.code, answer.error()["code"]) == (1, "unhealthy")
    (file,) = _todos(laptop).glob("salvaged-*.json")
    (kept,) = _todos(laptop).glob("local-damaged-*.db")
    assert ("td import" in answer.error()["hint"]) == (spoil != "all of it")

    imported = laptop.done("import", "--pending", str(file), "--json").document()
    again = laptop.done("import", "--pending", str(file), "--json").document()
    assert "is here already" in laptop("import", "--pending", str(file)).err

    assert kept.read_bytes() == damaged
    assert (imported["count"], again["count"]) == ((1, 0) if spoil != "all of it" else (0, 0))
    titles = [issue["title"] for issue in laptop.done("list", "--json").document()]
    assert titles == (["Oat milk"] if spoil != "all of it" else [])


def test_a_file_that_is_none_of_ours_is_not_imported(laptop: Program) -> None:
    """Exit code 2 and one line."""
    other = laptop.directory / "other.json"
    other.write_text(json.dumps({"format": "other"}))

    for args in (
        ["import", "--pending", str(other)],
        ["import", "--pending", "nowhere"],
        ["import"],
        ["doctor", "--full"],
    ):
        answer = laptop(*args)
        assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1), args


def test_a_file_of_mode_local_is_not_taken_apart(td: Program) -> None:
    """There is no primary to compare with, and nothing is changed."""
    td.create("Oat milk")

    answer = td("doctor", "--repair")

    assert (answer.code, answer.out) == (2, "")
    assert [issue["title"] for issue in td.done("list", "--json").document()] == ["Oat milk"]
