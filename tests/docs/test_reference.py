"""The reference tells everything there is, and nothing that is not."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth.errors import AuthError, TokenError, VaultError
from auth.sign_in_errors import SignInError
from auth.vault import VAULT_VARIABLE
from auth.vault_key import KEY_FILE_VARIABLE, KEY_VARIABLE, PASSPHRASE_VARIABLE
from cli.commands.turso import BASE_URL_VARIABLE, ORGANISATION_VARIABLE, PLATFORM_TOKEN_VARIABLE
from cli.config import CA_FILE_VARIABLE, MODE_VARIABLE, URL_VARIABLE
from cli.credentials import TOKEN_VARIABLE
from cli.errors import CliError
from cli.exits import EXIT_CODES
from cli.manual.roff import ENVIRONMENT
from cli.output import PAGER_VARIABLE
from cli.place import WORK_DIR_VARIABLE
from cli.profiles import PROFILE_VARIABLE
from cli.surroundings import CONTEXT_VARIABLE, SESSION_VARIABLE
from sqld import Server, SqldError
from sqld.state import STATE_VARIABLE
from tests.cli.conftest import shared
from tests.cli.in_process import call, done
from tests.cli.program import Program
from tracker import IssueEdit, ReplicaError, TrackerError

TEXT = (Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
EXAMPLES = {name: json.loads(text) for name, text in re.findall(r"```json ([\w ]+)\n(.*?)```", TEXT, flags=re.DOTALL)}
# The codes of errors that only have others below them.
# How the codes begin of which the row tells only that.
BEGINNINGS = ("sqld_", "token_", "turso_", "sign_in_", "login_", "workos_")
NEVER_RAISED = {VaultError.code, TokenError.code, SignInError.code}


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
        "sync": done(td, "sync", "--json").document(),
        "conflicts": done(td, "conflicts", "--json").document(),
        "list": done(td, "list", "--json").document(),
        "history": done(td, "history", issue_id, "--json").document(),
        "change": done(td, "update", issue_id, "-p", "P0", "--json").document(),
        "query write": done(
            td, "query", "--write", "UPDATE issues SET priority = 'P1' WHERE id = :id", "-P", f"id={issue_id}", "--json"
        ).document(),
        "sync pending": done(td, "sync", "pending", "--json").document(),
        "sync status": done(td, "sync", "status", "--json").document(),
        "error": json.loads(call(td, "show", "td-zzzzzzzz", "--json").err),
    }
    conflict_id = found["conflicts"][0]["id"]
    done(td, "resolve", conflict_id, "--mine")
    shown = done(td, "show", issue_id, "--json").document()
    return {**found, "show": shown, "config set": done(td, "config", "set", "mode", "local", "--json").document()}


def test_every_example_has_the_shape_of_what_is_printed(printed: dict[str, Any]) -> None:  # see above
    """Name by name."""
    assert {name: shape(found) for name, found in printed.items()} == {
        name: shape(example) for name, example in EXAMPLES.items()
    }


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
    """Those that end with the exit code 1 are in no table of the program; of some the row says how they begin."""
    rows = "\n".join(line for line in TEXT.splitlines() if re.match(r"\| \d+ \|", line))
    codes = {str(getattr(error, "code", "")) for error in leaves(base)} - NEVER_RAISED - {getattr(base, "code", "")}

    assert codes
    assert [code for code in codes if f"`{code}`" not in rows and not code.startswith(BEGINNINGS)] == []


def test_every_variable_is_told() -> None:
    """Those of td."""
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", TEXT, flags=re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}

    own = {
        WORK_DIR_VARIABLE,
        URL_VARIABLE,
        CA_FILE_VARIABLE,
        MODE_VARIABLE,
        PROFILE_VARIABLE,
        TOKEN_VARIABLE,
        SESSION_VARIABLE,
        CONTEXT_VARIABLE,
        PAGER_VARIABLE,
        VAULT_VARIABLE,
        KEY_VARIABLE,
        KEY_FILE_VARIABLE,
        PASSPHRASE_VARIABLE,
        STATE_VARIABLE,
        "TD_SQLD",
        PLATFORM_TOKEN_VARIABLE,
        ORGANISATION_VARIABLE,
        BASE_URL_VARIABLE,
    }
    assert own | {"PAGER", "NO_COLOR", "CLICOLOR", "FORCE_COLOR", "CLICOLOR_FORCE"} == told
    assert {name for name, _ in ENVIRONMENT} <= told
