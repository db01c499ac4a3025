"""What a person's decision does: settling a conflict, and taking a mutation back. Both end as ordinary changes.

Always true:
- what the person did not have to decide is merged as always, not overwritten;
- a conflict is closed in the mutation that carries its outcome, so both are there or neither;
- nothing is taken back over a later change of the same field;
- a consequence follows, and gives way, here as in the mutation that it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replica.columns import Form
from replica.conflict_row import OPEN, RESOLVED, ConflictRow
from replica.conflicts import Conflict, conflict_from, field_name, undecided
from replica.errors import ConflictError, InputError, NotFoundError
from replica.history import CONFLICTS
from replica.mutation import Change, Kind, Mutation, Row, StoredValue
from replica.outcome import Choice, besides, choice_from, consequence, merged_fields, named_for, outcome_of
from replica.records import Record, rules_of
from replica.transaction import Transaction, same_value

RecordOf = Callable[[str], type[Record]]
_Earlier = tuple[Conflict, Choice]


@dataclass(frozen=True, slots=True)
class Means:
    """What a decision needs besides.

    record_of: the record class of a table. blank: what a row of a table holds that nobody gave a value. deleted_row: a
    row as it was when it was deleted; None if nobody knows. settled_by: the mutation that settled the conflict with an
    id.
    """

    record_of: RecordOf
    blank: Callable[[str], Row]
    deleted_row: Callable[[str, str], Row | None]
    settled_by: Callable[[str], Mutation]


def settle(tx: Transaction, conflict: Conflict, choice: Choice, means: Means, *, session: str, at: str) -> None:
    """Write the outcome of a conflict. Raises InputError for a choice that leaves a clashing field open."""
    record_of = means.record_of
    if isinstance(choice, Mapping):
        _check_named(conflict, choice, record_of)
    first = (conflict.table, conflict.row_id)
    changes, earlier = _to_settle(tx, conflict, choice, means)
    # A second decision adds nothing to what the first one brought in; it can only set what clashed to other values.
    for change in (one for one in changes if not one.yields):
        is_over = bool(earlier) and (choice == "theirs" or change.table == CONFLICTS)
        if not is_over and not (choice == "theirs" and _is_gone(change.table, record_of)):
            for part, is_second in _parts(change, earlier, means):
                _settle_change(tx, part, conflict, choice, means, is_second=is_second)
    if isinstance(choice, Mapping) and first not in {(change.table, change.row_id) for change in changes}:
        # A decision of nothing but to leave the row as it was: another one about the same row.
        current = _current(tx, record_of(conflict.table), conflict.row_id)
        if current is not None:
            tx.update(current, **{name: value for name, value in choice.items() if "/" not in name})
    if _is_as_mine(tx, conflict, choice, means):
        for change in (one for one in changes if one.yields):
            _bring_consequence(tx, change, conflict, means, earlier)
    row = tx.get(ConflictRow, conflict.id)
    tx.update(row, state=RESOLVED, outcome=outcome_of(choice), resolved_by=session, resolved_at=at)


def _to_settle(
    tx: Transaction, conflict: Conflict, choice: Choice, means: Means
) -> tuple[Sequence[Change], Sequence[_Earlier]]:
    """The changes to decide about, and the decisions in whose place they would come."""
    earlier = _settled_before(tx, conflict)
    opening = next((change for change in conflict.changes if _opens(change)), None)
    if opening is None:
        return conflict.changes, earlier
    if choice != "mine":
        return (), ()
    if _is_in_place(tx, opening):
        return conflict.changes, ()
    # A decision and its outcome stand or fall together: another's goes whole, not by the opposite of what was mine.
    if earlier:
        take_back(tx, means.settled_by(opening.row_id), means)
    return _beside_decision(tx, conflict, opening), ()


def _opens(change: Change) -> bool:
    """Whether a decision about a conflict is taken back by this."""
    return change.table == CONFLICTS and change.kind is Kind.UPDATE and change.new_values().get("state") == OPEN


def _is_in_place(tx: Transaction, opening: Change) -> bool:
    """Whether the decision that was taken back is the one that holds."""
    row = _current(tx, ConflictRow, opening.row_id)
    return row is not None and all(
        same_value(row.to_row().get(name), before) for name, (before, _) in opening.fields.items()
    )


def _is_gone(table: str, record_of: RecordOf) -> bool:
    """Whether a newer schema has no such table any more."""
    try:
        record_of(table)
    except InputError:
        return True
    return False


def _settled_before(tx: Transaction, conflict: Conflict) -> list[_Earlier]:
    """The conflicts whose settling this is about and that somebody else settled first, with what was chosen here."""
    found = []
    for change in conflict.changes:
        row = _current(tx, ConflictRow, change.row_id) if change.table == CONFLICTS else None
        if isinstance(row, ConflictRow) and row.state == RESOLVED:
            found.append((conflict_from(row), choice_from(str(change.new_values().get("outcome") or "theirs"))))
    return found


def _parts(change: Change, earlier: Sequence[_Earlier], means: Means) -> Iterator[tuple[Change, bool]]:
    """A change of a second decision in what the first one brought in too (True), and what was done besides (False)."""
    rest: Change | None = change
    for conflict, choice in earlier:
        rest = rest and besides(rest, conflict, choice, rules_of(means.record_of(change.table)))
    if rest is not change:
        left = {} if rest is None or change.kind is Kind.INSERT else rest.fields
        fields = {name: pair for name, pair in change.fields.items() if name not in left}
        yield replace(change, fields=fields, encoded=""), True
    if rest is not None:
        yield rest, False


def _beside_decision(tx: Transaction, conflict: Conflict, opening: Change) -> tuple[Change, ...]:
    """What was taken back besides, in rows that the decision is not about."""
    row = _current(tx, ConflictRow, opening.row_id)
    about = conflict_from(row).changes if isinstance(row, ConflictRow) else conflict.changes
    keys = {(change.table, change.row_id) for change in about}
    return tuple(
        change for change in conflict.changes if change.table != CONFLICTS and (change.table, change.row_id) not in keys
    )


@dataclass(frozen=True, slots=True)
class FieldNow:
    """What a clashing field is now, and of which row."""

    table: str
    row_id: str
    name: str
    value: StoredValue


def moved_since(
    conflict: Conflict, choice: Choice, row_now: Callable[[str, str], Row | None]
) -> dict[str, FieldNow] | None:
    """What the clashing fields are now, by their names in the conflict; None if the conflict shows as much.

    A decision is about the values that the person was shown, and must not overwrite others, nor keep them for theirs.
    """
    first = (conflict.table, conflict.row_id)
    now: dict[str, FieldNow] = {}
    is_moved = False
    for change in conflict.changes:
        row = row_now(change.table, change.row_id) if (change.table, change.row_id) in conflict.clashing else None
        for name, (before, mine) in change.fields.items():
            shown = field_name(change.table, change.row_id, name, first=first)
            value = None if row is None else row.get(name)
            seen = [before, mine]
            if shown in conflict.fields:
                theirs = conflict.fields[shown].theirs
                seen = [theirs] if choice == "theirs" else [before, mine, theirs]
            is_new = not any(same_value(value, one) for one in seen)
            is_deleted_over = change.kind is Kind.DELETE and row is not None and is_new
            if shown in conflict.fields or is_deleted_over:
                now[shown] = FieldNow(change.table, change.row_id, name, value)
                is_moved = is_moved or is_new
    return now if is_moved else None


def _check_named(conflict: Conflict, choice: Mapping[str, object], record_of: RecordOf) -> None:
    known = {column.name for column in record_of(conflict.table).replica_columns} | set(conflict.fields)
    for name in choice:
        if name not in known:
            raise InputError(
                f"{conflict.table} has no field {name}",
                f"the fields in conflict are {', '.join(conflict.fields) or 'none'}",
            )
    missing = undecided(conflict, list(choice))
    if missing:
        raise InputError(
            f"the conflict is also about {', '.join(missing)}", "give a value for each, or take --mine or --theirs"
        )


def _settle_change(
    tx: Transaction,
    change: Change,
    conflict: Conflict,
    choice: Choice,
    means: Means,
    *,
    is_second: bool,
) -> None:
    record = means.record_of(change.table)
    named = named_for(change, choice, conflict)
    current = _current(tx, record, change.row_id)
    # Rows that did not clash were not asked about: their author's change stands, whatever was chosen for the others.
    is_asked = (change.table, change.row_id) in conflict.clashing
    if change.kind is Kind.DELETE:
        if current is not None and (choice == "mine" or not is_asked):
            tx.delete(current)
        elif named and current is not None:
            tx.update(current, **named)
        return
    if current is None:
        if choice != "theirs" or (not is_asked and change.kind is Kind.INSERT):
            row = _row_to_bring_back(change, conflict, choice, means, is_second=is_second)
            tx.insert(row.with_changes(named))
        return
    if change.table == CONFLICTS:
        # A decision is one thing, not fields to be merged.
        values: dict[str, StoredValue] = {} if choice == "theirs" else change.new_values()
    else:
        values = _merged(change, conflict, choice, current, only_clashes=is_second)
    tx.update(current, **{**_python_values(record, values), **named})


def _is_as_mine(tx: Transaction, conflict: Conflict, choice: Choice, means: Means) -> bool:
    """Whether what clashed was settled as its author had it, so that what follows from it does."""
    if not isinstance(choice, Mapping):
        return choice == "mine"
    first = (conflict.table, conflict.row_id)
    for change in conflict.changes:
        shown = {name: field_name(change.table, change.row_id, name, first=first) for name in change.fields}
        clashing = {name: conflict.fields[each] for name, each in shown.items() if each in conflict.fields}
        current = _current(tx, means.record_of(change.table), change.row_id) if clashing else None
        row = {} if current is None else current.to_row()
        if not all(same_value(row.get(name), clash.mine) for name, clash in clashing.items()):
            return False
    return True


def _bring_consequence(
    tx: Transaction, change: Change, conflict: Conflict, means: Means, earlier: Sequence[_Earlier]
) -> None:
    """Do what still applies of a consequence; besides what a first decision brought in of it."""
    if _is_gone(change.table, means.record_of):
        return
    record = means.record_of(change.table)
    rules, rest = rules_of(record), change
    for first, choice in earlier:
        left = besides(rest, first, choice, rules)
        if left is None:
            return
        rest = left
    current = _current(tx, record, change.row_id)
    if current is not None:
        values = consequence(rest, conflict, current.to_row(), rules, row_at=current.updated_at)
        tx.follow(current, **_python_values(record, values))


def _row_to_bring_back(change: Change, conflict: Conflict, choice: Choice, means: Means, *, is_second: bool) -> Record:
    """A row that the primary does not have, as its author last saw it, or with their change on it as it was last."""
    key = f"{change.table}/{change.row_id}"
    if change.kind is Kind.INSERT or key in conflict.mine_rows:
        return _whole(change, {**conflict.mine_rows.get(key, {}), **change.new_values()}, means)
    last = means.deleted_row(change.table, change.row_id)
    if last is None:
        raise InputError(f"{change.table} {change.row_id} is gone and was not kept whole", "take --theirs")
    row = _whole(change, last, means)
    merged = _merged(change, conflict, choice, row, only_clashes=is_second)
    return _whole(change, {**last, **merged}, means)


def _whole(change: Change, values: Mapping[str, StoredValue], means: Means) -> Record:
    """The row of a change, of what was kept of it; it may be older than some of the columns."""
    record = means.record_of(change.table)
    names = [column.name for column in record.replica_columns]
    row = {**means.blank(change.table), **values}
    return record.from_row(["id", "updated_at", *names], [change.row_id, "", *(row[name] for name in names)])


def _merged(
    change: Change, conflict: Conflict, choice: Choice, row: Record, *, only_clashes: bool
) -> dict[str, StoredValue]:
    rules = rules_of(type(row))
    return merged_fields(
        change, conflict, choice, row.to_row(), rules, row_at=row.updated_at, only_clashes=only_clashes
    )


def _python_values(record: type[Record], values: Mapping[str, StoredValue]) -> dict[str, object]:
    """Stored values as what a record's fields accept."""
    forms = {column.name: column.form for column in record.replica_columns}
    return {
        name: _from_json(value) if forms[name] in (Form.SET, Form.JSON) else value for name, value in values.items()
    }


