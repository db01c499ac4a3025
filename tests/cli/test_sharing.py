"""Two people on the command line, with a primary that comes and goes."""

import re
from pathlib import Path

import pytest

from sqld import Server
from tests.cli.program import Program
from tracker import IssueEdit, Priority, open_tracker


def sync(*programs: Program) -> None:
    """Sync each in turn."""
    for program in programs:
        with program.tracker() as tracker:
            assert tracker.replica.sync().error is None


def listed(program: Program) -> list[dict[str, object]]:
    """All issues, as JSON, in one order."""
    issues: list[dict[str, object]] = program.done("list", "--all", "--deleted", "--json").document()
    return sorted(issues, key=lambda issue: str(issue["id"]))


def in_conflict(laptop: Program, desktop: Program) -> tuple[str, str]:
    """Make a conflict about a title; the ids of the issue and the conflict, which is on the desktop."""
    with laptop.tracker() as mine, desktop.tracker() as theirs:
        issue_id = mine.create("May").id
        mine.replica.sync()
        theirs.replica.sync()
        mine.update(issue_id, IssueEdit(title="June"))
        theirs.update(issue_id, IssueEdit(title="July"))
        mine.replica.sync()
    report = desktop.done("sync", "--json").document()
    assert (report["pushed"], report["parked"], report["pending"], report["error"]) == (1, 1, 0, None)
    (conflict,) = desktop.done("conflicts", "--json").document()
    return issue_id, conflict["id"]


def test_two_people_work_offline_and_come_together(laptop: Program, desktop: Program, primary_server: Server) -> None:
    """The story of the project: nothing waits for the network, different fields merge, the same field is decided."""
    issue_id = laptop.create("May")
    sync(laptop, desktop)
    primary_server.stop()
    laptop.done("update", issue_id, "--title", "June", "-p", "P0")
    assert desktop.done("update", issue_id, "-s", "blocked").out == f"UPDATED {issue_id} (pending)\n"
    assert desktop.done("update", issue_id, "--title", "July").out == f"UPDATED {issue_id} (pending)\n"
    created = desktop.create("Book a room")
    assert {issue["id"]: issue["pending"] for issue in listed(desktop)} == {issue_id: True, created: True}
    assert "(pending)" in desktop.done("list").out
    primary_server.start()

    laptop.done("sync")
    desktop.done("sync")
    desktop.done("resolve", issue_id, "--set", "title=August")
    desktop.done("sync")
    laptop.done("sync")

    assert listed(laptop) == listed(desktop)
    by_id = {issue["id"]: issue for issue in listed(laptop)}
    assert set(by_id) == {issue_id, created}
    issue = by_id[issue_id]
    assert (issue["title"], issue["priority"], issue["status"], issue["pending"]) == ("August", "P0", "blocked", False)


def test_a_sync_without_the_primary_says_so_and_keeps_everything(laptop: Program, primary_server: Server) -> None:
    """Exit code 4, the report on stdout, the error on stderr; writing and reading go on."""
    primary_server.stop()
    issue_id = laptop.create("Oat milk")

    answer = laptop("sync", "--json")

    assert (answer.code, answer.error()["code"]) == (4, "unreachable")
    report = answer.document()
    assert set(report) == {"pushed", "merged", "parked", "pulled", "pending", "lost", "stage", "error", "mended"}
    assert (report["pending"], report["error"]) == (1, answer.error())
    told = laptop("sync", "now")
    assert told.code == 4
    assert "1 pending" in told.out
    assert len(told.err.splitlines()) == 1
    status = laptop.done("sync", "status", "--json").document()
    assert (status["state"], status["pending"]) == ("offline", 1)
    assert status["waits_because"]
    assert status["offline_since"]
    assert laptop.done("show", issue_id, "--json").document()["pending"] is True


def test_what_waits_is_listed(laptop: Program) -> None:
    """In the order it was made."""
    issue_id = laptop.create("Oat milk")
    laptop.done("update", issue_id, "-p", "P0")

    waiting = laptop.done("sync", "pending", "--json").document()

    of_issues = [change for mutation in waiting for change in mutation["changes"] if change["table"] == "issues"]
    assert [change["kind"] for change in of_issues] == ["insert", "update"]
    assert waiting[1]["changes"][0]["fields"] == {"priority": {"before": "P2", "new": "P0"}}
    assert f"update  issues  {issue_id}  priority" in laptop.done("sync", "pending").out
    sync(laptop)
    assert laptop.done("sync", "pending", "--json").document() == []


