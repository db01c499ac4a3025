"""SQL that writes is a mutation like any other, and can do nothing else."""

import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replica import (
    Capture,
    ConflictError,
    InputError,
    Kind,
    QueryError,
    Replica,
    ReplicaError,
    RowChange,
    SqlRules,
    WriteRefusedError,
)
from replica.capture import CHANGES_MAX
from replica.errors import DamagedError
from sqld import Server
from tests.replica.notebook import MIGRATIONS, Note, Shelf, add, open_notes, titles
from tests.replica.team import Team
from tests.replica.team import add as add_item

CONTENT: Final = "SELECT title, body, tags, stars, weight FROM notes ORDER BY 1, 2, 3, 4, 5"
NUMBERS: Final = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
NOWHERE: Final = "http://127.0.0.1:1"


@pytest.fixture(params=["local", "libsql"])
def kind(request: pytest.FixtureRequest) -> str:
    """The modes whose rows are on this disk; the primary is never asked."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def notes(kind: str, tmp_path: Path) -> Iterator[Replica]:
    """A notebook with three notes."""
    with open_notes(tmp_path / "notes", kind, NOWHERE) as opened:
        for title in ("Milk", "Bread", "Salt"):
            add(opened, title, stars=1)
        yield opened


def rows(notes: Replica) -> list[tuple[object, ...]]:
    """What the notes hold, but for ids and stamps."""
    return list(notes.query(CONTENT).rows)


def content(directory: Path) -> dict[str, list[str]]:
    """All that the files of a replica hold."""
    found = {}
    for path in sorted(directory.glob("*.db")):
        with closing(sqlite3.connect(path)) as database:
            found[path.name] = list(database.iterdump())
    return found


# -- what it does


def test_an_update_is_one_mutation_that_can_be_undone(notes: Replica) -> None:
    """Each changed row with the value before and the new one."""
    captured, mutation = notes.sql.execute("UPDATE notes SET stars = stars + ? WHERE title <> 'Salt'", (2,))

    assert mutation is not None
    assert notes.mutation() == mutation
    assert [dict(change.fields) for change in mutation.changes] == [{"stars": (1, 3)}] * 2
    assert [change.row_id for change in captured.changes] == [change.row_id for change in mutation.changes]
    assert [row[3] for row in rows(notes)] == [3, 3, 1]
    notes.undo()
    assert [row[3] for row in rows(notes)] == [1, 1, 1]


def test_a_delete_is_one_mutation_that_can_be_undone(notes: Replica) -> None:
    """With all that the rows held."""
    before = rows(notes)

    notes.sql.execute("WITH gone AS (SELECT 'Milk' AS title) DELETE FROM notes WHERE title IN (SELECT title FROM gone)")

    assert titles(notes) == ["Bread", "Salt"]
    notes.undo()
    assert rows(notes) == before


def test_an_insert_gets_ids_and_defaults(notes: Replica) -> None:
    """Ids as the record class makes them, and the defaults of the table, also of a column that SQL cannot leave out."""
    notes.sql.execute("INSERT INTO notes (weight, TITLE) VALUES (1, 'Oats'), (NULL, 5)")
    _, mutation = notes.sql.execute("INSERT INTO shelves (label) SELECT title FROM notes WHERE title = 'Milk'")

    assert [row for row in rows(notes) if row[0] in ("5", "Oats")] == [
        ("5", "", "[]", 0, None),
        ("Oats", "", "[]", 0, 1.0),
    ]
    assert mutation is not None
    assert mutation.changes[0].row_id.startswith("sh-")
    assert [shelf.label for shelf in notes.select(Shelf)] == ["Milk"]


def test_an_insert_of_every_column_takes_the_id_and_no_stamp(notes: Replica) -> None:
    """The stamp is made with the change."""
    notes.sql.execute("INSERT INTO notes SELECT 'copy of ' || title, NULL, title, body, tags, stars, weight FROM notes")

    assert notes.get(Note, "copy of Milk").stars == 1
    with pytest.raises(InputError, match=r"copy: updated_at cannot be given"):
        notes.sql.execute("INSERT INTO notes VALUES ('copy', '2026', 'x', '', '[]', 0, NULL)")


def test_a_statement_can_look_into_json(notes: Replica) -> None:
    """As a query can: sets and lists are stored so."""
    notes.sql.execute("UPDATE notes SET tags = '[\"a\",\"b\"]' WHERE title = 'Milk'")

    notes.sql.execute("INSERT INTO notes (title) SELECT t.value FROM notes, json_each(tags) AS t")

    assert titles(notes) == ["Bread", "Milk", "Salt", "a", "b"]
    assert notes.query("SELECT count(*) FROM notes, json_each(tags)").rows == [(2,)]
    assert notes.query("SELECT count(*) FROM json_tree('[[1]]')").rows == [(3,)]


def test_what_changes_nothing_leaves_nothing_behind(notes: Replica) -> None:
    """No row, or no other value."""
    last = notes.mutation()

    for sql in ("DELETE FROM notes WHERE 0", "UPDATE notes SET stars = 1", "INSERT INTO notes(title) SELECT 1 WHERE 0"):
        captured, mutation = notes.sql.execute(sql)
        assert (captured.changes, mutation) == ((), None)

    assert notes.mutation() == last


STATEMENTS: Final = st.one_of(
    st.builds(
        "UPDATE notes SET {} = {} WHERE {}".format,
        st.sampled_from(["title", "stars", "weight", "body"]),
        st.sampled_from(["stars + 1", "title || 'x'", "1", "'2'", "length(title)", "max(stars, 2)", "'a' || body"]),
        st.sampled_from(["1", "stars > 0", "title < 'N'", "weight IS NULL", "title = (SELECT min(title) FROM notes)"]),
    ),
    st.builds("DELETE FROM notes WHERE title {} 'M'".format, st.sampled_from("<>=")),
    st.builds(
        "INSERT INTO notes (title, stars, weight) SELECT title || 'y', {}, {} FROM notes".format,
        st.sampled_from(["stars", "'7'", "2"]),
        st.sampled_from(["weight", "NULL", "1"]),
    ),
)


@settings(max_examples=25)
@given(st.lists(STATEMENTS, max_size=4))
def test_it_does_to_the_rows_what_sqlite_does_to_a_plain_table(
    tmp_path_factory: pytest.TempPathFactory, statements: list[str]
) -> None:
    """But for what a record class does not take, which is refused whole."""
    with (
        open_notes(tmp_path_factory.mktemp("notes"), "libsql", NOWHERE) as notes,
        closing(sqlite3.connect(":memory:")) as plain,
    ):
        plain.executescript((MIGRATIONS / "0001_notes.sql").read_text())
        for title in ("Milk", "Oats"):
            note = add(notes, title)
            plain.execute("INSERT INTO notes (id, updated_at, title) VALUES (?, '', ?)", (note.id, title))
        for sql in statements:
            try:
                notes.sql.execute(sql)
            except InputError:
                continue
            # A plain table makes no stamp.
            plain.execute(sql.replace("(title, ", "(updated_at, title, ").replace("SELECT title", "SELECT '', title"))

        expected = plain.execute(CONTENT).fetchall()

        assert rows(notes) == expected


# -- what it refuses


HOSTILE: Final = [
    "SELECT 1; DELETE FROM notes",
    "DELETE FROM notes; SELECT 1",
    "WITH x AS (SELECT 1) DELETE FROM changes",
    "WITH x AS (DELETE FROM notes RETURNING 1) SELECT * FROM x",
    "INSERT INTO overlay_notes (id, deleted) VALUES ('x', 0)",
    "UPDATE base.notes SET title = 'x'",
    "UPDATE main.notes SET title = 'x'",
    "UPDATE main.changes SET fields = ''",
    "DELETE FROM main.mutations",
    "DELETE FROM _replica_changes",
    "UPDATE _replica_conflicts SET state = 'settled'",
    "DELETE FROM main._replica_changes",
    "DELETE FROM base._replica_changes",
    "INSERT INTO _replica_capture_notes (seq) VALUES (1)",
    "DELETE FROM temp._replica_capture_notes",
    "PRAGMA writable_schema = 1",
    "PRAGMA query_only = 0",
    "UPDATE sqlite_schema SET sql = ''",
    "DELETE FROM main.sqlite_master",
    "DELETE FROM temp.sqlite_temp_master",
    "INSERT INTO sqlite_sequence VALUES ('x', 1)",
    "CREATE TABLE evil (a)",
    "CREATE TEMP TRIGGER evil INSTEAD OF DELETE ON notes BEGIN DELETE FROM changes; END",
    "CREATE TEMP VIEW evil AS SELECT 1",
    "CREATE VIRTUAL TABLE evil USING fts5(a)",
    "DROP VIEW notes",
    "DROP TABLE notes",
    "DROP TRIGGER _replica_capture_notes_delete",
    "ALTER TABLE notes ADD COLUMN evil",
    "REINDEX",
    "ANALYZE",
    "VACUUM",
    "VACUUM INTO 'evil.db'",
    "ATTACH 'evil.db' AS evil",
    "DETACH base",
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT evil",
    "RELEASE replica_capture",
    "ROLLBACK TO replica_capture",
    "UPDATE notes SET title = load_extension('evil')",
    "UPDATE notes SET title = fts3_tokenizer('simple', x'00')",
    "INSERT INTO pragma_user_version VALUES (1)",
    "UPDATE notes SET title = (SELECT user_version FROM pragma_user_version)",
    "EXPLAIN DELETE FROM notes",
    "SELECT * FROM notes",
    "SELECT 'please delete this'",
    "VALUES (1)",
    "UPDATE notes SET id = 'x'",
    "UPDATE notes SET (title, \"ID\") = ('x', 'x')",
    "UPDATE notes SET updated_at = ''",
    "UPDATE notes SET rowid = 1",
    "UPDATE notes SET oid = 1",
    "UPDATE notes SET title = 'x' RETURNING id",
    "INSERT OR REPLACE INTO notes (id, title) SELECT id, 'x' FROM notes",
    "INSERT OR IGNORE INTO notes (id, title) SELECT id, 'x' FROM notes",
    "UPDATE OR IGNORE notes SET title = 'x'",
    "REPLACE INTO notes (id, title) SELECT id, 'x' FROM notes",
    "INSERT INTO notes (id, title) VALUES ('x', 'x') ON CONFLICT (id) DO UPDATE SET title = 'y'",
    "UPDATE notes SET stars = v.column1 FROM (VALUES (1), (2)) AS v",
    "UPDATE notes SET nothing = 1",
    "DELETE FROM nothing",
    "DELETE FROM",
    "",
    "-- nothing",
    "DELETE FROM notes WHERE title = ?",
    "DELETE FROM notes\0",
]


def test_no_statement_can_do_anything_but_change_rows(
    notes: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused in a sentence with a way out, and every file holds what it held before."""
    monkeypatch.chdir(tmp_path)
    before = content(tmp_path / "notes")

    for sql in HOSTILE:
        with pytest.raises((WriteRefusedError, QueryError, InputError)) as raised:
            pytest.fail(f"{sql} gave {notes.sql.execute(sql)}")
        assert content(tmp_path / "notes") == before, sql
        assert "\n" not in str(raised.value)

    assert not list(Path().glob("evil*"))
    add(notes, "Oats")
    assert titles(notes) == ["Bread", "Milk", "Oats", "Salt"]


