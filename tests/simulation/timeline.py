"""One life of the primary, replayed from its own history: every version of every row, and what does not add up. Pure.

Always true: `Timeline.state_at` is what the replayed changes come to, whatever the tables say.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from replica.conflict_row import ConflictRow
from replica.records import rules_of
from tests.simulation.merging import Past, Row, explain, may_give_way, same
from tests.simulation.records import COLUMNS, DEFAULTS, RULES
from tests.simulation.story import Key, Story, Told, ToldChange, Violation

Json = Any  # a JSON document of our own making

CONFLICTS = "_replica_conflicts"
_RULES = {**RULES, CONFLICTS: rules_of(ConflictRow)}
_OPEN = {"state": "open", "outcome": "", "resolved_by": "", "resolved_at": ""}


@dataclass(slots=True)
class Applied:
    """A mutation as the primary holds it. first, last: the numbers of its changes."""

    id: str
    first: int
    last: int
    made_at: str
    changes: list[ToldChange] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)

    def is_parked(self, told: Told | None) -> bool:
        """Whether it is held as a conflict, and not as the insert of one that its author made themselves."""
        is_conflict = [(change.table, change.kind) for change in self.changes] == [(CONFLICTS, "insert")]
        return is_conflict and (told is None or {change.key for change in told.changes} != {self.changes[0].key})


@dataclass(slots=True)
class Timeline:
    """The history of one life of the primary, in its order."""

    applied: dict[str, Applied] = field(default_factory=dict)
    at: dict[int, str] = field(default_factory=dict)
    versions: dict[Key, list[tuple[int, Row | None]]] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def has(self, seq: int, mutation: str) -> bool:
        """Whether a change with this number is of this mutation here."""
        return self.at.get(seq) == mutation

    def holds(self, mutation: str, tail: int) -> bool:
        """Whether a mutation is among the changes up to a number."""
        return mutation in self.applied and self.applied[mutation].last <= tail

    def state_at(self, key: Key, tail: int) -> Row | None:
        """A row after the changes up to a number."""
        versions = self.versions.get(key, [])
        position = bisect_right(versions, tail, key=lambda version: version[0])
        return versions[position - 1][1] if position else None


def replay(dump: Json, story: Story) -> Timeline:
    """Replay what the primary says was done to it, and hold it against what the authors told and what it holds."""
    timeline = Timeline()
    found = timeline.violations
    for seq, mutation, position, table, row_id, kind, seen, stamp, fields, made_at, _, yields in dump["changes"]:
        one = timeline.applied.setdefault(mutation, Applied(mutation, seq, seq, made_at))
        if timeline.at and mutation != timeline.at[max(timeline.at)] and one.changes:
            found.append(Violation("I2", f"{mutation} is in the history twice"))
        one.last = seq
        one.changes.append(ToldChange(table, row_id, kind, seen, stamp, fields, yields=bool(yields)))
        one.positions.append(position)
        timeline.at[seq] = mutation
    rows: dict[Key, Row] = {}
    pasts: dict[Key, Past] = {}
    for one in timeline.applied.values():
        found += _check_whole(one, story.told.get(one.id), dump)
        is_repeated = _is_decided_alike(one, story.told.get(one.id), pasts)
        for change, seq in zip(one.changes, range(one.first, one.last + 1), strict=False):
            found += _apply(one, change, None if is_repeated else story.told.get(one.id), rows, pasts)
            timeline.versions.setdefault(change.key, []).append((seq, _copy(rows.get(change.key))))
    found += _check_tables(dump, rows)
    return timeline


def _copy(row: Row | None) -> Row | None:
    return None if row is None else dict(row)


def _is_decided_alike(one: Applied, told: Told | None, pasts: dict[Key, Past]) -> bool:
    """Whether a conflict was settled before in the same way: then the second decision is kept, and changes nothing.

    Even if the first one was taken back before the second had arrived. Or whether it is taken back and is open already.
    """
    if told is None or any(change.fields for change in one.changes):
        return False
    for change in told.changes:
        past = pasts.get(change.key, Past()).values
        wanted = change.fields.get("state", [None, None])[1] if change.table == CONFLICTS else None
        if wanted == "resolved" and change.fields.get("outcome", [None, None])[1] in past.get("outcome", []):
            return True
        if wanted == "open" and change.kind == "update" and past.get("state", [None])[-1] == "open":
            return True
    return False


def _check_whole(one: Applied, told: Told | None, dump: Json) -> Iterator[Violation]:
    if told is None:
        yield Violation("thin air", f"nobody made {one.id}")
        return
    if one.positions != list(range(len(one.positions))):
        yield Violation("I5", f"{one.id} has the changes {one.positions} only")
    if told.is_certainly_refused:
        yield Violation("I1", f"{one.id} is on the primary, and its author was told {told.refused}")
    wanted = {change.key for change in told.changes}
    following = {change.key for change in told.changes if change.yields}
    if not one.is_parked(told):
        there = {change.key for change in one.changes}
        marked = {change.key for change in one.changes if change.yields}
    else:
        row = next((row for row in dump[CONFLICTS] if row["id"] == one.changes[0].row_id), None)
        if row is None:
            yield Violation("I1", f"{one.id} was parked, and its conflict is not there")
            return
        if row["mutation_id"] != one.id:
            yield Violation("I1", f"the conflict {row['id']} is of {row['mutation_id']}, not of {one.id}")
        there = {(change[0], change[1]) for change in json.loads(row["changes"])}
        marked = {_key(name) for name in json.loads(row["yielding"])}
        if following == wanted or following & {_key(name) for name in json.loads(row["clashing"])}:
            yield Violation("I1", f"{one.id} was parked for {row['clashing']}, which only follows from the rest")
    if marked != following & there:
        yield Violation("I5", f"of {one.id} {sorted(marked)} give way, its author had {sorted(following)} follow")
    if there != wanted:
        yield Violation("I5", f"{one.id} has {sorted(there)}, its author made {sorted(wanted)}")


def _key(name: str) -> Key:
    table, row_id = name.split("/", 1)
    return table, row_id


def _apply(
    one: Applied, change: ToldChange, told: Told | None, rows: dict[Key, Row], pasts: dict[Key, Past]
) -> Iterator[Violation]:
    """Do one change to the replayed rows, and say what about it cannot be."""
    where = f"{one.id} on {change.table} {change.row_id}"
    row = rows.get(change.key)
    past = pasts.setdefault(change.key, Past())
    asked = next((each for each in told.changes if each.key == change.key), None) if told is not None else None
    author = (one.made_at, one.id)
    if change.kind == "insert":
        yield from _insert(where, change, asked, rows)
    elif change.kind == "delete":
        yield from _delete(where, change, rows)
    elif change.fields:
        yield from _update(where, change, rows)
    if row is not None and asked is not None and _opens_anothers(asked, change, row):
        yield Violation("I4", f"{where}: opened again what {row['resolved_by']} had settled, unseen by its author")
    gave_way = asked is not None and asked.yields and not change.fields
    if gave_way and row is not None and asked is not None and may_give_way(asked, row, _RULES[change.table], past):
        asked = None
    if row is not None and asked is not None and change.kind == "update":
        for invariant, wrong in explain(asked, change, row, _RULES[change.table], author, past):
            yield Violation(invariant, f"{where}: {wrong}")
    set_here = {name: new for name, (_, new) in change.fields.items()}
    if change.kind == "insert":
        # All of the row, whatever the history tells of it.
        set_here = {name: value for name, value in rows[change.key].items() if name != "updated_at"}
    for name, new in set_here.items():
        past.note(name, new, author)
    past.was_gone = past.was_gone or change.key not in rows


def _opens_anothers(asked: ToldChange, change: ToldChange, row: Row) -> bool:
    """Whether a decision about a conflict was undone that its author never saw: they saw another one."""
    if asked.table != CONFLICTS or "state" not in change.fields or asked.fields.get("state", [None, None])[1] != "open":
        return False
    return bool(row["state"] == "resolved" and row["resolved_at"] != asked.fields.get("resolved_at", [None])[0])


def _insert(where: str, change: ToldChange, asked: ToldChange | None, rows: dict[Key, Row]) -> Iterator[Violation]:
    if change.key in rows:
        yield Violation("I2", f"{where}: inserted over a row that is there")
    # The history keeps no fields of a conflict that is inserted, whoever does it.
    source = asked if asked is not None and change.table == CONFLICTS else change
    values = {name: new for name, (_, new) in source.fields.items()}
    if asked is not None and values != {name: new for name, (_, new) in asked.fields.items()}:
        yield Violation("thin air", f"{where}: inserted {values}, its author wrote {asked.fields}")
    defaults = _OPEN if change.table == CONFLICTS else DEFAULTS[change.table]
    rows[change.key] = {**defaults, **values, "updated_at": change.stamp}


def _delete(where: str, change: ToldChange, rows: dict[Key, Row]) -> Iterator[Violation]:
    row = rows.get(change.key)
    if not change.seen:
        if row is not None:
            yield Violation("I1", f"{where}: not deleted, though it is there")
        return
    if row is None or row["updated_at"] != change.seen:
        yield Violation("I4", f"{where}: deleted as of {change.seen}, found {row and row['updated_at']}")
    for name, (before, _) in change.fields.items():
        if row is not None and name in row and not same(before, row[name]):
            yield Violation("I4", f"{where}: deleted with {name} = {row[name]!r}, its author saw {before!r}")
    rows.pop(change.key, None)


def _update(where: str, change: ToldChange, rows: dict[Key, Row]) -> Iterator[Violation]:
    row = rows.get(change.key)
    if row is None:
        yield Violation("I4", f"{where}: updated a row that is not there")
        return
    if row["updated_at"] != change.seen:
        yield Violation("I4", f"{where}: updated as of {change.seen}, found {row['updated_at']}")
    if change.stamp <= row["updated_at"]:
        yield Violation("I4", f"{where}: its stamp {change.stamp} is not later than {row['updated_at']}")
    for name, (before, _) in change.fields.items():
        if name in row and not same(before, row[name]):
            yield Violation("I4", f"{where}: overwrote {name} = {row[name]!r}, and says that it was {before!r}")
    rows[change.key] = {**row, **{name: new for name, (_, new) in change.fields.items()}, "updated_at": change.stamp}


def _check_tables(dump: Json, rows: dict[Key, Row]) -> Iterator[Violation]:
    """The tables are what the history comes to: nothing was applied twice, half, or past the history."""
    for table, held in dump["rows"].items():
        columns = ["updated_at", *(name for name in COLUMNS[table] if not held or name in held[0])]
        there = {row["id"]: {name: row[name] for name in columns} for row in held}
        replayed = {
            row_id: {name: row.get(name) for name in columns}
            for (name_of, row_id), row in rows.items()
            if name_of == table
        }
        for row_id in sorted(there.keys() | replayed.keys()):
            if there.get(row_id) != replayed.get(row_id):
                yield Violation(
                    "I2", f"{table} {row_id} is {there.get(row_id)}, its history says {replayed.get(row_id)}"
                )
    conflicts = {row["id"]: (row["updated_at"], row["state"]) for row in dump[CONFLICTS]}
    told = {row_id: (row["updated_at"], row["state"]) for (table, row_id), row in rows.items() if table == CONFLICTS}
    if conflicts != told:
        yield Violation("I2", f"the conflicts are {conflicts}, their history says {told}")
