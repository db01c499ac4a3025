"""What the primary lost: mutations that it had acknowledged, and that a restore from an older copy took away.

Owns the tables `sent`, `received` and `lost` of `local.db`. Always true:
- a mutation made here is remembered for 30 days after the base held it, whatever becomes of the base, unless the
  primary pruned it before;
- what the primary may have pruned is not taken for lost, by the clock of the primary alone;
- a mutation that the primary lost is kept here until the primary has it again, or a person lets it go;
- sent again it keeps its id, so that it is applied once, though others send it too.

Every function works inside the transaction of its caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from replica.history import CONFLICTS, HISTORY
from replica.mutation import Change, Kind, Mutation, decode_changes, decode_fields, encode_changes, legible
from replica.outbox import NOT_PARKED

DAYS_KEPT: Final = 30

TABLES: Final = """
CREATE TABLE IF NOT EXISTS sent (
    id TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    changes TEXT NOT NULL,
    settled_at TEXT NOT NULL,
    seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS received (
    id TEXT PRIMARY KEY,
    at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lost (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    session TEXT NOT NULL,
    machine TEXT NOT NULL,
    made_at TEXT NOT NULL,
    schema_version INTEGER NOT NULL,
    changes TEXT NOT NULL
);
"""

_COLUMNS: Final = "id, session, machine, made_at, schema_version, changes"
_CHANGES: Final = "json_group_array(json_array(table_name, row_id, kind, seen, stamp, fields, yields))"

_ORIGINAL: Final = f"""(SELECT o.changes FROM originals o WHERE o.seq = m.seq AND {NOT_PARKED})"""


def keep_sent(connection: sqlite3.Connection, base: str, held: str, at: str) -> None:
    """Remember the mutations of the outbox whose numbers the SQL `held` selects from the base `base`, settled `at`.

    As their author made them: what they were merged with may be lost with them. What was parked, as it was parked.
    """
    connection.execute(
        f"""INSERT OR REPLACE INTO received SELECT m.id, max(c.received_at) FROM mutations m
        CROSS JOIN {base}.{HISTORY} c ON c.mutation = m.id GROUP BY m.id"""
    )
    connection.execute(
        f"""INSERT OR REPLACE INTO sent ({_COLUMNS}, settled_at, seq)
        SELECT id, session, machine, made_at, schema_version, coalesce(original, {_CHANGES}), ?, seq FROM (
            SELECT m.seq, m.id, m.session, m.machine, m.made_at, m.schema_version,
                c.table_name, c.row_id, c.kind, c.seen, c.stamp, c.fields, c.yields, {_ORIGINAL} AS original
            FROM mutations m JOIN changes c ON c.seq = m.seq WHERE m.seq IN ({held}) ORDER BY m.seq, c.position)
        GROUP BY seq""",
        (at,),
    )


def forget_sent(connection: sqlite3.Connection, now: str) -> None:
    """Forget what was settled longer ago than we remember it."""
    before = datetime.fromisoformat(now.removesuffix("Z")) - timedelta(days=DAYS_KEPT)
    connection.execute("DELETE FROM sent WHERE settled_at < ?", (before.isoformat("T", "microseconds"),))
    connection.execute("DELETE FROM received WHERE id NOT IN (SELECT id FROM sent)")


def note_sent_and_gone(connection: sqlite3.Connection, base: str, *, kept_since: int) -> int:
    """Note as lost what was sent from here, and the base named `base`, a fresh one, does not hold. Returns how many.

    kept_since: seconds by the primary's clock, asked after the base was fetched. What the primary received before may
    have been pruned, and applied twice if it were sent again. It is remembered for 30 days by the clock of this
    machine, which may stand still; so that one does not decide.
    """
    # An older make did not keep when it was received: only the time when it settled here is known of that.
    received_at = "coalesce((SELECT r.at FROM received r WHERE r.id = s.id), unixepoch(s.settled_at))"
    return connection.execute(
        f"""INSERT OR IGNORE INTO lost ({_COLUMNS}) SELECT {_COLUMNS} FROM sent s
        WHERE NOT EXISTS (SELECT 1 FROM {base}.{HISTORY} c WHERE c.mutation = s.id)
        AND NOT EXISTS (SELECT 1 FROM mutations m WHERE m.id = s.id)
        AND {received_at} >= ? ORDER BY s.settled_at, s.seq""",
        (kept_since,),
    ).rowcount


def sent_and_held(connection: sqlite3.Connection, base: str) -> list[str]:
    """The ids of what was sent from here and the base named `base` holds."""
    sql = f"SELECT id FROM sent s WHERE EXISTS (SELECT 1 FROM {base}.{HISTORY} c WHERE c.mutation = s.id)"
    return [str(row[0]) for row in connection.execute(sql)]


def forget_pruned(connection: sqlite3.Connection, missing: Iterable[str]) -> None:
    """Forget what was sent from here if the primary is `missing` it and did not lose it; after `note_gone`.

    A fresh base will not tell the two apart so well as the old one, which holds what came later.
    """
    connection.executemany(
        "DELETE FROM sent WHERE id = ? AND id NOT IN (SELECT id FROM lost)", [(each,) for each in missing]
    )


def gather_gone(connection: sqlite3.Connection, gone: Iterable[Sequence[str]]) -> None:
    """Remember, for `note_gone`, the ids of mutations that the primary does not have any more.

    They come in portions, as many as the primary ever had if all of it is gone, and each may have to be asked for: so
    this is done before the transaction, in a table of this connection alone.
    """
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS gone (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.gone")
    for ids in gone:
        connection.executemany("INSERT OR IGNORE INTO temp.gone VALUES (?)", [(each,) for each in ids])


def note_gone(connection: sqlite3.Connection, base: str) -> int:
    """Note as lost what was gathered, from the old base named `base` and in its order. Returns how many are new."""
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM lost").fetchone()[0]
    columns = {row[1] for row in connection.execute(f"PRAGMA {base}.table_info({HISTORY})")}
    # In a base of an older make no change yields.
    yields = "yields" if "yields" in columns else "0 AS yields"
    noted = connection.execute(
        f"""INSERT OR IGNORE INTO lost ({_COLUMNS})
        SELECT mutation, session, machine, made_at, schema_version, changes FROM (
            SELECT min(seq) AS first, mutation, session, machine, made_at, schema_version, {_CHANGES} AS changes
            FROM (SELECT seq, mutation, session, machine, made_at, schema_version,
                table_name, row_id, kind, seen, stamp, fields, {yields}
                FROM {base}.{HISTORY} WHERE mutation IN (SELECT id FROM temp.gone) ORDER BY seq)
            GROUP BY mutation)
        WHERE mutation NOT IN (SELECT id FROM mutations) ORDER BY first"""
    ).rowcount
    connection.execute("DELETE FROM temp.gone")
    _complete_conflicts(connection, base, after=last)
    return noted


def _complete_conflicts(connection: sqlite3.Connection, base: str, *, after: int) -> None:
    """Give the inserts of conflicts their rows, which history does not repeat."""
    rows = connection.execute(
        "SELECT seq, changes FROM lost WHERE seq > ? AND changes LIKE ?", (after, f'%"{CONFLICTS}","%","insert"%')
    )
    for seq, text in rows.fetchall():
        with legible():
            changes = [_completed(connection, base, change) for change in decode_changes(text)]
        connection.execute("UPDATE lost SET changes = ? WHERE seq = ?", (encode_changes(changes), seq))


def _completed(connection: sqlite3.Connection, base: str, change: Change) -> Change:
    if (change.table, change.kind) != (CONFLICTS, Kind.INSERT) or change.fields:
        return change
    cursor = connection.execute(f"SELECT * FROM {base}.{CONFLICTS} WHERE id = ?", (change.row_id,))
    found = cursor.fetchone()
    row = dict(zip([item[0] for item in cursor.description], found, strict=True)) if found else {}
    later = f"SELECT fields FROM {base}.{HISTORY} WHERE table_name = ? AND row_id = ? AND kind = ? ORDER BY seq DESC"
    for (fields,) in connection.execute(later, (CONFLICTS, change.row_id, Kind.UPDATE.value)):
        row |= {name: before for name, (before, _) in decode_fields(fields).items()}
    return replace(
        change,
        fields={name: (None, value) for name, value in row.items() if name not in ("id", "updated_at")},
    )


def drop_found(connection: sqlite3.Connection, base: str) -> None:
    """Forget what the primary has again, because somebody sent it."""
    connection.execute(f"DELETE FROM lost WHERE EXISTS (SELECT 1 FROM {base}.{HISTORY} c WHERE c.mutation = lost.id)")


def load(connection: sqlite3.Connection) -> list[Mutation]:
    """What the primary lost, in the order in which it had it."""
    with legible():
        return [
            Mutation(str(row[0]), str(row[1]), str(row[2]), str(row[3]), int(row[4]), decode_changes(str(row[5])))
            for row in connection.execute(f"SELECT {_COLUMNS} FROM lost ORDER BY seq")
        ]


def count(connection: sqlite3.Connection) -> int:
    """How many mutations the primary lost, that are known here."""
    return int(connection.execute("SELECT count(*) FROM lost").fetchone()[0])


def note(connection: sqlite3.Connection, mutations: Iterable[Mutation]) -> None:
    """Note mutations as lost that somebody else remembered."""
    connection.executemany(
        f"INSERT OR IGNORE INTO lost ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
        [(m.id, m.session, m.machine, m.made_at, m.schema_version, encode_changes(m.changes)) for m in mutations],
    )


def take_out(connection: sqlite3.Connection) -> list[Mutation]:
    """Take out all that the primary lost, to send it again or to let it go; it counts as sent no more."""
    mutations = load(connection)
    connection.execute("DELETE FROM sent WHERE id IN (SELECT id FROM lost)")
    connection.execute("DELETE FROM lost")
    return mutations
