"""`td export` and `td import`, as a person and a program call them."""

import json
import os
import pty
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.run import run
from tests.cli.program import TD, Answer, Program
from tests.tracker.transfer.content import fill, rows_of
from tests.tracker.transfer.go_database import make_go_database
from tests.tracker.transfer.test_beads import LINES
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
    with program.tracker() as tracker:
        return sorted(issue.title for issue in tracker.replica.select(Issue))


Call = Callable[..., Answer]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run td in this process, in the directory of a program: quicker than a process of its own."""

    def called(program: Program, *args: str) -> Answer:
        code = run(["-w", str(program.directory), *args])
        shown = capsys.readouterr()
        return Answer(code, shown.out, shown.err)

    return called


def test_a_tracker_moves_through_a_file(call: Call, filled: Program, laptop: Program) -> None:
    """Into one with a primary it queues like any other change; a second time takes nothing."""
    file = filled.directory / "out.json"

    told = call(filled, "export", "--all", "-o", str(file))
    first = call(laptop, "import", str(file))
    second = call(laptop, "import", str(file))

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
    with laptop.tracker() as tracker:
        assert len(tracker.replica.pending()) == 1
        assert tracker.replica.sync().pushed == 1


def test_two_who_take_in_the_same_file_have_nothing_to_merge(
    call: Call, laptop: Program, desktop: Program, tmp_path: Path
) -> None:
    """The rows are the same, down to their ids, so that both changes are one."""
    file = tmp_path / "issues.jsonl"
    file.write_text("\n".join(map(json.dumps, LINES)))

    for program in (laptop, desktop):
        assert call(program, "import", str(file)).code == 0
    with laptop.tracker() as mine, desktop.tracker() as theirs:
        reports = [tracker.replica.sync() for tracker in (mine, theirs, mine)]

        assert [(report.error, report.parked, report.pending) for report in reports] == [(None, 0, 0)] * 3
        assert rows_of(mine) == rows_of(theirs)
        assert len(rows_of(mine)) == 7


def test_a_dry_run_writes_nothing_and_says_what_it_would(call: Call, filled: Program, tmp_path: Path) -> None:
    """From another program's file, with what has no place here."""
    other = make_go_database(
        tmp_path / "issues.db", 38, "UPDATE boards SET name = ''; UPDATE issues SET priority = 'P9'"
    )

    answer = call(filled, "import", str(other), "--dry-run", "--json").document()
    shown = call(filled, "import", str(other), "--dry-run", "--from", "go-td").out

    assert set(answer) == {
        "action", "source", "mutations", "tables", "conflicts", "skipped", "repaired", "no_place"
    }  # fmt: skip
    assert (answer["action"], answer["source"], answer["mutations"]) == ("would_import", "go-td", 0)
    assert answer["tables"]["issues"] == {"new": 3, "changed": 0, "unchanged": 0, "conflicting": 0, "skipped": 0}
    assert {remark["what"] for remark in answer["repaired"]} >= {"priority is not one that td knows, and is left out"}
    assert shown.startswith("WOULD IMPORT from go-td: 9 new, 0 changed\n")
    assert "changed to fit:\n" in shown
    assert listed(filled) == ["Bread", "Oat milk ☕"]


def test_what_is_here_with_other_values_is_named(call: Call, filled: Program) -> None:
    """And changed where that is asked for."""
    file = filled.directory / "out.json"
    call(filled, "export", "-o", str(file))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Oat milk", "Rye bread"), encoding="utf-8")

    left = call(filled, "import", str(file)).out
    assert "1 here with other values, left as they are; --force changes them:\n  issues td-" in left
    assert left.endswith(": title\n")
    call(filled, "import", str(file), "--force")

    assert listed(filled) == ["Bread", "Rye bread ☕"]


def test_stdout_gets_the_file_itself(call: Call, filled: Program) -> None:
    """In UTF-8, whatever the terminal shows; --json is --format json."""
    by_default = filled.done("export", environ={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    by_json, by_name = call(filled, "export", "--json"), call(filled, "export", "--format", "json")
    sql, md = call(filled, "export", "--format", "sql"), call(filled, "export", "--format", "md")

    assert by_default == by_json == by_name
    assert [issue["title"] for issue in by_default.document()["issues"]] == ["Oat milk ☕"]
    assert sql.out.startswith("-- td-export 1: ")
    assert "Oat milk ☕" in md.out
    assert call(filled, "export", "-o", "-").out == by_json.out


def test_a_file_that_cannot_be_written_is_told_and_the_old_one_stays(call: Call, filled: Program) -> None:
    """Nor is half of one left behind."""
    folder = filled.directory / "folder"
    folder.mkdir()

    into_nothing = call(filled, "export", "-o", str(folder / "nowhere" / "out.json"))
    over_folder = call(filled, "export", "-o", str(folder))

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
def test_what_cannot_be_meant_is_refused(call: Call, td: Program, args: list[str]) -> None:
    """With exit code 2 and one line."""
    answer = call(td, *args)

    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)


def test_a_terminal_shows_a_bar_on_stderr_and_nothing_of_it_stays(filled: Program) -> None:
    """The summary is all that stdout has."""
    file = filled.directory / "issues.jsonl"
    lines = [{"id": f"bd-{number}", "title": f"Issue {number}", "priority": 2} for number in range(200)]
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
    assert out.startswith(b"IMPORTED from beads: 200 new")
    assert b"importing" in shown
    assert "━".encode() in shown
    assert shown.endswith((b"\x1b[2K", b"\x1b[?25h\r\x1b[1A\x1b[2K"))