def test_what_a_statement_may_do_is_not_decided_by_its_words(
    notes: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They only tell why; without that, SQLite itself refuses all the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("replica.capture._check_words", lambda _: None)
    before = content(tmp_path / "notes")

    for sql in HOSTILE:
        if " OR IGNORE " not in sql:
            with pytest.raises(ReplicaError):
                pytest.fail(f"{sql} gave {notes.sql.execute(sql)}")
            assert content(tmp_path / "notes") == before, sql

    assert not list(Path().glob("evil*"))


@pytest.mark.parametrize("sql", [sql for sql in HOSTILE if sql.split(" ")[0] in ("CREATE", "ALTER", "DROP")])
def test_a_change_of_the_schema_is_told_where_it_belongs(notes: Replica, sql: str) -> None:
    """In a migration."""
    with pytest.raises(WriteRefusedError, match="schema") as raised:
        notes.sql.execute(sql)

    assert "migration" in raised.value.hint


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE notes SET tags = 'x' WHERE title = 'Milk'", "notes {id}: tags: it is not JSON"),
        ("UPDATE notes SET title = NULL WHERE title = 'Milk'", "notes {id}: title: "),
        ("UPDATE notes SET stars = 'many' WHERE title = 'Milk'", "notes {id}: stars: "),
        ("UPDATE notes SET weight = x'00' WHERE title = 'Milk'", "notes {id}: weight: "),
        ("INSERT INTO notes (title) VALUES ('a'), (NULL)", "notes new row 2: title: "),
        ("INSERT INTO notes (id, title, body) VALUES ('b', 'b', NULL)", "notes b: body: "),
        ("INSERT INTO notes DEFAULT VALUES", "notes new row 1: title: Field required"),
        ("UPDATE notes SET body = 'a' || char(0) WHERE title = 'Milk'", "notes {id}: body: text cannot hold a NUL"),
        ("UPDATE notes SET body = CAST(x'ff' AS TEXT) WHERE title = 'Milk'", "this SQL makes text that is not UTF-8"),
        ("INSERT INTO notes (title) VALUES (CAST(x'ff' AS TEXT))", "this SQL makes text that is not UTF-8"),
    ],
)
def test_what_a_record_does_not_take_is_told_by_row_and_field(notes: Replica, sql: str, told: str) -> None:
    """And nothing of the statement is written."""
    before = rows(notes)
    (milk,) = notes.select(Note, "WHERE title = 'Milk'")

    with pytest.raises(InputError) as raised:
        notes.sql.execute(sql)

    assert str(raised.value).startswith(told.format(id=milk.id))
    assert rows(notes) == before


