"""`td search`: what fits best first, with a few words from where it does."""

import re

from sqld import Server
from tests.cli.program import Program
from tests.replica.backups import back_up, restore
from tracker import Comment, IssueEdit, Status, search


def filled(td: Program) -> tuple[str, str]:
    """Two issues, one of them closed."""
    with td.tracker() as tracker:
        shown, shut = tracker.create("Fix the login page").id, tracker.create("Old login page").id
        with tracker.replica.transaction() as tx:
            # Past the checks of td, as another program may write it.
            tx.insert(Comment(issue_id=shown, text="It is the \x1b[31m font\x1b[0m server.", created_at=tracker.now()))
        tracker.update(shut, IssueEdit(status=Status.CLOSED))
    return shown, shut


def test_a_line_says_where_it_was_found(td: Program) -> None:
    """Unless the line of the issue shows it; what people wrote moves no cursor."""
    shown, _ = filled(td)

    assert td.done("search", "font").out == (
        f"{shown}  P2  open  task  Fix the login page\n    comment: It is the \\x1b[31m font\\x1b[0m server.\n"
    )
    assert td.done("search", "log", "fix").out == f"{shown}  P2  open  task  Fix the login page\n"
    scored = td.done("search", "fix login", "--show-score").out
    assert re.fullmatch(rf" +\d+\.\d\d  {shown}  P2  open  task  Fix the login page\n", scored)


def test_a_document_holds_the_issue_and_why_it_was_found(td: Program) -> None:
    """Flat, as a list shows issues."""
    shown, shut = filled(td)

    found = td.done("search", "login", "--all", "--json").document()

    assert {hit["id"] for hit in found} == {shown, shut}
    assert {hit["match"] for hit in found} == {"title"}
    assert {hit["snippet"] for hit in found} == {"Fix the login page", "Old login page"}
    assert td.done("search", "login", "-n", "1", "-p", "2", "-t", "task", "--format", "csv").out.splitlines()[0] == (
        "id,title,status,type,priority,labels,score,match,snippet,pending"
    )


def test_where_nothing_or_not_all_is_shown_a_person_is_told_why(td: Program) -> None:
    """On stderr; it is no failure."""
    filled(td)

    nothing, punctuation, more = (
        td.done("search", "nut"),
        td.done("search", "++"),
        td.done("search", "log", "--all", "-n1"),
    )

    assert (nothing.out, nothing.err) == ("", "no open issue says so; --all looks in the closed ones too\n")
    assert punctuation.err == "nothing to look for: only letters and digits are searched\n"
    assert more.err == "the best 1; -n shows more\n"


def test_doctor_looks_at_the_index(td: Program) -> None:
    """Where it is damaged, deleting it is all there is to do."""
    filled(td)
    td.done("search", "log")
    index = td.directory / ".todos" / "search.db"

    well = {check["name"]: check for check in td.done("doctor", "--json").document()["checks"]}
    index.write_bytes(b"\x55" * 9000)
    bad = td("doctor", "--json")

    assert well["search.db"]["detail"].startswith("2 issues")
    assert bad.error()["hint"] == f"delete {index}; the next search makes it anew"
    assert td.done("search", "log").out
    assert td.done("doctor").out


def test_a_search_follows_the_issues_to_a_primary(td: Program, primary_server: Server) -> None:
    """And finds what is written there."""
    shown, _ = filled(td)

    def found() -> set[str]:
        with td.tracker() as tracker:
            return {hit.issue.title for hit in search.find(tracker, "login")}

    assert found() == {"Fix the login page"}
    td.done("config", "set", "url", primary_server.url)
    with td.tracker() as tracker:
        tracker.update(shown, IssueEdit(title="Fix the sign-in page"))
        tracker.create("Another login page")
    assert found() == {"Another login page"}


def test_what_a_restored_primary_lost_is_not_found_any_more(laptop: Program, primary_server: Server) -> None:
    """Nor is what it brings back missed."""

    def found() -> set[str]:
        with laptop.tracker() as tracker:
            assert tracker.replica.sync().error is None
            return {hit.issue.title for hit in search.find(tracker, "plum")}

    with laptop.tracker() as tracker:
        early = tracker.create("plum early").id
    assert found() == {"plum early"}
    back_up(primary_server, laptop.directory / "backup")
    with laptop.tracker() as tracker:
        tracker.create("plum late")
        tracker.update(early, IssueEdit(title="pear"))
    assert found() == {"plum late"}

    restore(primary_server, laptop.directory / "backup")

    assert found() == {"plum early"}
