"""Wherever rows come out, they come out in every form."""

import csv
import io
import json

import pytest

from cli.formats import Format
from tests.cli.in_process import InProcess

LISTS = [
    ["list"],
    ["ready"],
    ["blocked"],
    ["in-review"],
    ["reviewable"],
    ["deleted"],
    ["search", "milk"],
    ["query", "SELECT id, labels FROM issues"],
    ["history", "ISSUE"],
    ["last", "-n", "5"],
    ["sync", "pending"],
    ["sync", "lost"],
    ["conflicts"],
    ["conflicts", "list"],
    ["comments", "ISSUE"],
    ["logs", "ISSUE"],
    ["files", "ISSUE"],
    ["tree"],
    ["dep", "ISSUE"],
    ["depends-on", "ISSUE"],
    ["blocked-by", "ISSUE"],
    ["epic", "list"],
    ["board", "list"],
    ["note", "list"],
    ["session", "list"],
    ["ws", "list"],
]


@pytest.fixture
def issue_id(here: InProcess) -> str:
    """An issue in a td with something of each kind."""
    with here.tracker() as tracker:
        made = tracker.create("Oat milk", labels=frozenset({"a"}))
        tracker.comment(made.id, 'or soy, "perhaps"?\n')
    here.done("log", made.id, "bought it")
    here.done("note", "add", "Dairy")
    return made.id


@pytest.mark.parametrize("args", LISTS, ids=" ".join)
def test_the_same_rows_come_out_in_every_form(here: InProcess, issue_id: str, args: list[str]) -> None:
    """As many of them, under the same names, whatever is in them."""
    named = [issue_id if arg == "ISSUE" else arg for arg in args]

    printed = {form: here.done(*named, "--format", form).out for form in Format}

    rows = json.loads(printed[Format.JSON])
    table = list(csv.reader(io.StringIO(printed[Format.CSV])))
    assert len(table) == len(rows) + 1
    assert len(printed[Format.NDJSON].splitlines()) == len(rows)
    assert printed[Format.MARKDOWN].count("\n") >= len(rows) + 2
    assert printed[Format.HTML].count("<tr>") == len(rows) + 1
    assert printed[Format.SQL].count("INSERT INTO") == len(rows)
