"""Notes: what is worth keeping and is about no single issue."""

import pytest

from tests.tracker.clock import Clock
from tests.tracker.pair import sync
from tracker import (
    AmbiguousIdError,
    DeletedError,
    InvalidFieldError,
    NoteEdit,
    NoteFilter,
    NotFoundError,
    NothingToChangeError,
    Tracker,
    decisions,
    notes,
    parse_field,
)


def titles(tracker: Tracker, wanted: NoteFilter | None = None) -> list[str]:
    """What a list shows."""
    return [note.title for note in notes.find(tracker, wanted or NoteFilter())]


def test_a_note_is_found_by_the_beginning_of_its_id(tracker: Tracker) -> None:
    """With `nt-` and without it, in any case."""
    made = notes.create(tracker, "  Hosts  ", "one\r\ntwo")

    found = [notes.get(tracker, typed) for typed in (made.id, made.id[:6], made.id[3:7], made.id[3:].upper())]

    assert found == [made] * 4
    assert (made.title, made.content, made.session) == ("Hosts", "one\ntwo", tracker.session)


@pytest.mark.parametrize("typed", ["", "nt-", "  "])
def test_no_id_at_all_is_refused(tracker: Tracker, typed: str) -> None:
    """It would fit every note."""
    with pytest.raises(InvalidFieldError, match="id: it is empty"):
        notes.get(tracker, typed)


def test_an_id_that_fits_several_notes_lists_them(tracker: Tracker) -> None:
    """And one that fits none is not found."""
    made = [notes.create(tracker, f"note {number}").id for number in range(33)]

    # Of 33 ids with 32 different first characters, two begin alike.
    firsts = [note_id[3] for note_id in made]
    twice = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(AmbiguousIdError) as raised:
        notes.get(tracker, twice)

    assert set(raised.value.candidates) == {note_id for note_id in made if note_id[3] == twice}
    with pytest.raises(NotFoundError):
        notes.get(tracker, "zzzzzzzzzz")


def test_the_list_has_the_pinned_first_and_then_the_last_changed(tracker: Tracker, clock: Clock) -> None:
    """What is archived or deleted is out of sight until it is asked for."""
    made = {}
    for title in ("old", "new", "pinned", "archived", "deleted"):
        made[title] = notes.create(tracker, title).id
        clock.pass_seconds(10)
    notes.move(tracker, "pin", [made["pinned"]])
    notes.move(tracker, "archive", [made["archived"]])
    notes.move(tracker, "delete", [made["deleted"]])
    clock.pass_seconds(10)
    notes.edit(tracker, made["old"], NoteEdit(append="more"))

    assert titles(tracker) == ["pinned", "old", "new"]
    assert titles(tracker, NoteFilter(archived=True)) == ["archived"]
    assert titles(tracker, NoteFilter(archived=None)) == ["pinned", "old", "archived", "new"]
    assert titles(tracker, NoteFilter(archived=None, deleted=True)) == ["deleted"]


@pytest.mark.parametrize(("before", "after"), [("", "more"), ("one", "one\nmore"), ("one\n", "one\nmore")])
def test_what_is_appended_stands_on_a_line_of_its_own(tracker: Tracker, before: str, after: str) -> None:
    """Wherever the text ended."""
    made = notes.create(tracker, "Hosts", before)

    assert notes.edit(tracker, made.id, NoteEdit(append="more")).content == after


def test_an_edit_that_wants_nothing_is_refused_and_one_that_changes_nothing_writes_nothing(tracker: Tracker) -> None:
    """The one is a mistake of who typed it, the other is done already."""
    made = notes.create(tracker, "Hosts", "one")
    with pytest.raises(NothingToChangeError):
        notes.edit(tracker, made.id, NoteEdit())

    same = notes.edit(tracker, made.id, NoteEdit(title="Hosts", content="one"))

    assert same == made
    assert len(tracker.replica.history(type(made), made.id)) == 1


@pytest.mark.parametrize(
    "edit", [NoteEdit(title=""), NoteEdit(title="x" * 201), NoteEdit(content="\0"), NoteEdit(append="x" * 100_001)]
)
def test_a_note_holds_only_what_can_be_stored_and_shown(tracker: Tracker, edit: NoteEdit) -> None:
    """The same as an issue."""
    made = notes.create(tracker, "Hosts")

    with pytest.raises(InvalidFieldError):
        notes.edit(tracker, made.id, edit)

    assert notes.get(tracker, made.id) == made


@pytest.mark.parametrize("move", ["pin", "unpin", "archive", "unarchive"])
def test_a_deleted_note_is_only_restored(tracker: Tracker, move: str) -> None:
    """Nobody would see the change."""
    made = notes.create(tracker, "Hosts")
    notes.move(tracker, "delete", [made.id])

    with pytest.raises(DeletedError, match=f"the note {made.id} is deleted") as raised:
        notes.move(tracker, move, [made.id])
    with pytest.raises(DeletedError):
        notes.edit(tracker, made.id, NoteEdit(title="x"))

    assert f"td note restore {made.id}" in raised.value.hint
    assert [note.deleted_at for note in notes.move(tracker, "restore", [made.id]).notes] == [None]


def test_several_notes_are_moved_by_one_mutation_or_not_at_all(tracker: Tracker) -> None:
    """So one undo takes it back; a note named twice is moved once."""
    ids = [notes.create(tracker, title).id for title in ("a", "b")]
    with pytest.raises(NotFoundError):
        notes.move(tracker, "archive", [*ids, "zzzzzzzzzz"])
    assert sorted(titles(tracker)) == ["a", "b"]

    moved = notes.move(tracker, "archive", [*ids, ids[0]])

    assert ([note.id for note in moved.notes], moved.changed) == (ids, frozenset(ids))
    assert notes.move(tracker, "archive", ids[:1]).changed == frozenset()
    tracker.undo()
    assert sorted(titles(tracker)) == ["a", "b"]


def test_what_two_people_do_to_a_note_merges(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """Different lines of its text; and of pinning and archiving, the later word counts."""
    made = notes.create(laptop, "Hosts", "one\ntwo\nthree\n")
    sync(laptop, desktop)
    notes.edit(laptop, made.id, NoteEdit(content="ONE\ntwo\nthree\n"))
    notes.move(laptop, "pin", [made.id])
    clock.pass_seconds(60)
    notes.edit(desktop, made.id, NoteEdit(content="one\ntwo\nTHREE\n"))
    notes.move(desktop, "pin", [made.id])
    notes.move(desktop, "unpin", [made.id])

    sync(laptop, desktop, laptop)

    assert laptop.replica.conflicts() == []
    merged = notes.get(laptop, made.id)
    assert merged == notes.get(desktop, made.id)
    assert (merged.content, merged.pinned) == ("ONE\ntwo\nTHREE\n", False)


def test_one_title_of_two_is_for_a_person_to_decide(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """And may be a third one, checked as when a note is written."""
    made = notes.create(laptop, "Hosts")
    sync(laptop, desktop)
    notes.edit(laptop, made.id, NoteEdit(title="Machines"))
    notes.edit(desktop, made.id, NoteEdit(title="Servers"))
    sync(laptop, desktop)
    conflict = decisions.find(desktop, made.id[:8])

    decisions.settle(desktop, conflict, {"title": parse_field(conflict.table, "title", " Computers ")})

    sync(desktop, laptop)
    assert [notes.get(tracker, made.id).title for tracker in (laptop, desktop)] == ["Computers", "Computers"]
    with pytest.raises(InvalidFieldError, match="there is no field 'pinned' to set"):
        parse_field(conflict.table, "pinned", "1")
