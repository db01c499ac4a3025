"""Rebase: lay refused mutations over the rows as they now are on the primary. Pure.

Always true:
- every mutation comes out once, in order: as it was, rebased, or parked, and a parked one is whole, but for a decision
  that another made alike;
- a mutation is rebased or parked as a whole, never half; but where a consequence clashes, it comes to nothing, and is
  no reason to park the rest;
- what an earlier mutation leaves behind is what a later one is laid over.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from replica.conflict_row import OPEN, RESOLVED, ConflictRow
from replica.conflicts import (
    Author,
    FieldConflict,
    Grounds,
    conflict_from,
    field_conflict,
    field_name,
    parked,
)
from replica.errors import InputError
from replica.history import CONFLICTS
from replica.merge import RowMerge, merge_insert, merge_update
from replica.mutation import Change, Kind, Mutation, Row, StoredValue
from replica.outcome import besides, choice_from
from replica.push import has_effect
from replica.rules import Rule
from replica.stamps import Stamp, next_stamp
from replica.transaction import same_value

_DELETED_HERE: Final = "deleted here, changed on the primary"
_DELETED_THERE: Final = "changed here, deleted on the primary"

Key = tuple[str, str]
Rules = Callable[[str], Mapping[str, Rule]]


@dataclass(frozen=True, slots=True)
class Touch:
    """One change that the primary has of a row: who made it, and which fields it changed."""

    author: Author
    mutation_id: str
    kind: Kind
    fields: frozenset[str]


@dataclass(slots=True)
class Ground:
    """The rows as they now are on the primary (None: no such row), and who touched them, oldest first."""

    rows: dict[Key, Row | None]
    touches: dict[Key, list[Touch]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rebased:
    """What came of the mutations: in order, with the ids of those that were merged and those that were parked."""

    mutations: list[Mutation]
    merged: list[str]
    parked: list[str]


@dataclass(frozen=True, slots=True)
class _Stuck:
    """Why a change cannot be laid over its row."""

    reason: str
    fields: Mapping[str, FieldConflict]


@dataclass(frozen=True, slots=True)
class Means:
    """What a rebase needs besides: the merge rules of each table, the time, rows as their author sees them, new ids."""

    rules: Rules
    now: Stamp
    mine_row: Callable[[Key], Row | None]
    new_id: Callable[[], str]
    step_us: Callable[[], int] = lambda: 1


def rebase(
    mutations: Sequence[Mutation],
    ground: Ground,
    means: Means,
    refused: Mapping[str, str] | None = None,
    earlier: Iterable[Mutation] = (),
    *,
    alone: Collection[str] = (),
) -> Rebased:
    """Lay mutations, in order, over the ground, which is brought forward on the way.

    refused: reasons by mutation id for those that the primary refuses for a reason of its own; they are parked. Where
    only consequences are left of one, they are what it refuses, and come to nothing.
    earlier: what an earlier round made of them. Where this one comes to the same, it is the same, stamps included.
    alone: the ids of those that are laid over without their consequences.
    """
    result = Rebased([], [], [])
    rounds = {mutation.id: {(c.table, c.row_id): c for c in mutation.changes} for mutation in earlier}
    for mutation in mutations:
        reason = (refused or {}).get(mutation.id)
        before = rounds.get(mutation.id, {})
        left = _without_done(mutation, ground, means)
        kept = _to_keep(mutation, left)
        if mutation.id in alone or (reason and _is_of_consequences(left)):
            left, reason = _without_consequences(left, ground), None
        outcome = _Parking({}, reason, _asked_about(kept)) if reason else _lay_over(left, ground, means, before)
        if isinstance(outcome, _Parking):
            result.mutations.append(_park(kept, outcome, ground, means))
            result.parked.append(mutation.id)
            continue
        ground.rows.update(outcome.rows)
        _touch(ground, mutation, outcome.changes)
        result.mutations.append(replace(mutation, changes=outcome.changes))
        if outcome.changes != mutation.changes:
            result.merged.append(mutation.id)
    return result


def _touch(ground: Ground, mutation: Mutation, changes: Iterable[Change]) -> None:
    author = Author(mutation.session, mutation.machine, mutation.made_at)
    for change in changes:
        if has_effect(change):
            touch = Touch(author, mutation.id, change.kind, frozenset(change.fields))
            ground.touches.setdefault((change.table, change.row_id), []).append(touch)


@dataclass(frozen=True, slots=True)
class _Laid:
    changes: tuple[Change, ...]
    rows: dict[Key, Row | None]


@dataclass(frozen=True, slots=True)
class _Parking:
    fields: dict[str, FieldConflict]
    reason: str
    clashing: list[Key]
    asked: Mapping[Key, Iterable[str]] = field(default_factory=dict)


def keys_of(mutation: Mutation) -> list[Key]:
    """The rows that a mutation changes."""
    return [(change.table, change.row_id) for change in mutation.changes]


def _asked_about(mutation: Mutation) -> list[Key]:
    """The rows that a person decides about where a mutation is parked as a whole: those that do not just follow."""
    return [(one.table, one.row_id) for one in mutation.changes if not one.yields] or keys_of(mutation)


def _is_of_consequences(mutation: Mutation) -> bool:
    """Whether consequences are all that it does."""
    effective = [change for change in mutation.changes if has_effect(change)]
    return bool(effective) and all(change.yields for change in effective)


def _without_consequences(mutation: Mutation, ground: Ground) -> Mutation:
    changes = (_nothing(one, ground) if one.yields else one for one in mutation.changes)
    return replace(mutation, changes=tuple(changes))


def _lay_over(mutation: Mutation, ground: Ground, means: Means, before: Mapping[Key, Change]) -> _Laid | _Parking:
    for change in mutation.changes:
        if told := _opens_anothers(change, ground.rows.get((change.table, change.row_id))):
            # With what was taken back beside it: a decision and its outcome stand or fall together.
            shown = (_shown_as(key, ground) for key in _asked_about(mutation))
            return _Parking({}, told, list(dict.fromkeys(shown)))
    rows: dict[Key, Row | None] = {}
    changes: list[Change] = []
    stuck: list[tuple[Key, _Stuck]] = []
    for change in mutation.changes:
        key = (change.table, change.row_id)
        current = rows[key] if key in rows else ground.rows.get(key)
        outcome = _lay_change(mutation, change, current, ground.touches.get(key, ()), means)
        # A newer schema may have taken its fields away.
        if change.yields and (isinstance(outcome, _Stuck) or not outcome.fields.keys() <= (current or {}).keys()):
            outcome = replace(change, fields={}, encoded="", ground=current)
        if isinstance(outcome, _Stuck):
            stuck.append((key, outcome))
        else:
            changes.append(_as_before(outcome, before.get(key)))
            rows[key] = row_after(current, changes[-1])
    if not stuck:
        return _Laid(tuple(changes), rows)
    reason = next((why.reason for key, why in stuck if key[0] == CONFLICTS), stuck[0][1].reason)
    clashing = [_shown_as(key, ground) for key, _ in stuck]
    fields = {}
    for key, why in stuck:
        for name, clash in why.fields.items():
            touch = last_touch(ground.touches.get(key, ()), name)
            author = touch.author if touch else None
            fields[field_name(*key, name, first=clashing[0])] = replace(clash, theirs_by=author)
    return _Parking(fields, reason, list(dict.fromkeys(clashing)), {key: why.fields for key, why in stuck})


def _without_done(mutation: Mutation, ground: Ground, means: Means) -> Mutation:
    """The mutation with nothing in place of what another did alike: both decided the same, or took the same back.

    What that brings in, or out, must not come twice; what its author did besides must come, but for decisions about
    conflicts that are gone: what they were to bring in came with the other one.
    """
    left = mutation
    for change in mutation.changes:
        key = (change.table, change.row_id)
        row = ground.rows.get(key)
        if row is None or not _is_done_alike(change, row):
            continue
        kept = (
            None if (one.table, one.row_id) == key else _besides(one, key, row, ground, means) for one in left.changes
        )
        pairs = zip(left.changes, kept, strict=True)
        left = replace(left, changes=tuple(_nothing(one, ground) if other is None else other for one, other in pairs))
    rest = [one for one in left.changes if has_effect(one) and not one.yields]
    if left is not mutation and all(_decides_on_nothing(one, ground) for one in rest):
        return replace(left, changes=tuple(one if one.yields else _nothing(one, ground) for one in left.changes))
    return left


def _decides_on_nothing(change: Change, ground: Ground) -> bool:
    """Whether it decides about a conflict that is gone."""
    is_gone = ground.rows.get((change.table, change.row_id)) is None
    return is_gone and change.table == CONFLICTS and change.kind is Kind.UPDATE


def _besides(change: Change, decided: Key, row: Row, ground: Ground, means: Means) -> Change | None:
    """What is left of a change beside a decision that was made, or taken back, by another too; None for nothing."""
    if row["state"] == RESOLVED:
        conflict = conflict_from(ConflictRow.from_row(tuple(row), tuple(row.values())))
        return besides(change, conflict, choice_from(str(row["outcome"])), means.rules(change.table))
    opened = last_touch(ground.touches.get(decided, ()), "state")
    if opened is None or opened.kind is not Kind.UPDATE:
        return None
    touches = ground.touches.get((change.table, change.row_id), ())
    alike = [one.fields for one in touches if (one.mutation_id, one.kind) == (opened.mutation_id, change.kind)]
    if not alike:
        return change
    fields = {name: pair for name, pair in change.fields.items() if not any(name in names for names in alike)}
    is_update = change.kind is Kind.UPDATE
    return replace(change, fields=fields, encoded="") if is_update and fields else None


def _to_keep(made: Mutation, left: Mutation) -> Mutation:
    """What to park of a mutation of which another did a part; all of it, where that leaves nothing to decide about."""
    changes = tuple(change for change in left.changes if has_effect(change))
    return made if left is made or not changes else replace(left, changes=changes)


def _nothing(change: Change, ground: Ground) -> Change:
    """A change that is done already, by another: its author goes on seeing the row as it is there."""
    row = ground.rows.get((change.table, change.row_id))
    return replace(change, kind=Kind.UPDATE, fields={}, encoded="", ground=row)


def _as_before(change: Change, before: Change | None) -> Change:
    """The change of an earlier round, if this one differs from it in nothing but the moment."""
    if before is None or before.ground != change.ground or replace(change, stamp=before.stamp) != before:
        return change
    return before


def _shown_as(key: Key, ground: Ground) -> Key:
    """The row that a person is asked about: for a conflict that was settled twice, the one that it is about."""
    row = ground.rows.get(key)
    return key if key[0] != CONFLICTS or row is None else (str(row["table_name"]), str(row["row_id"]))


def row_after(row: Row | None, change: Change) -> Row | None:
    """A row after one change that fits it."""
    if change.kind is Kind.DELETE:
        return None
    if not has_effect(change):
        return row
    return {**(row or {}), "id": change.row_id, "updated_at": change.stamp, **change.new_values()}


def _lay_change(
    mutation: Mutation, change: Change, current: Row | None, touches: Sequence[Touch], means: Means
) -> Change | _Stuck:
    if not has_effect(change):
        return change
    if current is None:
        return _lay_on_nothing(change)
    if change.kind is not Kind.INSERT and _is_as_seen(change, current):
        return change
    if _settles_again(change, current):
        who = f"{current['resolved_by']!s} at {current['resolved_at']!s} with {current['outcome']!s}"
        return _Stuck(f"settled here with {change.new_values().get('outcome')!s}, before that by {who}", {})
    if change.kind is Kind.DELETE:
        moved = {
            name: FieldConflict(before, None, current.get(name))
            for name, (before, _) in change.fields.items()
            if not same_value(current.get(name), before)
        }
        return _Stuck(_DELETED_HERE, moved)
    return _merge(mutation, change, current, touches, means)


def _is_as_seen(change: Change, current: Row) -> bool:
    # The stamp alone could be another author's: after a clock far ahead, all stamps are one microsecond apart.
    return current["updated_at"] == change.seen and all(
        same_value(current.get(name), before) for name, (before, _) in change.fields.items()
    )


def _settles_again(change: Change, current: Row) -> bool:
    """Whether a conflict is settled that somebody else has settled since: what it decides must not come in twice."""
    state = change.fields.get("state") if change.table == CONFLICTS else None
    return state is not None and state[1] == RESOLVED and current.get("state") == RESOLVED


def _is_done_alike(change: Change, current: Row | None) -> bool:
    """Whether a conflict is settled that was settled so, or opened again that was opened since."""
    if current is None:
        return False
    if _settles_again(change, current):
        return change.new_values().get("outcome") == current["outcome"]
    is_opened = change.table == CONFLICTS and change.fields.get("state") == (RESOLVED, OPEN)
    return is_opened and current.get("state") == OPEN


def _opens_anothers(change: Change, current: Row | None) -> str:
    """Why a decision about a conflict cannot be taken back: what is there now is another one; "" if it can."""
    is_opened = change.table == CONFLICTS and change.new_values().get("state") == OPEN
    if current is None or not is_opened or change.kind is Kind.INSERT or current.get("state") != RESOLVED:
        return ""
    if all(same_value(current.get(name), before) for name, (before, _) in change.fields.items()):
        return ""
    return f"taken back here, settled since by {current['resolved_by']!s} at {current['resolved_at']!s}"


def _lay_on_nothing(change: Change) -> Change | _Stuck:
    if change.kind is Kind.INSERT:
        return change
    if change.kind is Kind.DELETE:
        return Change(change.table, change.row_id, Kind.DELETE, "", change.stamp, change.fields)
    if change.table == CONFLICTS and "state" not in change.fields:
        # What a conflict that is gone showed of others' values: nobody wrote it, and nobody needs to decide about it.
        return replace(change, fields={}, encoded="")
    fields = {name: FieldConflict(before, new, None) for name, (before, new) in change.fields.items()}
    return _Stuck(_DELETED_THERE, fields)


def _merge(mutation: Mutation, change: Change, current: Row, touches: Sequence[Touch], means: Means) -> Change | _Stuck:
    def theirs(name: str) -> tuple[str, str]:
        touch = last_touch(touches, name)
        return (touch.author.at, touch.mutation_id) if touch else (str(current["updated_at"]), "")

    mine = change.new_values()
    before: dict[str, StoredValue] = {name: pair[0] for name, pair in change.fields.items()}
    merged: RowMerge
    rules = means.rules(change.table)
    if change.kind is Kind.INSERT:
        merged = merge_insert(rules, mine, current, mine_at=mutation.made_at, mine_by=mutation.id, theirs=theirs)
        reason = "the same id was made here and on the primary"
    else:
        merged = merge_update(
            rules, before, mine, current, mine_at=mutation.made_at, mine_by=mutation.id, theirs=theirs
        )
        reason = _reason(rules, mine, current)
    if merged.clashes:
        return _Stuck(reason, {name: field_conflict(clash, before.get(name)) for name, clash in merged.clashes.items()})
    try:
        stamp = next_stamp(means.now, Stamp(str(current["updated_at"])), step_us=means.step_us())
    except InputError as error:
        # At the end of time, where only a forged stamp can be: what waits behind this must not wait for ever.
        return _Stuck(str(error), {})
    fields = {name: (current.get(name), value) for name, value in merged.fields.items()}
    for name, value in mine.items():
        # Under `last` the later of two equal changes counts too: a third client's change is held against it.
        is_equal = rules.get(name) is Rule.LAST and same_value(value, current.get(name))
        if is_equal and (mutation.made_at, mutation.id) > theirs(name):
            fields[name] = (value, value)
    seen = str(current["updated_at"])
    return Change(change.table, change.row_id, Kind.UPDATE, seen, stamp, fields, ground=current, yields=change.yields)


def _reason(rules: Mapping[str, Rule], mine: Row, current: Row) -> str:
    marks = [name for name, rule in rules.items() if rule is Rule.DELETED]
    if any(mine.get(name) is not None and current.get(name) is None for name in marks):
        return _DELETED_HERE
    if any(name not in mine and current.get(name) is not None for name in marks):
        return _DELETED_THERE
    return "the same field was changed here and on the primary"


def last_touch(touches: Sequence[Touch], name: str) -> Touch | None:
    """The last change of a field that the primary has, or of its whole row."""
    for touch in reversed(touches):
        if name in touch.fields or touch.kind is not Kind.UPDATE:
            return touch
    return None


def _park(mutation: Mutation, parking: _Parking, ground: Ground, means: Means) -> Mutation:
    first = parking.clashing[0]
    known = [clash.theirs_by for clash in parking.fields.values() if clash.theirs_by is not None]
    touches = ground.touches.get(first, ())
    author = known[0] if known else touches[-1].author if touches else None
    gone = [key for key in _asked_about(mutation) if ground.rows.get(key) is None]
    rows = {key: row for key in gone if (row := means.mine_row(key)) is not None}
    grounds = Grounds(parking.reason, parking.clashing, first, parking.fields, rows, author)
    asked = (_with_asked(change, parking.asked.get((change.table, change.row_id), ())) for change in mutation.changes)
    mutation = replace(mutation, changes=tuple(asked))
    return parked(mutation, means.new_id(), next_stamp(means.now, None), grounds)


def _with_asked(change: Change, names: Iterable[str]) -> Change:
    """The change with the fields of a decision that it left alone: its author saw no mark of deletion, and set none."""
    untouched: dict[str, tuple[StoredValue, StoredValue]] = {
        name: (None, None) for name in names if name not in change.fields
    }
    return replace(change, fields={**change.fields, **untouched}, encoded="") if untouched else change
