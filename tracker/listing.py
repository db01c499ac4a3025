"""Which issues a list shows, and how they are read.

Always true:
- a list hides closed, deleted and deferred issues unless it is asked for them, or for what only they have;
- every value is a bound parameter; the SQL text is made of ours only;
- what is to be shown is chosen by its keys first, and only the rows that are shown are read whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Final, TypeAlias

from tracker.records import Issue

if TYPE_CHECKING:
    from tracker.tdq import Compiled, Filter
    from tracker.tracker import Tracker

StoredValue: TypeAlias = str | int
_BY_URGENCY: Final = ("issues.priority", "issues.created_at", "issues.id")
# Fields of an issue that speak of closed and of deferred ones; an id speaks of whatever it names.
_OF_CLOSED: Final = frozenset({"id", "status", "closed", "closer"})
_OF_DEFERRED: Final = frozenset({"id", "defer", "defer_count"})
_OF_DELETED: Final = frozenset({"deleted"})
# A deleted issue that was closed, or put off, is shown among the deleted: that is where one looks for it.
_IS_DELETED: Final = "issues.deleted_at IS NOT NULL"
# What the index of unclosed issues holds besides what a list asks for anyway.
_INDEXED: Final = frozenset({"priority", "type", "title", "labels", "implementer", "due"})


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFilter:
    """Which issues to list: by default those that are neither closed nor deleted nor deferred, the most urgent first.

    filter: only those that it describes, in its order. with_closed, with_deleted, with_deferred: add the closed, the
    deleted, the deferred; a filter that speaks of them by a field adds them by itself. limit: at most so many.
    """

    filter: Filter | None = None
    with_closed: bool = False
    with_deleted: bool = False
    with_deferred: bool = False
    is_reversed: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters. The first column is the id, the others are what it is ordered by."""

    sql: str
    params: tuple[StoredValue, ...]


def filtered(text: str, *, limit: int | None = None, with_closed: bool = False) -> IssueFilter:
    """The issues that a text of the filter language describes. Raises FilterError."""
    from tracker.tdq import parse  # noqa: PLC0415 - a list without a filter does not pay for it

    return IssueFilter(filter=parse(text), limit=limit, with_closed=with_closed)


def check_filter(tracker: Tracker, text: str) -> None:
    """Raise FilterError for a text that describes no issues."""
    statement_of(tracker, filtered(text))


def find_issues(tracker: Tracker, wanted: IssueFilter, *, zone: tzinfo | None = None) -> list[Issue]:
    """The issues that `wanted` describes, in its order.

    zone: where the days of the filter are days; None is where this machine is. Raises FilterError.
    """
    found = find_ids(tracker, wanted, zone=zone)
    issues = {issue.id: issue for issue in _whole(tracker, found)}
    # Another process may have taken one away since.
    return [issues[issue_id] for issue_id in found if issue_id in issues]


def find_ids(tracker: Tracker, wanted: IssueFilter, *, zone: tzinfo | None = None) -> list[str]:
    """The ids of the issues that `wanted` describes, in its order. Raises FilterError."""
    statement = statement_of(tracker, wanted, zone=zone)
    return [str(row[0]) for row in tracker.replica.read(statement.sql, statement.params).rows]


def count_issues(tracker: Tracker, wanted: IssueFilter, *, zone: tzinfo | None = None) -> int:
    """How many issues `wanted` describes. Raises FilterError."""
    statement = statement_of(tracker, wanted, zone=zone)
    # LIMIT -1 where there is none: SQLite would count the view itself, and read all of it.
    limited = statement.sql if wanted.limit is not None else f"{statement.sql} LIMIT -1"
    counted = f"SELECT count(*) FROM ({limited})"
    return int(str(tracker.replica.read(counted, statement.params).rows[0][0]))


def explain(tracker: Tracker, wanted: IssueFilter, *, zone: tzinfo | None = None) -> tuple[Statement, list[str]]:
    """The SQL of `wanted`, and how SQLite would run it. Raises FilterError."""
    statement = statement_of(tracker, wanted, zone=zone)
    rows = tracker.replica.read(f"EXPLAIN QUERY PLAN {statement.sql}", statement.params).rows
    return statement, _plan_lines((int(str(row[0])), int(str(row[1])), str(row[3])) for row in rows)


def _plan_lines(steps: Iterable[tuple[int, int, str]]) -> list[str]:
    depths = {0: 0}
    lines = []
    for step, above, told in steps:
        depths[step] = depths.get(above, 0) + 1
        lines.append("  " * (depths[step] - 1) + told)
    return lines


