"""`td export` and `td import`, as a person and a program call them."""

import json
import os
import pty
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.program import TD, Program
from tests.tracker.transfer.content import fill
from tests.tracker.transfer.go_database import make_go_database
from tracker import Comment, Issue


@pytest.fixture
def filled(td: Program) -> Program:
    """A td with an issue, a deleted one, and a comment."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    milk, bread = (
        Issue(id="td-1", title="Oat milk ☕", created_at=at),
        Issue(title="Bread", created_at=at, deleted_at=at),
    )
    with td.tracker() as tracker:
        fill(tracker, [milk, bread, Comment(issue_id=milk.id, text="or soy?", created_at=at)])
    return td


def listed(program: Program) -> list[str]:
    """The titles of all issues, the deleted ones too."""
    return sorted(issue["title"] for issue in program.done("list", "--all", "--deleted", "--json").document())


def test_a_tracker_moves_through_a_file(filled: Program, laptop: Program) -> None:
    """Into one with a primary it queues like any other change; a second time takes nothing."""
    file = filled.directory / "out.json"

    told = filled.done("export", "--all", "-o", str(file))
    first = laptop.done("import", str(file))
    second = laptop.done("import", str(file))

    assert told.out == f"EXPORTED to {file}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.out.splitlines() == [
        "IMPORTED from td: 3 new, 0 changed, in 1 change; td undo takes back the last",
        "          new  changed  unchanged  conflicting  skipped",
        "issues    2    0        0          0            0",
        "comments  1    0        0          0            0",
    ]
    assert second.out.startswith("IMPORTED from td: nothing, all that can be taken is here\n")
    assert listed(laptop) == listed(filled) == ["Bread", "Oat milk ☕"]
    assert len(laptop.done("sync", "pending", "--json").document()) == 1
    assert laptop.done("sync", "--json").document()["pushed"] == 1


def test_a_dry_run_writes_nothing_and_says_what_it_would(filled: Program, tmp_path: Path) -> None:
    """From another program's file, with what has no place here."""
    other = make_go_database(
        tmp_path / "issues.db", 38, "UPDATE boards SET name = ''; UPDATE issues SET priority = 'P9'"
    )

    answer = filled.done("import", str(other), "--dry-run", "--json").document()
    shown = filled.done("import", str(other), "--dry-run", "--from", "go-td").out

    assert set(answer) == {
        "action", "source", "mutations", "tables", "conflicts", "skipped", "repaired", "no_place"
    }  # fmt: skip
    assert (answer["action"], answer["source"], answer["mutations"]) == ("would_import", "go-td", 0)
    assert answer["tables"]["issues"] == {"new": 3, "changed": 0, "unchanged": 0, "conflicting": 0, "skipped": 0}
    assert {remark["what"] for remark in answer["repaired"]} >= {"priority is not one that td knows, and is left out"}
    assert shown.startswith("WOULD IMPORT from go-td: 9 new, 0 changed\n")
    assert "changed to fit:\n" in shown
    assert listed(filled) == ["Bread", "Oat milk ☕"]


def test_what_is_here_with_other_values_is_named(filled: Program) -> None:
    """And changed where that is asked for."""
    file = filled.directory / "out.json"
    filled.done("export", "-o", str(file))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Oat milk", "Rye bread"), encoding="utf-8")

    left = filled.done("import", str(file)).out
    assert "1 here with other values, left as they are; --force changes them:\n  issues td-" in left
    assert left.endswith(": title\n")
    filled.done("import", str(file), "--force")

    assert listed(filled) == ["Bread", "Rye bread ☕"]


def test_stdout_gets_the_file_itself(filled: Program) -> None:
    """In UTF-8, whatever the terminal shows; --json is --format json."""
    plain = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    by_default = filled.done("export", environ=plain)
    by_json, by_name = filled.done("export", "--json"), filled.done("export", "--format", "json")
    sql, md = filled.done("export", "--format", "sql"), filled.done("export", "--format", "md", environ=plain)

    assert by_default == by_json == by_name
    assert [issue["title"] for issue in by_default.document()["issues"]] == ["Oat milk ☕"]
    assert sql.out.startswith("-- td-export 1: ")
    assert "Oat milk ☕" in md.out
    assert filled.done("export", "-o", "-").out == by_json.out


def test_a_file_that_cannot_be_written_is_told_and_the_old_one_stays(filled: Program) -> None:
    """Nor is half of one left behind."""
    folder = filled.directory / "folder"
    folder.mkdir()

    into_nothing = filled("export", "-o", str(folder / "nowhere" / "out.json"))
    over_folder = filled("export", "-o", str(folder))

    assert (into_nothing.code, over_folder.code) == (1, 1)
    assert into_nothing.err.startswith("td: cannot use ")
    assert list(folder.iterdir()) == []
    assert not list(filled.directory.glob(".folder-*"))


@pytest.mark.parametrize(
    "args",
    [
        ["import"],
        ["import", "a", "--pending", "b"],
        ["import", "--pending", "b", "--force"],
        ["import", "nowhere"],
        ["import", "a", "--from", "jira"],
        ["export", "--json", "--format", "sql"],
        ["export", "--format", "xml"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_refused(td: Program, args: list[str]) -> None:
    """With exit code 2 and one line."""
    answer = td(*args)

    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)


def test_a_terminal_shows_a_bar_on_stderr_and_nothing_of_it_stays(filled: Program) -> None:
    """The summary is all that stdout has."""
    file = filled.directory / "issues.jsonl"
    lines = [{"id": f"bd-{number}", "title": f"Issue {number}", "priority": 2} for number in range(2_000)]
    file.write_text("\n".join(map(json.dumps, lines)))
    ours, theirs = pty.openpty()
    env = {**filled.environ, "TERM": "xterm"}
    process = subprocess.Popen(
        [TD, "import", str(file)], cwd=filled.directory, env=env, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end of a terminal was closed
    os.close(ours)
    out, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert out.startswith(b"IMPORTED from beads: 2000 new")
    assert b"importing" in shown
    assert "━".encode() in shown
    assert shown.endswith((b"\x1b[2K", b"\x1b[?25h\r\x1b[1A\x1b[2K"))
