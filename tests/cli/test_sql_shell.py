"""The shell of `td query`: statements and commands, one after the other."""

import json
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from cli.errors import CliError, UsageError
from cli.formats import Format
from cli.invocation import Invocation
from cli.sql_prompt import HISTORY, Prompt
from cli.sql_shell import Shell, is_whole, statements
from cli.sql_writing import Consent
from tracker import (
    Issue,
    IssueType,
    QueryError,
    ReplicaError,
    Status,
    Tracker,
    TrackerError,
    WriteRefusedError,
    open_tracker,
)


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    """Three issues."""
    with open_tracker(tmp_path / "laptop", session="ses_laptop_000001", machine="laptop") as opened:
        for title in ("Milk", "Bread", "Salt"):
            opened.create(title)
        yield opened


@pytest.fixture
def shell(tracker: Tracker) -> Shell:
    """A shell that only reads."""
    return Shell(Invocation(), tracker, Format.TABLE)


def titles(tracker: Tracker) -> list[str]:
    """The titles of what is not deleted."""
    return [issue.title for issue in tracker.replica.select(Issue, "WHERE deleted_at IS NULL ORDER BY title")]


def writing(tracker: Tracker, **consent: object) -> Shell:
    """A shell that writes."""
    return Shell(Invocation(), tracker, Format.TABLE, Consent(**consent))  # type: ignore[arg-type] # passed on


def given(*texts: str) -> "Iterator[str]":
    """What somebody types, one after the other."""
    yield from texts


def run_all(shell: Shell, *texts: str) -> int:
    """Type `texts`, then Ctrl-D."""
    typed = given(*texts)

    def take() -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    return shell.loop(take, for_person=True)


# -- reading


def test_an_error_is_told_and_the_next_statement_is_run(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is that of the first failure."""
    code = run_all(shell, "SELECT nothing FROM issues;", ".nothing", "SELECT 1 AS one;")

    told = capsys.readouterr()
    assert code == 2
    assert told.out == "one\n---\n1\n"
    assert len(told.err.splitlines()) == 2


def test_the_end_of_the_input_and_exit_end_it(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing after `.exit` is run."""
    assert run_all(shell, "SELECT 1;", ".exit", "SELECT 2;") == 0
    assert run_all(shell) == 0

    assert "2" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT * FROM isues", "did you mean issues? the tables are issues, comments, "),
        ("SELECT * FROM zzz", "the tables are issues, comments, "),
        ("SELECT titel FROM issues", "did you mean title? issues has id, updated_at, title, "),
        ("SELECT i.PRIORITI FROM issues AS i", "did you mean priority? issues has "),
        ("SELECT zzz FROM issues", "issues has id, "),
        ("SELECT txt FROM comments", "did you mean text? comments has id, "),
        ("SELECT zzz", "no table is named in it; .schema"),
    ],
)
def test_a_mistyped_name_is_guessed_and_what_there_is_told(shell: Shell, sql: str, hint: str) -> None:
    """Tables for a table, and the columns of the tables that are named for a column."""
    with pytest.raises(QueryError) as raised:
        shell.run(sql)

    assert raised.value.hint.startswith(hint)


def test_a_mistyped_column_of_a_writing_statement_is_guessed_too(tracker: Tracker) -> None:
    """Also where an INSERT names it."""
    for sql in ("UPDATE issues SET titel = 1", "INSERT INTO issues (titel) VALUES (1)"):
        with pytest.raises(QueryError) as raised:
            writing(tracker).run(sql)
        assert raised.value.hint.startswith("did you mean title?")


