"""Records read from the pages of a file are those that SQLite reads; from a damaged one, those of its sound pages."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica.pages import records

VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=50),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50),
)  # fmt: skip
KEYS = st.one_of(st.integers(-(2**63), -1), st.integers(100, 2**63 - 1))
ROWS = st.lists(st.tuples(KEYS, VALUES, VALUES), max_size=30, unique_by=lambda row: row[0])
SPILLING = [(n, "long " * 3000 * n, b"x" * 900 * n) for n in range(8)]


def _write(path: Path, rows: Sequence[tuple[object, ...]], *, in_log: bool) -> tuple[bytes, bytes]:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE kept (n INTEGER PRIMARY KEY, one, two)")
        connection.execute("CREATE TABLE keyed (n, one, two, PRIMARY KEY (n)) WITHOUT ROWID")
        for table in ("kept", "keyed"):
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", rows)
        if not in_log:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        log = Path(f"{path}-wal")
        return path.read_bytes(), log.read_bytes() if log.exists() else b""


def _shown(rows: object) -> list[str]:
    return sorted(map(repr, rows))  # type: ignore[call-overload] # any iterable; floats and their signs by their text


@pytest.mark.parametrize("in_log", [True, False])
@given(drawn=ROWS, spilling=st.integers(0, len(SPILLING)))
def test_what_sqlite_wrote_is_read_whole(
    tmp_path_factory: pytest.TempPathFactory, *, in_log: bool, drawn: list[tuple[object, ...]], spilling: int
) -> None:
    """Tables with and without rowid, every kind of value, rows that spill over their page; in the file or the log."""
    rows = drawn + SPILLING[:spilling]
    database, log = _write(tmp_path_factory.mktemp("pages") / "file.db", rows, in_log=in_log)

    found = [record for record in records(database, log) if len(record.values) == 3]

    by_rowid = [(record.rowid, *record.values[1:]) for record in found if record.rowid is not None]
    assert _shown(by_rowid) == _shown(rows)
    assert _shown(record.values for record in found if record.rowid is None) == _shown(rows)


@given(st.binary(max_size=9000), st.binary(max_size=9000))
def test_garbage_is_no_error(database: bytes, log: bytes) -> None:
    """There may be nothing to find."""
    assert isinstance(list(records(database, log)), list)
    assert isinstance(list(records(b"SQLite format 3\0" + database, log)), list)


def test_damage_costs_only_its_own_page(tmp_path: Path) -> None:
    """A page overwritten in the middle, and the header of the file with it."""
    rows = [(number, f"row {number}", "x" * 100) for number in range(1000)]
    database, log = _write(tmp_path / "file.db", rows, in_log=False)
    damaged = bytearray(database)
    damaged[:100] = b"\x55" * 100
    damaged[4096 * 5 : 4096 * 6] = b"\x55" * 4096

    found = {record.rowid for record in records(bytes(damaged), log) if record.rowid is not None}

    assert len(found) > 900


def test_what_was_not_committed_is_not_read(tmp_path: Path) -> None:
    """Nobody was told that it was written; nor what follows a torn frame."""
    path = tmp_path / "file.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA cache_size = 5")
        connection.execute("CREATE TABLE kept (n INTEGER PRIMARY KEY, one)")
        connection.execute("INSERT INTO kept VALUES (1, 'committed')")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO kept VALUES (?, ?)", [(n, "x" * 1000) for n in range(2, 100)])
        database, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()

    assert len(log) > 50_000
    assert [record.values for record in records(database, log) if record.rowid == 1][-1] == (None, "committed")
    assert not [record for record in records(database, log) if record.rowid == 50]
