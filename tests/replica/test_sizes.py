"""Large values: what fits goes through every stage, what does not is refused before anything is written."""

from pathlib import Path

import pytest

from replica import ConflictError, InputError, Replica
from replica.outcome import Choice
from sqld import Server
from tests.replica.notebook import Note, add, open_notes, settle

LARGE = 900_000
"""Characters: old and new value of a change together stay below the limit, and sqld's own limit is 5 MB."""


@pytest.mark.parametrize("character", ["a", "é", "\n"], ids=["ascii", "two bytes", "escaped"])
def test_a_large_text_that_clashes_is_parked_and_settled(
    primary_server: Server, tmp_path: Path, character: str
) -> None:
    """A conflict holds the text three times over and more, as JSON within JSON, and still fits the primary."""
    size = LARGE if character == "a" else LARGE // 3
    with (
        open_notes(tmp_path / "a", "libsql", primary_server.url) as mine,
        open_notes(tmp_path / "b", "libsql", primary_server.url) as theirs,
    ):
        with mine.transaction() as tx:
            note = tx.insert(Note(title="large", body=character * size))
        settle(mine)
        settle(theirs)
        with theirs.transaction() as tx:
            tx.update(tx.get(Note, note.id), body=character * (size - 1) + "theirs")
        with mine.transaction() as tx:
            tx.update(note, body=character * (size - 1) + "mine")
        settle(theirs)

        settle(mine)

        (conflict,) = mine.conflicts()
        assert conflict.fields["body"].mine == character * (size - 1) + "mine"
        mine.resolve(conflict.id, "mine")
        settle(mine)
        settle(theirs)
        assert theirs.get(Note, note.id).body == character * (size - 1) + "mine"


def test_a_large_row_that_is_gone_is_parked_and_brought_back(primary_server: Server, tmp_path: Path) -> None:
    """It is kept as it is, not as escapes of three times its size, and counted in bytes."""
    with (
        open_notes(tmp_path / "a", "libsql", primary_server.url) as mine,
        open_notes(tmp_path / "b", "libsql", primary_server.url) as theirs,
    ):
        with mine.transaction() as tx:
            note = tx.insert(Note(title="large", body="é" * LARGE))
        settle(mine)
        settle(theirs)
        with theirs.transaction() as tx:
            tx.delete(tx.get(Note, note.id))
        settle(theirs)
        with mine.transaction() as tx:
            tx.update(note, title="changed")

        settle(mine)

        (conflict,) = mine.conflicts()
        mine.resolve(conflict.id, "mine")
        settle(mine)
        settle(theirs)
        assert theirs.get(Note, note.id).body == "é" * LARGE


def test_rows_that_are_gone_and_do_not_fit_into_a_conflict_are_left_out_of_it(
    primary_server: Server, tmp_path: Path
) -> None:
    """What was changed is kept, and nothing behind it waits."""
    with (
        open_notes(tmp_path / "a", "libsql", primary_server.url) as mine,
        open_notes(tmp_path / "b", "libsql", primary_server.url) as theirs,
    ):
        for number in range(4):
            with mine.transaction() as tx:
                tx.insert(Note(title=str(number), body="é" * LARGE))
        settle(mine)
        settle(theirs)
        for note in theirs.select(Note):
            with theirs.transaction() as tx:
                tx.delete(note)
        settle(theirs)
        with mine.transaction() as tx:
            for note in mine.select(Note):
                tx.update(note, title=f"changed {note.title}")

        settle(mine)

        (conflict,) = mine.conflicts()
        assert len(conflict.changes) == 4
        assert len(conflict.mine_rows) == 2


def test_a_change_too_large_for_the_primary_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """It would wait in the outbox for ever, with all that comes after it."""
    with open_notes(tmp_path / "a", "libsql", "http://127.0.0.1:9") as notes:
        with pytest.raises(InputError, match="too many for one change"), notes.transaction() as tx:
            tx.insert(Note(title="too large", body="a" * 3_000_000))

        assert notes.pending() == []
        assert notes.select(Note) == []


def test_a_transaction_too_large_to_be_parked_is_refused(tmp_path: Path) -> None:
    """A parked mutation is one value on the primary."""
    with open_notes(tmp_path / "a", "libsql", "http://127.0.0.1:9") as notes:
        with pytest.raises(InputError, match="too many for one transaction"), notes.transaction() as tx:
            [tx.insert(Note(title=str(number), body="a" * LARGE)) for number in range(6)]

        assert notes.pending() == []


def test_many_large_rows_are_merged_though_the_primary_will_not_send_them_at_once(
    primary_server: Server, tmp_path: Path
) -> None:
    """The rows to merge with are asked for in parts, as large as an answer may be."""
    with (
        open_notes(tmp_path / "a", "libsql", primary_server.url) as mine,
        open_notes(tmp_path / "b", "libsql", primary_server.url) as theirs,
    ):
        for number in range(20):
            with mine.transaction() as tx:
                tx.insert(Note(title=f"{number:02}", body="a" * 700_000))
        settle(mine)
        settle(theirs)
        for replica in (mine, theirs):
            for note in replica.select(Note):
                with replica.transaction() as tx:
                    tx.update(note, stars=note.stars + 1)
        settle(theirs)

        report = mine.sync()

        assert (report.error, report.merged, report.pending) == (None, 20, 0)
        assert {note.stars for note in mine.select(Note)} == {2}


def test_one_mutation_of_many_rows_goes_in_one_transaction(primary_server: Server, tmp_path: Path) -> None:
    """Its statements are cut to the size that the primary takes; the transaction is not."""
    with (
        open_notes(tmp_path / "a", "libsql", primary_server.url) as mine,
        open_notes(tmp_path / "b", "libsql", primary_server.url) as theirs,
    ):
        with mine.transaction() as tx:
            for number in range(8_000):
                tx.insert(Note(title=f"number {number}", body="a" * 40))

        settle(mine)

        settle(theirs)
        assert theirs.query("SELECT count(*) FROM notes").rows == [(8_000,)]


@pytest.mark.parametrize("choice", ["mine", "theirs", {"body": "set"}])
def test_a_conflict_whose_large_value_moved_on_to_another_large_one_is_shown_and_settled(
    primary_server: Server, tmp_path: Path, choice: Choice
) -> None:
    """Both together are more than a change may hold; the person is shown the new one before it counts."""
    first, last = "a" * (LARGE + LARGE // 3), "b" * (LARGE + LARGE // 3)
    with (
        open_notes(tmp_path / "a", "libsql", primary_server.url) as mine,
        open_notes(tmp_path / "b", "libsql", primary_server.url) as theirs,
    ):
        note = add(mine, "large")
        settle(mine)
        settle(theirs)
        _write(theirs, note.id, first)
        settle(theirs)
        _write(mine, note.id, "mine")
        settle(mine)
        for body in ("", last):
            _write(theirs, note.id, body)
        settle(theirs)
        settle(mine)
        (conflict,) = mine.conflicts()
        with pytest.raises(ConflictError):
            mine.resolve(conflict.id, choice)
        assert mine.conflict(conflict.id).fields["body"].theirs == last

        mine.resolve(conflict.id, choice)
        settle(mine)

        assert mine.get(Note, note.id).body == {"mine": "mine", "theirs": last}.get(str(choice), "set")
        assert mine.conflicts() == []


def _write(notes: Replica, note_id: str, body: str) -> None:
    with notes.transaction() as tx:
        tx.update(tx.get(Note, note_id), body=body)