def test_the_commands_tell_what_there_is(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Tables, columns, forms, and the commands themselves."""
    shell.run(".tables")
    assert "comments" in capsys.readouterr().out
    shell.run(".schema comments;")
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[2:]][:3] == [
        "id",
        "updated_at",
        "issue_id",
    ]
    shell.run(".SCHEMA")
    assert "creator_session" in capsys.readouterr().out
    shell.run(".help")
    assert ".read FILE" in capsys.readouterr().out
    shell.run(".format")
    assert "table" in capsys.readouterr().out


def test_the_form_of_the_rows_can_be_changed(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """From then on; an unknown one changes nothing."""
    shell.run(".format csv")
    with pytest.raises(UsageError):
        shell.run(".format xml")

    shell.run("SELECT 1 AS a")

    assert capsys.readouterr().out == "a\r\n1\r\n"


@pytest.mark.parametrize("command", [".nothing", ".schema nothing", ".read", ".read nothing.sql", ".format nothing"])
def test_a_command_that_does_not_work_says_what_does(shell: Shell, command: str) -> None:
    """In its hint."""
    with pytest.raises(CliError) as raised:
        shell.run(command)

    assert raised.value.hint


def test_a_file_is_read_statement_by_statement(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until one fails; and it cannot read another, or itself for ever."""
    path = tmp_path / "statements.sql"
    path.write_text("-- first\nSELECT 1 AS a;\n.format csv\nSELECT\n 2 AS b; SELECT 3 AS c;\n")
    shell.run(f".read {path}")
    assert capsys.readouterr().out == "a\n-\n1\nb\r\n2\r\nc\r\n3\r\n"

    path.write_text(f".read {path}\n")
    with pytest.raises(UsageError):
        shell.run(f".read {path}")


def test_statements_end_at_their_semicolon() -> None:
    """Not at one in a text, a comment or a trigger; a command takes a line, and the last statement needs none."""
    text = "SELECT ';'\n-- ;\n;\n.tables\n\nSELECT 1; SELECT 2;\nSELECT 3"

    found = [one.strip() for one in statements(text.splitlines(keepends=True)) if one.strip()]

    assert found == ["SELECT ';'\n-- ;\n;", ".tables", "SELECT 1;", "SELECT 2;", "SELECT 3"]
    assert [is_whole(typed) for typed in ("", ".help", "SELECT 1", "SELECT 1;", "SELECT ';")] == [
        True, True, False, True, False,
    ]  # fmt: skip


# -- writing


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM issues",
        "WITH x AS (SELECT 1)\nDELETE FROM issues",
        "UPDATE issues SET title = 'x'",
        "DROP TABLE issues",
    ],
)
def test_without_write_nothing_is_written_and_the_way_is_told(shell: Shell, sql: str) -> None:
    """By the connection that cannot, not by the words."""
    with pytest.raises(WriteRefusedError) as raised:
        shell.run(sql)

    assert "--write" in raised.value.hint
    assert titles(shell.tracker) == ["Bread", "Milk", "Salt"]


