"""The schema: records held against their tables, and SQL text taken apart as SQLite would."""

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from replica import Record, SchemaMismatchError
from replica.schema import build_schema, load_migrations, make_migration, split_statements


class Card(Record, table="cards"):
    """A field of each form."""

    title: str
    count: int = 0
    weight: float | None = None
    data: bytes = b""
    flag: bool = False
    day: date | None = None
    tags: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


COLUMNS = {
    "id": "TEXT PRIMARY KEY",
    "updated_at": "TEXT NOT NULL",
    "title": "TEXT NOT NULL",
    "count": "INTEGER NOT NULL",
    "weight": "REAL",
    "data": "BLOB NOT NULL",
    "flag": "INTEGER NOT NULL",
    "day": "TEXT",
    "tags": "TEXT NOT NULL",
    "notes": "TEXT NOT NULL",
}


def check(columns: dict[str, str]) -> None:
    """Hold the record against a table of these columns."""
    listing = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    build_schema([make_migration(1, "cards", f"CREATE TABLE cards ({listing});")], [Card])


# -- records and tables


def test_a_record_fits_its_table() -> None:
    """In any order of the columns."""
    check(COLUMNS)
    check(dict(reversed(COLUMNS.items())))


@pytest.mark.parametrize("missing", ["id", "updated_at", "title", "weight"])
def test_a_field_without_a_column_is_named(missing: str) -> None:
    """With its record and its table."""
    columns = {name: kind for name, kind in COLUMNS.items() if name != missing}

    with pytest.raises(SchemaMismatchError, match=rf"Card\.{missing}: the table cards"):
        check(columns)


def test_a_column_without_a_field_is_named() -> None:
    """Or a write would lose it."""
    with pytest.raises(SchemaMismatchError, match="column colour"):
        check({**COLUMNS, "colour": "TEXT"})


def test_a_record_without_a_table_is_named() -> None:
    """No migration makes it."""
    with pytest.raises(SchemaMismatchError, match=r"Card.*'cards'"):
        build_schema([], [Card])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("title", "INTEGER NOT NULL"),
        ("title", "STRING NOT NULL"),
        ("title", "NUMERIC NOT NULL"),
        ("count", "TEXT NOT NULL"),
        ("count", "REAL NOT NULL"),
        ("weight", "TEXT"),
        ("weight", "INTEGER"),
        ("flag", "TEXT NOT NULL"),
        ("day", "DATE"),
        ("tags", "JSON NOT NULL"),
        ("id", "INTEGER PRIMARY KEY"),
        ("updated_at", "DATETIME NOT NULL"),
    ],
)
def test_a_column_that_would_turn_values_into_others_is_named(name: str, kind: str) -> None:
    """SQLite stores the text `007` in a STRING column as the number 7."""
    with pytest.raises(SchemaMismatchError, match=rf"Card\.{name}.*{kind.split(maxsplit=1)[0]}"):
        check({**COLUMNS, name: kind})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("title", "VARCHAR(80) NOT NULL"),
        ("title", "NOT NULL"),
        ("count", "BIGINT NOT NULL"),
        ("flag", "BOOLEAN NOT NULL"),
        ("count", "NUMERIC NOT NULL"),
        ("weight", "DOUBLE PRECISION"),
        ("data", "TEXT NOT NULL"),
    ],
)
def test_a_column_that_keeps_values_as_they_are_is_accepted(name: str, kind: str) -> None:
    """However its type is called. Source: SQLite, Determination Of Column Affinity."""
    check({**COLUMNS, name: kind})


@pytest.mark.parametrize("change", [{"id": "TEXT"}, {"id": "TEXT NOT NULL", "title": "TEXT PRIMARY KEY"}])
def test_a_table_whose_key_is_not_its_id_is_named(change: dict[str, str]) -> None:
    """Rows are told apart by it, and found by it."""
    with pytest.raises(SchemaMismatchError, match=r"cards.*id.*PRIMARY KEY"):
        check({**COLUMNS, **change})


# -- statements


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", 0),
        ("  \n-- nothing\n/* at; all */", 0),
        (";;;", 0),
        ("SELECT 1; SELECT 2;", 2),
        ("SELECT ';'; SELECT \";\"; SELECT [;], `;`;", 3),
        ("SELECT 'it''s; --'; SELECT 2;", 2),
        ("SELECT 1 -- one; and no more\n; SELECT 2;", 2),
        ("SELECT /* ; */ 1; -- the end; really", 1),
        ("-- first;\nSELECT 1;\n-- second;\n", 1),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET x = 1; DELETE FROM b; END; SELECT 1;",
            2,
        ),
        (
            (
                "CREATE TRIGGER t AFTER INSERT ON a WHEN CASE new.x WHEN 1 THEN 1 ELSE 0 END BEGIN "
                "SELECT CASE WHEN 1 THEN 2 END; END;"
            ),
            1,
        ),
        ("create temp trigger t after insert on a begin select 1; end;\nSELECT 1;", 2),
    ],
)
def test_statements_end_where_sqlite_ends_them(text: str, statements: int) -> None:
    """Not at a semicolon in a text, a name, a comment or a trigger."""
    assert len(split_statements(text, "0001_a.sql")) == statements


