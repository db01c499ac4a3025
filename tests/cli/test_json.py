"""With `--json`, stdout holds exactly one JSON document, whatever the command and however it ends."""

import json
from pathlib import Path

import pytest

from sqld import Server
from tests.cli.program import Answer, Program
from tests.cli.test_help import ALL
from tracker import IssueEdit, boards, notes

GROUPS = {(), ("config",), ("sqld",)}
# They run until somebody stops them, or have a test of their own that looks at all they print.
ELSEWHERE = {("demo",), ("sqld", "run"), ("sqld", "backup"), ("sqld", "restore"), ("init",)}


@pytest.fixture
def walk(laptop: Program, desktop: Program, primary_server: Server) -> dict[str, str]:
    """What the calls below name: two issues, one of them in conflict on the desktop."""
    with laptop.tracker() as mine, desktop.tracker() as theirs:
        calm, fought = mine.create("Oat milk").id, mine.create("May").id
        for tracker in (mine, theirs):
            assert tracker.replica.sync().error is None
        mine.update(fought, IssueEdit(title="June"))
        theirs.update(fought, IssueEdit(title="July"))
        for tracker in (mine, theirs):
            assert tracker.replica.sync().error is None
        (conflict,) = theirs.replica.conflicts()
        note, board = notes.create(theirs, "Hosts"), boards.create(theirs, "Sprint")
    (desktop.directory / "README").touch()
    return {"ISSUE": calm, "CONFLICT": conflict.id, "NOTE": note.id, "BOARD": board.id}


# Each call, and what it prints: an object, or a list.
CALLS: list[tuple[list[str], type]] = [
    (["status"], dict),
    (["status", "--db"], dict),
    (["whoami"], dict),
    (["create", "A ☕ title", "-l", "a"], dict),
    (["list"], list),
    (["list", "-s", "closed"], list),
    (["search", "title"], list),
    (["show", "ISSUE"], dict),
    (["update", "ISSUE", "-p", "0"], dict),
    (["comment", "ISSUE", "hello"], dict),
    (["history", "ISSUE"], list),
    (["close", "ISSUE"], dict),
    (["reopen", "ISSUE"], dict),
    (["delete", "ISSUE"], dict),
    (["restore", "ISSUE"], dict),
    (["link", "ISSUE", "README"], dict),
    (["files", "ISSUE"], list),
    (["unlink", "ISSUE", "README"], dict),
    (["board"], list),
    (["board", "create", "A ☕ board", "-q", "type = task"], dict),
    (["board", "list", "--deleted"], list),
    (["board", "edit", "BOARD", "--view-mode", "backlog"], dict),
    (["board", "move", "BOARD", "ISSUE", "--top"], dict),
    (["board", "show", "BOARD"], dict),
    (["board", "unposition", "BOARD", "ISSUE"], dict),
    (["board", "delete", "BOARD"], dict),
    (["board", "restore", "BOARD"], dict),
    (["note"], list),
    (["note", "add", "A ☕ title"], dict),
    (["note", "list", "--archived"], list),
    (["note", "show", "NOTE"], dict),
    (["note", "edit", "NOTE", "--append", "more"], dict),
    (["note", "pin", "NOTE"], dict),
    (["note", "unpin", "NOTE"], dict),
    (["note", "archive", "NOTE"], dict),
    (["note", "unarchive", "NOTE"], dict),
    (["note", "delete", "NOTE"], dict),
    (["note", "restore", "NOTE"], dict),
    (["undo"], dict),
    (["sync", "pending"], list),
    (["sync", "lost"], list),
    (["sync", "lost", "--forget"], dict),
    (["sync", "status"], dict),
    (["conflicts"], list),
    (["conflicts", "list"], list),
    (["conflicts", "show", "CONFLICT"], dict),
    (["resolve", "CONFLICT", "--mine"], dict),
    (["sync"], dict),
    (["sync", "now"], dict),
    (["config", "list"], dict),
    (["config", "get", "mode"], dict),
    (["config", "set", "mode", "libsql"], dict),
    (["config", "unset", "url", "-w", "LOCAL"], dict),
    (["query", "SELECT * FROM issues"], list),
    (["query", "SELECT * FROM issues WHERE 0"], list),
    (["query", ".tables"], list),
    (["query", "--write", "INSERT INTO issues (title) VALUES ('Bread')"], dict),
    (["query", "--write", "--dry-run", "DELETE FROM issues"], dict),
    (["doctor"], dict),
    (["export"], dict),
    (["export", "-o", "FILE"], dict),
    (["import", "FILE", "--dry-run"], dict),
    (["import", "FILE"], dict),
]


def test_every_command_prints_one_document(desktop: Program, walk: dict[str, str], td: Program) -> None:
    """A list is `[]` and never null; nothing is said on stderr when all is well."""
    names = {**walk, "LOCAL": str(td.directory), "FILE": str(td.directory / "export.json")}
    for args, kind in CALLS:
        answer = desktop.done(*(names.get(arg, arg) for arg in args), "--json")

        assert isinstance(answer.document(), kind), args
        assert answer.err == "", args
        assert answer.out.endswith("\n"), args


def test_the_walk_leaves_no_command_out() -> None:
    """A new command must be walked too."""
    walked = {tuple(args[:2]) if tuple(args[:2]) in ALL else tuple(args[:1]) for args, _ in CALLS}

    assert walked == set(ALL) - GROUPS - ELSEWHERE


def failures(fresh: Program, td: Program) -> list[Answer]:
    """One failing call of each kind."""
    return [
        fresh("list", "--json"),
        td("--json", "list", "--colour"),
        td("--json"),
        td("show", "td-zzzzzzzz", "--json"),
        td("query", "DELETE FROM issues", "--json"),
        td("sync", "sideways", "--json"),
    ]


def test_every_failure_is_one_line_on_stderr(tmp_path: Path, td: Program) -> None:
    """With code, message and hint; and stdout is empty."""
    for answer in failures(Program(tmp_path / "nothing"), td):
        assert answer.out == ""
        assert answer.code != 0
        assert answer.error()["hint"]


def test_a_terminal_without_unicode_gets_the_same_document(td: Program) -> None:
    """What it cannot show is escaped."""
    td.create("A ☕ title")

    answer = td.done("list", "--json", environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert answer.out.isascii()
    assert json.loads(answer.out)[0]["title"] == "A ☕ title"
    told = td.done("list", environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert told.out.endswith("A \\u2615 title\n")
