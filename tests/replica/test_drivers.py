"""One behaviour over all drivers: a file, a replica of a live primary, the live primary itself.

What is written is read back twice where it matters: before a sync, when a replica shows it from its outbox, and after.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replica import (
    ConflictError,
    InputError,
    Kind,
    NotFoundError,
    QueryError,
    Replica,
    Stage,
)
from tests.replica.client_process import ClientProcess
from tests.replica.notebook import Note, Shelf, add, settle, titles

if TYPE_CHECKING:
    from replica.drivers.buffered import BufferedWork
    from replica.drivers.embedded import Embedded
    from replica.drivers.local_file import LocalFile, LocalWork
    from replica.drivers.protocol import Driver, Work
    from replica.drivers.queued import QueuedWork
    from replica.drivers.remote import Remote

    def _drivers(local: LocalFile, embedded: Embedded, remote: Remote) -> list[Driver]:
        """The type checker's proof that each is one."""
        return [local, embedded, remote]

    def _works(local: LocalWork, queued: QueuedWork, buffered: BufferedWork) -> list[Work]:
        """The same of their transactions."""
        return [local, queued, buffered]


OpenNotes = Callable[..., Replica]

EVERYTHING = "SELECT id, updated_at, title, body, tags, stars, weight FROM notes ORDER BY id"


# -- writing and reading


def test_an_inserted_row_is_read_back_as_it_was_written(notes: Replica) -> None:
    """At once, and after a sync; by key, by SQL fragment and by plain SQL."""
    written = add(notes, "Milk", body="two\nlines", tags={"shop", "home"}, stars=3, weight=0.1)

    before = (notes.get(Note, written.id), notes.select(Note), notes.query(EVERYTHING))
    settle(notes)
    after = (notes.get(Note, written.id), notes.select(Note), notes.query(EVERYTHING))

    assert before == after
    assert before[0] == written
    assert before[1] == [written]
    assert before[2].columns == ("id", "updated_at", "title", "body", "tags", "stars", "weight")
    assert before[2].rows == [(written.id, written.updated_at, "Milk", "two\nlines", '["home","shop"]', 3, 0.1)]


def test_a_row_gets_an_id_of_its_class(notes: Replica) -> None:
    """Short where people type it, ordered by time elsewhere, and the caller's own if it brings one."""
    with notes.transaction() as tx:
        note, shelf = tx.insert(Note(title="Milk")), tx.insert(Shelf(label="top"))
        own = tx.insert(Note(id="my own id", title="Bread"))

    assert len(note.id) == 36
    assert shelf.id.startswith("sh-")
    assert len(shelf.id) == 11
    assert notes.get(Note, "my own id") == own


def test_a_transaction_within_another_is_refused_and_the_outer_one_goes_on(notes: Replica, mode: str) -> None:
    """It would end with the inner one, half done; a sync is refused as well. In mode `remote` each is by itself."""
    if mode == "remote":
        return

    with notes.transaction() as tx:
        tx.insert(Note(title="Milk"))
        with pytest.raises(InputError, match="in a transaction"), notes.transaction():
            pass
        if mode == "libsql":
            with pytest.raises(InputError, match="in a transaction"):
                notes.sync()
        tx.insert(Note(title="Bread"))

    assert titles(notes) == ["Bread", "Milk"]


def test_a_replica_that_was_closed_says_so(notes: Replica) -> None:
    """To whatever is asked of it; to close it again is no mistake."""
    notes.close()
    notes.close()

    for act in (notes.sync, notes.status, notes.pending, notes.undo, lambda: titles(notes), lambda: add(notes, "Milk")):
        with pytest.raises(InputError, match="was closed"):
            act()


def test_a_transaction_reads_its_own_changes(notes: Replica) -> None:
    """Before anyone else does."""
    with notes.transaction() as tx:
        note = tx.insert(Note(title="Milk"))
        tx.update(note, title="Oat milk")
        seen = tx.get(Note, note.id)

        assert seen.title == "Oat milk"

    assert notes.get(Note, note.id) == seen


