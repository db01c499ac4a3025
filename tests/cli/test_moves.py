"""What is told on the way of an issue, besides what was done."""

import re

import pytest

from tests.cli.in_process import InProcess


def created(here: InProcess, *args: str) -> str:
    """The id of a new issue."""
    made: str = here.document("create", *args)["id"]
    return made


def test_who_begins_a_lot_is_told(here: InProcess) -> None:
    """It is no error: the fifth is started as the fourth."""
    ids = [created(here, f"issue {number}") for number in range(5)]
    assert here.done("start", *ids[:4]).err == ""

    fifth = here.done("start", ids[4])

    assert fifth.out == f"STARTED {ids[4]}\n"
    assert fifth.err.startswith("you have 5 issues in progress: ")


def test_what_is_started_too_early_is_told(here: InProcess) -> None:
    """With what it waits for."""
    first = created(here, "first")
    second = created(here, "second", "--depends-on", first)

    assert here.done("start", second).err == f"{second} depends on {first}, not closed yet\n"


def test_whose_work_is_put_back_is_told(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """One's own is nothing to tell."""
    made = created(here, "Oat milk")
    here.done("start", made)
    session = here.document("whoami")["session"]
    monkeypatch.setenv("TD_SESSION_ID", "somebody-else")

    assert here.done("unstart", made).err == f"{made} was started by {session}\n"

    here.done("start", made)
    assert here.done("unstart", made).err == ""


def test_a_claim_that_is_refused_tells_the_name_of_who_has_it(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was given with td session --name, and the session it is the name of."""
    made = created(here, "Oat milk")
    here.done("session", "--name", "Ann")
    here.done("start", made)
    session = here.document("whoami")["session"]
    monkeypatch.setenv("TD_SESSION_ID", "somebody-else")

    refused = here("start", made)

    assert (refused.code, refused.out) == (3, "")
    assert refused.err.startswith(f"td: {made} was started by Ann ({session}), last changed at ")
    assert f"  claimed by  Ann ({session})\n" in here.done("show", made).out


@pytest.mark.parametrize("command", ["close", "delete"])
def test_parts_that_are_left_open_are_told(here: InProcess, command: str) -> None:
    """Those that end with it are not left."""
    epic = here.document("epic", "create", "Ship it")["id"]
    one, other = (created(here, title, "--parent", epic) for title in ("one", "other"))

    both = here.done(command, epic, one)

    assert both.err == f"{epic} has parts that are not closed: {other}\n"


def test_an_epic_that_is_approved_tells_which_parts_are_not(here: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed all the same."""
    epic = here.document("epic", "create", "Ship it")["id"]
    part = created(here, "one", "--parent", epic)
    here.done("review", epic)
    here.done("reject", part, "-m", "again")
    monkeypatch.setenv("TD_SESSION_ID", "somebody-else")

    answer = here.done("approve", epic)

    assert answer.out == f"APPROVED {epic}\n"
    assert answer.err == f"{epic} has parts that are not closed: {part}\n"


def test_all_of_nothing_is_nothing(here: InProcess) -> None:
    """An empty list, and no error."""
    assert here.document("approve", "--all") == []
    assert here.document("approve", "--all", "--decision", "changes_requested") == []
    assert here.done("approve", "--all").err == "nothing waits that you may approve\n"


def test_issues_are_named_or_swept_and_not_both(here: InProcess) -> None:
    """Else what was named would be left out in silence."""
    made = created(here, "Oat milk")
    here.done("start", made)

    assert here("unstart", made, "--stale", "0h", "--force").code == 2

    assert here.document("list", "--all")[0]["status"] == "in_progress"


@pytest.mark.parametrize(("way", "command"), [("close", "reopen"), ("block", "unblock"), ("unfocus", "review")])
def test_who_approves_too_early_is_told_what_comes_first(here: InProcess, way: str, command: str) -> None:
    """The hint can be typed, and works."""
    made = created(here, "Oat milk")
    here.done(way, *([] if way == "unfocus" else [made]))

    refused = here("approve", made)

    assert refused.err.endswith(f": td {command} {made}\n")
    here.done(command, made)


def test_a_session_names_what_it_has(here: InProcess) -> None:
    """As it would be typed."""
    made = created(here, "Oat milk")
    here.done("start", made)

    assert f"claims      {made}\n" in here.done("session").out


def test_what_is_in_a_stretch_already_is_told(here: InProcess) -> None:
    """And so is what was never in it."""
    one, other = created(here, "one"), created(here, "other")
    here.done("ws", "start", "milk")
    here.done("ws", "tag", one)

    assert here.done("ws", "tag", one, other).out == f"UNCHANGED {one}\nTAGGED {other}\n"
    here.done("ws", "untag", other)
    assert here.done("ws", "untag", one, other).out == f"UNTAGGED {one}\nUNCHANGED {other}\n"


@pytest.mark.parametrize("before", [("close",), ("defer", "+1w")])
def test_what_is_deleted_is_among_the_deleted_whatever_it_was(here: InProcess, before: tuple[str, ...]) -> None:
    """A closed one and one that is put off are hidden nowhere else than in the list of what there is to do."""
    made = created(here, "Oat milk")
    here.done(before[0], made, *before[1:])
    here.done("delete", made)

    assert [issue["id"] for issue in here.document("deleted")] == [made]
    assert [issue["id"] for issue in here.document("list", "--deleted")] == [made]
    assert [issue["id"] for issue in here.document("list", "--filter", "is(deleted)")] == [made]


def test_what_was_so_already_is_told_as_unchanged(here: InProcess) -> None:
    """To delete, or to restore, once more does nothing and is no error."""
    made, other = created(here, "Oat milk"), created(here, "Tea")

    assert here.done("restore", made).out == f"UNCHANGED {made}\n"
    here.done("delete", made)
    assert here.done("delete", made, other).out == f"UNCHANGED {made}\nDELETED {other}\n"
    assert [told["action"] for told in here.document("restore", made, other)] == ["restored", "restored"]
    assert here.document("restore", made)["action"] == "unchanged"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["bug", "Milk is sour"], "bug"),
        (["Story", "Milk is sour"], "feature"),
        (["Milk is sour", "-t", "chore"], "chore"),
        (["bug: Milk is sour"], "bug"),
    ],
)
def test_the_type_may_stand_before_the_title(here: InProcess, words: list[str], kind: str) -> None:
    """As with the Go td; what is said of it comes by any of the names that people bring along."""
    made = here.document("new", *words, "--tags", "a", "--notes", "It is from May.")["issue"]

    assert (made["title"], made["type"], made["labels"]) == ("Milk is sour", kind, ["a"])
    assert made["description"] == "It is from May."


