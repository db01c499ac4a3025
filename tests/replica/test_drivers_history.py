"""Ids, history and undo, over all drivers."""

import pytest

from replica import AmbiguousIdError, ConflictError, InputError, Kind, NotFoundError, Replica
from tests.replica.notebook import Note, Shelf, add, settle, titles

# -- ids and their prefixes


def test_an_unambiguous_prefix_finds_its_row(notes: Replica) -> None:
    """Pending or settled."""
    milk = add(notes, "Milk", id="abc-1")
    settle(notes)
    bread = add(notes, "Bread", id="abd-2")

    assert notes.get(Note, "abc") == milk
    assert notes.get(Note, "abd") == bread


def test_a_whole_id_is_found_though_it_is_the_start_of_another(notes: Replica) -> None:
    """A whole id is never ambiguous."""
    short = add(notes, "Milk", id="ab")
    add(notes, "Bread", id="abc")

    assert notes.get(Note, "ab") == short


def test_an_ambiguous_prefix_lists_its_rows(notes: Replica) -> None:
    """In order, and only those that it fits."""
    for row_id in ("abd", "abc", "b"):
        add(notes, row_id, id=row_id)

    with pytest.raises(AmbiguousIdError) as caught:
        notes.get(Note, "a")

    assert caught.value.candidates == ("abc", "abd")


@pytest.mark.parametrize("typed", ["zzz", "%", "_", "'", "a%", "\ud800", "a\0"])
def test_an_id_that_fits_no_row_is_not_found(notes: Replica, typed: str) -> None:
    """Whatever is typed, the error is the same."""
    add(notes, "Milk", id="abc")

    with pytest.raises(NotFoundError):
        notes.get(Note, typed)


@pytest.mark.parametrize("typed", ["", "  "])
def test_nothing_typed_is_no_id(notes: Replica, typed: str) -> None:
    """It does not mean every row, nor the only one."""
    add(notes, "Milk", id="abc")

    with pytest.raises((NotFoundError, InputError)):
        notes.get(Note, typed)


def test_the_prefix_of_the_class_need_not_be_typed(notes: Replica) -> None:
    """Nor need the case be right."""
    with notes.transaction() as tx:
        shelf = tx.insert(Shelf(label="top"))

    assert notes.get(Shelf, shelf.id.removeprefix("sh-")[:5].upper()) == shelf


# -- history and undo


def test_history_tells_who_changed_what(notes: Replica) -> None:
    """Oldest first, with the values before and after, also of a row that is gone."""
    note = add(notes, "Milk")
    settle(notes)
    with notes.transaction() as tx:
        tx.delete(note)

    for _ in range(2):
        first, last = notes.history(Note, note.id)
        assert (first.kind, last.kind) == (Kind.INSERT, Kind.DELETE)
        assert first.fields["title"] == (None, "Milk")
        assert last.fields["title"] == ("Milk", None)
        assert {(entry.session, entry.machine) for entry in (first, last)} == {(notes.session, "laptop00")}
        assert first.at <= last.at
        settle(notes)


def test_history_marks_what_is_pending(notes: Replica, mode: str) -> None:
    """Until the primary has it; without a replica nothing ever is."""
    note = add(notes, "Milk")

    before = [entry.pending for entry in notes.history(Note, note.id)]
    settle(notes)
    after = [entry.pending for entry in notes.history(Note, note.id)]

    assert (before, after) == ([mode == "libsql"], [False])


def test_undo_takes_back_an_insert(notes: Replica) -> None:
    """The row is gone."""
    add(notes, "Milk")

    notes.undo()

    settle(notes)
    assert titles(notes) == []


def test_undo_takes_back_an_update(notes: Replica) -> None:
    """Its fields are as they were; those that were changed since stay."""
    note = add(notes, "Milk", stars=1, tags={"a"})
    with notes.transaction() as tx:
        updated = tx.update(note, title="Bread", tags={"b"})
        mutation_id = tx.mutation_id
    with notes.transaction() as tx:
        tx.update(updated, stars=7)
    settle(notes)

    notes.undo(mutation_id)

    settle(notes)
    (now,) = notes.select(Note)
    assert (now.title, now.tags, now.stars) == ("Milk", frozenset("a"), 7)


def test_undo_takes_back_a_delete(notes: Replica) -> None:
    """The row is there again, under its id, with every field."""
    note = add(notes, "Milk", stars=1, tags={"a"}, weight=0.1, body="x")
    settle(notes)
    with notes.transaction() as tx:
        tx.delete(note)
    settle(notes)

    notes.undo()

    settle(notes)
    (now,) = notes.select(Note)
    assert now.model_copy(update={"updated_at": note.updated_at}) == note


def test_undo_takes_back_all_of_a_transaction(notes: Replica) -> None:
    """Or nothing of it."""
    kept, deleted = add(notes, "Milk"), add(notes, "Bread")
    settle(notes)
    with notes.transaction() as tx:
        tx.update(kept, title="Oat milk")
        tx.delete(deleted)
        tx.insert(Note(title="Rye"))
    settle(notes)

    notes.undo()

    settle(notes)
    assert titles(notes) == ["Bread", "Milk"]


@pytest.mark.parametrize("moved_by", ["update", "delete"])
def test_undo_is_refused_where_the_fields_have_moved_on(notes: Replica, moved_by: str) -> None:
    """And nothing is changed."""
    note = add(notes, "Milk")
    with notes.transaction() as tx:
        updated = tx.update(note, title="Bread")
        mutation_id = tx.mutation_id
    with notes.transaction() as tx:
        if moved_by == "update":
            tx.update(updated, title="Rye")
        else:
            tx.delete(updated)
    settle(notes)
    before = notes.select(Note)

    with pytest.raises(ConflictError):
        notes.undo(mutation_id)

    assert notes.select(Note) == before


def test_undo_takes_the_start_of_a_mutation_id(notes: Replica) -> None:
    """As everywhere where an id is typed."""
    note = add(notes, "Milk")
    mutation_id = notes.history(Note, note.id)[0].mutation_id

    notes.undo(mutation_id[:-3])

    assert titles(notes) == []


def test_undo_of_nothing_is_not_found(notes: Replica) -> None:
    """No such mutation, or none of this session."""
    with pytest.raises(NotFoundError):
        notes.undo()
    with pytest.raises(NotFoundError):
        notes.undo("0199")


def test_without_conflicts_the_list_is_empty(notes: Replica) -> None:
    """And an id of one is not found."""
    add(notes, "Milk")

    assert notes.conflicts() == []
    assert notes.status().conflicts == 0
    with pytest.raises(NotFoundError):
        notes.conflict("0199")
