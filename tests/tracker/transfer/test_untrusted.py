"""Files that are not what they should be: damaged, cut off, or made to do harm."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.tracker.transfer.content import rows_of
from tests.tracker.transfer.go_database import make_go_database
from tests.tracker.transfer.test_beads import LINES
from tests.tracker.transfer.test_github import REST
from tracker import Tracker
from tracker.transfer import Dump, Source, SourceError, import_file, write_json, write_sql

SQL = "-- td-export 1: …\nBEGIN TRANSACTION;\n{}\nCOMMIT;\n"
NOTES = "CREATE TABLE notes (id TEXT PRIMARY KEY, title TEXT, content TEXT{}, created_at TEXT);\n"


def written(folder: Path, text: str) -> Path:
    """A file that holds a text."""
    path = folder / "file"
    path.write_text(text, encoding="utf-8", newline="")
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH 'OTHER' AS other;",
        "PRAGMA journal_mode = WAL;",
        "SELECT writefile('OTHER', 'x');",
        "CREATE TABLE other (id TEXT);",
        "CREATE VIEW notes AS SELECT 1;",
        "CREATE TEMP TABLE notes (id TEXT);",
        "CREATE VIRTUAL TABLE notes USING fts5(content);",
        "CREATE TABLE notes AS SELECT 1;",
        NOTES.format("") + "CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM notes; END;",
        NOTES.format("") + "INSERT INTO notes SELECT * FROM notes;",
        NOTES.format("") + "INSERT INTO notes (id) VALUES (hex(zeroblob(1000)));",
        NOTES.format("") + "INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x (id)');",
        NOTES.format("") + "DELETE FROM notes;",
        NOTES.format(" DEFAULT (randomblob(9))") + "INSERT INTO notes (id) VALUES ('n');",
        NOTES.format(" CHECK (load_extension('x'))") + "INSERT INTO notes (id) VALUES ('n');",
        NOTES.format(" AS (hex(zeroblob(100000000)))") + "INSERT INTO notes (id, title) VALUES ('n', 't');",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT * FROM c;",
        "COMMIT;\nBEGIN TRANSACTION;",
    ],
)
def test_sql_that_no_export_has_in_it_is_not_run(tracker: Tracker, tmp_path: Path, statement: str) -> None:
    """Whatever it would do, it is refused with its line, and nothing is written anywhere."""
    other = tmp_path / "other"
    path = written(tmp_path, SQL.format(statement.replace("OTHER", str(other))))

    with pytest.raises(SourceError, match=r"file: (line \d+: )?"):
        import_file(tracker, path)

    assert rows_of(tracker) == []
    assert not other.exists()


WRONG = [
    ("", "it is empty"),
    ("hello", "it is none of the files"),
    ("[]", "an empty list"),
    ('{"format": "td-export", "version": 2, "issues": []}', "version '2'"),
    ('{"version": 1, "issues": []}', "does not say"),
    ('{"format": "td-export", "version": 1, "issues": [{"id":\n"td-1",\n}]}', "line 3: it is not JSON"),
    ('{"format": "td-export", "version": 1, "issues": [\n{}\n{}]}', "line 3: ',' is expected"),
    ('{"format": "td-export", "version": 1, "issues": [', "ends in the middle of a value"),
    ('{"format": "td-export", "version": 1} x', "something comes after its end"),
    ('{"format": "td-export", "version": NaN}', "NaN is no JSON"),
    ('{"format": "td-export", "issues": [' + "[" * 100_000, "nested too deeply"),
    ('{"id": "bd-1", "title": "a"}\n{"id": "bd-2", "title": "b"', "line 2: it is not JSON"),
    ('[{"issue": {"id": "td-1"}, "logs": []}]', "export of the Go td"),
    ('{"a": 1}', "of a kind that td does not know"),
    ("-- td-export 1\nBEGIN TRANSACTION;\n", "ends before its COMMIT"),
    ("-- td-export 1\nBEGIN TRANSACTION;\nINSERT INTO issues VALUES ('\n", "line 3: SQL does not run"),
    (SQL.format("") + "BEGIN;", "comes after its COMMIT"),
]


@pytest.mark.parametrize(("text", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_file_that_is_not_whole_is_told_with_its_place(
    tracker: Tracker, tmp_path: Path, text: str, told: str
) -> None:
    """In one sentence, with what to do; nothing of it is written."""
    with pytest.raises(SourceError) as caught:
        import_file(tracker, written(tmp_path, text))

    assert told in str(caught.value)
    assert caught.value.hint
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_at_all_is_told(tracker: Tracker, tmp_path: Path) -> None:
    """A file that is not there, a directory, bytes that are no text."""
    binary = tmp_path / "binary"
    binary.write_bytes(b'{"format": "td-export", "issues": [\xff')

    for path in (tmp_path / "nowhere", tmp_path, binary):
        with pytest.raises(SourceError):
            import_file(tracker, path)


def go_bytes(_: Tracker, folder: Path) -> bytes:
    """A database of the Go td."""
    return make_go_database(folder / "go.db", 38).read_bytes()


def beads_bytes(_: Tracker, __: Path) -> bytes:
    """A file of beads."""
    return "\n".join(map(json.dumps, LINES)).encode()


def github_bytes(_: Tracker, __: Path) -> bytes:
    """A list of GitHub."""
    return json.dumps(REST).encode()


def json_bytes(tracker: Tracker, _: Path) -> bytes:
    """An export in JSON."""
    return "".join(write_json(Dump(tracker, with_deleted=True))).encode()


def sql_bytes(tracker: Tracker, _: Path) -> bytes:
    """An export in SQL."""
    return "".join(write_sql(Dump(tracker, with_deleted=True))).encode()


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (go_bytes, Source.GO_TD),
        (beads_bytes, Source.BEADS),
        (github_bytes, Source.GITHUB),
        (json_bytes, Source.TD),
        (sql_bytes, Source.TD),
    ],
    ids=["go-td", "beads", "github", "json", "sql"],
)
def test_damage_ends_in_an_error_of_ours_or_in_rows(
    tracker: Tracker, tmp_path: Path, make: Callable[[Tracker, Path], bytes], source: Source
) -> None:
    """However a file is cut, or its bytes are changed."""
    issue = tracker.create("Oat 'milk'", labels=frozenset({"a"}))
    tracker.comment(issue.id, "or\nsoy")
    whole = make(tracker, tmp_path)
    chance = random.Random(4)
    path = tmp_path / "damaged"

    for _ in range(60):
        path.write_bytes(damaged(whole, chance))
        with suppress(SourceError):
            import_file(tracker, path, source=source, dry_run=True)


def damaged(whole: bytes, chance: random.Random) -> bytes:
    """The bytes of a file with one harm done to them."""
    data = bytearray(whole)
    at, length = chance.randrange(len(data)), chance.randrange(1, 40)
    harm = chance.randrange(4)
    if harm == 0:
        return bytes(data[:at])
    if harm == 1:
        data[at : at + length] = chance.randbytes(length)
    elif harm == 2:
        del data[at : at + length]
    else:
        # The kind of value that stands in another's place.
        words = [b"null", b"7", b"[]", b"{}", b'"x"', b"true", b"1e999", b"[[1]]", b'"\\ud800"', b"-0.5"]
        colon = data.find(b": ", at)
        start = at if colon < 0 else colon + 2
        data[start : start + chance.randrange(0, 8)] = chance.choice(words)
    return bytes(data)


@pytest.mark.parametrize("source", [Source.BEADS, Source.GITHUB], ids=str)
def test_any_value_in_the_place_of_another_is_borne(tracker: Tracker, tmp_path: Path, source: Source) -> None:
    """Whatever kind of JSON value each field has."""
    elements = LINES if source is Source.BEADS else REST
    values: list[object] = [
        None,
        7,
        -0.5,
        True,
        "x",
        "",
        [],
        [7],
        [[]],
        {},
        {"a": 1},
        [None],
        ["\ud800"],
        [{"name": 7}],
    ]
    path = tmp_path / "odd.json"

    odd = [{**element, name: value} for element in elements for name in element for value in values if name != "_type"]
    path.write_text(json.dumps(odd))

    import_file(tracker, path, source=source, dry_run=True)
