"""No mutation blocks those behind it for ever: what cannot be applied is parked, whatever the reason."""

from collections.abc import Sequence

import pytest

from replica import PrimaryError, Replica, SchemaMismatchError, Stage
from replica.hrana import BatchAnswer, Failure, Hrana, Step
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


@pytest.mark.parametrize(
    ("sql", "fields", "told"),
    [
        ("CREATE INDEX refuses ON items (json_extract(body, '$.x'))", {"body": "no JSON"}, "malformed JSON"),
        (
            "CREATE TRIGGER refuses AFTER INSERT ON items BEGIN SELECT json_extract(new.body, '$.x'); END",
            {"body": "no JSON"},
            "malformed JSON",
        ),
        ("CREATE INDEX refuses ON items (abs(-9223372036854775807 - stars))", {"stars": 1}, "integer overflow"),
    ],
    ids=["index", "trigger", "number"],
)
def test_values_that_the_primary_cannot_work_with_are_parked_and_those_beside_them_go_on(
    laptop: Replica, truth: Truth, sql: str, fields: dict[str, object], told: str
) -> None:
    """SQLite has no code for such an error, and it will be the same each time."""
    synced(laptop)
    truth.run(sql)
    add(laptop, "before it", body="{}")
    add(laptop, "poison", **fields)
    add(laptop, "behind it", body="{}")

    report = synced(laptop)

    assert report.parked == 1
    (conflict,) = laptop.conflicts()
    assert conflict.changes[0].new_values()["title"] == "poison"
    assert told in conflict.reason
    assert truth.run("SELECT title FROM items ORDER BY title") == [["before it"], ["behind it"]]


@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        (["ALTER TABLE items RENAME TO away"], ["ALTER TABLE away RENAME TO items"]),
        (["ALTER TABLE items RENAME COLUMN stars TO away"], ["ALTER TABLE items RENAME COLUMN away TO stars"]),
        (
            ["ALTER TABLE items RENAME TO away", "CREATE VIEW items AS SELECT * FROM away"],
            ["DROP VIEW items", "ALTER TABLE away RENAME TO items"],
        ),
        (
            ["CREATE TRIGGER broken AFTER INSERT ON items BEGIN INSERT INTO nowhere VALUES (new.id); END"],
            ["DROP TRIGGER broken"],
        ),
    ],
    ids=["no table", "no column", "a view", "a trigger on no table"],
)
def test_what_does_not_fit_the_schema_of_the_primary_waits_until_it_does(
    laptop: Replica, truth: Truth, damage: list[str], repair: list[str]
) -> None:
    """A restore or an operator can leave the primary so for a while; no person has anything to decide about that."""
    synced(laptop)
    for sql in damage:
        truth.run(sql)
    add(laptop, "Milk")
    add(laptop, "Bread")

    report = laptop.sync()

    assert isinstance(report.error, PrimaryError)
    assert (report.parked, report.pending) == (0, 2)
    for sql in repair:
        truth.run(sql)
    assert synced(laptop).parked == 0
    assert truth.run("SELECT count(*) FROM items") == [["2"]]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("SQLITE_FULL", "database or disk is full"),
        ("SQLITE_IOERR", "disk I/O error"),
        ("SQLITE_READONLY", "attempt to write a readonly database"),
        ("SQLITE_AUTH", "not authorized"),
        ("SQLITE_NOMEM", "out of memory"),
        ("SQLITE_UNKNOWN", "SQL logic error"),
    ],
)
def test_trouble_of_the_primary_with_itself_parks_nothing(
    laptop: Replica, truth: Truth, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    """It says nothing about the changes, and they are sent as they are once it is over."""
    synced(laptop)
    add(laptop, "Milk")
    add(laptop, "Bread")
    batch = Hrana.batch

    def fail(hrana: Hrana, steps: Sequence[Step], **options: float) -> BatchAnswer:
        failures = [Failure(code, message) if 'INTO "items"' in step.statement.sql else None for step in steps]
        return BatchAnswer([*failures]) if any(failures) else batch(hrana, steps, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Hrana, "batch", fail)

        report = laptop.sync()

    assert isinstance(report.error, PrimaryError)
    assert (report.parked, report.pending) == (0, 2)
    assert synced(laptop).parked == 0
    assert truth.run("SELECT count(*) FROM items") == [["2"]]


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


def test_a_conflict_that_the_primary_does_not_take_stays_here_and_those_behind_it_go_on(
    laptop: Replica, desktop: Replica, truth: Truth
) -> None:
    """It is shown and told of each time, and arrives once the primary takes it."""
    item = add(laptop, "Milk")
    all_synced(laptop, desktop)
    truth.run(
        "CREATE TRIGGER full BEFORE INSERT ON _replica_conflicts BEGIN SELECT RAISE(ABORT, 'no more conflicts'); END"
    )
    change(desktop, item.id, title="Oat milk")
    synced(desktop)
    mine = change(laptop, item.id, title="Rice milk")
    add(laptop, "behind it")

    reports = [laptop.sync(), laptop.sync()]

    for report in reports:
        assert isinstance(report.error, PrimaryError)
        assert "no more conflicts" in str(report.error)
        assert (report.stage, report.pending) == (Stage.DONE, 1)
    assert [conflict.mutation_id for conflict in laptop.conflicts()] == [mine]
    assert truth.run("SELECT title FROM items ORDER BY title") == [["Oat milk"], ["behind it"]]
    truth.run("DROP TRIGGER full")
    synced(laptop)
    assert truth.parked() == [mine]


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
