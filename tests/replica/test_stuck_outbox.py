"""No mutation blocks those behind it for ever: what cannot be applied is parked, whatever the reason."""

import pytest

from replica import SchemaMismatchError
from replica.mutation import Change, Kind, Mutation
from replica.push import cut_batches
from replica.schema import build_schema, make_migration
from tests.replica.team import Item, Team, Truth, add, all_synced, change, synced


def test_what_a_trigger_of_the_primary_refuses_is_parked_and_those_behind_it_go_on(team: Team, truth: Truth) -> None:
    """A refusal has any text; its code says that it is final."""
    laptop = team.join("laptop")
    synced(laptop)
    truth.run(
        "CREATE TRIGGER closed BEFORE UPDATE ON items WHEN old.code = 'closed' "
        "BEGIN SELECT RAISE(ABORT, 'closed things stay closed'); END"
    )
    closed = add(laptop, "closed", code="closed")
    synced(laptop)
    refused = change(laptop, closed.id, title="reopened")
    add(laptop, "behind it")

    report = synced(laptop)

    assert report.parked == 1
    (conflict,) = laptop.conflicts()
    assert conflict.mutation_id == refused
    assert "closed things stay closed" in conflict.reason
    assert truth.run("SELECT count(*) FROM items WHERE title = 'behind it'") == [["1"]]


def test_a_mutation_of_many_large_rows_is_parked_though_they_do_not_fit_into_one_value(
    team: Team, truth: Truth
) -> None:
    """A conflict keeps what changed, and of the rest only what the primary does not have."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    items = [add(laptop, f"number {number}", body="large " * 25_000) for number in range(40)]
    all_synced(laptop, desktop)
    change(desktop, items[0].id, title="theirs")
    synced(desktop)
    with laptop.transaction() as tx:
        for item in items:
            tx.update(item, title=f"mine {item.title}")
    add(laptop, "behind it")

    report = synced(laptop)

    assert report.parked == 1
    assert truth.run("SELECT count(*) FROM items WHERE title = 'behind it'") == [["1"]]
    laptop.resolve(laptop.conflicts()[0].id, "mine")
    synced(laptop)
    assert truth.run("SELECT count(*) FROM items WHERE title LIKE 'mine number %'") == [["40"]]


def test_references_that_change_rows_by_themselves_are_refused() -> None:
    """Such a change has no stamp and no history, and could take away a row that was just acknowledged."""
    migration = make_migration(
        1,
        "cascade",
        "CREATE TABLE parents (id TEXT PRIMARY KEY);"
        "CREATE TABLE children (id TEXT PRIMARY KEY, parent TEXT REFERENCES parents (id) ON DELETE CASCADE);",
    )

    with pytest.raises(SchemaMismatchError, match="children has ON DELETE CASCADE"):
        build_schema([migration], [])


def test_i7_nothing_is_written_before_a_delete_that_was_made_first() -> None:
    """A batch deletes last, so a batch ends where a write follows a delete."""
    delete = Change("items", "a", Kind.DELETE, "s", "t", {"title": ("x", None)})
    insert = Change("items", "b", Kind.INSERT, "", "t", {"title": (None, "x")})
    mutations = [
        Mutation(name, "s", "m", "t", 1, (made,)) for name, made in (("1", delete), ("2", delete), ("3", insert))
    ]

    batches = cut_batches(mutations)

    assert [[mutation.id for mutation in batch] for batch in batches] == [["1", "2"], ["3"]]


def test_a_mutation_of_many_rows_is_taken_back_whole(team: Team, truth: Truth) -> None:
    """Undo reads all changes of a mutation, however many they are."""
    laptop = team.join("laptop")
    with laptop.transaction() as tx:
        for number in range(1_500):
            tx.insert(Item(title=str(number)))
        mutation_id = tx.mutation_id
    synced(laptop)

    laptop.undo(mutation_id)

    synced(laptop)
    assert truth.run("SELECT count(*) FROM items") == [["0"]]