def test_more_rows_than_a_transaction_takes_are_refused_before_they_are_all_there(notes: Replica) -> None:
    """So that a slip does not fill the memory."""
    with pytest.raises(InputError, match=f"more than {CHANGES_MAX:,} rows") as raised:
        notes.sql.execute(f"{NUMBERS} INSERT INTO notes (title) SELECT x FROM n LIMIT {CHANGES_MAX + 1}")

    assert "WHERE" in raised.value.hint
    assert len(rows(notes)) == 3


def test_a_mutation_that_would_be_too_large_is_refused(notes: Replica) -> None:
    """As any other transaction is."""
    with pytest.raises(InputError, match="too many"):
        notes.sql.execute("UPDATE notes SET body = printf('%.*c', 1500000, 'x')")

    assert [row[1] for row in rows(notes)] == ["", "", ""]


def test_ctrl_c_ends_a_statement_that_never_ends(notes: Replica) -> None:
    """And nothing is written."""
    timer = threading.Timer(0.1, signal.raise_signal, (signal.SIGINT,))
    timer.start()

    with pytest.raises(KeyboardInterrupt):
        notes.sql.execute(f"{NUMBERS} DELETE FROM notes WHERE (SELECT max(x) FROM n)")

    timer.join()
    assert len(rows(notes)) == 3


