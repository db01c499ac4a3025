"""What changed since a marker: enough to keep a copy of the rows right, and no more than that (changed.py)."""

import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from replica import Changed, ConflictError, InputError, NotFoundError, Replica
from sqld import Server
from tests.hrana_client import HranaClient
from tests.replica.notebook import Note, Shelf, add, open_notes, settle
from tests.replica.team import Item, Team, open_member, remove, synced
from tests.replica.team import add as add_item
from tests.replica.team import change as change_item

COLUMNS = "id, updated_at, title, body, tags, stars, code"


def changes(notes: Replica, marker: str = "") -> Changed:
    """What changed of the notes."""
    with notes.snapshot() as seen:
        return seen.changes_since(marker, [Note])


def test_at_a_start_everything_may_differ(notes: Replica) -> None:
    """And so for a marker that is none."""
    assert changes(notes).rows is None
    assert changes(notes, "[]").rows is None
    assert changes(notes, '["a", 1, 2, 3]').rows is None


def test_where_nothing_changed_nothing_is_told(notes: Replica) -> None:
    """In any mode, pending or settled."""
    add(notes, "Milk")
    marker = changes(notes).marker

    again = changes(notes, marker)

    assert again == Changed(marker, {"notes": frozenset()})


def test_each_row_that_was_written_is_told_of(notes: Replica) -> None:
    """An insert, an update and a delete; and of the tables that were asked for only."""
    kept, gone = add(notes, "Milk"), add(notes, "Bread")
    marker = changes(notes).marker
    with notes.transaction() as tx:
        tx.update(tx.get(Note, kept.id), stars=1)
        tx.delete(tx.get(Note, gone.id))
        tx.insert(Shelf(label="cold"))
        new = tx.insert(Note(title="Eggs"))

    found = changes(notes, marker)

    assert found.rows == {"notes": frozenset({kept.id, gone.id, new.id})}
    assert changes(notes, found.marker).rows == {"notes": frozenset()}


def test_what_was_pending_is_told_of_once_it_is_settled(notes: Replica) -> None:
    """In the modes without a replica nothing happens to it."""
    note = add(notes, "Milk")
    settle(notes)
    marker = changes(notes).marker
    with notes.transaction() as tx:
        tx.update(tx.get(Note, note.id), title="Oat milk")
    pending = changes(notes, marker)
    settle(notes)

    after = changes(notes, pending.marker)

    assert pending.rows == {"notes": frozenset({note.id})}
    assert after.rows is not None
    assert after.rows["notes"] <= {note.id}


def test_another_choice_of_records_is_another_start(notes: Replica) -> None:
    """A marker is of the tables that it was asked for."""
    marker = changes(notes).marker

    with notes.snapshot() as seen:
        assert seen.changes_since(marker, [Note, Shelf]).rows is None


def test_a_snapshot_stays_as_it_is(tmp_path: Path) -> None:
    """What others commit meanwhile is not in it."""
    with (
        open_member(tmp_path / "here", "http://127.0.0.1:9") as one,
        open_member(tmp_path / "here", "http://127.0.0.1:9") as other,
    ):
        add_item(one, "Milk")
        with one.snapshot() as seen:
            add_item(other, "Bread")

            assert seen.rows("SELECT title FROM items").rows == [("Milk",)]
            assert [item.title for item in one.select(Item)] == ["Milk"]
        assert len(one.select(Item)) == 2


def test_nothing_is_written_within_a_snapshot(tmp_path: Path) -> None:
    """Neither by a transaction nor by SQL."""
    with open_member(tmp_path / "here", "http://127.0.0.1:9") as member, member.snapshot() as seen:
        with pytest.raises(InputError), member.transaction() as tx:
            tx.insert(Item(title="Milk"))
        with pytest.raises(InputError), member.snapshot():
            pass
        assert seen.rows("SELECT count(*) FROM items").rows == [(0,)]


def test_a_sync_does_not_wait_for_a_snapshot(team: Team, tmp_path: Path) -> None:
    """Nor does the snapshot see what it brought."""
    here, there = team.join("here"), team.join("there")
    add_item(here, "Milk")
    synced(here)
    with open_member(tmp_path / "here", team.url) as reader, reader.snapshot() as seen:
        before = seen.rows("SELECT title FROM items").rows
        for number in range(3):
            add_item(there, f"Bread {number}")
            synced(there)
            synced(here)
        within = seen.rows("SELECT title FROM items").rows

    assert before == within == [("Milk",)]
    assert len(here.select(Item)) == 4


