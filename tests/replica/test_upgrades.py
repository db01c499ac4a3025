"""Old and new programs side by side on one primary: nothing is lost, and reads go on."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from replica import Record, Replica, SchemaTooNewError
from replica.drivers.embedded import Embedded
from replica.outcome import Choice
from sqld import Server
from tests.replica.backups import back_up, restore
from tests.replica.notebook import Note, Shelf, add, migrations_with, open_notes, settle, titles

OpenNotes = Callable[..., Replica]


class ColouredNote(Record, table="notes"):
    """A note as the next version of the program has it."""

    title: str
    body: str = ""
    tags: frozenset[str] = frozenset()
    stars: int = 0
    weight: float | None = None
    colour: str = "white"


NEW_RECORDS: Final = (ColouredNote, Shelf)
COLOUR: Final = "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'white';"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of a program that gave notes a colour."""
    return migrations_with(tmp_path / "newer", COLOUR)


def test_with_a_schema_newer_than_the_program_reads_go_on_and_writes_are_refused(
    open_again: OpenNotes, newer: Path
) -> None:
    """The program is told to be upgraded; what it has stays readable."""
    old = open_again()
    note = add(old, "Milk")
    settle(old)
    old.close()
    new = open_again(records=NEW_RECORDS, migrations=newer)
    settle(new)
    new.close()

    again = open_again()

    assert titles(again) == ["Milk"]
    assert again.query("SELECT title FROM notes").rows == [("Milk",)]
    with pytest.raises(SchemaTooNewError) as caught:
        add(again, "Bread")
    assert (caught.value.found, caught.value.known) == (2, 1)
    with pytest.raises(SchemaTooNewError):
        again.undo(again.history(Note, note.id)[0].mutation_id)
    assert titles(again) == ["Milk"]


def test_a_program_that_runs_while_a_newer_one_migrates_is_told_at_its_next_write(
    open_again: OpenNotes, newer: Path
) -> None:
    """Not only at its next start; a replica, as soon as its base has the new schema, and here both share one."""
    old = open_again()
    add(old, "Milk")
    settle(old)
    settle(open_again(records=NEW_RECORDS, migrations=newer))

    with pytest.raises(SchemaTooNewError):
        add(old, "Bread")

    assert titles(old) == ["Milk"]