# -- looking first


def test_a_look_writes_nothing_and_can_be_applied(notes: Replica, tmp_path: Path) -> None:
    """With the values that were shown, also of ids that were made."""
    before = content(tmp_path / "notes")

    captured = notes.sql.capture("INSERT INTO shelves (label) VALUES (hex(randomblob(8)))")

    assert content(tmp_path / "notes") == before
    mutation = notes.sql.apply(captured)
    assert mutation is not None
    assert {change.row_id: change.new_values() for change in mutation.changes} == {
        change.row_id: {"label": change.fields()["label"][1]} for change in captured.changes
    }


@pytest.mark.parametrize("sql", ["UPDATE notes SET stars = 9 WHERE title = 'Milk'", "DELETE FROM notes"])
def test_what_somebody_wrote_after_the_look_is_not_overwritten(notes: Replica, sql: str) -> None:
    """Whoever looked must look again, and nothing of the rest is written."""
    captured = notes.sql.capture(sql)
    (milk,) = notes.select(Note, "WHERE title = 'Milk'")
    with notes.transaction() as tx:
        tx.update(milk, stars=5)

    with pytest.raises(ConflictError):
        notes.sql.apply(captured)

    assert [row[3] for row in rows(notes)] == [1, 5, 1]


def test_the_answer_to_what_is_shown_decides(notes: Replica) -> None:
    """Within one transaction, so that nothing can come between."""
    shown: list[Capture] = []

    def refuse(captured: Capture) -> bool:
        shown.append(captured)
        return False

    captured, mutation = notes.sql.execute("DELETE FROM notes", accept=refuse)

    assert (shown, mutation, len(rows(notes))) == ([captured], None, 3)