def test_an_update_changes_the_named_fields_only(notes: Replica) -> None:
    """And gives the row a later stamp."""
    note = add(notes, "Milk", stars=2, weight=1.5)
    settle(notes)

    with notes.transaction() as tx:
        updated = tx.update(note, title="Oat milk", stars=5)

    assert updated.updated_at > note.updated_at
    assert updated == note.model_copy(update={"title": "Oat milk", "stars": 5, "updated_at": updated.updated_at})
    assert notes.get(Note, note.id) == updated
    settle(notes)
    assert notes.get(Note, note.id) == updated


def test_an_update_without_a_difference_leaves_nothing_behind(notes: Replica) -> None:
    """No new stamp, no history."""
    note = add(notes, "Milk", tags={"a", "b"})

    with notes.transaction() as tx:
        same = tx.update(note, title="Milk", tags=frozenset({"b", "a"}))

    assert same == note
    assert len(notes.history(Note, note.id)) == 1


def test_a_deleted_row_is_gone(notes: Replica) -> None:
    """From get, select and SQL, before a sync and after."""
    note = add(notes, "Milk")
    settle(notes)
    with notes.transaction() as tx:
        tx.delete(note)

    for _ in range(2):
        assert notes.select(Note) == []
        assert notes.query("SELECT count(*) FROM notes").rows == [(0,)]
        with pytest.raises(NotFoundError):
            notes.get(Note, note.id)
        settle(notes)


def test_select_takes_sql_and_values(notes: Replica) -> None:
    """Conditions, order and limits over what is pending and what is settled."""
    for title in ("Milk", "Bread"):
        add(notes, title, stars=len(title))
    settle(notes)
    add(notes, "Oat milk", stars=8)

    found = notes.select(Note, "WHERE stars > ? AND title LIKE ? ORDER BY stars DESC LIMIT 2", (3, "%milk"))

    assert [note.title for note in found] == ["Oat milk", "Milk"]


def test_a_bad_fragment_is_a_query_error(notes: Replica) -> None:
    """Not an error of the driver beneath."""
    with pytest.raises(QueryError):
        notes.select(Note, "WHERE nothing = 1")


def test_reopening_finds_everything(notes: Replica, open_again: OpenNotes) -> None:
    """Whether it was synced or not."""
    settled = add(notes, "Milk")
    settle(notes)
    pending = add(notes, "Bread")
    notes.close()

    again = open_again()

    assert again.select(Note, "ORDER BY title") == [pending, settled]


def test_in_a_mode_without_a_replica_a_sync_has_nothing_to_do(notes: Replica, mode: str) -> None:
    """A program need not ask for the mode before it syncs."""
    add(notes, "Milk")

    report = notes.sync()

    assert (report.stage, report.error, report.pending) == (Stage.DONE, None, 0)
    assert report.pushed == (1 if mode == "libsql" else 0)
    assert notes.pending() == []
    assert notes.pending_rows("notes") == set()


# -- several changes in one transaction


def test_a_row_changed_twice_in_a_transaction_is_one_change(notes: Replica) -> None:
    """With the first value before and the last one after."""
    note = add(notes, "one")
    settle(notes)

    with notes.transaction() as tx:
        tx.update(tx.update(note, title="two", stars=1), title="three")
    settle(notes)

    newest = notes.history(Note, note.id)[-1]
    assert newest.fields == {"title": ("one", "three"), "stars": (0, 1)}
    assert notes.get(Note, note.id).title == "three"


def test_a_row_changed_there_and_back_again_can_be_changed_by_its_reader(notes: Replica) -> None:
    """Its stamp is the same before and after a sync."""
    note = add(notes, "Milk")
    settle(notes)
    with notes.transaction() as tx:
        back = tx.update(tx.update(note, title="Bread"), title="Milk")
    settle(notes)

    with notes.transaction() as tx:
        tx.update(back, title="Oat milk")
    settle(notes)

    assert titles(notes) == ["Oat milk"]