def test_changes_made_under_the_old_schema_wait_for_the_upgrade_and_are_then_pushed(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """Never dropped: they wait while the program is too old and its reads go on, and go out once it is not."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        settled = add(old, "Milk")
        settle(old)
        with old.transaction() as tx:
            tx.update(settled, stars=5)
        add(old, "Bread")
        _change_by_newer(tmp_path / "two", url, newer, settled)
        report = old.sync()
        read = titles(old)

    assert isinstance(report.error, SchemaTooNewError)
    assert report.pending == 2
    assert read == ["Bread", "Milk", "Sugar"]
    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        before = upgraded.select(ColouredNote, "ORDER BY title")
        settle(upgraded)
        after = upgraded.select(ColouredNote, "ORDER BY title")
    seen = [[(note.title, note.stars, note.colour) for note in notes] for notes in (before, after)]
    assert seen == [[("Bread", 0, "white"), ("Milk", 5, "red"), ("Sugar", 0, "white")]] * 2


def _change_by_newer(directory: Path, url: str, newer: Path, note: Note) -> None:
    """An upgraded program elsewhere migrates, paints the note red, and adds another."""
    with open_notes(directory, "libsql", url, records=NEW_RECORDS, migrations=newer) as new:
        settle(new)
        with new.transaction() as tx:
            tx.update(new.get(ColouredNote, note.id), colour="red")
            tx.insert(ColouredNote(title="Sugar"))
        settle(new)


def test_an_overlay_that_an_old_program_derived_from_a_newer_base_is_derived_anew_by_the_upgraded_one(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """As after a restore, which the old program noticed: it knows no colour, so its overlay has none."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        settle(old)
        with old.transaction() as tx:
            tx.update(note, stars=5)
        _change_by_newer(tmp_path / "two", url, newer, note)
        assert isinstance(old.sync().error, SchemaTooNewError)
        store = old._driver
        assert isinstance(store, Embedded)
        with store.writing() as connection:
            store.rebuild_overlay(connection)

    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        shown = upgraded.get(ColouredNote, note.id)

    assert (shown.stars, shown.colour) == (5, "red")


def test_i6_an_old_program_that_notices_a_restore_mixes_no_two_versions_of_a_row(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """It knows but some columns of the one that was lost; until the upgrade its own changes stay on what it saw."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        settle(old)
        with old.transaction() as tx:
            tx.update(note, stars=5)
        with open_notes(tmp_path / "two", "libsql", url, records=NEW_RECORDS, migrations=newer) as new:
            settle(new)
            with new.transaction() as tx:
                tx.delete(new.get(ColouredNote, note.id))
            settle(new)
            back_up(primary_server, tmp_path / "backup")
            new.undo()
            with new.transaction() as tx:
                tx.update(new.get(ColouredNote, note.id), title="Red milk", colour="red")
            settle(new)
        assert isinstance(old.sync().error, SchemaTooNewError)
        restore(primary_server, tmp_path / "backup")
        assert old.sync().lost == 2

    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        shown = upgraded.get(ColouredNote, note.id)

    assert (shown.title, shown.stars, shown.colour) == ("Milk", 5, "white")


class ShortNote(Record, table="notes"):
    """A note without a body."""

    title: str
    tags: frozenset[str] = frozenset()
    stars: int = 0
    weight: float | None = None


class LightNote(Record, table="notes"):
    """A note without a body or a weight."""

    title: str
    tags: frozenset[str] = frozenset()
    stars: int = 0


def test_changes_of_a_column_that_is_gone_are_parked(tmp_path: Path, primary_server: Server) -> None:
    """Whole, for a person to decide; those beside them go on."""
    url = primary_server.url
    without = migrations_with(tmp_path / "without", "ALTER TABLE notes DROP COLUMN body;")
    with open_notes(tmp_path / "one", "libsql", url) as old:
        milk, bread = add(old, "Milk"), add(old, "Bread")
        settle(old)
        with old.transaction() as tx:
            tx.update(milk, body="two litres")
        with old.transaction() as tx:
            tx.update(bread, stars=5)
    with open_notes(tmp_path / "two", "libsql", url, records=[ShortNote, Shelf], migrations=without) as new:
        settle(new)

    with open_notes(tmp_path / "one", "libsql", url, records=[ShortNote, Shelf], migrations=without) as upgraded:
        settle(upgraded)

        (conflict,) = upgraded.conflicts()
        assert conflict.changes[0].fields == {"body": ("", "two litres")}
        assert upgraded.get(ShortNote, bread.id).stars == 5


def test_a_consequence_for_a_column_that_is_gone_gives_way(tmp_path: Path, primary_server: Server) -> None:
    """All of it, also where it was nothing before, as the column is now; the rest arrives."""
    url = primary_server.url
    without = migrations_with(
        tmp_path / "without", "ALTER TABLE notes DROP COLUMN body;", "ALTER TABLE notes DROP COLUMN weight;"
    )
    with open_notes(tmp_path / "one", "libsql", url) as old:
        milk, bread, tea = add(old, "Milk"), add(old, "Bread"), add(old, "Tea")
        settle(old)
        with old.transaction() as tx:
            tx.update(milk, stars=1)
            tx.follow(bread, title="Rye", body="two loaves")
            tx.follow(tea, title="Green tea", weight=1.5)
    with open_notes(tmp_path / "two", "libsql", url, records=[LightNote, Shelf], migrations=without) as new:
        settle(new)

    with open_notes(tmp_path / "one", "libsql", url, records=[LightNote, Shelf], migrations=without) as upgraded:
        settle(upgraded)

        assert upgraded.conflicts() == []
        assert upgraded.get(LightNote, milk.id).stars == 1
        assert [upgraded.get(LightNote, one.id).title for one in (bread, tea)] == ["Bread", "Tea"]


def test_a_reader_sees_a_column_that_arrived_while_it_ran(tmp_path: Path, primary_server: Server, newer: Path) -> None:
    """Its views were made when the base did not have it."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        settle(old)
    with (
        open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as one,
        open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as beside,
        open_notes(tmp_path / "two", "libsql", url, records=NEW_RECORDS, migrations=newer) as two,
    ):
        colour = "SELECT colour FROM notes"
        assert [reader.query(colour).rows for reader in (one, beside)] == [[("white",)]] * 2
        settle(two)
        with two.transaction() as tx:
            tx.update(two.get(ColouredNote, note.id), colour="red")
        settle(two)

        settle(one)

        for reader in (one, beside):
            assert reader.get(ColouredNote, note.id).colour == "red"
            assert reader.query(colour).rows == [("red",)]


def test_a_note_changed_before_its_base_has_the_new_column_keeps_the_default(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """A record of the new program is whole from the first read."""
    url = primary_server.url
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        settle(old)
        with old.transaction() as tx:
            tx.update(note, stars=1)
    with open_notes(tmp_path / "two", "libsql", url) as other:
        settle(other)
        with other.transaction() as tx:
            tx.update(other.get(Note, note.id), stars=10, title="Oat milk")
        settle(other)

    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        assert upgraded.get(ColouredNote, note.id).colour == "white"
        report = upgraded.sync()
        assert report.error is None

        (now,) = upgraded.select(ColouredNote)
        assert (now.title, now.stars, now.colour) == ("Oat milk", 10, "white")
        assert len(upgraded.conflicts()) == 1


def test_a_program_whose_table_is_gone_from_the_base_reads_on(tmp_path: Path, primary_server: Server) -> None:
    """It pulled a base that a newer program had migrated: what is left is shown, and the lost table is empty."""
    url = primary_server.url
    without = migrations_with(tmp_path / "without", "DROP TABLE shelves;")
    with open_notes(tmp_path / "one", "libsql", url) as old:
        with old.transaction() as tx:
            tx.insert(Shelf(label="top"))
        add(old, "Milk")
        settle(old)
        assert old.query("SELECT label FROM shelves").rows == [("top",)]
        with open_notes(tmp_path / "two", "libsql", url, records=[Note], migrations=without) as new:
            settle(new)
            add(new, "Bread")
            settle(new)

        assert isinstance(old.sync().error, SchemaTooNewError)

        assert old.query("SELECT label FROM shelves").rows == []
        assert old.select(Shelf) == []
        assert titles(old) == ["Bread", "Milk"]


def _parked_by_old_program(tmp_path: Path, url: str, *, is_deleted: bool) -> tuple[str, str]:
    """A note that one renamed and another, faster, changed or deleted; the ids of it and of one inserted with it."""
    with (
        open_notes(tmp_path / "one", "libsql", url) as one,
        open_notes(tmp_path / "two", "libsql", url, machine="desktop0") as two,
    ):
        note = add(one, "Milk", body="two litres")
        settle(one)
        settle(two)
        with two.transaction() as tx:
            if is_deleted:
                tx.delete(tx.get(Note, note.id))
            else:
                tx.update(tx.get(Note, note.id), title="Oat milk")
        settle(two)
        with one.transaction() as tx:
            beside = tx.insert(Note(title="Bread", stars=2))
            tx.update(tx.get(Note, note.id), title="Rice milk")
        settle(one)
        assert len(one.conflicts()) == 1
    return note.id, beside.id


@pytest.mark.parametrize(
    ("choice", "title"), [("mine", "Rice milk"), ("theirs", "Oat milk"), ({"title": "Soy milk"}, "Soy milk")]
)
def test_a_conflict_of_before_a_migration_can_be_settled_after_it(
    tmp_path: Path, primary_server: Server, newer: Path, choice: Choice, title: str
) -> None:
    """A note that was inserted in it has no colour: it gets the one that the table gives to those who have none."""
    url = primary_server.url
    clashing, beside = _parked_by_old_program(tmp_path, url, is_deleted=False)
    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        settle(upgraded)

        upgraded.resolve(upgraded.conflicts()[0].id, choice)
        settle(upgraded)

        assert upgraded.conflicts() == []
        assert upgraded.get(ColouredNote, clashing).title == title
        back = upgraded.get(ColouredNote, beside)
        assert (back.title, back.stars, back.colour) == ("Bread", 2, "white")


def test_a_note_that_was_deleted_before_a_migration_is_brought_back_whole_after_it(
    tmp_path: Path, primary_server: Server, newer: Path
) -> None:
    """As its author last saw it, and in the colour that the table gives."""
    url = primary_server.url
    deleted, _ = _parked_by_old_program(tmp_path, url, is_deleted=True)
    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=newer) as upgraded:
        settle(upgraded)

        upgraded.resolve(upgraded.conflicts()[0].id, "mine")
        settle(upgraded)

        back = upgraded.get(ColouredNote, deleted)
        assert (back.title, back.body, back.colour) == ("Rice milk", "two litres", "white")


def test_a_delete_of_before_a_migration_is_taken_back_after_it(tmp_path: Path, primary_server: Server) -> None:
    """What the row lacks is what the table gives, not what the program gives to new notes."""
    url = primary_server.url
    red = migrations_with(tmp_path / "red", COLOUR.replace("white", "red"))
    with open_notes(tmp_path / "one", "libsql", url) as old:
        note = add(old, "Milk")
        with old.transaction() as tx:
            tx.delete(note)
            deleted = tx.mutation_id
        settle(old)
    with open_notes(tmp_path / "one", "libsql", url, records=NEW_RECORDS, migrations=red) as upgraded:
        settle(upgraded)

        upgraded.undo(deleted)
        settle(upgraded)

        back = upgraded.get(ColouredNote, note.id)
        assert (back.title, back.colour) == ("Milk", "red")