def _whole(tracker: Tracker, ids: list[str]) -> list[Issue]:
    if not ids:
        return []
    return tracker.replica.select(Issue, "WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))


def statement_of(tracker: Tracker, wanted: IssueFilter, *, zone: tzinfo | None = None) -> Statement:
    """The SQL that finds the ids. Raises FilterError."""
    now = tracker.now()
    return _statement(wanted, _compiled(tracker, wanted, now, zone), _today(now, zone))


def condition_of(
    tracker: Tracker, wanted: IssueFilter, *, zone: tzinfo | None = None
) -> tuple[str, tuple[StoredValue, ...]]:
    """What `wanted` asks of a row of `issues`, as SQL, and the parameters. Raises FilterError."""
    now = tracker.now()
    compiled = _compiled(tracker, wanted, now, zone)
    made, conditions, params = _conditions(wanted, compiled, _today(now, zone), is_own_order=False)
    condition = " AND ".join(conditions) or "1"
    if made:
        condition = f"issues.id IN (WITH {made} SELECT issues.id FROM issues WHERE {condition})"
    return condition, tuple(params)


def _compiled(tracker: Tracker, wanted: IssueFilter, now: datetime, zone: tzinfo | None) -> Compiled | None:
    if wanted.filter is None:
        return None
    from tracker.tdq import Context, compile_filter  # noqa: PLC0415 - a list without a filter does not pay for it

    return compile_filter(wanted.filter, Context(now=now, me=tracker.session, zone=zone, pending=tracker.pending_ids))


def _today(now: datetime, zone: tzinfo | None) -> str:
    return now.astimezone(zone).date().isoformat()


def _statement(wanted: IssueFilter, compiled: Compiled | None, today: str) -> Statement:
    order = (compiled.order if compiled is not None else ()) or ()
    made, conditions, params = _conditions(wanted, compiled, today, is_own_order=bool(order))
    keys = (*order, *(key for key in _BY_URGENCY if not any(key in part for part in order)))
    ordered = [_reversed(key) for key in keys] if wanted.is_reversed else list(keys)
    # SQLite takes the view of a replica apart only where everything it orders by is a column of the result.
    columns = ", ".join(["issues.id", *(key.removesuffix(" DESC") for key in keys)])
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"{made and f'WITH {made} '}SELECT {columns} FROM issues{where} ORDER BY {', '.join(ordered)}"
    if wanted.limit is None:
        return Statement(sql, tuple(params))
    return Statement(f"{sql} LIMIT ?", (*params, wanted.limit))


def _reversed(key: str) -> str:
    if key.endswith(" IS NULL"):
        return key
    return key.removesuffix(" DESC") if key.endswith(" DESC") else f"{key} DESC"


def _conditions(
    wanted: IssueFilter, compiled: Compiled | None, today: str, *, is_own_order: bool
) -> tuple[str, list[str], list[StoredValue]]:
    """The tables that the conditions read besides, as WITH makes them, the conditions, and the parameters of both."""
    conditions, params = _visible(wanted, compiled, today, is_own_order=is_own_order)
    if compiled is None or compiled.where is None:
        return "", conditions, params
    tables = compiled.where.tables
    made = ", ".join(f"{table.name} AS MATERIALIZED ({table.sql})" for table in tables)
    of_tables = [value for table in tables for value in table.params]
    return made, [*conditions, compiled.where.sql], [*of_tables, *params, *compiled.where.params]


def _visible(
    wanted: IssueFilter, compiled: Compiled | None, today: str, *, is_own_order: bool
) -> tuple[list[str], list[StoredValue]]:
    """What a list hides, as conditions on what it shows."""
    names = compiled.names if compiled is not None else frozenset()
    conditions: list[str] = []
    params: list[StoredValue] = []
    hides_closed = not (wanted.with_closed or names & _OF_CLOSED)
    hides_deleted = not (wanted.with_deleted or names & _OF_DELETED)
    if hides_closed or (compiled is not None and compiled.is_unclosed):
        # The words of the index of unclosed issues. It is of no use where each of them has to be looked at anyway.
        plus = "+" if is_own_order and not names & _INDEXED else ""
        condition = f"{plus}issues.status <> 'closed'"
        conditions.append(condition if hides_deleted or not hides_closed else f"({condition} OR {_IS_DELETED})")
    if hides_deleted:
        conditions.append("issues.deleted_at IS NULL")
    if not (wanted.with_deferred or names & _OF_DEFERRED):
        also = "" if hides_deleted else f" OR {_IS_DELETED}"
        conditions.append(f"(issues.defer_until IS NULL OR issues.defer_until <= ?{also})")
        params.append(today)
    return conditions, params


def narrowed(wanted: IssueFilter, text: str) -> IssueFilter:
    """Those of `wanted` that a text of the program describes too; an order in it comes first. Raises FilterError."""
    from tracker.tdq import Filter, both, parse  # noqa: PLC0415 - a list without a filter does not pay for it

    more, before = parse(text), wanted.filter or Filter()
    # What a person typed is what an error points into.
    together = Filter(both(before.condition, more.condition), more.sort or before.sort, before.text)
    return replace(wanted, filter=together)