@pytest.mark.parametrize(
    ("sql", "is_of_all"),
    [
        ("UPDATE notes SET stars = 2", True),
        ("UPDATE notes SET stars = 2 WHERE 1", True),
        ("UPDATE notes SET stars = v.a FROM (SELECT 2 AS a WHERE 1) AS v", True),
        ("UPDATE notes SET stars = 2 WHERE title <> 'Milk'", False),
        ("UPDATE shelves SET label = 'x' WHERE 1", False),
        ("UPDATE shelves SET label = 'x'", True),
    ],
)
def test_an_update_of_every_row_is_told(notes: Replica, sql: str, is_of_all: bool) -> None:  # noqa: FBT001 - a parameter
    """Whether or not it has a WHERE; and one without it, whatever it finds."""
    assert notes.sql.capture(sql).is_of_all is is_of_all


# -- the rules of the program


def test_the_program_has_a_say_about_each_row(notes: Replica) -> None:
    """It fills new rows, turns one change into another, drops some, and refuses all by raising."""

    def check(change: RowChange) -> RowChange | None:
        if change.kind is Kind.DELETE:
            assert isinstance(change.before, Note)
            return replace(change, after=change.before.with_changes({"title": "gone"}))
        return None if change.row_id == "dropped" else change

    rules = SqlRules(fill=lambda record: {"body": "filled"} if record is Note else {}, check=check)

    notes.sql.execute("INSERT INTO notes (id, title) VALUES ('a', 'Oats'), ('dropped', 'Rye')", rules=rules)
    notes.sql.execute("DELETE FROM notes WHERE id = 'a'", rules=rules)

    assert notes.get(Note, "a").title == "gone"
    assert notes.get(Note, "a").body == "filled"
    assert len(rows(notes)) == 4


# -- with others


def test_what_sql_wrote_syncs_and_merges_like_any_other_change(team: Team) -> None:
    """Two people change different fields of one row by SQL, and both stay."""
    mine, theirs = team.join("mine"), team.join("theirs")
    add_item(mine, "Milk")
    for member in (mine, theirs):
        assert member.sync().error is None
    mine.sql.execute("UPDATE items SET title = 'Oat milk'")
    theirs.sql.execute("UPDATE items SET code = 'two'")

    for member in (mine, theirs, mine):
        assert member.sync().error is None

    assert mine.query("SELECT title, code FROM items").rows == [("Oat milk", "two")]


def test_a_base_that_cannot_be_read_is_told(tmp_path: Path, primary_server: Server) -> None:
    """A statement may mean any row of it."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        assert notes.sync().error is None
    (tmp_path / "notes" / "replica.db").write_bytes(b"\x55" * 8192)

    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        with pytest.raises(DamagedError):
            notes.sql.execute("DELETE FROM notes")
        with suppress(DamagedError):
            add(notes, "Oats")


def test_text_that_a_query_makes_of_bytes_is_no_damage(tmp_path: Path, primary_server: Server) -> None:
    """It is told as what it is, and no sync fetches the base anew for it."""
    with open_notes(tmp_path / "notes", "libsql", primary_server.url) as notes:
        add(notes, "Milk")
        assert notes.sync().error is None

        with pytest.raises(QueryError, match="UTF-8"):
            notes.query("SELECT CAST(x'ff' AS TEXT) FROM notes")

        assert notes.sync().error is None
        assert titles(notes) == ["Milk"]
    assert not (tmp_path / "notes" / "set-aside").exists()


def test_mode_remote_has_no_rows_here_to_run_sql_on(tmp_path: Path, primary_server: Server) -> None:
    """It is refused in a sentence."""
    with open_notes(tmp_path / "notes", "remote", primary_server.url) as notes:
        add(notes, "Milk")

        with pytest.raises(InputError, match="on this disk"):
            notes.sql.execute("DELETE FROM notes")

        assert titles(notes) == ["Milk"]