@pytest.mark.parametrize("text", ["SELECT 1", "SELECT 1; SELECT", "SELECT 'a;", "CREATE TRIGGER t BEGIN SELECT 1;"])
def test_an_unfinished_statement_is_named_with_its_file(text: str) -> None:
    """It would not have run."""
    with pytest.raises(SchemaMismatchError, match=r"0001_a\.sql"):
        split_statements(text, "0001_a.sql")


@pytest.mark.parametrize("text", ["SELECT '--not a comment';", "SELECT '/*';", "SELECT '*/ --';"])
def test_what_looks_like_a_comment_in_a_text_is_none(text: str) -> None:
    """The statement is kept as it is."""
    assert split_statements(text, "0001_a.sql") == (text,)


@pytest.mark.parametrize(
    "text",
    [
        "COMMIT;",
        "CREATE TABLE b (id TEXT); COMMIT; BEGIN; CREATE TABLE c (id TEXT);",
        "BEGIN; CREATE TABLE b (id TEXT); COMMIT;",
        "ROLLBACK;",
        "VACUUM;",
    ],
)
def test_a_migration_that_would_leave_its_transaction_is_refused(text: str) -> None:
    """A crash in it would leave half of it."""
    with pytest.raises(SchemaMismatchError, match=r"0001_b\.sql"):
        build_schema([make_migration(1, "b", text)], [])


def test_a_migration_that_does_not_run_is_named() -> None:
    """With what SQLite says."""
    with pytest.raises(SchemaMismatchError, match=r"0001_b\.sql.*no such table: nowhere"):
        build_schema([make_migration(1, "b", "INSERT INTO nowhere VALUES (1);")], [])


# -- files


def write(folder: Path, *names: str) -> Path:
    """A folder of migrations that do nothing."""
    for name in names:
        (folder / name).write_text("SELECT 1;")
    return folder


def test_migrations_are_read_in_order(tmp_path: Path) -> None:
    """Whatever else lies in the folder."""
    write(tmp_path, "0002_b.sql", "0001_a.sql", "README.md", "0003_c.sql.orig", "draft.sql")

    assert [(one.version, one.name) for one in load_migrations(tmp_path)] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["0002_b.sql"], "0001"),
        (["0001_a.sql", "0003_c.sql"], "0002"),
        (["0001_a.sql", "0001_b.sql"], "0001_b"),
        (["0000_a.sql", "0001_b.sql"], "0000_a"),
        (["0001_a.sql", "2_b.sql"], "2_b"),
        (["0001_a.sql", "0002-b.sql"], "0002-b"),
        (["0001_a.sql", "0002_Bread.sql"], "0002_Bread"),
    ],
)
def test_a_gap_a_twin_or_a_mistyped_number_is_refused(tmp_path: Path, names: list[str], said: str) -> None:
    """None of them is passed over in silence."""
    with pytest.raises(SchemaMismatchError, match=said):
        load_migrations(write(tmp_path, *names))


def test_no_folder_is_told_as_such(tmp_path: Path) -> None:
    """Not as an error of the system."""
    with pytest.raises(SchemaMismatchError, match="nowhere"):
        load_migrations(tmp_path / "nowhere")


def test_a_checksum_does_not_depend_on_line_endings(tmp_path: Path) -> None:
    """The same checkout on two systems is the same migration."""
    texts: list[bytes] = [b"SELECT 1;\nSELECT 2;\n", b"SELECT 1;\r\nSELECT 2;\r\n"]
    checksums: set[Any] = set()  # one is enough
    for text in texts:
        (tmp_path / "0001_a.sql").write_bytes(text)
        checksums.add(load_migrations(tmp_path)[0].checksum)

    assert len(checksums) == 1


# -- what opening costs


def test_a_table_costs_a_few_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema is built whenever a program starts: nothing is made to be looked at, but where a collation is named."""
    run: list[str] = []
    connect = sqlite3.connect

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(run.append)
        return connection

    monkeypatch.setattr("replica.schema.sqlite3.connect", traced)
    names = [f"table_{number:02d}" for number in range(16)]
    columns = "id TEXT PRIMARY KEY, updated_at TEXT NOT NULL, name TEXT"
    tables = make_migration(1, "tables", "".join(f"CREATE TABLE {name} ({columns});" for name in names))
    folded = make_migration(2, "folded", f"CREATE TABLE folded ({columns} COLLATE NOCASE);")

    build_schema([tables], [])
    without = len(run)
    schema = build_schema([tables, folded], [])

    assert without <= 16 * 4 + 5
    assert [statement for statement in run[:without] if "INDEX" in statement] == []
    assert schema.tables["folded"].collations == ("BINARY", "BINARY", "NOCASE")
    assert {schema.tables[name].collations for name in names} == {("BINARY", "BINARY", "BINARY")}
