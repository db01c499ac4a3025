"""Bad input, and what it gets.

One line with what is wrong and what to do, an exit code, no traceback, and nothing written.
"""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.program import Program


def content(program: Program) -> dict[str, list[object]]:
    """Everything that is kept in the database of mode local."""
    with closing(sqlite3.connect(program.directory / ".todos" / "data.db")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}


def refused(program: Program, *args: str, code: int, error: str) -> dict[str, str]:
    """Run td, expect it to refuse and to say what to do, and return the error."""
    answer = program(*args, "--json")
    found = answer.error()
    assert (answer.code, answer.out, found["code"]) == (code, "", error), found
    assert found["hint"], "nothing says what to do"
    return found


def test_a_choice_that_is_none_is_told_in_plain_words(td: Program) -> None:
    """With those that there are, and without the names of what checks them."""
    message = refused(td, "export", "--format", "xml", code=2, error="usage")["message"]

    assert message == "Invalid value for '--format' / '-f': 'xml' is not one of 'json', 'sql', 'md'"


BAD_FIELDS: list[tuple[str, list[str], str]] = [
    ("empty title", ["create", ""], "title: it is empty"),
    ("blank title", ["create", "   "], "title: it is empty"),
    ("over-long title", ["create", "x" * 201], "title: it has 201 characters, 200 are allowed"),
    ("title of two lines", ["create", "a\nb"], "title: it holds a control character"),
    ("unknown type", ["create", "t", "-t", "stroy"], "type: there is no type 'stroy'"),
    ("unknown priority", ["create", "t", "-p", "P9"], "priority: there is no priority 'P9'"),
    ("bad label", ["create", "t", "-l", "two words"], "label: 'two words' is not a label"),
    ("unknown status", ["list", "-s", "wip"], "status: there is no status 'wip'"),
    ("unknown status of an update", ["update", "ID", "--status", "wip"], "status: there is no status 'wip'"),
    ("nothing to change", ["update", "ID"], "nothing to change"),
    ("empty new title", ["update", "ID", "--title", ""], "title: it is empty"),
    ("no stamp", ["update", "ID", "--title", "x", "--if-updated-at", "now"], "--if-updated-at: 'now' is not a moment"),
    ("empty comment", ["comment", "ID", " "], "text: it is empty"),
    ("escape in a comment", ["comment", "ID", "\x1b[2J"], "text: it holds a control character"),
    ("empty id", ["show", ""], "id: it is empty"),
    ("prefix of every id", ["delete", "td-"], "id: it is empty"),
    ("unknown mode", ["init", "--mode", "sqlite", "-w", "new"], "there is no mode 'sqlite'"),
    ("mode without url", ["init", "--mode", "libsql", "-w", "new"], "mode libsql needs a primary"),
    ("local with url", ["init", "--mode", "local", "--url", "http://x", "-w", "new"], "mode local has no primary"),
    ("malformed url", ["init", "--url", "not a url", "-w", "new"], "this is not the URL of a primary"),
    ("url of a foreign scheme", ["init", "--url", "ftp://x.example", "-w", "new"], "this is not the URL of a primary"),
    ("url with a bad port", ["init", "--url", "http://x:y", "-w", "new"], "this is not the URL of a primary"),
    ("url with a token", ["init", "--url", "https://u:s3cret@x.example", "-w", "new"], "a URL must not"),
    ("url with a token to ask", ["init", "--url", "https://x.example?authToken=s3cret", "-w", "new"], "a URL must"),
    ("no token", ["init", "--url", "https://x.example", "--token-stdin", "-w", "new"], "there is no token on stdin"),
    ("token in the config", ["config", "set", "token", "s3cret"], "a token is never kept in the config"),
    ("unknown setting", ["config", "get", "colour"], "there is no setting 'colour'"),
    ("mode without url in the config", ["config", "set", "mode", "turso"], "mode turso needs a primary"),
    ("malformed url in the config", ["config", "set", "url", "http://"], "this is not the URL of a primary"),
]  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Program, str]:
    """A td with one issue, which no test here changes."""
    program = Program(tmp_path_factory.mktemp("kept"))
    program.done("init")
    return program, program.create("Oat milk")


