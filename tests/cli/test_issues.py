"""Issues on the command line, with no server at all."""

import json

import pytest

from tests.cli.in_process import done
from tests.cli.program import Program
from tracker import Issue

COLUMNS = {*Issue.model_fields, "pending"}


def test_the_first_three_commands_of_a_newcomer(fresh: Program) -> None:
    """Init, create, list: as the README says."""
    assert fresh.done("init").out == f"INITIALISED {fresh.directory / '.todos'} (mode local)\n"

    created = fresh.done("create", "Buy oat milk").out

    assert created.startswith("CREATED td-")
    issue_id = created.split()[1]
    assert fresh.done("list").out == f"{issue_id}  P2  open  task  Buy oat milk\n"


def test_an_issue_is_created_with_all_its_fields(td: Program) -> None:
    """Names are taken as people write them."""
    document = td.done(
        "create", "Buy oat milk", "-t", "story", "-p", "high", "-d", "two\nlines", "-l", "a,b", "-l", "c", "--json"
    ).document()

    assert set(document) == {"action", "id", "status", "issue"}
    assert (document["action"], document["status"]) == ("created", "open")
    issue = document["issue"]
    assert set(issue) == COLUMNS
    assert issue["id"] == document["id"]
    assert (issue["type"], issue["priority"], issue["description"]) == ("feature", "P1", "two\nlines")
    assert issue["labels"] == ["a", "b", "c"]
    assert issue["pending"] is False


def test_a_title_may_begin_with_a_dash(td: Program) -> None:
    """After `--`, as everywhere."""
    td.done("create", "--", "--json is a fine title")

    assert "--json is a fine title" in td.done("list").out


def test_a_list_hides_what_is_closed_or_deleted(td: Program) -> None:
    """And shows either when asked."""
    ids = {title: td.create(title) for title in ("open", "closed", "deleted")}
    td.done("close", ids["closed"])
    td.done("delete", ids["deleted"])

    def listed(*args: str) -> set[str]:
        return {issue["title"] for issue in td.done("list", "--json", *args).document()}

    assert listed() == {"open"}
    assert listed("--all") == {"open", "closed"}
    assert listed("--deleted") == {"open", "deleted"}
    assert listed("--all", "--deleted") == {"open", "closed", "deleted"}
    assert listed("-s", "closed", "-s", "open") == {"open", "closed"}
    assert listed("-n", "1", "--all") <= {"open", "closed"}


def test_a_list_is_narrowed_by_labels(td: Program) -> None:
    """To those that have them all."""
    td.create("one", "-l", "a")
    td.create("both", "-l", "a", "-l", "b")

    assert [issue["title"] for issue in td.done("list", "-l", "a", "-l", "b", "--json").document()] == ["both"]


def test_an_empty_list_is_an_empty_list(td: Program) -> None:
    """For programs; and a person is told so, on stderr."""
    assert td.done("list", "--json").out == "[]\n"
    answer = td.done("list")
    assert (answer.out, answer.err) == ("", "no issues\n")


def test_an_update_changes_what_it_names(td: Program) -> None:
    """Labels are added and removed."""
    issue_id = td.create("Oat milk", "-l", "a")

    document = td.done(
        "update", issue_id, "--title", "Soy milk", "--status", "in-progress", "--label", "+b", "--label", "-a", "--json"
    ).document()

    issue = document["issue"]
    assert (document["action"], document["status"]) == ("updated", "in_progress")
    assert (issue["title"], issue["labels"], issue["priority"]) == ("Soy milk", ["b"], "P2")


def test_an_update_of_an_old_reading_is_a_conflict(td: Program) -> None:
    """Exit code 3, and nothing is written."""
    created = td.done("create", "Oat milk", "--json").document()
    issue_id, seen = created["id"], created["issue"]["updated_at"]
    td.done("update", issue_id, "--priority", "0", "--if-updated-at", seen)

    answer = td("update", issue_id, "--title", "Soy milk", "--if-updated-at", seen, "--json")

    assert (answer.code, answer.out, answer.error()["code"]) == (3, "", "conflict")
    assert td.done("show", issue_id, "--json").document()["title"] == "Oat milk"