def test_a_row_inserted_and_deleted_in_one_transaction_was_never_there(notes: Replica) -> None:
    """Nor anything else of it; its neighbour is."""
    with notes.transaction() as tx:
        tx.delete(tx.insert(Note(id="a", title="Milk")))
        tx.insert(Note(title="Bread"))

    for _ in range(2):
        assert titles(notes) == ["Bread"]
        with pytest.raises(NotFoundError):
            notes.history(Note, "a")
        settle(notes)


def test_a_row_inserted_changed_and_deleted_in_one_transaction_was_never_there(notes: Replica) -> None:
    """Even when nothing else happened in it."""
    with notes.transaction() as tx:
        tx.delete(tx.update(tx.insert(Note(id="a", title="Milk")), title="Bread"))

    settle(notes)

    assert titles(notes) == []
    assert add(notes, "Milk", id="a").id == "a"
    settle(notes)
    assert titles(notes) == ["Milk"]


def test_a_row_deleted_and_inserted_in_one_transaction_is_changed(notes: Replica) -> None:
    """The new row stands, whole."""
    note = add(notes, "Milk", id="a", stars=3, weight=2.5)
    settle(notes)

    with notes.transaction() as tx:
        tx.delete(note)
        new = tx.insert(Note(id="a", title="Bread"))

    for _ in range(2):
        assert notes.select(Note) == [new]
        settle(notes)
    with notes.transaction() as tx:
        tx.update(new, title="Rye bread")
    settle(notes)
    assert titles(notes) == ["Rye bread"]


def test_a_row_deleted_and_inserted_unchanged_can_be_changed_by_its_reader(notes: Replica) -> None:
    """What came to nothing is still the same for everyone."""
    note = add(notes, "Milk", id="a")
    settle(notes)
    with notes.transaction() as tx:
        tx.delete(note)
        new = tx.insert(Note(id="a", title="Milk"))
    settle(notes)

    with notes.transaction() as tx:
        tx.update(new, title="Bread")
    settle(notes)

    assert titles(notes) == ["Bread"]


def test_a_row_can_be_deleted_and_made_again_later(notes: Replica) -> None:
    """Under the same id, in a transaction of its own."""
    note = add(notes, "Milk", id="a")
    with notes.transaction() as tx:
        tx.delete(note)
    add(notes, "Bread", id="a")

    settle(notes)

    assert titles(notes) == ["Bread"]
    assert [entry.kind for entry in notes.history(Note, "a")] == [Kind.INSERT, Kind.DELETE, Kind.INSERT]


def test_a_transaction_changes_several_tables(notes: Replica) -> None:
    """As one mutation."""
    with notes.transaction() as tx:
        note, shelf = tx.insert(Note(title="Milk")), tx.insert(Shelf(label="top"))
    settle(notes)

    (of_note,), (of_shelf,) = notes.history(Note, note.id), notes.history(Shelf, shelf.id)
    assert of_note.mutation_id == of_shelf.mutation_id


# -- refusals


def test_an_exception_in_a_transaction_leaves_nothing(notes: Replica) -> None:
    """Not a row, not a trace of one."""
    kept = add(notes, "Milk")
    settle(notes)

    def change() -> None:
        with notes.transaction() as tx:
            tx.insert(Note(id="a", title="Bread"))
            tx.update(kept, title="Oat milk")
            raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        change()

    settle(notes)
    assert notes.select(Note) == [kept]
    assert len(notes.history(Note, kept.id)) == 1
    with pytest.raises(NotFoundError):
        notes.history(Note, "a")


@pytest.mark.parametrize("action", ["update", "delete"])
def test_a_change_of_a_row_that_moved_on_is_refused_with_the_row_as_it_is(notes: Replica, action: str) -> None:
    """Nothing of the transaction is written."""
    read = add(notes, "Milk")
    with notes.transaction() as tx:
        newer = tx.update(read, title="Oat milk")

    def change() -> None:
        with notes.transaction() as tx:
            tx.insert(Note(title="Bread"))
            if action == "update":
                tx.update(read, title="Soy milk")
            else:
                tx.delete(read)

    with pytest.raises(ConflictError) as caught:
        change()

    error = caught.value
    assert (error.table, error.row_id) == ("notes", read.id)
    assert (error.seen, error.found, error.current) == (read.updated_at, newer.updated_at, newer)
    settle(notes)
    assert notes.select(Note) == [newer]


