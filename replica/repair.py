"""Repair: mend what can be mended of a replica, and prove that it holds what the primary holds.

Always true:
- before anything is changed, a copy of `local.db` stands beside it;
- what waits in the outbox is not touched;
- a row is said to differ only if it still does after another sync.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final

from replica import outbox, overlay
from replica.compare import Ask, Comparison, Values, compare_table, count_rows, rows_by_id
from replica.drivers.embedded import Embedded, Trust
from replica.errors import DamagedError, ReplicaError
from replica.history import HISTORY
from replica.pull import base_path
from replica.report import Check
from replica.schema import quote
from replica.sqlite_file import create_private

if TYPE_CHECKING:
    from replica.sync import Sync

_SHOWN: Final = 5


def repair(store: Embedded, sync: Sync, *, at: str, full: bool, deadline_s: float) -> list[Check]:
    """Mend a replica, step by step; one check for each, in order, and the last ones for its tables.

    at: a stamp, for the name of the copy. full: compare every row with the primary, not a sample.
    Raises DamagedError where `local.db` itself is damaged: nothing is changed then, and `salvage_outbox` comes first.
    """
    own = store.own_damage()
    if own is not None:
        raise own
    checks = [_copy(store, at), _mend_base(store)]
    report = sync.run(deadline_s=deadline_s)
    if report.error is not None:
        checks.append(Check("sync", ok=False, detail=str(report.error), hint=report.error.hint))
    else:
        checks.append(Check("sync", ok=True, detail=f"{report.pushed} pushed, {report.pulled} pulled"))
    checks.append(_rebuild(store))
    if report.error is None:
        try:
            checks += _compare(store, sync, full=full, deadline_s=deadline_s)
        except ReplicaError as error:
            checks.append(Check("compare", ok=False, detail=str(error), hint=error.hint))
    return checks


def _copy(store: Embedded, at: str) -> Check:
    name = at.replace(":", "").replace("-", "").split(".")[0]
    path = store.directory / f"local-before-repair-{name}.db"
    create_private(path)
    with store.looking() as source, closing(sqlite3.connect(path)) as target:
        source.backup(target)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    with store.looking() as connection:
        waiting = outbox.count_queued(connection)
    return Check("copy", ok=True, detail=f"{path.name} holds local.db as it was, {waiting} pending with it")


def _mend_base(store: Embedded) -> Check:
    path = base_path(store.directory)
    if not path.exists():
        return Check("replica.db", ok=True, detail="not there; the sync fetches it")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        verdict = str(error)
    if verdict == "ok":
        return Check("replica.db", ok=True, detail="every page of it is sound")
    store.distrust_base(Trust.DAMAGED)
    return Check("replica.db", ok=True, detail=f"damaged ({verdict}); set aside, to be fetched anew")


def _rebuild(store: Embedded) -> Check:
    try:
        with store.writing() as connection:
            store.rebuild_overlay(connection)
            waiting = outbox.count(connection)
    except DamagedError as error:
        return Check("overlay", ok=False, detail=str(error), hint=error.hint)
    return Check("overlay", ok=True, detail=f"derived anew from the base and {waiting} mutations")


def _compare(store: Embedded, sync: Sync, *, full: bool, deadline_s: float) -> Iterator[Check]:
    results = _compared(store, sync, full=full, deadline_s=deadline_s)
    bad = [result.table for result in results if not result.is_same]
    if bad:
        # Not what the primary holds, though it came from there: only a whole new copy can be trusted.
        store.distrust_base(Trust.OUTDATED)
        sync.run(deadline_s=deadline_s)
        yield Check("fetch", ok=True, detail=f"replica.db was fetched anew, because it differed in {', '.join(bad)}")
        results = _compared(store, sync, full=full, deadline_s=deadline_s)
    for result in results:
        yield _told(result, full=full)


def _told(result: Comparison, *, full: bool) -> Check:
    name = f"table {result.table}"
    if not result.is_same:
        rows = [*result.differing[:_SHOWN], *([f"{result.surplus:+} rows"] if result.surplus else [])]
        more = f" and {len(result.differing) - _SHOWN} more" if len(result.differing) > _SHOWN else ""
        hint = "keep a copy of the directory, and report this: it should not be possible"
        return Check(name, ok=False, detail=f"differs from the primary: {', '.join(rows)}{more}", hint=hint)
    if full:
        return Check(name, ok=True, detail=f"all {result.total} rows as on the primary, sha256 {result.here[:16]}")
    return Check(name, ok=True, detail=f"{result.rows} of {result.total} rows as on the primary")


def _compared(store: Embedded, sync: Sync, *, full: bool, deadline_s: float) -> list[Comparison]:
    """All tables compared; as differing counts only what still does after another sync, since others may write."""
    tables = {name: table for name, table in store.attached().base_tables.items() if name in (*store.tables, HISTORY)}
    results = [compare_table(table, *_sides(store, sync, name), full=full) for name, table in sorted(tables.items())]
    if not all(result.is_same for result in results):
        sync.run(deadline_s=deadline_s)
        for result in results:
            table, (here, there) = tables[result.table], _sides(store, sync, result.table)
            result.differing = [
                each for each in result.differing if rows_by_id(table, [each], here) != rows_by_id(table, [each], there)
            ]
            result.surplus = count_rows(here) - count_rows(there) if result.surplus else 0
    return results


def _sides(store: Embedded, sync: Sync, table: str) -> tuple[Ask, Ask]:
    def here(sql: str, params: Values) -> Sequence[Values]:
        found = store.connection().execute(sql.replace("{table}", f"{overlay.BASE}.{quote(table)}"), params)
        return found.fetchall()

    def there(sql: str, params: Values) -> Sequence[Values]:
        return sync.ask(sql.replace("{table}", quote(table)), params)

    return here, there