@pytest.mark.parametrize(
    ("first", "second", "status", "action"),
    [("close", "reopen", "open", "reopened"), ("delete", "restore", "open", "restored")],
)
def test_what_was_done_can_be_taken_back(td: Program, first: str, second: str, status: str, action: str) -> None:
    """One issue is an object, several are a list."""
    ids = [td.create(title) for title in ("a", "b")]
    done = td.done(first, *ids, "--json").document()
    assert [document["id"] for document in done] == ids

    back = td.done(second, ids[0], "--json").document()

    assert (back["action"], back["status"]) == (action, status)
    assert [issue["id"] for issue in td.done("list", "--json").document()] == [ids[0]]


def test_repeating_a_move_is_harmless(td: Program) -> None:
    """Exit code 0, and nothing new in the history."""
    issue_id = td.create("Oat milk")
    assert td.done("close", issue_id).out == f"CLOSED {issue_id}\n"
    assert td.done("close", issue_id).out == f"UNCHANGED {issue_id}\n"

    assert len(td.done("history", issue_id, "--json").document()) == 2


def test_an_issue_is_shown_with_its_comments(td: Program) -> None:
    """To people and to programs."""
    issue_id = td.create("Oat milk", "-d", "The one with the blue cap.")
    commented = td.done("comment", issue_id, "or soy?", "--json").document()
    assert (commented["action"], commented["id"], commented["comment"]["text"]) == ("commented", issue_id, "or soy?")

    shown = td.done("show", issue_id[:7]).out
    document = td.done("show", issue_id, "--json").document()

    assert shown.startswith(f"{issue_id}  Oat milk\n")
    assert "  The one with the blue cap.\n" in shown
    assert "  or soy?\n" in shown
    assert COLUMNS | {"comments", "conflicts"} <= set(document)
    assert [comment["text"] for comment in document["comments"]] == ["or soy?"]


def test_history_tells_and_undo_takes_back(td: Program) -> None:
    """The last change made here, or one that is named; each only while nobody changed the field again."""
    issue_id = td.create("Oat milk")
    td.done("update", issue_id, "--title", "Soy milk")
    entries = td.done("history", issue_id, "--json").document()
    assert [entry["kind"] for entry in entries] == ["insert", "update"]
    assert entries[1]["fields"] == {"title": {"before": "Oat milk", "new": "Soy milk"}}
    assert set(entries[0]) == {"mutation_id", "kind", "at", "session", "machine", "pending", "fields"}
    assert 'title: "Oat milk" -> "Soy milk"' in td.done("history", issue_id).out

    undone = td.done("undo", "--json").document()

    assert (undone["action"], undone["id"], undone["issue"]["title"]) == ("undone", issue_id, "Oat milk")
    answer = td("undo", entries[1]["mutation_id"])
    assert (answer.code, answer.out) == (3, "")


def test_undo_of_a_creation_deletes_the_issue_and_says_so(td: Program) -> None:
    """As td delete does: it can be restored."""
    issue_id = td.create("Oat milk")

    answer = td.done("undo")

    assert answer.out == f"UNDONE issues {issue_id}\n"
    assert f"td restore {issue_id}" in answer.err
    assert td.done("list", "--all", "--json").document() == []
    td.done("restore", issue_id)
    assert [issue["id"] for issue in td.done("list", "--json").document()] == [issue_id]
    undone = td.done("undo", "--json").document()
    assert (undone["action"], undone["id"]) == ("undone", issue_id)
    assert undone["issue"]["deleted_at"]


def test_an_undo_that_cannot_be_done_says_why(td: Program) -> None:
    """Nothing done yet; changed again since."""
    answer = td("undo", "--json")
    assert (answer.code, answer.error()["code"]) == (1, "not_found")
    assert "nothing to undo" in answer.error()["message"]
    issue_id = td.create("Oat milk")
    td.done("update", issue_id, "--title", "Soy milk")
    created = td.done("history", issue_id, "--json").document()[0]["mutation_id"]

    answer = td("undo", created, "--json")

    assert (answer.code, answer.error()["code"]) == (3, "conflict")
    assert "was changed again since: title by ses_" in answer.error()["message"]
    assert f"td history {issue_id}" in answer.error()["hint"]