def _from_json(value: StoredValue) -> Any:  # any JSON document
    return json.loads(value) if isinstance(value, str) else value


def _current(tx: Transaction, record: type[Record], row_id: str) -> Record | None:
    try:
        return tx.get(record, row_id)
    except NotFoundError:
        return None


def take_back(tx: Transaction, mutation: Mutation, means: Means) -> None:
    """Do the opposite of a mutation, last change first. Raises ConflictError where its fields have moved on.

    A consequence of which somebody made something else since is left as it is.
    """
    for change in reversed(mutation.changes):
        if change.yields and _is_gone(change.table, means.record_of):
            continue
        record = means.record_of(change.table)
        current = _current(tx, record, change.row_id)
        if change.kind is Kind.INSERT:
            _take_back_insert(tx, change, current)
        elif change.kind is Kind.DELETE:
            _take_back_delete(tx, change, current, means)
        elif change.yields:
            _take_back_consequence(tx, change, current, record)
        elif change.fields:
            _take_back_update(tx, change, current, record)


def _take_back_insert(tx: Transaction, change: Change, current: Record | None) -> None:
    if current is None:
        return
    if current.updated_at != change.stamp:
        raise _moved_on(change, current)
    tx.delete(current)


def _take_back_delete(tx: Transaction, change: Change, current: Record | None, means: Means) -> None:
    if current is not None:
        raise _moved_on(change, current)
    tx.insert(_whole(change, {name: before for name, (before, _) in change.fields.items()}, means))


def _take_back_update(tx: Transaction, change: Change, current: Record | None, record: type[Record]) -> None:
    if current is None or not _is_as_left(change, current):
        raise _moved_on(change, current)
    tx.update(current, **_values_before(change, record))


def _take_back_consequence(tx: Transaction, change: Change, current: Record | None, record: type[Record]) -> None:
    if current is not None and _is_as_left(change, current):
        tx.follow(current, **_values_before(change, record))


def _is_as_left(change: Change, current: Record) -> bool:
    """Whether the fields of a change have the values that it gave them."""
    row = current.to_row()
    return all(name in row and same_value(row[name], new) for name, (_, new) in change.fields.items())


def _values_before(change: Change, record: type[Record]) -> dict[str, object]:
    return _python_values(record, {name: before for name, (before, _) in change.fields.items()})


def _moved_on(change: Change, current: Record | None) -> ConflictError:
    found = "" if current is None else current.updated_at
    return ConflictError(change.table, change.row_id, seen=change.stamp, found=found, current=current)