@pytest.mark.parametrize(("args", "message"), [row[1:] for row in BAD_FIELDS], ids=[row[0] for row in BAD_FIELDS])
def test_a_value_that_cannot_be_used_is_refused(kept: tuple[Program, str], args: list[str], message: str) -> None:
    """Exit code 2."""
    program, issue_id = kept
    before = content(program)

    found = refused(program, *(issue_id if arg == "ID" else arg for arg in args), code=2, error="invalid_input")

    assert found["message"].startswith(message)
    assert "s3cret" not in json.dumps(found)
    assert content(program) == before
    assert not (program.directory / "new").exists()


def test_an_error_is_one_line_that_says_what_is_wrong_and_what_to_do(kept: tuple[Program, str]) -> None:
    """The same to a person as to a program."""
    program, issue_id = kept
    for args in (["show", "td-zzzzzzzz"], ["update", issue_id, "--status", "wip"], ["lst"], ["query", "SELEC"]):
        told, found = program(*args), program(*args, "--json").error()

        assert (told.out, told.err) == ("", f"td: {found['message']}; {found['hint']}\n")


def test_arguments_that_td_does_not_take_are_usage(kept: tuple[Program, str]) -> None:
    """Exit code 2, in one line as everything else."""
    program, issue_id = kept
    for args in (
        ["list", "--colour"],
        ["create"],
        ["list", "-n", "0"],
        ["list", "-n", "many"],
        ["config"],
        ["frobnicate"],
    ):
        refused(program, *args, code=2, error="usage")
    for choice in ([], ["--mine", "--theirs"], ["--set", "title"]):
        refused(program, "resolve", issue_id, *choice, code=2, error="usage")


@pytest.mark.parametrize(
    "args",
    [["show"], ["update", "--title", "x"], ["close"], ["reopen"], ["delete"], ["restore"], ["history"], ["comment"]],
    ids=lambda args: args[0],
)
def test_an_unknown_id_is_not_found(kept: tuple[Program, str], args: list[str]) -> None:
    """Exit code 1."""
    program, _ = kept
    before = content(program)
    more = ["hello"] if args[0] == "comment" else args[1:]

    found = refused(program, args[0], "td-zzzzzzzz", *more, code=1, error="not_found")

    assert "td-zzzzzzzz" in found["message"]
    assert content(program) == before


def test_an_unknown_conflict_or_mutation_is_not_found(kept: tuple[Program, str]) -> None:
    """The same."""
    program, _ = kept
    refused(program, "conflicts", "show", "01aa", code=1, error="not_found")
    refused(program, "resolve", "01aa", "--mine", code=1, error="not_found")
    refused(program, "undo", "01aa-", code=1, error="not_found")


def test_an_ambiguous_prefix_lists_up_to_ten(td: Program) -> None:
    """Exit code 2: more must be typed."""
    with closing(sqlite3.connect(td.directory / ".todos" / "data.db")) as connection, connection:
        for number in range(12):
            connection.execute(
                "INSERT INTO issues (id, updated_at, title, created_at) VALUES (?, '2026-11-21T05:00:00.000000Z', 't', "
                "'2026-11-21T05:00:00.000000Z')",
                (f"td-aaaaaa{number:02d}",),
            )
    before = content(td)

    found = refused(td, "close", "aaaa", code=2, error="ambiguous_id")

    assert found["message"].count("td-aaaaaa") == 10
    assert "and 2 more" in found["message"]
    assert content(td) == before


def test_a_change_to_a_deleted_issue_says_how_to_bring_it_back(td: Program) -> None:
    """Exit code 1."""
    issue_id = td.create("Oat milk")
    td.done("delete", issue_id)

    found = refused(td, "close", issue_id, code=1, error="issue_deleted")

    assert found["hint"] == f"bring it back first: td restore {issue_id}"


@pytest.mark.parametrize(
    "args", [["list"], ["create", "x"], ["sync"], ["config", "list"], ["doctor"], ["status"]], ids=" ".join
)
def test_a_directory_without_todos_says_how_to_begin(fresh: Program, args: list[str]) -> None:
    """Exit code 1, and nothing is made."""
    found = refused(fresh, *args, code=1, error="not_initialised")

    assert "td init" in found["hint"]
    assert [path.name for path in fresh.directory.iterdir()] == ["home"]