def test_an_update_that_changes_nothing_says_so(td: Program) -> None:
    """Exit code 0: it is as was wanted."""
    issue_id = td.create("Oat milk")

    assert td.done("update", issue_id, "--title", "Oat milk").out == f"UNCHANGED {issue_id}\n"
    assert td.done("update", issue_id, "-p", "P2", "--json").document()["action"] == "unchanged"
    assert len(td.done("history", issue_id, "--json").document()) == 1


def test_all_calls_in_a_directory_are_one_session(td: Program) -> None:
    """So undo and history know whose a change was."""
    who = td.done("whoami", "--json").document()
    td.create("Oat milk")

    (issue,) = td.done("list", "--json").document()

    assert issue["creator_session"] == who["session"] == td.done("whoami", "--json").document()["session"]
    assert who["session"].startswith(f"ses_{who['machine']}_")
    assert who["token"] is None


def test_status_counts_the_issues(td: Program) -> None:
    """Each status, whether there are any or not."""
    td.create("a")
    td.done("close", td.create("b"))

    document = td.done("status", "--db", "--json").document()

    assert document["issues"] == {"open": 1, "in_progress": 0, "blocked": 0, "in_review": 0, "closed": 1}
    assert (document["mode"], document["pending"], document["conflicts"]) == ("local", 0, 0)
    assert document["db"]["files"]["data.db"] > 0
    assert "open 1" in td.done("status").out


def test_a_query_reads_what_is_here(td: Program) -> None:
    """As a table, and as JSON with every column, also where two have one name."""
    td.create("Oat milk")

    table = td.done("query", "SELECT title, NULL AS n, x'00ff' AS b FROM issues").out
    rows = td.done("query", "SELECT 1 AS a, 2 AS a, 1e999 AS inf, x'00ff' AS b", "--json").document()

    assert table == "title     n     b\n--------  ----  -------\nOat milk  NULL  x'00ff'\n"
    assert rows == [{"a": 1, "a:2": 2, "inf": "inf", "b": "00ff"}]


def test_a_query_with_no_rows_has_its_columns(td: Program) -> None:
    """And is an empty list to a program."""
    assert td.done("query", "SELECT id FROM issues").out == "id\n--\n"
    assert td.done("query", "SELECT id FROM issues", "--json").document() == []


def test_the_work_dir_is_found_and_named(td: Program) -> None:
    """Upward from here; by -w before and after the command; by TD_WORK_DIR; and .todos itself will do."""
    below = td.directory / "src" / "deep"
    below.mkdir(parents=True)
    td.create("Oat milk")
    elsewhere = td.home
    here = str(td.directory)

    answers = [
        td.done("list", "--json", cwd=below),
        td.done("-w", here, "list", "--json", cwd=elsewhere),
        td.done("--json", "list", "--work-dir", here, cwd=elsewhere),
        td.done("list", "-w", f"{here}/.todos", "--json", cwd=elsewhere),
        td.done("list", "--json", cwd=elsewhere, environ={"TD_WORK_DIR": here}),
        td.done("sync", "-w", here, "--json", "status", cwd=elsewhere),
    ]

    assert {len(answer.document()) for answer in answers[:5]} == {1}
    assert answers[5].document()["mode"] == "local"


def test_what_lies_in_todos_is_for_its_owner_only(td: Program) -> None:
    """And git never takes it."""
    directory = td.directory / ".todos"
    td.create("Oat milk")

    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in directory.rglob("*")} == {
        path.name: "0o700" if path.is_dir() else "0o600" for path in directory.rglob("*")
    }
    assert (directory / ".gitignore").read_text() == "*\n"
    assert json.loads((directory / "config.json").read_text()) == {"mode": "local"}


def test_undo_tells_of_the_issue_it_was_about(td: Program) -> None:
    """Not of what td noted by itself of who closed it."""
    issue_id = td.create("Oat milk")
    done(td, "close", issue_id)
    assert done(td, "undo").out == f"UNDONE issues {issue_id}\n"
    done(td, "close", issue_id)

    document = done(td, "undo", "--json").document()

    assert (document["id"], document["status"]) == (issue_id, "open")
    assert len(document["mutation"]["changes"]) > 1
