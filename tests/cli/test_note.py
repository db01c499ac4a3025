"""`td note`."""

from pathlib import Path

import pytest

from tests.cli.in_process import InProcess


def test_a_note_is_written_read_and_changed(here: InProcess) -> None:
    """Its text comes from the line, from stdin or from a file."""
    made = here.document("note", "add", "Hosts", "-c", "-", stdin="one\n")
    note_id = made["id"]
    (here.directory / "more.txt").write_text("zwei ☕")
    assert (made["action"], made["note"]["content"], made["note"]["pending"]) == ("created", "one\n", False)

    appended = here.document("note", "edit", note_id[3:7], "--append", "@more.txt", "--title", "Machines")

    assert (appended["action"], appended["note"]["content"]) == ("updated", "one\nzwei ☕")
    shown = here.done("note", "show", note_id).out.splitlines()
    assert shown[0] == f"{note_id}  Machines"
    assert shown[-3:] == ["", "one", "zwei ☕"]
    assert here.document("note", "show", note_id) == appended["note"]
    assert here.document("note", "edit", note_id, "--title", "Machines")["action"] == "unchanged"


def test_the_list_tells_what_is_special_about_a_note(here: InProcess) -> None:
    """In a line each; `td note` alone is the list."""
    ids = [here.document("note", "add", title)["id"] for title in ("one", "two", "three")]
    assert here.done("note", "pin", ids[0]).out == f"PINNED {ids[0]}\n"
    assert [each["action"] for each in here.document("note", "archive", *ids[:2])] == ["archived"] * 2

    assert here.done("note", "pin", ids[0]).out == f"UNCHANGED {ids[0]}\n"

    everything = here.done("note", "list", "--all").out.splitlines()

    assert everything[0].startswith(f"{ids[0]}  2")
    assert everything[0].endswith("  one  (pinned)  (archived)")
    assert [note["title"] for note in here.document("note")] == ["three"]
    assert {note["title"] for note in here.document("note", "list", "--archived")} == {"one", "two"}


def test_a_deleted_note_is_found_among_the_deleted_and_comes_back(here: InProcess) -> None:
    """Whether it was archived or not."""
    note_id = here.document("note", "add", "Hosts")["id"]
    here.done("note", "archive", note_id)
    here.done("note", "delete", note_id)
    assert here.document("note", "list", "--all") == []
    assert here("note", "pin", note_id, "--json").error()["code"] == "deleted"

    (deleted,) = here.document("note", "list", "--deleted")

    assert deleted["id"] == note_id
    assert here.done("note", "restore", note_id).out == f"RESTORED {note_id}\n"
    assert [note["id"] for note in here.document("note", "list", "--archived")] == [note_id]


@pytest.mark.parametrize(("form", "first"), [("csv", "id,title,content,pinned"), ("sql", 'INSERT INTO "notes"')])
def test_notes_come_out_in_other_forms(here: InProcess, form: str, first: str) -> None:
    """As they are stored."""
    here.done("note", "add", "Hosts")

    assert here.done("note", "list", "--format", form).out.startswith(first)


def test_json_is_json_however_it_is_asked_for(here: InProcess) -> None:
    """And two forms at once are a mistake."""
    here.done("note", "add", "Hosts")

    assert here.done("note", "list", "--format", "json").document() == here.document("note", "list")
    assert here("note", "list", "--format", "csv", "--json").code == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff", "--content: text.txt does not hold UTF-8"),
        (b"x" * 400_001, "--content: text.txt holds too much"),
        (b"x" * 100_001, "content: it has 100001 characters, 100000 are allowed"),
        (None, "cannot use text.txt: No such file or directory"),
    ],
)
def test_a_text_that_cannot_be_read_is_told(here: InProcess, content: bytes | None, message: str) -> None:
    """And nothing is written."""
    if content is not None:
        Path("text.txt").write_bytes(content)

    answer = here("note", "add", "Hosts", "-c", "@text.txt")

    assert answer.err.startswith(f"td: {message}; ")
    assert here.document("note") == []


def test_a_text_is_replaced_or_appended_to_not_both(here: InProcess) -> None:
    """Which comes first could only be guessed."""
    note_id = here.document("note", "add", "Hosts")["id"]

    answer = here("note", "edit", note_id, "-c", "a", "--append", "b")

    assert (answer.code, answer.err) == (
        2,
        "td: a text is either replaced or appended to; give one of --content and --append\n",
    )


def test_a_new_note_is_taken_back(here: InProcess) -> None:
    """As any other change."""
    note_id = here.document("note", "add", "Hosts")["id"]

    assert here.done("undo").out == f"UNDONE notes {note_id}\n"
    assert here.done("note").err == "no notes\n"
