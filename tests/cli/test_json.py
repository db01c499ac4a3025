"""With `--json`, stdout holds exactly one JSON document, whatever the command and however it ends.

Every command there is is walked, so a new one needs a line in `tests.cli.calls` and a schema in `cli.schemas`.
"""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cli.config import load_config
from cli.manual.commands import all_commands
from cli.place import open_place
from cli.schemas import names, schema_of
from sqld import Server
from tests.cli.calls import CALLS
from tests.cli.in_process import call, done
from tests.cli.program import Answer, Program
from tests.cli.test_help import ALL
from tracker import IssueEdit, boards, notes, salvage_outbox

# What asks Turso: called in `test_turso`.
WITH_TURSO = {
    f"turso {name}" for name in ("login", "logout", "list", "groups", "create", "delete", "token", "invalidate")
}
# What runs until somebody stops it, or needs a primary of its own: called below.
WITH_A_SERVER = {"demo", "sqld run", "sqld backup", "sqld restore"}
# What has tenants: called in tests.cli.test_sqld_tenants.
WITH_TENANTS = {
    "sqld init",
    *(f"sqld tenant {name}" for name in ("create", "list", "show", "rotate-key", "suspend", "resume", "delete")),
    *(f"sqld token {name}" for name in ("mint", "list", "revoke")),
    *(f"sqld key {name}" for name in ("create", "list", "revoke")),
}
# What lets tenants in: called in tests.cli.test_sqld_gateway.
WITH_A_GATEWAY = {"sqld gateway", "sqld up"}
# What looks after a server: called in tests.cli.test_sqld_upkeep.
WITH_UPKEEP = {"sqld status", "sqld read-replica", "sqld proxy-config"}
# What needs a vault of its own: called in tests.cli.test_vault and tests.cli.test_login.
WITH_A_VAULT = {"auth rotate-vault-key", "login", "logout"}


def command_of(words: list[str]) -> str:
    """The command that a call calls: as many of its first words as name one."""
    return next(" ".join(words[:count]) for count in (3, 2, 1) if tuple(words[:count]) in ALL)


