"""Which rows may be shown otherwise than at an earlier moment: what an index, a cache or a mirror has to know.

Always true:
- every row that is shown otherwise than when a marker was given is told of, whether it was changed here or by others,
  merged, parked, taken back or settled since; rows that are not may be told of too;
- where that cannot be told (another base or none, a migration, history that was pruned) it is said so: `rows` is None;
- what it costs grows with what changed and with what is pending, not with what is stored.

What somebody writes on the primary past every client, history and all, is not noticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from replica import overlay
from replica.drivers.embedded import Embedded
from replica.drivers.protocol import Driver
from replica.history import HISTORY
from replica.migrate import READ_APPLIED
from replica.schema import Table, quote

_Pending = dict[str, dict[str, str]]
"""For each table, the rows that something is pending of, and a digest of each as it is shown."""
_DIGEST_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Changed:
    """What may be shown otherwise now.

    marker: stands for this moment, for the next time; a text to keep, about as long as what is pending.
    rows: for each table asked for, the ids of the rows that may differ, gone ones too; None: all of them may.
    """

    marker: str
    rows: Mapping[str, frozenset[str]] | None


@dataclass(frozen=True, slots=True)
class _Moment:
    """What a marker holds. footing: what has to stay the same. seq, salt: of the newest change; 0 before the first."""

    footing: str
    seq: int
    salt: int
    pending: _Pending

    def text(self) -> str:
        return json.dumps([self.footing, self.seq, self.salt, self.pending], separators=(",", ":"))


def changes_since(driver: Driver, marker: str, tables: Sequence[Table]) -> Changed:
    """What may differ since `marker` was given; "" for a start. Called within a snapshot of the driver."""
    source = _source(driver)
    now = _now(driver, source, tables)
    before = _read_marker(marker)
    rows: dict[str, set[str]] | None = None
    if before is not None and before.footing == now.footing and _is_known(driver, source, before):
        rows = _settled_since(driver, source, before.seq, tables)
        for name, row_id in _moved(before.pending, now.pending):
            rows[name].add(row_id)
    return Changed(now.text(), None if rows is None else {name: frozenset(ids) for name, ids in rows.items()})


def _source(driver: Driver) -> str | None:
    """What stands before the tables of what is settled; None where there is nothing yet."""
    if not isinstance(driver, Embedded):
        return ""
    return f"{overlay.BASE}." if HISTORY in driver.attached().base_tables else None


def _now(driver: Driver, source: str | None, tables: Sequence[Table]) -> _Moment:
    pending = _pending(driver, tables)
    names = ",".join(table.name for table in tables)
    if source is None:
        return _Moment(_digest(names), 0, 0, pending)
    primary = driver.read(f"SELECT id FROM {source}_replica_primary").rows
    applied = driver.read(READ_APPLIED.replace("_replica_migrations", f"{source}_replica_migrations")).rows
    newest = driver.read(f"SELECT seq, salt FROM {source}{HISTORY} ORDER BY seq DESC LIMIT 1").rows
    seq, salt = (int(str(value)) for value in newest[0]) if newest else (0, 0)
    return _Moment(_digest((names, primary, applied)), seq, salt, pending)


def _pending(driver: Driver, tables: Iterable[Table]) -> _Pending:
    if not isinstance(driver, Embedded):
        return {}
    found: _Pending = {}
    for table in tables:
        # The whole row, since a stamp alone may stand for another content after a merge.
        columns = ", ".join(map(quote, table.columns))
        rows = driver.read(f"SELECT id, deleted, {columns} FROM main.{quote(overlay.overlay_name(table.name))}").rows
        if rows:
            found[table.name] = {str(row[0]): _digest(row) for row in rows}
    return found


def _digest(value: object) -> str:
    return blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()


def _is_known(driver: Driver, source: str | None, before: _Moment) -> bool:
    """Whether all that was settled since can be read in the history: it still holds where that stood then."""
    if source is None:
        return True
    if before.seq == 0:
        # The newest entry of a history always stays, so one that is empty still never had any.
        return not driver.read(f"SELECT 1 FROM {source}{HISTORY} LIMIT 1").rows
    found = driver.read(f"SELECT salt FROM {source}{HISTORY} WHERE seq = ?", (before.seq,)).rows
    return [row[0] for row in found] == [before.salt]


def _settled_since(driver: Driver, source: str | None, seq: int, tables: Sequence[Table]) -> dict[str, set[str]]:
    rows: dict[str, set[str]] = {table.name: set() for table in tables}
    if source is None:
        return rows
    marks = ", ".join("?" * len(rows))
    sql = f"SELECT DISTINCT table_name, row_id FROM {source}{HISTORY} WHERE seq > ? AND table_name IN ({marks})"
    for name, row_id in driver.read(sql, (seq, *rows)).rows:
        rows[str(name)].add(str(row_id))
    return rows


def _moved(before: _Pending, now: _Pending) -> Iterable[tuple[str, str]]:
    """The rows that are pending otherwise than before, or only now, or no more."""
    for name in before.keys() | now.keys():
        then, current = before.get(name, {}), now.get(name, {})
        for row_id, _ in then.items() ^ current.items():
            yield name, row_id


def _read_marker(marker: str) -> _Moment | None:
    """What a marker holds; None for one that is none, as at a start."""
    try:
        footing, seq, salt, pending = json.loads(marker)
        return _Moment(str(footing), int(seq), int(salt), {str(name): dict(ids) for name, ids in pending.items()})
    except (ValueError, TypeError, AttributeError):
        return None