@pytest.mark.parametrize("words", [["Milk", "is sour"], ["Milk", "is", "sour"], ["bug", "Milk", "-t", "bug"]])
def test_a_title_without_quotes_is_refused(here: InProcess, words: list[str]) -> None:
    """Nothing is made of its first word."""
    assert here("create", *words).code == 2

    assert here.document("list") == []


def test_a_session_may_be_typed_by_its_name_or_the_beginning_of_its_id(
    here: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without the machine before it; one that is not there is an error, not an empty list."""
    made = created(here, "Oat milk")
    here.done("session", "--name", "Ann")
    here.done("start", made)
    session = here.document("whoami")["session"]
    monkeypatch.setenv("TD_SESSION_ID", "somebody-else")

    for typed in (session, session[:-1], session[-6:-1], "ann"):
        assert [issue["id"] for issue in here.document("list", "--implementer", typed)] == [made]
        assert here.done("unstart", "--session", typed).out == f"WOULD BE UNSTARTED {made}\n"
    assert here.document("list", "--implementer", "@me") == []
    assert (here("list", "--implementer", "zz").code, here("unstart", "--session", "zz").code) == (1, 1)


def test_a_stretch_that_goes_to_review_is_told_to_have_ended(here: InProcess) -> None:
    """With what became of its issues."""
    made = created(here, "Oat milk")
    here.done("ws", "start", "breakfast")
    here.done("ws", "tag", made)

    told = here.done("ws", "handoff", "--review").out.splitlines()

    assert re.fullmatch(r"WORK SESSION ENDED ws-\w+", told[0])
    assert told[1:] == [f"  {made} handed off", f"REVIEW REQUESTED {made}"]