def sealed(schema: Any) -> Any:  # any part of a JSON Schema
    """The schema without room for names that it does not tell: td may add some, but not without telling."""
    if isinstance(schema, list):
        return [sealed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "properties" in schema and schema.get("type") == "object" else {}
    return {**{name: sealed(part) for name, part in schema.items()}, **more}


def problems(name: str, document: Any) -> list[str]:  # any JSON document
    """What is not as the schema of a command has it."""
    validator = Draft202012Validator(sealed(schema_of(name)))
    return [f"td {name}: {error.json_path}: {error.message}" for error in validator.iter_errors(document)]


@pytest.fixture
def ground(laptop: Program, desktop: Program, td: Program, primary_server: Server, tmp_path: Path) -> dict[str, str]:
    """What the words in capitals of the calls stand for."""
    with laptop.tracker() as mine, desktop.tracker() as theirs:
        calm, other, fought = (mine.create(title).id for title in ("Oat milk", "Bread", "May"))
        for tracker in (mine, theirs):
            assert tracker.replica.sync().error is None
        mine.update(fought, IssueEdit(title="June"))
        theirs.update(fought, IssueEdit(title="July"))
        for tracker in (mine, theirs):
            assert tracker.replica.sync().error is None
        (conflict,) = theirs.replica.conflicts()
        note, board = notes.create(theirs, "Hosts"), boards.create(theirs, "Sprint")
    (desktop.directory / "README").touch()
    stretch = done(desktop, "ws", "start", "before", "--json").document()["id"]
    done(desktop, "ws", "end")
    return {
        "ISSUE": calm,
        "OTHER": other,
        "CONFLICT": conflict.id,
        "STRETCH": stretch,
        "BOARD": board.id,
        "NOTE": note.id,
        "URL": primary_server.url,
        "LOCAL": str(td.directory),
        "EMPTY": str(tmp_path / "empty"),
        "FILE": str(tmp_path / "export.json"),
        "PENDING": str(salvaged(desktop, tmp_path / "copy")),
    }


def salvaged(program: Program, copy: Path) -> Path:
    """What waits in a copy of the files of `program`, and one change more, as td doctor --repair takes it out."""
    shutil.copytree(program.directory / ".todos", copy)
    with open_place(copy, load_config(copy)) as tracker:
        tracker.create("Salvaged")
    return salvage_outbox(copy).file


def walk(program: Program, ground: dict[str, str]) -> Iterator[tuple[str, Answer]]:
    """The answer to each call, in order, with its command."""
    for line in CALLS.split("\n"):
        if line:
            words = [ground.get(word, word.replace("_", " ")) for word in line.split(" ")]
            yield line, call(program, *words, "--json")


def test_every_command_prints_one_document_that_is_valid_under_its_schema(
    desktop: Program, ground: dict[str, str]
) -> None:
    """A list is `[]` and never null; nothing is said on stderr when all is well."""
    found = []
    for line, answer in walk(desktop, ground):
        assert (answer.code, answer.err) == (0, ""), (line, answer)
        assert answer.out.endswith("\n"), line
        found += problems(command_of(line.split(" ")), answer.document())

    assert found == []


def test_the_walk_leaves_no_command_out() -> None:
    """A new command must be walked, and have a schema."""
    walked = {command_of(line.split(" ")) for line in CALLS.split("\n") if line}

    # What only holds other commands prints nothing by itself.
    commands = {" ".join(one.words) for group in all_commands().values() for one in group if one.runs_alone}
    others = WITH_A_SERVER | WITH_A_VAULT | WITH_TENANTS | WITH_TURSO | WITH_A_GATEWAY | WITH_UPKEEP
    assert walked == commands - others
    assert set(names()) == commands | {"error"}


def test_what_needs_a_server_of_its_own_prints_one_document_too(fresh: Program, tmp_path: Path) -> None:
    """A primary is run, backed up and restored."""
    data, backups = str(tmp_path / "data"), str(tmp_path / "backups")
    running = fresh.start("sqld", "run", "--port", "0", "--data-dir", data, "--json")
    assert running.stdout is not None
    lines = iter(running.stdout.readline, b"")
    told = b"".join(line for line in iter(lambda: next(lines), b"}\n")) + b"}"

    backed_up = done(fresh, "sqld", "backup", backups, "--data-dir", data, "--json").document()
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)
    restored = done(
        fresh, "sqld", "restore", backed_up["folder"], "--data-dir", str(tmp_path / "new"), "--json"
    ).document()

    assert problems("sqld run", json.loads(told)) == []
    assert problems("sqld backup", backed_up) == []
    assert problems("sqld restore", restored) == []


def test_the_demo_prints_one_document_too(fresh: Program) -> None:
    """With each of its steps."""
    assert problems("demo", done(fresh, "demo", "--json").document()) == []


def failures(fresh: Program, td: Program) -> list[Answer]:
    """One failing call of each kind."""
    return [
        call(fresh, "list", "--json"),
        call(td, "--json", "list", "--colour"),
        call(td, "--json"),
        call(td, "show", "td-zzzzzzzz", "--json"),
        call(td, "query", "DELETE FROM issues", "--json"),
        call(td, "sync", "sideways", "--json"),
        call(td, "help", "lst", "--json"),
        td("show", "td-zzzzzzzz", "--json"),
    ]


def test_every_failure_is_one_line_on_stderr(tmp_path: Path, td: Program) -> None:
    """With code, message and hint; and stdout is empty."""
    for answer in failures(Program(tmp_path / "nothing"), td):
        assert answer.out == ""
        assert answer.code != 0
        assert answer.error()["hint"]
        assert problems("error", json.loads(answer.err)) == []


def test_a_process_prints_what_the_walk_saw(td: Program) -> None:
    """The walk calls td in its own process."""
    td.create("Oat milk")

    for args in (["list"], ["status"], ["workflow"]):
        answer = td.done(*args, "--json")

        assert answer == done(td, *args, "--json")


def test_a_terminal_without_unicode_gets_the_same_document(td: Program) -> None:
    """What it cannot show is escaped."""
    td.create("A ☕ title")

    answer = td.done("list", "--json", environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})

    assert answer.out.isascii()
    assert json.loads(answer.out)[0]["title"] == "A ☕ title"
    told = td.done("list", environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert told.out.endswith("A \\u2615 title\n")
