"""`td query`: SQL from wherever it comes, rows in whatever form, and changes that are asked for."""

import csv
import io
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from cli.run import run
from tests.cli.program import TD, Program
from tracker import Issue


@pytest.fixture
def issues(td: Program) -> Program:
    """A td with two issues."""
    with td.tracker() as tracker:
        tracker.create("Milk")
        tracker.create("Bread, | and 'salt'")
    return td


def test_sql_comes_from_an_argument_a_file_or_stdin(issues: Program) -> None:
    """With values for its names."""
    (issues.directory / "titles.sql").write_text("SELECT title FROM issues WHERE title LIKE :start -- no semicolon\n")

    from_file = issues.done("query", "--file", "titles.sql", "-P", "start=M%", "--json").document()
    from_stdin = issues.done("query", "-", "--param", ":a='", "--json", stdin="SELECT :a || 'x' AS a;\n").document()

    assert from_file == [{"title": "Milk"}]
    assert from_stdin == [{"a": "'x"}]


def test_rows_come_in_the_form_that_is_asked_for(issues: Program) -> None:
    """As csv for a spreadsheet; `--json` is one of the forms."""
    text = issues.done("query", "SELECT title, NULL AS n FROM issues ORDER BY title", "--format", "csv").out

    assert list(csv.reader(io.StringIO(text))) == [["title", "n"], ["Bread, | and 'salt'", ""], ["Milk", ""]]
    assert issues.done("query", "SELECT 1 AS a", "-f", "json").document() == [{"a": 1}]
    assert issues.done("query", "SELECT 1 AS a", "-f", "sql").out == 'INSERT INTO "query" ("a") VALUES (1);\n'


def test_a_filter_where_sql_is_asked_for_is_pointed_to_where_filters_go(issues: Program) -> None:
    """Who comes from the Go td writes its filters here; SQL that is mistyped is told as ever."""
    filtered = issues("query", "status = open AND title ~ milk")
    mistyped = [issues("query", sql).err for sql in ("SELEC title FROM issues", "SELECT lenght(title) FROM issues")]

    assert "this is a filter, not SQL: td list --filter 'status = open AND title ~ milk'" in filtered.err
    assert filtered.code == 2
    assert all("a filter" not in told for told in mistyped)


@pytest.mark.parametrize(
    "args",
    [
        ["SELECT 1", "--format", "csv", "--json"],
        ["SELECT 1", "--format", "xml"],
        ["SELECT 1", "--file", "x.sql"],
        ["SELECT 1", "--interactive"],
        ["--interactive", "--json"],
        ["DELETE FROM issues", "--yes"],
        ["DELETE FROM issues", "--dry-run"],
        ["SELECT :a", "--param", "a"],
        ["SELECT :a", "-P", "b=1"],
        [".read x.sql"],
        [""],
        [";"],
        ["-- nothing", "--write"],
        [],
        ["DELETE FROM issues", "--write"],
        ["SELECT 1; DELETE FROM issues", "--write", "--yes"],
        ["DROP TABLE issues", "--write", "--yes"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_in_one_line(
    issues: Program, args: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a way out, and nothing is written."""
    monkeypatch.chdir(issues.directory)

    code = run(["query", *args])

    told = capfd.readouterr()
    assert (code, told.out) == (2, "")
    assert len(told.err.splitlines()) == 1
    assert "; " in told.err or json.loads(told.err)["error"]["hint"]
    with issues.tracker() as tracker:
        assert [issue.deleted_at for issue in tracker.replica.select(Issue)] == [None, None]


def test_a_write_is_told_as_one_document_and_can_be_undone(issues: Program) -> None:
    """With every change of it."""
    document = issues.done("query", "--write", "--yes", "UPDATE issues SET priority = 'P0'", "--json").document()

    assert {name: document[name] for name in ("action", "table", "count", "dry_run")} == {
        "action": "updated", "table": "issues", "count": 2, "dry_run": False,
    }  # fmt: skip
    assert [change["fields"] for change in document["changes"]] == [{"priority": {"before": "P2", "new": "P0"}}] * 2
    issues.done("undo", document["mutation_id"])
    assert {issue["priority"] for issue in issues.done("list", "--json").document()} == {"P2"}


def test_statements_come_line_by_line_from_a_pipe(issues: Program) -> None:
    """Without a prompt; what fails is told and the rest is run, and the exit code tells of it."""
    typed = "SELECT 1 AS a;\nSELECT\n  nothing FROM issues;\n.format csv\nSELECT 2 AS b; SELECT 3 AS c"

    answer = issues("query", "--interactive", stdin=typed)

    assert answer.code == 2
    assert answer.out == "a\n-\n1\nb\r\n2\r\nc\r\n3\r\n"
    assert len(answer.err.splitlines()) == 1


def read_until(terminal: int, wanted: bytes) -> None:
    """Read what a terminal shows, up to something that is waited for."""
    shown = b""
    while wanted not in shown:
        shown += os.read(terminal, 1)


def test_at_a_terminal_without_sql_there_is_a_prompt(issues: Program) -> None:
    """And Ctrl-D leaves it."""
    ours, theirs = pty.openpty()
    env = {**issues.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = subprocess.Popen(
        [TD, "query"], cwd=issues.directory, env=env, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    read_until(ours, b"td>")

    os.write(ours, b"SELECT title FROM issues;\r")
    read_until(ours, b"Milk")
    # What is typed before the prompt is back is not for it.
    read_until(ours, b"td>")
    os.write(ours, b"\x04")

    assert process.wait(timeout=20) == 0
    os.close(ours)
    history = issues.directory / ".todos" / "query_history"
    assert "SELECT title FROM issues;" in history.read_text()
    assert history.stat().st_mode & 0o777 == 0o600


def test_at_a_terminal_a_no_stops_it(issues: Program) -> None:
    """Nothing is written, and the exit code says so."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [TD, "query", "--write", "DELETE FROM issues"], cwd=issues.directory, env=issues.environ, stdin=theirs,
        stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    read_until(ours, b"delete 2 rows of issues?")
    os.write(ours, b"n\n")

    out, _ = process.communicate(timeout=20)
    os.close(ours)
    assert (process.returncode, out) == (1, b"")
    with issues.tracker() as tracker:
        assert [issue.deleted_at for issue in tracker.replica.select(Issue)] == [None, None]


def test_a_write_of_sql_waits_for_the_primary_and_reaches_the_others(laptop: Program, desktop: Program) -> None:
    """As any other change does."""
    issue_id = laptop.create("Milk")
    laptop.done("sync")

    told = laptop.done(
        "query", "--write", "UPDATE issues SET title = 'Oat milk' WHERE id = :id", "-P", f"id={issue_id}"
    )

    assert told.out.startswith("UPDATED 1 row of issues (pending)\n")
    laptop.done("sync")
    desktop.done("sync")
    assert [issue["title"] for issue in desktop.done("list", "--json").document()] == ["Oat milk"]


def test_a_file_that_is_not_there_is_told(issues: Program, tmp_path: Path) -> None:
    """In one line."""
    answer = issues("query", "--file", str(tmp_path / "nothing.sql"))

    assert (answer.code, len(answer.err.splitlines())) == (1, 1)
