"""What a decision makes of the rows that its conflict is about, and what a mutation did besides. Pure.

Always true: what a mutation did besides is all of it that the decision, made by another, does not bring in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from replica.conflicts import Conflict, field_name
from replica.history import CONFLICTS
from replica.merge import ABSENT, Clash, Side, merge_field, merge_update
from replica.mutation import Change, Kind, Row, StoredValue
from replica.rules import Rule
from replica.transaction import same_value

Choice = Literal["mine", "theirs"] | Mapping[str, object]


def choice_from(outcome: str) -> Choice:
    """The choice that a settled conflict was settled with; of named values only the names are as they were."""
    if outcome == "mine":
        return "mine"
    named: dict[str, object] = {} if outcome == "theirs" else json.loads(outcome)
    return named or "theirs"


def outcome_of(choice: Choice) -> str:
    """A choice as a settled conflict keeps it."""
    if isinstance(choice, Mapping):
        return json.dumps({name: str(value) for name, value in choice.items()})
    return choice


def named_for(change: Change, choice: Choice, conflict: Conflict) -> dict[str, object]:
    """The values of a choice that belong to this change's row."""
    if not isinstance(choice, Mapping):
        return {}
    if (change.table, change.row_id) == (conflict.table, conflict.row_id):
        return {name: value for name, value in choice.items() if "/" not in name}
    prefix = f"{change.table}/{change.row_id}."
    return {name.removeprefix(prefix): value for name, value in choice.items() if name.startswith(prefix)}


def merged_fields(
    change: Change,
    conflict: Conflict,
    choice: Choice,
    row: Row,
    rules: Mapping[str, Rule],
    *,
    row_at: str,
    only_clashes: bool = False,
) -> dict[str, StoredValue]:
    """The fields of a change over the row as it now is: merged where the rules can, chosen where they cannot."""
    values: dict[str, StoredValue] = {}
    for name, (before, mine) in change.fields.items():
        if name not in row:
            continue
        mine_side, theirs_side = Side(mine, conflict.mine_by.at, conflict.mutation_id), Side(row[name], row_at, "")
        known = ABSENT if change.kind is Kind.INSERT else before
        result = merge_field(rules.get(name, Rule.KEEP), known, mine_side, theirs_side)
        shown = field_name(change.table, change.row_id, name, first=(conflict.table, conflict.row_id))
        if shown not in conflict.fields and not isinstance(result, Clash):
            if not only_clashes:
                values[name] = result.value
        elif choice == "mine" or (isinstance(choice, Mapping) and shown not in choice):
            values[name] = mine
    return values


def consequence(
    change: Change, conflict: Conflict, row: Row, rules: Mapping[str, Rule], *, row_at: str
) -> Mapping[str, StoredValue]:
    """What a change that yields still sets of the row as it now is; nothing where one of its fields clashes."""
    if not change.fields.keys() <= row.keys():
        return {}
    before: dict[str, StoredValue] = {name: pair[0] for name, pair in change.fields.items()}
    merged = merge_update(
        rules,
        before,
        change.new_values(),
        row,
        mine_at=conflict.mine_by.at,
        mine_by=conflict.mutation_id,
        theirs=lambda _: (row_at, ""),
    )
    return {} if merged.clashes else merged.fields


def besides(change: Change, conflict: Conflict, choice: Choice, rules: Mapping[str, Rule]) -> Change | None:
    """What is left of a change of a mutation that settled a conflict, without what settling it does; None for nothing.

    rules: of the change's table.
    """
    parked = next((one for one in conflict.changes if (one.table, one.row_id) == (change.table, change.row_id)), None)
    if parked is not None and parked.yields and choice == "theirs":
        # Let go of with what it would have followed.
        parked = None
    named = named_for(change, choice, conflict)
    if parked is None and not named:
        return change
    if change.kind is Kind.DELETE:
        return change if parked is None or parked.kind is not Kind.DELETE else None
    if change.table == CONFLICTS:
        # A decision is one thing, not fields to be merged.
        return None
    brought = _brought_in(change, parked, conflict, choice, rules)
    fields = {
        name: (brought[name], new)
        for name, (_, new) in change.fields.items()
        if name in brought and name not in named and not same_value(brought[name], new)
    }
    if fields == change.fields:
        return change
    return replace(change, kind=Kind.UPDATE, fields=fields, encoded="") if fields else None


def _brought_in(
    change: Change, parked: Change | None, conflict: Conflict, choice: Choice, rules: Mapping[str, Rule]
) -> Row:
    """What the decision made of the fields of a row that its author saw, or of the row that it brought back."""
    if change.kind is Kind.INSERT:
        kept = conflict.mine_rows.get(f"{change.table}/{change.row_id}", {})
        return kept if parked is None else {**kept, **parked.new_values()}
    row = {name: before for name, (before, _) in change.fields.items()}
    if parked is None or parked.kind is Kind.DELETE:
        return row
    return {**row, **merged_fields(parked, conflict, choice, row, rules, row_at=change.seen)}