def test_a_migration_may_have_changed_everything(tmp_path: Path) -> None:
    """It writes rows past the history."""
    with open_notes(tmp_path / "notes") as notes:
        add(notes, "Milk")
        marker = changes(notes).marker
    with sqlite3.connect(tmp_path / "notes" / "data.db") as file:
        file.execute("UPDATE _replica_migrations SET checksum = 'another' WHERE owner = 'other'")
        file.execute("INSERT INTO _replica_migrations VALUES ('other', 1, 'more', '', '', '')")
    file.close()

    with open_notes(tmp_path / "notes") as notes:
        assert changes(notes, marker).rows is None


def test_a_database_of_another_past_is_another_start(tmp_path: Path) -> None:
    """A backup was put back, and as much written since as before: the numbers are the same, the changes are not."""
    file, backup = tmp_path / "notes" / "data.db", tmp_path / "backup.db"
    with open_notes(tmp_path / "notes") as notes:
        add(notes, "Milk")
    shutil.copy(file, backup)
    with open_notes(tmp_path / "notes") as notes:
        add(notes, "Bread")
        marker = changes(notes).marker
    shutil.copy(backup, file)

    with open_notes(tmp_path / "notes") as notes:
        add(notes, "Eggs")
        assert changes(notes, marker).rows is None


class Mirror:
    """A copy of a member's items, kept right by what is told of them alone."""

    def __init__(self, member: Replica) -> None:
        self.member = member
        self.marker = ""
        self.rows: dict[str, tuple[object, ...]] = {}
        self.told = 0

    def catch_up(self) -> None:
        """Read what may differ, and nothing else."""
        with self.member.snapshot() as seen:
            changed = seen.changes_since(self.marker, [Item])
            if changed.rows is None:
                self.rows = {str(row[0]): row for row in seen.rows(f"SELECT {COLUMNS} FROM items").rows}
            else:
                self.told += len(changed.rows["items"])
                for row_id in changed.rows["items"]:
                    found = seen.rows(f"SELECT {COLUMNS} FROM items WHERE id = ?", (row_id,)).rows
                    self.rows.pop(row_id, None)
                    self.rows.update((row_id, row) for row in found)
            self.marker = changed.marker

    def is_right(self) -> bool:
        """Whether it is what the member shows."""
        with self.member.snapshot() as seen:
            return sorted(self.rows.values()) == sorted(seen.rows(f"SELECT {COLUMNS} FROM items").rows)


OFTEN = ("add", "change", "title", "remove", "sync", "look")
SELDOM = ("undo", "drop base", "prune", "resolve")
walks = st.lists(
    st.tuples(st.sampled_from(("here", "there")), st.sampled_from(OFTEN + OFTEN + SELDOM), st.integers(0, 3)),
    min_size=8,
    max_size=20,
)


def step(member: Replica, directory: Path, server: Server, name: str, number: int) -> None:
    """One thing that may happen to the rows of a member."""
    items = sorted(member.select(Item), key=lambda item: item.id)
    item = items[number % len(items)] if items else None
    if name == "add":
        add_item(member, f"item {number}")
    elif name == "change" and item is not None:
        change_item(member, item.id, stars=item.stars + 1)
    elif name == "title" and item is not None:
        change_item(member, item.id, title=f"{item.title}{number}")
    elif name == "remove" and item is not None:
        remove(member, item.id)
    elif name == "sync":
        assert member.sync().error is None
    elif name == "drop base":
        for path in directory.glob("replica.db*"):
            path.unlink()
    elif name == "resolve":
        # Where the other one changed it meanwhile, a person would look again.
        for conflict in member.conflicts()[:1]:
            with suppress(ConflictError):
                member.resolve(conflict.id, "mine" if number % 2 else "theirs")
    else:
        other_step(member, server, name)


def other_step(member: Replica, server: Server, name: str) -> None:
    """What is rarer."""
    if name == "undo":
        with suppress(ConflictError, NotFoundError, InputError):
            member.undo()
    elif name == "prune":
        with HranaClient(server.port) as client:
            client.run("DELETE FROM _replica_changes WHERE seq < (SELECT max(seq) FROM _replica_changes)")


# Every step is a real sync or a real commit, so a long walk is not made shorter for minutes.
@settings(
    max_examples=8,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(walks)
def test_a_mirror_is_right_whatever_happened(
    tmp_path_factory: pytest.TempPathFactory, primary_server: Server, walk: list[tuple[str, str, int]]
) -> None:
    """Writes, undo, syncs, merges, conflicts and decisions of two replicas; a base that is gone, a history pruned."""
    directory = tmp_path_factory.mktemp("mirror")
    with Team(directory, primary_server.url) as team:
        mirrors = {name: Mirror(team.join(name)) for name in ("here", "there")}
        for mirror in mirrors.values():
            synced(mirror.member)
        for who, name, number in walk:
            if name == "look":
                mirrors[who].catch_up()
                assert mirrors[who].is_right()
            else:
                step(mirrors[who].member, team.directory_of(who), primary_server, name, number)
        for mirror in mirrors.values():
            mirror.catch_up()
            assert mirror.is_right()
