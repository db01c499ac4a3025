"""`td board`."""

import pytest

from tests.cli.in_process import InProcess
from tracker import IssueEdit, IssueType, Priority, Status


@pytest.fixture
def ids(here: InProcess) -> dict[str, str]:
    """Four issues: a bug in progress, an urgent task, a task, and a closed one."""
    with here.tracker() as tracker:
        made = {
            "Fix it": tracker.create("Fix it", type=IssueType.BUG),
            "Hurry": tracker.create("Hurry", priority=Priority.P0),
            "Oat milk": tracker.create("Oat milk"),
            "Done": tracker.create("Done"),
        }
        tracker.update(made["Fix it"].id, IssueEdit(status=Status.IN_PROGRESS))
        tracker.update(made["Done"].id, IssueEdit(status=Status.CLOSED))
        return {title: issue.id for title, issue in made.items()}


def test_a_board_is_shown_by_status(here: InProcess, ids: dict[str, str]) -> None:
    """What somebody put in its place comes first, with its number."""
    made = here.document("board", "create", "Sprint 12", "-q", "type IN (bug, task)")
    assert here.done("board", "move", "sprint 12", ids["Oat milk"], "--top").out == f"MOVED {ids['Oat milk']} [1]\n"

    shown = here.done("board", "show", "Sprint 12").out.splitlines()

    assert shown == [
        f"Sprint 12  {made['id']}  type IN (bug, task)",
        "",
        "○ open (2)",
        f"[1] {ids['Oat milk']} ○ P2 [task] Oat milk",
        f"    {ids['Hurry']} ○ P0 [task] Hurry",
        "",
        "◐ in_progress (1)",
        f"    {ids['Fix it']} ◐ P2 [bug] Fix it",
    ]
    closed = here.done("board", "show", "sprint 12", "-s", "closed").out.splitlines()
    assert closed[1:] == ["", "● closed (1)", f"{ids['Done']} ● P2 [task] Done"]


def test_a_backlog_is_one_list(here: InProcess, ids: dict[str, str]) -> None:
    """In the order of its filter, after those that have a place."""
    here.done("board", "create", "Next", "--view-mode", "backlog", "-q", "sort:-priority")
    here.done("board", "move", "next", ids["Hurry"], "--top")
    here.done("board", "move", "next", ids["Done"], "2")

    shown = here.done("board", "show", "next", "--all").out.splitlines()[1:]

    assert [line.split("] ")[-1] for line in shown] == ["Hurry", "Done", "Fix it", "Oat milk"]
    assert here.done("board", "edit", "next", "--view-mode", "swimlanes").out.startswith("UPDATED bd-")


def test_boards_are_listed_with_what_is_on_them(here: InProcess) -> None:
    """`td board` alone is the list; the board of all issues comes first."""
    board_id = here.document("board", "create", "Bugs", "-q", "type = bug")["id"]

    assert here.done("board").out.splitlines() == [
        "bd-all-issues  All issues  swimlanes  -",
        f"{board_id}    Bugs        swimlanes  type = bug",
    ]
    assert [board["name"] for board in here.document("board", "list")] == ["All issues", "Bugs"]
    assert here.done("board", "list", "--format", "csv").out.startswith("id,name,query,view_mode,")


def test_a_board_is_changed_deleted_and_brought_back(here: InProcess) -> None:
    """Each told with the board as it is now."""
    board_id = here.document("board", "create", "Bugs")["id"]

    edited = here.document("board", "edit", "bugs", "-n", "Tasks", "-q", "type = task")
    unchanged = here.document("board", "edit", "tasks", "-n", "Tasks")
    deleted = here.document("board", "delete", "tasks")

    assert (edited["action"], edited["id"], edited["board"]["query"]) == ("updated", board_id, "type = task")
    assert (unchanged["action"], deleted["action"]) == ("unchanged", "deleted")
    assert here("board", "show", "tasks", "--json").error()["code"] == "deleted"
    assert [board["id"] for board in here.document("board", "list", "--deleted")] == [board_id]
    assert here.document("board", "restore", "tasks")["board"]["deleted_at"] is None
    assert here.done("board", "list", "--deleted").err == "no such boards\n"


def test_a_move_tells_where_the_card_is_now(here: InProcess, ids: dict[str, str]) -> None:
    """And that it was there already."""
    here.done("board", "move", "all", ids["Hurry"], "--bottom")
    moved = here.document("board", "move", "all", ids["Fix it"], "--before", ids["Hurry"])
    again = here.document("board", "move", "all", ids["Fix it"], "1")
    after = here.document("board", "move", "all", ids["Fix it"], "--after", ids["Hurry"])

    assert (moved["action"], moved["id"], moved["position"]) == ("moved", "bd-all-issues", 1)
    assert (moved["issue"]["id"], moved["board"]["name"], moved["pending"]) == (ids["Fix it"], "All issues", False)
    assert (again["action"], again["position"], after["position"]) == ("unchanged", 1, 2)
    taken = here.document("board", "unposition", "all", ids["Fix it"], ids["Oat milk"])
    assert [(one["action"], one["position"]) for one in taken] == [("unpositioned", None), ("unchanged", None)]
    assert here.done("board", "unposition", "all", ids["Hurry"]).out == f"UNPOSITIONED {ids['Hurry']}\n"


@pytest.mark.parametrize("where", [[], ["1", "--top"], ["--before", "a", "--after", "b"]])
def test_a_move_goes_to_one_place(here: InProcess, ids: dict[str, str], where: list[str]) -> None:
    """No more and no less."""
    answer = here("board", "move", "all", ids["Hurry"], *where)

    assert (answer.code, answer.err) == (
        2,
        "td: say where: one of POS, --top, --bottom, --before and --after; see td board move --help\n",
    )
    assert here("board", "move", "all", ids["Hurry"], "0").code == 2


def test_a_filter_that_is_not_understood_is_pointed_at(here: InProcess) -> None:
    """In one line, with its column; no board is made."""
    answer = here("board", "create", "Wrong", "-q", "type = bug AND colour = red")

    assert answer.code == 2
    assert answer.err.startswith("td: at column 16: there is no field colour")
    assert len(here.document("board")) == 1


def test_a_board_is_one_document_with_its_issues(here: InProcess, ids: dict[str, str]) -> None:
    """Each with its place; other forms have the issues alone."""
    here.done("board", "move", "all", ids["Oat milk"], "--top")

    shown = here.document("board", "show", "all")

    assert (shown["id"], shown["pending"]) == ("bd-all-issues", False)
    assert [(issue["title"], issue["position"]) for issue in shown["issues"]] == [
        ("Oat milk", 1),
        ("Hurry", None),
        ("Fix it", None),
    ]
    assert here.done("board", "show", "all", "--format", "json").document() == shown
    head, *rows = here.done("board", "show", "all", "--format", "csv").out.splitlines()
    assert head.endswith(",updated_at,position")
    assert [row.rsplit(",")[-1] for row in rows] == ["1", "", ""]
    assert ',"position"' not in here.done("board", "show", "all", "--format", "sql").out


def test_an_empty_board_says_what_may_be_hidden(here: InProcess, ids: dict[str, str]) -> None:
    """On stderr, and to people only."""
    here.done("board", "create", "Blocked", "-q", "label(none)")

    answer = here.done("board", "show", "blocked")

    assert answer.err == "no such issues; --all adds the closed and the deferred\n"
    assert here.done("board", "show", "blocked", "--all").err == "no issues\n"
    assert here.document("board", "show", "blocked")["issues"] == []