def test_a_conflict_names_both_values_their_authors_and_what_to_do(laptop: Program, desktop: Program) -> None:
    """To people and to programs."""
    issue_id, conflict_id = in_conflict(laptop, desktop)
    sessions = {program: program.done("whoami", "--json").document()["session"] for program in (laptop, desktop)}

    (conflict,) = desktop.done("conflicts", "list", "--json").document()

    assert (conflict["table"], conflict["row_id"]) == ("issues", issue_id)
    assert conflict["reason"]
    assert conflict["fields"] == {"title": {"before": "May", "mine": "July", "theirs": "June"}}
    assert conflict["mine_by"]["session"] == sessions[desktop]
    assert conflict["theirs_by"]["session"] == sessions[laptop]
    assert set(conflict["mine_by"]) == {"session", "machine", "at"}
    assert desktop.done("conflicts", "show", conflict_id[:20], "--json").document() == conflict
    assert desktop.done("show", issue_id, "--json").document()["conflicts"] == [conflict]
    told = desktop.done("conflicts").out
    for part in ('"May"', '"June"', '"July"', *sessions.values(), f"td resolve {conflict_id}"):
        assert part in told


def test_a_conflict_tells_the_names_of_who_made_it(laptop: Program, desktop: Program) -> None:
    """Two who started the same issue are named as they named themselves."""
    issue_id = laptop.create("May")
    for program, called in ((laptop, "Ann"), (desktop, "Ben")):
        program.done("session", "--name", called)
    sync(laptop, desktop)
    laptop.done("start", issue_id)
    desktop.done("start", issue_id)

    sync(laptop, desktop)

    told = [desktop.done(*command).out for command in (("conflicts",), ("show", issue_id))]
    for out in told:
        assert re.search(r"mine +\S+ +by Ben \(ses_\w+\) on ", out)
        assert re.search(r"theirs +\S+ +by Ann \(ses_\w+\) on ", out)


def test_a_sync_that_leaves_a_conflict_says_where_to_look(laptop: Program, desktop: Program) -> None:
    """On stderr: the sync itself is done."""
    in_conflict(laptop, desktop)

    assert desktop.done("sync").err == "1 conflict waits for a decision: td conflicts\n"


@pytest.mark.parametrize(
    ("choice", "title"), [(["--mine"], "July"), (["--theirs"], "June"), (["--set", "title=a = b"], "a = b")], ids=str
)
def test_a_conflict_is_settled(laptop: Program, desktop: Program, choice: list[str], title: str) -> None:
    """By either side, or by a third value; it may be named by its issue."""
    issue_id, conflict_id = in_conflict(laptop, desktop)

    document = desktop.done("resolve", issue_id, *choice, "--json").document()

    assert (document["action"], document["id"], document["status"]) == ("resolved", issue_id, "open")
    assert (document["issue"]["title"], document["conflict"]) == (title, conflict_id)
    sync(desktop, laptop)
    assert listed(laptop) == listed(desktop)
    assert laptop.done("conflicts", "--json").document() == []


def test_a_teammate_is_told_who_wants_what(laptop: Program, tmp_path: Path, primary_server: Server) -> None:
    """Mine, theirs and here are true only where the change was made."""
    with (
        laptop.tracker() as here,
        open_tracker(tmp_path / "far", mode="libsql", url=primary_server.url, machine="farcryaw") as far,
    ):
        issue_id = here.create("May").id
        for tracker in (here, far):
            assert tracker.replica.sync().error is None
        here.update(issue_id, IssueEdit(title="June"))
        far.update(issue_id, IssueEdit(title="July", priority=Priority.P0))
        for tracker in (here, far, here):
            assert tracker.replica.sync().error is None
        sessions = here.replica.session, far.replica.session

    told = laptop.done("conflicts", "show", issue_id).out

    assert f"the same field was changed by {sessions[1]} and on the primary" in told
    assert re.search(rf'^    {sessions[1]}  "July"  on farcryaw at \S+  \(--mine\)$', told, flags=re.MULTILINE)
    assert re.search(rf'^    {sessions[0]}  "June"  on \w+ at \S+  \(--theirs\)$', told, flags=re.MULTILINE)
    assert "also changed, and kept whichever side is taken:" in told
    assert 'priority  "P2"  ->  "P0"' in told
    (conflict,) = laptop.done("conflicts", "--json").document()
    assert conflict["other_fields"] == {"priority": {"before": "P2", "new": "P0"}}


def test_a_settled_conflict_is_shown_as_settled(laptop: Program, desktop: Program) -> None:
    """And its settling waits to be sent, though the issue did not change."""
    issue_id, conflict_id = in_conflict(laptop, desktop)

    assert desktop.done("resolve", conflict_id, "--theirs").out == f"RESOLVED {issue_id} (pending)\n"

    told = desktop.done("conflicts", "show", conflict_id).out
    assert told.splitlines()[0].endswith("(settled)")
    assert "td resolve" not in told