def test_a_second_init_changes_nothing(td: Program) -> None:
    """Exit code 1; it names what is there."""
    td.create("Oat milk")
    before = content(td)

    found = refused(td, "init", "--url", "http://127.0.0.1:1", code=1, error="already_initialised")

    assert str(td.directory / ".todos") in found["message"]
    assert content(td) == before
    assert td.done("config", "list", "--json").document()["mode"] == "local"


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM nothing", "SELECT 'open", "SELECT 1; SELECT 2"])
def test_sql_that_does_not_run_is_told(kept: tuple[Program, str], sql: str) -> None:
    """Exit code 2."""
    refused(kept[0], "query", sql, code=2, error="query")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM issues",
        "INSERT INTO issues (id) VALUES ('x')",
        "DROP TABLE issues",
        "CREATE TABLE x (y)",
        "PRAGMA user_version = 7",
        "ATTACH 'other.db' AS other",
        "WITH x AS (SELECT 1) UPDATE issues SET title = 'x'",
        "VACUUM INTO 'stolen.db'",
        "BEGIN IMMEDIATE",
        "",
    ],
)
def test_sql_that_writes_is_refused(kept: tuple[Program, str], sql: str) -> None:
    """On a connection that cannot write, whatever the words are."""
    program, _ = kept
    before = content(program)

    answer = program("query", sql, "--json")

    assert (answer.code, answer.out) == (2, "")
    assert answer.error()["code"] in ("write_refused", "query")
    assert content(program) == before
    assert not list(program.directory.glob("*.db"))


def test_a_token_never_travels_in_the_clear(fresh: Program) -> None:
    """Exit code 5, before anything is sent or written; to this machine it may."""
    program = Program(fresh.directory, {"TD_DATABASE_TOKEN": "s3cret"})

    found = refused(program, "init", "--url", "http://db.example:8080", code=5, error="not_allowed")

    assert "s3cret" not in json.dumps(found)
    assert [path.name for path in fresh.directory.iterdir()] == ["home"]


def test_a_token_given_later_does_not_travel_in_the_clear_either(td: Program) -> None:
    """The URL of the environment is held to the same rule."""
    program = Program(td.directory, {"TD_DATABASE_TOKEN": "s3cret", "TD_DATABASE_URL": "http://db.example:8080"})

    answer = program("sync", "--json")

    assert (answer.code, answer.error()["code"]) == (5, "not_allowed")
    assert answer.document()["error"]["code"] == "not_allowed"
    assert "s3cret" not in answer.out + answer.err


def garbage(path: Path) -> None:
    """No database at all."""
    path.write_bytes(b"this is no database\n" * 300)


def foreign(path: Path) -> None:
    """The database of another program."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE songs (id INTEGER PRIMARY KEY, issues TEXT)")
        connection.execute("PRAGMA user_version = 7")


@pytest.mark.parametrize("spoil", [garbage, foreign])
def test_a_local_db_that_is_not_ours_is_left_alone(laptop: Program, spoil: Callable[[Path], None]) -> None:
    """Exit code 1; `td doctor` says so too."""
    path = laptop.directory / ".todos" / "local.db"
    for file in path.parent.glob("local.db*"):
        file.unlink()
    spoil(path)
    before = path.read_bytes()

    for args in (["list"], ["create", "x"]):
        refused(laptop, *args, code=1, error="damaged")
    answer = laptop("doctor", "--json")

    assert (answer.code, answer.document()["ok"], answer.error()["code"]) == (1, False, "unhealthy")
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.glob("local.db*")) == ["local.db"]


def test_a_schema_newer_than_the_program_is_read_and_not_written(td: Program) -> None:
    """Exit code 1, and nothing is lost."""
    issue_id = td.create("Oat milk")
    with closing(sqlite3.connect(td.directory / ".todos" / "data.db")) as connection, connection:
        connection.execute(
            "INSERT INTO _replica_migrations SELECT owner, 99, 'from_the_future', checksum, session, at "
            "FROM _replica_migrations WHERE owner = 'application' AND version = 1"
        )
    before = content(td)

    refused(td, "create", "x", code=1, error="schema_too_new")

    assert [issue["id"] for issue in td.done("list", "--json").document()] == [issue_id]
    assert content(td) == before


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"mode": 1}', '{"mode": "cloud"}', '{"mode": "libsql"}', "\udcff"]
)
def test_a_config_that_is_not_ours_is_told(td: Program, text: str) -> None:
    """Exit code 1; it names the file."""
    path = td.directory / ".todos" / "config.json"
    path.write_bytes(text.encode(errors="surrogateescape"))

    found = refused(td, "list", code=1, error="damaged")

    assert str(path) in found["message"]


def test_text_that_is_not_utf8_is_refused(td: Program) -> None:
    """An argument may hold any bytes."""
    answer = td("create", "caf\udce9", "--json")

    assert (answer.code, answer.error()["code"]) == (2, "invalid_input")
