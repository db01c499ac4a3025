"""The reference tells everything there is, and nothing that is not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.errors import AuthError
from cli.app import make_app
from cli.config import URL_VARIABLE
from cli.credentials import TOKEN_VARIABLE
from cli.errors import CliError
from cli.exits import EXIT_CODES
from cli.place import WORK_DIR_VARIABLE
from sqld import Server, SqldError
from tests.cli.conftest import shared
from tests.cli.program import Program
from tests.cli.test_help import ALL
from tracker import IssueEdit, ReplicaError, TrackerError

TEXT = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
EXAMPLES = {name: json.loads(text) for name, text in re.findall(r"```json ([\w ]+)\n(.*?)```", TEXT, flags=re.DOTALL)}


def shape(document: Any) -> Any:  # any JSON document
    """Which names a document has, at every depth; the names of fields that changed differ by what was done."""
    if isinstance(document, dict):
        return {name: None if name in ("fields", "other_fields") else shape(value) for name, value in document.items()}
    return [shape(document[0])] if isinstance(document, list) and document and isinstance(document[0], dict) else None


@pytest.fixture
def printed(tmp_path: Path, primary_server: Server) -> dict[str, Any]:  # any JSON documents
    """What td prints for each example, on a replica with a conflict and something pending."""
    mine, theirs = (shared(tmp_path / name, primary_server.url) for name in ("laptop", "desktop"))
    with mine.tracker() as first, theirs.tracker() as second:
        issue_id = first.create("May", labels=frozenset({"a"})).id
        first.comment(issue_id, "or June?")
        for tracker in (first, second):
            tracker.replica.sync()
        first.update(issue_id, IssueEdit(title="June"))
        second.update(issue_id, IssueEdit(title="July"))
        first.replica.sync()
    return walked(theirs, issue_id)


def walked(td: Program, issue_id: str) -> dict[str, Any]:  # see above
    """The documents, by the names they have in the reference."""
    found = {
        "sync": td.done("sync", "--json").document(),
        "conflicts": td.done("conflicts", "--json").document(),
        "list": td.done("list", "--json").document(),
        "history": td.done("history", issue_id, "--json").document(),
        "change": td.done("update", issue_id, "-p", "P0", "--json").document(),
        "query write": td.done(
            "query", "--write", "UPDATE issues SET priority = 'P1' WHERE id = :id", "-P", f"id={issue_id}", "--json"
        ).document(),
        "sync pending": td.done("sync", "pending", "--json").document(),
        "sync status": td.done("sync", "status", "--json").document(),
        "error": json.loads(td("show", "td-zzzzzzzz", "--json").err),
    }
    conflict_id = found["conflicts"][0]["id"]
    td.done("resolve", conflict_id, "--mine")
    shown = td.done("show", issue_id, "--json").document()
    return {**found, "show": shown, "config set": td.done("config", "set", "mode", "local", "--json").document()}


def test_every_example_has_the_shape_of_what_is_printed(printed: dict[str, Any]) -> None:  # see above
    """Name by name."""
    assert {name: shape(found) for name, found in printed.items()} == {
        name: shape(example) for name, example in EXAMPLES.items()
    }


@pytest.mark.parametrize("path", [path for path in ALL if path], ids=" ".join)
def test_every_command_and_option_is_told(path: tuple[str, ...]) -> None:
    """In the table of commands."""
    command: Any = make_app()  # typer keeps its classes private
    for name in path:
        command = command.commands[name]
    row = next((line for line in TEXT.splitlines() if line.startswith(f"| `td {path[0]}")), None)
    assert row is not None
    rows = "\n".join(line for line in TEXT.splitlines() if line.startswith("| `td "))

    told = set(re.findall(r"--?[A-Za-z][a-z-]*", rows)) | {"--json", "--work-dir", "-w"}

    assert all(word in rows for word in path)
    assert [opt for parameter in command.params for opt in parameter.opts if opt[0] == "-" and opt not in told] == []


@pytest.mark.parametrize(("code", "exit_code"), EXIT_CODES.items())
def test_every_error_code_stands_beside_its_exit_code(code: str, exit_code: int) -> None:
    """As td ends."""
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| {exit_code} |")]

    assert f"`{code}`" in row


def leaves(kind: type[Exception]) -> Iterator[type[Exception]]:
    """The errors that are raised: those of which there are no others."""
    below = kind.__subclasses__()
    yield from (leaf for child in below for leaf in (child, *leaves(child)))


@pytest.mark.parametrize("base", [ReplicaError, TrackerError, CliError, AuthError, SqldError])
def test_every_error_code_is_told(base: type[Exception]) -> None:
    """Those that end with the exit code 1 are in no table of the program; the row of sqld's says how they begin."""
    rows = "\n".join(line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line))
    codes = {str(getattr(error, "code", "")) for error in leaves(base)} - {getattr(base, "code", "")}

    assert codes
    assert [code for code in codes if f"`{code}`" not in rows and not code.startswith("sqld_")] == []


def test_every_variable_is_told() -> None:
    """Those of td."""
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", TEXT, flags=re.MULTILINE))

    assert {WORK_DIR_VARIABLE, URL_VARIABLE, TOKEN_VARIABLE, "TD_SQLD", "NO_COLOR"} == told
