"""Whether what a process saw at one moment can be: the base a moment of the primary, the overlay what its client wrote.

Pure. Always true: a read that passes shows, for each row, a version that the primary had at one moment for all rows,
with all of the client's own pending changes on it, and lacks nothing that was acknowledged there before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.simulation.merging import Row
from tests.simulation.records import COLUMNS, DEFAULTS, PROGRAMS
from tests.simulation.story import Key, Loss, Seen, Story, ToldChange, Violation, told_change
from tests.simulation.timeline import CONFLICTS, Timeline

Json = Any  # a JSON document of our own making


def check_reads(story: Story, timelines: list[Timeline]) -> Iterator[Violation]:
    """What was seen that could not be seen, and what was not seen that had to be."""
    last: dict[str, list[Seen]] = {}
    written = _written_by_client(story)
    for seen in story.seen:
        lives = _lives(seen, timelines)
        if not lives:
            yield Violation("thin air", f"{seen.process} has a base the primary never had: {seen.tail}", seen.n)
            continue
        problems = [list(_check_rows(seen, life, timelines, story)) for life in lives]
        if all(problems):
            yield from min(problems, key=len)[:3]
        yield from _check_own_writes(seen, lives, story, written.get(seen.client, []))
        yield from _check_monotonic(seen, last.setdefault(seen.client, []), story.losses, timelines)
        last[seen.client].append(seen)


def _written_by_client(story: Story) -> dict[str, list[tuple[int, str]]]:
    written: dict[str, list[tuple[int, str]]] = {}
    for told in story.told.values():
        if told.kept_at is not None:
            written.setdefault(told.client, []).append((told.kept_at, told.id))
    return written


def _lives(seen: Seen, timelines: list[Timeline]) -> list[Timeline]:
    """The lives of the primary that the base may be of."""
    if seen.tail is None:
        return timelines[:1]
    return [timeline for timeline in timelines if timeline.has(*seen.tail)]


def _check_own_writes(
    seen: Seen, lives: list[Timeline], story: Story, written: list[tuple[int, str]]
) -> Iterator[Violation]:
    tail = seen.tail[0] if seen.tail is not None else 0
    for kept_at, mutation in written:
        if kept_at > seen.began or mutation in seen.pending or any(life.holds(mutation, tail) for life in lives):
            continue
        if not is_lost(mutation, seen.client, story.losses, before=seen.n):
            yield Violation("I6", f"{seen.process} does not see {mutation}, acknowledged there before", seen.n)


def is_lost(mutation: str, client: str, losses: list[Loss], *, before: int) -> bool:
    """Whether the primary lost a mutation that its client had let go of, as it may: it had arrived."""
    return any(
        loss.n < before
        and any(row[1] == mutation for row in loss.dump["changes"])
        and mutation not in loss.kept
        and mutation not in loss.pending.get(client, ())
        for loss in losses
    )


def _check_monotonic(
    seen: Seen, before: list[Seen], losses: list[Loss], timelines: list[Timeline]
) -> Iterator[Violation]:
    earlier = next((one for one in reversed(before) if one.n < seen.began), None)
    if earlier is None or earlier.tail is None:
        return
    if seen.tail is not None and seen.tail[0] >= earlier.tail[0]:
        return
    number, mutation = earlier.tail
    was_lost = any(
        loss.n < seen.n and life.has(number, mutation) and mutation not in loss.kept
        for loss, life in zip(losses, timelines, strict=False)
    )
    if not was_lost:
        yield Violation("monotonic reads", f"{seen.process} went back from {earlier.tail} to {seen.tail}", seen.n)


def _check_rows(seen: Seen, life: Timeline, timelines: list[Timeline], story: Story) -> Iterator[Violation]:
    tail = seen.tail[0] if seen.tail is not None else 0
    pending = _by_row(change for changes in seen.pending.values() for change in changes)
    parked = _by_row([*_parked(seen), *_given_up(seen, story)])
    tables = {record.replica_table for record in PROGRAMS[seen.version].records}
    if story.upgraded_at is not None and seen.n > story.upgraded_at:
        # The base of an old program may have been migrated since, and then has no such table any more.
        tables.discard("scraps")
    for table in tables:
        names = ("id", "updated_at", *PROGRAMS[seen.version].columns(table))
        visible = {row[0]: dict(zip(names, row, strict=True)) for row in seen.rows.get(table, [])}
        ids = {row_id for name, row_id in life.versions if name == table} | visible.keys()
        for row_id in sorted(ids):
            key = (table, row_id)
            shown = visible.get(row_id)
            if key in pending:
                yield from _check_pending(seen, key, shown, (parked.get(key, []), pending[key]), timelines)
            elif shown != (expected := _shown(life.state_at(key, tail), row_id, names)):
                yield Violation(
                    "atomic reads", f"{seen.process} sees {table} {row_id} as {shown}, not {expected}", seen.n
                )
    yield from _check_conflicts(seen, life, tail, pending)


def _check_conflicts(
    seen: Seen, life: Timeline, tail: int, pending: dict[Key, list[ToldChange]]
) -> Iterator[Violation]:
    visible = {row[0]: (row[1], row[3]) for row in seen.rows.get(CONFLICTS, [])}
    ids = {row_id for name, row_id in life.versions if name == CONFLICTS} | visible.keys()
    for row_id in ids:
        if (CONFLICTS, row_id) in pending:
            continue
        row = life.state_at((CONFLICTS, row_id), tail)
        expected = None if row is None else (row["updated_at"], row["state"])
        if visible.get(row_id) != expected:
            yield Violation(
                "atomic reads",
                f"{seen.process} sees conflict {row_id} as {visible.get(row_id)}, not {expected}",
                seen.n,
            )


def _by_row(changes: Iterable[ToldChange]) -> dict[Key, list[ToldChange]]:
    by_row: dict[Key, list[ToldChange]] = {}
    for change in changes:
        by_row.setdefault(change.key, []).append(change)
    return by_row


def _parked(seen: Seen) -> Iterator[ToldChange]:
    """What mutations were to do that are parked here, and have not arrived as conflicts."""
    for changes in seen.pending.values():
        for change in changes:
            if change.table == CONFLICTS and change.kind == "insert":
                for *head, fields in json.loads(change.fields["changes"][1]):
                    yield told_change([*head, json.loads(fields)])


def _given_up(seen: Seen, story: Story) -> Iterator[ToldChange]:
    """What mutations were to do that another had done already: their author goes on seeing it until the pull."""
    for mutation, changes in seen.pending.items():
        gone = {change.key for change in changes if change.kind == "update" and not change.fields}
        if gone and mutation in story.told:
            yield from (change for change in story.told[mutation].changes if change.key in gone)


def _shown(row: Row | None, row_id: str, names: tuple[str, ...]) -> Row | None:
    return None if row is None else {"id": row_id, **{name: row.get(name) for name in names if name != "id"}}


def _check_pending(
    seen: Seen,
    key: Key,
    shown: Row | None,
    waiting: tuple[list[ToldChange], list[ToldChange]],
    timelines: list[Timeline],
) -> Iterator[Violation]:
    """A row with pending changes is some version of the row with all of them on it.

    waiting: what is parked or given up, and what is pending. A later change stands on the row as its author saw it,
    which may be there by a mutation only that was parked since.
    """
    parked, changes = waiting
    versions: list[Row | None] = [None]
    for timeline in timelines:
        versions += [row for _, row in timeline.versions.get(key, [])]
    versions += [row for version in versions for row in _after(version, key, parked)] if parked else []
    names = ("id", "updated_at", *PROGRAMS[seen.version].columns(key[0]))
    possible = [_content(_shown(row, key[1], names)) for version in versions for row in _after(version, key, changes)]
    if _content(shown) not in possible:
        wanted = [(change.kind, change.fields) for change in changes]
        yield Violation("I6", f"{seen.process} sees {key} as {shown}, with {wanted} pending", seen.n)


def _content(row: Row | None) -> Row | None:
    """A row without its stamp, which is one that nobody has where the row is none that the primary will hold."""
    return None if row is None else {name: value for name, value in row.items() if name != "updated_at"}


def _after(version: Row | None, key: Key, changes: list[ToldChange]) -> list[Row | None]:
    """A version with changes on it; each may also be laid over the row that its rebase met."""
    rows = [version]
    for change in changes:
        rows = [_changed(row, key, change) for row in (rows if change.ground is None else [*rows, change.ground])]
    return rows


def _changed(row: Row | None, key: Key, change: ToldChange) -> Row | None:
    new = {name: value for name, (_, value) in change.fields.items()}
    if change.kind == "delete":
        return None
    if change.kind == "update" and not new:
        return row
    if change.kind == "insert" or row is None:
        row = {**dict.fromkeys(COLUMNS[key[0]]), **DEFAULTS[key[0]]}
    return {**row, **new, "updated_at": change.stamp}