def test_words_of_writing_in_a_text_are_only_words(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """`please delete this` is no DELETE."""
    shell.run("SELECT 'please delete this; DROP TABLE issues' AS said")

    assert "please delete this" in capsys.readouterr().out


HOSTILE = [
    "SELECT 1; DELETE FROM issues",
    "WITH x AS (SELECT 1) DELETE FROM changes",
    "INSERT INTO overlay_issues (id) VALUES ('x')",
    "UPDATE base.issues SET title = 'x'",
    "UPDATE main.issues SET title = 'x'",
    "UPDATE main.changes SET fields = ''",
    "DELETE FROM _replica_changes",
    "PRAGMA writable_schema = 1",
    "ATTACH 'evil.db' AS evil",
    "CREATE TRIGGER evil AFTER INSERT ON issues BEGIN DELETE FROM comments; END",
    "UPDATE issues SET title = load_extension('evil')",
    "UPDATE issues SET id = 'x'",
    "INSERT INTO reviews (issue_id, decision) SELECT id, 'approved' FROM issues",
    "VACUUM INTO 'evil.db'",
]


@pytest.mark.parametrize("sql", HOSTILE)
def test_no_statement_can_do_anything_but_change_rows(
    tracker: Tracker, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--write --yes` neither."""
    monkeypatch.chdir(tmp_path)
    shell = writing(tracker, yes=True)
    before = tracker.replica.query("SELECT * FROM issues ORDER BY id").rows

    for text in (sql, sql + ";", f"  /* SELECT */ {sql}"):
        with pytest.raises((ReplicaError, TrackerError)):
            shell.run(text)

    assert tracker.replica.query("SELECT * FROM issues ORDER BY id").rows == before
    assert not Path("evil.db").exists()


def test_what_sweeps_is_asked_about_and_a_no_writes_nothing(
    tracker: Tracker, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the rows in sight."""
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    shell = writing(tracker, ask=no)
    shell.run("DELETE FROM issues WHERE title = 'Milk'")
    shell.run("UPDATE issues SET priority = 'P0'")
    shell.run("UPDATE issues SET priority = 'P0' WHERE title <> ''")

    told = capsys.readouterr()
    assert asked == ["delete 1 row of issues?", "update 3 rows of issues?", "update 3 rows of issues?"]
    assert told.out == ""
    assert 'priority: "P2" -> "P0"' in told.err
    assert "nothing was written" in told.err
    assert tracker.replica.query("SELECT count(*) FROM issues WHERE priority = 'P2' AND deleted_at IS NULL").rows == [
        (3,)
    ]


def test_after_a_yes_it_is_written(tracker: Tracker, capsys: pytest.CaptureFixture[str]) -> None:
    """And told in one line, since the rows were shown."""
    writing(tracker, ask=lambda _: True).run("DELETE FROM issues WHERE title = 'Milk'")

    assert capsys.readouterr().out == "DELETED 1 row of issues\n"
    assert titles(tracker) == ["Bread", "Salt"]
    tracker.undo()
    assert titles(tracker) == ["Bread", "Milk", "Salt"]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO issues (title) VALUES ('Oats')",
        "UPDATE issues SET priority = 'P0' WHERE title = 'Milk'",
        "UPDATE issues SET priority = 'P2'",
        "DELETE FROM issues WHERE 0",
    ],
)
def test_what_does_not_sweep_or_changes_nothing_is_not_asked_about(tracker: Tracker, sql: str) -> None:
    """Nobody is there to answer, and nobody need be."""
    writing(tracker).run(sql)


def test_with_nobody_to_ask_what_sweeps_is_refused(tracker: Tracker) -> None:
    """Unless `--yes` says it beforehand."""
    with pytest.raises(UsageError, match="delete 3 rows of issues") as raised:
        writing(tracker).run("DELETE FROM issues")

    assert "--dry-run" in raised.value.hint
    assert len(titles(tracker)) == 3
    writing(tracker, yes=True).run("DELETE FROM issues")
    assert titles(tracker) == []


def test_a_dry_run_shows_and_writes_nothing(tracker: Tracker, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even with `--yes`."""
    writing(tracker, yes=True, dry_run=True).run("UPDATE issues SET status = 'closed' WHERE title = 'Milk'")

    told = capsys.readouterr().out
    assert told.startswith("WOULD BE UPDATED 1 row of issues\n  td-")
    assert 'status: "open" -> "closed"' in told
    assert [issue.status for issue in tracker.replica.select(Issue)] == [Status.OPEN] * 3


def test_many_rows_are_cut_to_a_count(tracker: Tracker, capsys: pytest.CaptureFixture[str]) -> None:
    """A person reads twenty; a program gets all."""
    shell = writing(tracker, dry_run=True)
    sql = "INSERT INTO issues (title) SELECT 'x' FROM json_each('[" + ",".join("1" * 30) + "]')"

    shell.run(sql)
    for_person = capsys.readouterr().out
    shell.run(".format json")
    shell.run(sql)

    assert for_person.endswith("  and 10 rows more\n")
    document = json.loads(capsys.readouterr().out)
    assert (document["action"], document["count"], len(document["changes"])) == ("inserted", 30, 30)
    assert (document["dry_run"], document["mutation_id"]) == (True, None)


def test_what_follows_for_other_issues_is_told(tracker: Tracker, capsys: pytest.CaptureFixture[str]) -> None:
    """An epic is closed with the last of its parts."""
    epic = tracker.create("Breakfast", type=IssueType.EPIC)
    writing(tracker).run(f"UPDATE issues SET parent_id = '{epic.id}' WHERE title = 'Milk'")
    capsys.readouterr()

    writing(tracker).run("UPDATE issues SET status = 'closed' WHERE title = 'Milk'")

    assert capsys.readouterr().out.splitlines()[-1] == f"  {epic.id} follows: closed"
    assert tracker.get(epic.id).status is Status.CLOSED


def test_a_change_of_somebody_else_between_the_question_and_the_yes_is_not_overwritten(tracker: Tracker) -> None:
    """It is a conflict with the row as it is now."""
    (milk,) = tracker.replica.select(Issue, "WHERE title = 'Milk'")

    def meanwhile(_: str) -> bool:
        with tracker.replica.transaction() as tx:
            tx.update(milk, title="Oat milk")
        return True

    with pytest.raises(ReplicaError, match="was changed at"):
        writing(tracker, ask=meanwhile).run("UPDATE issues SET title = 'x'")

    assert titles(tracker) == ["Bread", "Oat milk", "Salt"]


# -- at a terminal


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    """A keyboard that types what the test says."""
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        yield typed


def prompt(keys: PipeInput, shell: Shell, directory: Path) -> Prompt:
    """A prompt on that keyboard."""
    return Prompt(directory, shell.tables(), typed=keys, shown=DummyOutput())


def test_a_statement_may_take_several_lines(keys: PipeInput, shell: Shell, tmp_path: Path) -> None:
    """Until its semicolon; a command ends with its line."""
    asked = prompt(keys, shell, tmp_path)

    keys.send_text("SELECT\rtitle\rFROM issues;\r.tables\r\r")

    assert [asked.take() for _ in range(3)] == ["SELECT\ntitle\nFROM issues;", ".tables", ""]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("SELECT titl", "SELECT title"),
        ("SELECT 1 FROM comm", "SELECT 1 FROM comments"),
        (".sch", ".schema"),
        (".schema board_p", ".schema board_positions"),
        (".format nd", ".format ndjson"),
        (".read stat", ".read statements.sql"),
    ],
)
def test_tab_completes(
    keys: PipeInput, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, completed: str
) -> None:
    """Columns, tables, commands and what they take."""
    (tmp_path / "statements.sql").touch()
    monkeypatch.chdir(tmp_path)
    asked = prompt(keys, shell, tmp_path)
    buffer = asked._statements.default_buffer
    buffer.on_text_changed += lambda _: keys.send_text(";\r") if buffer.text == completed else None

    keys.send_text(typed + "\t")

    assert asked.take() == completed + ";"


def test_ctrl_c_cancels_the_line_and_ctrl_d_ends(
    keys: PipeInput, shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And an error in between ends nothing."""
    asked = prompt(keys, shell, tmp_path)
    keys.send_text("SELECT 'cancelled'\x03nonsense;\rSELECT 5 AS five;\r\x04")

    code = shell.loop(asked.take, for_person=True)

    told = capsys.readouterr()
    assert code == 2
    assert told.out == "five\n----\n5\n"
    assert len(told.err.splitlines()) == 1


def test_ctrl_c_ends_a_query_that_never_ends_and_not_the_shell(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next statement is taken."""
    endless = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n;"
    timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
    timer.start()

    code = run_all(shell, endless, "SELECT 5 AS five;")

    timer.join()
    assert code == 0
    assert capsys.readouterr().out == "five\n----\n5\n"


@pytest.mark.parametrize("typed", ["y\r", "YES\r", "\r", "no\r", "\x04", "\x03"])
def test_only_a_yes_is_a_yes(keys: PipeInput, shell: Shell, tmp_path: Path, typed: str) -> None:
    """Whatever else is typed writes nothing."""
    asked = prompt(keys, shell, tmp_path)

    keys.send_text(typed)

    assert asked.ask("delete 3 rows of issues?") is (typed.lower()[0] == "y")


def test_the_history_is_kept_for_its_owner_alone(keys: PipeInput, shell: Shell, tmp_path: Path) -> None:
    """And the next prompt has it, without the answers to questions."""
    first = prompt(keys, shell, tmp_path)
    keys.send_text("SELECT 1;\ry\r")
    first.take()
    first.ask("really?")

    second = prompt(keys, shell, tmp_path)
    keys.send_text("\x1b[A\r")

    assert second.take() == "SELECT 1;"
    path = tmp_path / HISTORY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "\n+y\n" not in path.read_text()


def test_a_directory_that_takes_no_history_is_no_error(keys: PipeInput, shell: Shell, tmp_path: Path) -> None:
    """It is remembered until the prompt ends."""
    asked = prompt(keys, shell, tmp_path / "nowhere")
    keys.send_text("SELECT 1;\r")

    assert asked.take() == "SELECT 1;"
