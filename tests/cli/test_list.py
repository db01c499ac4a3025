"""`td list`: its options are conditions of the filter language, and its forms are those of every list."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.in_process import InProcess
from tracker import Issue, IssueType, Priority, Status


@pytest.fixture
def td(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """A td with an epic, a bug that belongs to it, and a feature that is closed."""
    td = InProcess(tmp_path, monkeypatch)
    with td.tracker() as tracker:
        epic = tracker.create("Login", type=IssueType.EPIC)
        bug = tracker.create("Fix auth bug", type=IssueType.BUG, priority=Priority.P1, labels=frozenset({"a", "b"}))
        done = tracker.create("Sign up", type=IssueType.FEATURE, description="by email")
        now = tracker.now()
        today = now.astimezone().date()
        with tracker.replica.transaction() as tx:
            tx.update(
                tx.get(Issue, bug.id),
                parent_id=epic.id,
                points=3,
                status=Status.IN_PROGRESS,
                implementer_session=tracker.session,
                due_date=today - timedelta(days=1),
            )
            tx.update(
                tx.get(Issue, done.id), status=Status.CLOSED, closed_at=now, reviewer_session="ses_desktop_000002"
            )
            tx.insert(Issue(title="Later", created_at=now, defer_until=today + timedelta(days=3), points=8))
            tx.insert(Issue(title="Soon", created_at=now, defer_until=today, due_date=today + timedelta(days=2)))
    return td


def titles(td: InProcess, *args: str) -> list[str]:
    """What a list shows, by the alphabet."""
    return sorted(issue["title"] for issue in td.document("list", *args))


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ([], ["Fix auth bug", "Login", "Soon"]),
        (["-f", "type = bug OR title ~ log"], ["Fix auth bug", "Login"]),
        (["-s", "closed"], ["Sign up"]),
        (["-s", "closed,in_progress"], ["Fix auth bug", "Sign up"]),
        (["-s", "review"], []),
        (["-s", "all"], ["Fix auth bug", "Login", "Sign up", "Soon"]),
        (["-t", "bug,epic"], ["Fix auth bug", "Login"]),
        (["-t", "story", "-a"], ["Sign up"]),
        (["-l", "a", "-l", "b"], ["Fix auth bug"]),
        (["-l", "a,c"], []),
        (["-p", "P1"], ["Fix auth bug"]),
        (["-p", "<=high"], ["Fix auth bug"]),
        (["-p", ">=P2"], ["Login", "Soon"]),
        (["--points", "3"], ["Fix auth bug"]),
        (["--points", "2-5"], ["Fix auth bug"]),
        (["--points", ">=3", "-a"], ["Fix auth bug", "Later"]),
        (["-q", "EMAIL", "-a"], ["Sign up"]),
        (["-m"], ["Fix auth bug"]),
        (["--implementer", "@me"], ["Fix auth bug"]),
        (["--reviewer", "ses_desktop_000002", "-a"], ["Sign up"]),
        (["-o"], ["Login", "Soon"]),
        (["--created", "today", "-o"], ["Login", "Soon"]),
        (["--created", "<today"], []),
        (["--updated", ">-6h", "-t", "bug"], ["Fix auth bug"]),
        (["--closed", "this_week"], ["Sign up"]),
        (["--deferred"], ["Later"]),
        (["--surfacing"], ["Soon"]),
        (["--overdue"], ["Fix auth bug"]),
        (["--due-soon"], ["Soon"]),
        (["-a"], ["Fix auth bug", "Later", "Login", "Sign up", "Soon"]),
        (["-f", "status = open", "-t", "epic"], ["Login"]),
    ],
)
def test_an_option_narrows_the_list(td: InProcess, args: list[str], found: list[str]) -> None:
    """And all that are given must hold."""
    assert titles(td, *args) == found


def test_the_parts_of_an_issue_are_listed_by_its_id(td: InProcess) -> None:
    """By the first characters of it, or as the one in focus."""
    (epic,) = td.document("list", "-t", "epic")
    assert titles(td, "--parent", epic["id"][:8]) == titles(td, "--epic", epic["id"]) == ["Fix auth bug"]
    assert titles(td, "-i", epic["id"], "-i", epic["id"][3:]) == ["Login"]
    assert td("list", "--epic", ".").code == 2
    td.done("focus", epic["id"])

    assert titles(td, "--epic", ".") == ["Fix auth bug"]
    assert td("list", "--parent", "td-zzzzzzzz").code == 1


def test_a_list_is_ordered_and_cut(td: InProcess) -> None:
    """What is left out is told on stderr, to a person."""
    answer = td.done("list", "--sort", "-title", "-n", "1")

    assert answer.out.endswith("  Soon\n")
    assert answer.err == "the first 1; there are more\n"
    assert td.document("list", "--sort", "title", "-r", "-n", "1")[0]["title"] == "Soon"
    assert td.done("list", "-n", "3").err == ""
    assert td.done("list", "-f", "nosuch").err == "no such issues\n"


def test_a_list_is_counted(td: InProcess) -> None:
    """Also as JSON."""
    assert td.done("list", "--count").out == "3\n"
    assert td.document("list", "-s", "closed", "--count") == {"count": 1}


def test_a_list_is_explained(td: InProcess) -> None:
    """The SQL, its parameters, and how SQLite runs it; what was typed is in the parameters only."""
    answer = td.done("list", "-f", "title ~ 'x y'", "--explain")
    document = td.document("list", "-f", "title ~ 'x y'", "--explain")

    assert "'%x y%'" in answer.out.splitlines()[2]
    assert "%x y%" in document["params"]
    assert "x y" not in document["sql"]
    assert "issues_unclosed" in " ".join(document["plan"])


def test_a_list_has_the_forms_of_every_list(td: InProcess) -> None:
    """Besides its own, a line or two for each."""
    header, *rows = td.done("list", "-t", "bug", "--format", "csv").out.splitlines()

    assert header.startswith("id,title,description,type,priority,status,labels,created_at")
    assert len(rows) == 1
    assert td.document("list", "-t", "bug", "--format", "json")[0]["labels"] == ["a", "b"]
    assert len(td.done("list", "-t", "bug", "--long").out.splitlines()) == 2
    for args in (["--json", "--format", "csv"], ["--json", "--format", "table"], ["--format", "nosuch"]):
        assert td("list", *args).code == 2


def test_a_filter_that_means_nothing_ends_with_2_in_one_line(td: InProcess) -> None:
    """Which tells the column and shows the place; nothing is on stdout."""
    answer = td("list", "--filter", "status = ")

    assert (answer.code, answer.out) == (2, "")
    (line,) = answer.err.splitlines()
    assert line.startswith("td: at column 10: a value must follow =, not the end; status = ⟵here; ")


def test_a_column_is_one_of_the_filter_that_was_typed(td: InProcess) -> None:
    """Whatever options stand beside it, whose own mistakes have no column."""
    in_filter = td("list", "-f", "a AND due < banana", "--created", "today")
    in_option = td("list", "-f", "a AND due < today", "--created", "banana")

    assert in_filter.err.startswith(
        "td: at column 13: due is a date field, and banana is no date; a AND due < banana⟵here"
    )
    assert in_option.err.startswith("td: created is a date field, and banana is no date; give a date as")


def test_a_bad_option_is_told_as_what_it_is(td: InProcess) -> None:
    """One line for each, with what could be used."""
    for args in (["-p", "P9"], ["--points", "many"], ["--created", "banana"], ["--sort", "colour"], ["-s", "opn"]):
        answer = td("list", *args)

        assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1), args
