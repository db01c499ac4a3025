"""SQL of a user's, over all drivers: it reads, and cannot do anything else."""

import pytest

from replica import InputError, QueryError, Replica, WriteRefusedError
from tests.replica.notebook import Note, Shelf, add, settle

READS = [
    "SELECT title FROM notes",
    "  select title from notes -- all of them",
    "/* all */ SELECT title FROM notes",
    "-- all of them\nSELECT title FROM notes;",
    "WITH chosen AS (SELECT title FROM notes) SELECT title FROM chosen",
    "VALUES ('Milk')",
]
WRITES = [
    "DELETE FROM notes",
    "UPDATE notes SET title = 'gone'",
    "INSERT INTO notes (id, updated_at, title) VALUES ('x', 'x', 'x')",
    "REPLACE INTO notes (id, updated_at, title) VALUES ('x', 'x', 'x')",
    "WITH x AS (SELECT 1) DELETE FROM notes",
    "DELETE FROM notes RETURNING id",
    "-- only looking\nDELETE FROM notes",
    "DROP TABLE notes",
    "DROP TABLE nowhere",
    "DROP INDEX nowhere",
    "ALTER TABLE nowhere ADD COLUMN other TEXT",
    "CREATE INDEX other ON notes (title)",
    "/* all */ REINDEX nowhere",
    "DELETE FROM sqlite_master",
    "CREATE TABLE other (id TEXT)",
    "CREATE TEMP TABLE other (id TEXT)",
    "ALTER TABLE notes ADD COLUMN other TEXT",
    "BEGIN",
    "PRAGMA user_version = 7",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA table_info(notes)",
    "ATTACH 'other.db' AS other",
    "DETACH main",
    "VACUUM",
    "REINDEX",
    "ANALYZE",
]
BAD_SQL = [
    "",
    "   ",
    "-- nothing",
    ";",
    "SELEC title FROM notes",
    "SELECT title FROM",
    "SELECT nothing FROM notes",
    "SELECT * FROM nowhere",
    "SELECT 'a\nb",
    "SELECT 1; SELECT 2",
    "SELECT 1; DELETE FROM notes",
    "SELECT no_such_function()",
    "SELECT ?",
    "SELECT abs(-9223372036854775807 - 1)",
    "SELECT '\ud800'",
]


@pytest.mark.parametrize("sql", READS)
def test_any_sql_that_reads_runs(notes: Replica, sql: str) -> None:
    """Comments and all."""
    add(notes, "Milk")

    assert notes.query(sql).rows == [("Milk",)]


@pytest.mark.parametrize("sql", WRITES)
def test_sql_that_would_write_is_refused(notes: Replica, sql: str) -> None:
    """However it is dressed; and nothing was written."""
    note = add(notes, "Milk")

    with pytest.raises(WriteRefusedError):
        notes.query(sql)

    assert notes.select(Note) == [note]
    assert notes.query("SELECT count(*) FROM notes").rows == [(1,)]


@pytest.mark.parametrize("sql", BAD_SQL)
def test_sql_that_does_not_run_is_a_query_error(notes: Replica, sql: str) -> None:
    """Not an error of the driver beneath, and told in one line."""
    note = add(notes, "Milk")

    with pytest.raises(QueryError) as caught:
        notes.query(sql)

    assert len(str(caught.value).splitlines()) == 1
    assert notes.select(Note) == [note]


@pytest.mark.parametrize("sql", ["", " ", ";", "-- nothing"])
def test_no_sql_is_told_as_that(notes: Replica, sql: str) -> None:
    """Nothing would write there."""
    with pytest.raises(QueryError, match="no SQL"):
        notes.query(sql)


@pytest.mark.parametrize("value", [2**63, "\ud800", float("nan"), ..., [1]], ids=repr)
def test_a_value_that_sql_cannot_take_is_refused(notes: Replica, value: object) -> None:
    """With an error that is about the value."""
    with pytest.raises((QueryError, InputError), match=r"value 1|JSON"):
        notes.query("SELECT ?", (value,))  # type: ignore[arg-type] # on purpose


def test_sql_takes_and_returns_values_of_every_kind(notes: Replica) -> None:
    """As they are."""
    values = (None, -(2**63), 2**63 - 1, 0.1, "é\U0001f600", b"\x00\xff", b"")

    rows = notes.query(f"SELECT {', '.join('?' * len(values))}", values).rows

    assert rows == [values]
    assert [type(value) for value in rows[0]] == [type(value) for value in values]


def test_a_query_sees_what_is_pending(notes: Replica) -> None:
    """With its own SQL over all the rows."""
    note = add(notes, "Milk", stars=1)
    settle(notes)
    with notes.transaction() as tx:
        tx.update(note, stars=2)
    add(notes, "Bread", stars=5)

    assert notes.query("SELECT sum(stars), count(*), max(title) FROM notes").rows == [(7, 2, "Milk")]


@pytest.mark.parametrize(
    "condition", ["title = 7", "title = '7'", "stars = '3'", "stars > '2'", "title < 8", "weight = '1.5'"]
)
def test_sql_compares_a_pending_value_as_a_settled_one(notes: Replica, condition: str) -> None:
    """By the type of its column, so that a sync changes no answer."""
    add(notes, "7", stars=3, weight=1.5)
    sql = f"SELECT count(*) FROM notes WHERE {condition}"

    before = notes.query(sql).rows
    settle(notes)

    assert before == notes.query(sql).rows == [(1,)]


def test_sql_sorts_and_finds_a_pending_text_as_a_settled_one(notes: Replica) -> None:
    """By the collation of its column: here, upper case is no other."""
    with notes.transaction() as tx:
        for label in ("b", "A", "C"):
            tx.insert(Shelf(label=label))

    def answers() -> tuple[object, object]:
        found = notes.query("SELECT count(*) FROM shelves WHERE label IN ('B', 'a')").rows
        return found, [shelf.label for shelf in notes.select(Shelf, "ORDER BY label")]

    before = answers()
    settle(notes)

    assert before == answers() == ([(2,)], ["A", "b", "C"])