def test_a_field_is_set_once(laptop: Program, desktop: Program) -> None:
    """Exit code 2: of two values neither is taken."""
    _, conflict_id = in_conflict(laptop, desktop)

    answer = desktop("resolve", conflict_id, "--set", "title=x", "--set", "title=y", "--json")

    assert (answer.code, answer.error()["code"]) == (2, "usage")
    assert desktop.done("conflicts", "--json").document()


def test_a_bad_value_settles_nothing(laptop: Program, desktop: Program) -> None:
    """Unknown fields, bad values, and a conflict that is settled already."""
    _, conflict_id = in_conflict(laptop, desktop)

    for value in ("titel=x", "title=", "status=wip", "closed_at=now"):
        answer = desktop("resolve", conflict_id, "--set", value, "--json")
        assert (answer.code, answer.error()["code"]) == (2, "invalid_input")
    answer = desktop("resolve", conflict_id, "--set", "priority=P0", "--json")
    assert (answer.code, answer.error()["code"]) == (2, "invalid_input")
    assert [conflict["id"] for conflict in desktop.done("conflicts", "--json").document()] == [conflict_id]
    desktop.done("resolve", conflict_id, "--mine")
    answer = desktop("resolve", conflict_id, "--theirs", "--json")
    assert (answer.code, answer.out) == (2, "")


def test_history_has_the_changes_of_both(laptop: Program, desktop: Program) -> None:
    """With who made them."""
    issue_id = laptop.create("Oat milk")
    sync(laptop, desktop)
    desktop.done("update", issue_id, "-p", "P0")
    sync(desktop, laptop)
    sessions = [program.done("whoami", "--json").document()["session"] for program in (laptop, desktop)]

    entries = laptop.done("history", issue_id, "--json").document()

    assert [(entry["session"], entry["pending"]) for entry in entries] == [(session, False) for session in sessions]


def test_doctor_says_that_all_is_well_or_what_to_do(laptop: Program, primary_server: Server) -> None:
    """Exit code 1 if something is not well."""
    sync(laptop)
    assert laptop.done("doctor", "--json").document()["ok"] is True
    primary_server.stop()

    answer = laptop("doctor", "--json")

    assert (answer.code, answer.error()["code"]) == (1, "unhealthy")
    bad = [check for check in answer.document()["checks"] if not check["ok"]]
    assert [check["name"] for check in bad] == ["primary"]
    assert bad[0]["hint"]
    assert "NO  primary" in laptop("doctor").out


def test_mode_remote_reads_and_writes_on_the_primary(laptop: Program, fresh: Program, primary_server: Server) -> None:
    """There is no copy here, so nothing is ever pending; and without the primary nothing works."""
    fresh.done("init", "--mode", "remote", "--url", primary_server.url)
    assert not list((fresh.directory / ".todos").glob("*.db"))

    assert fresh.done("create", "Oat milk").out.endswith("\n")
    sync(laptop)

    assert listed(laptop) == listed(fresh)
    primary_server.stop()
    answer = fresh("list", "--json")
    assert (answer.code, answer.out, answer.error()["code"]) == (4, "", "unreachable")


def test_a_malformed_url_in_the_environment_is_told_by_its_name(td: Program) -> None:
    """Exit code 2, for reading too: it is not known which issues were meant."""
    answer = td("list", "--json", environ={"TD_DATABASE_URL": "not a url"})

    assert (answer.code, answer.out, answer.error()["code"]) == (2, "", "invalid_input")
    assert answer.error()["message"].startswith("TD_DATABASE_URL: ")


def test_the_environment_names_another_primary_for_one_call(td: Program, primary_server: Server) -> None:
    """And leaves no trace in the config."""
    config = td.directory / ".todos" / "config.json"
    before = config.read_bytes()
    environ = {"TD_DATABASE_URL": primary_server.url, "TD_DATABASE_TOKEN": "unused"}

    created = td.done("create", "Oat milk", environ=environ).out
    synced = td.done("sync", "--json", environ=environ).document()

    assert created.endswith("(pending)\n")
    assert synced["pushed"] == 1
    assert td.done("whoami", "--json", environ=environ).document()["token"] == "environment"
    assert config.read_bytes() == before
    assert td.done("list", "--json").document() == []
    assert b"unused" not in b"".join(path.read_bytes() for path in config.parent.rglob("*") if path.is_file())