def test_a_change_of_a_row_that_is_gone_is_refused(notes: Replica) -> None:
    """There is no current row to show."""
    read = add(notes, "Milk")
    with notes.transaction() as tx:
        tx.delete(read)

    with pytest.raises(ConflictError) as caught, notes.transaction() as tx:
        tx.update(read, title="Oat milk")

    assert (caught.value.found, caught.value.current) == ("", None)


def test_an_insert_under_a_taken_id_is_refused_with_the_row_that_has_it(notes: Replica) -> None:
    """It never replaces."""
    taken = add(notes, "Milk", id="a")

    with pytest.raises(ConflictError) as caught:
        add(notes, "Bread", id="a")

    assert (caught.value.seen, caught.value.current) == ("", taken)
    assert notes.select(Note) == [taken]


def test_a_row_that_was_never_written_cannot_be_changed(notes: Replica) -> None:
    """That is a mistake of the caller, not a conflict."""
    with pytest.raises(InputError), notes.transaction() as tx:
        tx.update(Note(id="a", title="Milk"), title="Bread")


@pytest.mark.parametrize("changes", [{"nothing": 1}, {"stars": "many"}, {"stars": 2**63}, {"title": "a\0b"}])
def test_a_bad_field_or_value_is_refused(notes: Replica, changes: dict[str, object]) -> None:
    """And nothing is written."""
    note = add(notes, "Milk")

    def change() -> None:
        with notes.transaction() as tx:
            tx.insert(Note(title="Bread"))
            tx.update(note, **changes)

    with pytest.raises(InputError):
        change()

    assert notes.select(Note) == [note]


@pytest.mark.parametrize("row_id", ["a\0b", "\ud800"])
def test_an_id_that_is_not_text_is_refused(notes: Replica, row_id: str) -> None:
    """Before anything is written."""
    with pytest.raises(InputError):
        add(notes, "Milk", id=row_id)

    assert notes.select(Note) == []


# -- several at once


def test_several_threads_share_a_replica(notes: Replica) -> None:
    """Every write is kept, and every thread reads its own."""
    start = threading.Barrier(4)

    def work(number: int) -> list[bool]:
        start.wait(timeout=10)
        found = []
        for step in range(5):
            note = add(notes, f"{number}-{step}")
            found.append(notes.get(Note, note.id) == note)
        return found

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(work, range(4)))

    assert seen == [[True] * 5] * 4
    settle(notes)
    assert titles(notes) == sorted(f"{number}-{step}" for number in range(4) for step in range(5))


def test_threads_that_change_one_row_lose_no_update(notes: Replica) -> None:
    """Who comes second is told, reads again, and goes on from there."""
    note = add(notes, "Milk")
    settle(notes)
    start = threading.Barrier(4)

    def work(_: int) -> None:
        start.wait(timeout=10)
        for _ in range(5):
            while True:
                try:
                    with notes.transaction() as tx:
                        current = tx.get(Note, note.id)
                        tx.update(current, stars=current.stars + 1)
                except ConflictError:
                    continue
                break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    settle(notes)
    assert notes.get(Note, note.id).stars == 20


def test_several_processes_share_a_directory(
    open_again: OpenNotes, mode: str, primary_url: str | None, tmp_path: Path
) -> None:
    """They write and sync at one moment; nothing is lost, and nobody is turned away."""
    with ExitStack() as started:
        clients = [
            started.enter_context(ClientProcess(tmp_path / "notes", mode, primary_url, writes=10)) for _ in range(3)
        ]
        for client in clients:
            client.wait_until_ready()
        for client in clients:
            client.go()
        outcomes = [client.outcome() for client in clients]

    assert [outcome["error"] for outcome in outcomes] == [None] * 3, outcomes
    notes = open_again()
    settle(notes)
    assert titles(notes) == sorted({title for outcome in outcomes for title in outcome["titles"]})
    assert len(titles(notes)) == 30
