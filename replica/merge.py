"""Merge two changes of one row, field by field.

Pure: reads no clock, no file, no database. Always true:
- a side that changed nothing decides nothing: the other side's value is the result, under every rule;
- for `LAST`, `UNION`, `TEXT`, `MAX`, `MIN`, `SUM` and `DELETED` it makes no difference which side is mine;
- a value no rule can merge becomes a `Clash` with all three versions in it, never an exception.

Values are the same only when type and value are: 1, 1.0 and true differ. The one exception is 0.0 and -0.0,
which SQLite does not tell apart either. NaN does not occur, because SQLite stores it as null.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from replica.mutation import StoredValue
from replica.rules import Rule, canonical_set, set_elements


class Absent(Enum):
    """The type of `ABSENT`; never stored."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""What a field was before, when the row did not exist: no value at all, not even null."""

_INT64_MIN: Final = -(2**63)
_INT64_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Side:
    """One side's value of a field, with the stamp (`at`) and mutation id (`by`) of its latest change."""

    value: StoredValue
    at: str
    by: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The field is decided."""

    value: StoredValue


@dataclass(frozen=True, slots=True)
class Clash:
    """The field was changed to two values that its rule cannot make one of."""

    before: StoredValue | Absent
    mine: Side
    theirs: Side


@dataclass(frozen=True, slots=True)
class RowMerge:
    """What to set on their row so that it holds both changes, and the fields that need a decision."""

    fields: dict[str, StoredValue]
    clashes: dict[str, Clash]


def merge_update(
    rules: Mapping[str, Rule],
    before: Mapping[str, StoredValue],
    mine: Mapping[str, StoredValue],
    theirs_row: Mapping[str, StoredValue],
    *,
    mine_at: str,
    mine_by: str,
    theirs: Callable[[str], tuple[str, str]],
) -> RowMerge:
    """Merge a patch into a row that has moved on.

    Args:
        rules: the rule of each field; one that is not named has `Rule.KEEP`.
        before: the patch's fields, as they were when it was made; the same names as in `mine`.
        mine: the patch's fields, as it sets them.
        theirs_row: the row as it now is; fields the patch does not touch are ignored.
        mine_at: stamp of the patch.
        mine_by: mutation id of the patch.
        theirs: for a field, the stamp and the mutation id of its latest change in `theirs_row`.
            Asked only about fields that both sides changed.

    Returns:
        The fields in which the merged row differs from `theirs_row`, and the clashes. A field that
        `theirs_row` does not have is a clash, with null as theirs.
    """
    return _merge_row(rules, before, mine, theirs_row, mine_at, mine_by, theirs)


def merge_insert(
    rules: Mapping[str, Rule],
    mine_row: Mapping[str, StoredValue],
    theirs_row: Mapping[str, StoredValue],
    *,
    mine_at: str,
    mine_by: str,
    theirs: Callable[[str], tuple[str, str]],
) -> RowMerge:
    """Merge a row inserted by me with the row that someone else inserted under the same id.

    As `merge_update` with `ABSENT` as every field's value before. `mine_row` holds the fields to be merged:
    without `id` and `updated_at`, which are not anyone's to choose.
    """
    return _merge_row(rules, dict.fromkeys(mine_row, ABSENT), mine_row, theirs_row, mine_at, mine_by, theirs)


def _merge_row(
    rules: Mapping[str, Rule],
    before: Mapping[str, StoredValue] | Mapping[str, Absent],
    mine: Mapping[str, StoredValue],
    theirs_row: Mapping[str, StoredValue],
    mine_at: str,
    mine_by: str,
    theirs: Callable[[str], tuple[str, str]],
) -> RowMerge:
    fields: dict[str, StoredValue] = {}
    clashes: dict[str, Clash] = {}
    for field, value in mine.items():
        if field not in theirs_row:
            clashes[field] = Clash(before[field], Side(value, mine_at, mine_by), Side(None, *theirs(field)))
            continue
        found = theirs_row[field]
        if _same(value, before[field]):
            continue
        # Unchanged on their side: the author of `found` cannot matter, and may be long out of the history.
        by_whom = ("", "") if _same(found, before[field]) else theirs(field)
        rule = rules.get(field, Rule.KEEP)
        outcome = merge_field(rule, before[field], Side(value, mine_at, mine_by), Side(found, *by_whom))
        if isinstance(outcome, Clash):
            clashes[field] = outcome
        elif not _same(outcome.value, found):
            fields[field] = outcome.value
    for field, rule in rules.items():
        if rule is Rule.DELETED and theirs_row.get(field, ABSENT) is not ABSENT:
            clash = _deletion(field, before, mine, theirs_row, Side(mine.get(field), mine_at, mine_by), theirs)
            if clash is not None:
                clashes[field] = clash
                fields.pop(field, None)
    return RowMerge(fields, clashes)


def _deletion(
    field: str,
    before: Mapping[str, StoredValue] | Mapping[str, Absent],
    mine: Mapping[str, StoredValue],
    theirs_row: Mapping[str, StoredValue],
    mine_side: Side,
    theirs: Callable[[str], tuple[str, str]],
) -> Clash | None:
    """The clash of a row that one side marked as deleted and the other changed. Their row has moved on, or all fits."""
    found = theirs_row[field]
    is_deleted_here = mine.get(field) is not None and before.get(field) is None
    is_deleted_there = found is not None and field not in mine
    if (is_deleted_here and found is None) or is_deleted_there:
        return Clash(None, mine_side, Side(found, *theirs(field)))
    return None


def merge_field(rule: Rule, before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | Clash:
    """Merge one field.

    Args:
        rule: how to merge where both sides changed the field.
        before: the value both sides started from; `ABSENT` where the row did not exist.
        mine: my value of the field.
        theirs: their value of the field.
    """
    if _same(mine.value, before):
        return Merged(theirs.value)
    if _same(theirs.value, before):
        return Merged(mine.value)
    if rule is not Rule.SUM and _same(mine.value, theirs.value):
        return Merged(mine.value)
    return _MERGES[rule](before, mine, theirs) or Clash(before, mine, theirs)


def _same(one: StoredValue | Absent, other: StoredValue | Absent) -> bool:
    return type(one) is type(other) and one == other


def _keep(_before: StoredValue | Absent, _mine: Side, _theirs: Side) -> Merged | None:
    return None


def _last(_before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    return Merged(mine.value if (mine.at, mine.by) > (theirs.at, theirs.by) else theirs.value)


def _union(before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    old, ours, found = _elements(before), _elements(mine.value), _elements(theirs.value)
    if old is None or ours is None or found is None:
        return None
    added = {text: value for text, value in ours.items() if text not in old}
    removed = old.keys() - ours.keys()
    merged = {text: value for text, value in (found | added).items() if text not in removed}
    return Merged(canonical_set(merged.values()))


def _elements(value: StoredValue | Absent) -> dict[str, object] | None:
    if value is None or value is ABSENT:
        return {}
    try:
        return set_elements(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _text(before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    if not (isinstance(before, str) and isinstance(mine.value, str) and isinstance(theirs.value, str)):
        return None
    # Paid for only where two texts were changed at once.
    from merge3 import Merge3  # noqa: PLC0415 - see above

    # Newlines taken as separators, not as ends of lines: joining then gives back every text to the letter,
    # and adding a line after a last one without newline does not count as a change of that one.
    texts = (before, mine.value, theirs.value)
    newline = "\r\n" if all(text.count("\n") == text.count("\r\n") for text in texts) else "\n"
    base, ours, found = (text.split(newline) for text in texts)
    lines: list[str] = []
    for group in Merge3(base, ours, found).merge_groups():
        if group[0] == "conflict":
            return None
        lines.extend(group[1])
    return Merged(newline.join(lines))


def _max(_before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    return _extreme(mine.value, theirs.value, largest=True)


def _min(_before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    return _extreme(mine.value, theirs.value, largest=False)


def _deleted(_before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    return None if mine.value is None or theirs.value is None else _extreme(mine.value, theirs.value, largest=False)


def _extreme(one: StoredValue, other: StoredValue, *, largest: bool) -> Merged | None:
    if one is None or other is None:
        return Merged(other if one is None else one)
    if isinstance(one, int | float) and isinstance(other, int | float):
        if one == other:
            # 2 and 2.0: the integer, so that the result does not depend on whose is mine.
            return Merged(one if isinstance(one, int) else other)
        return Merged(one if (one > other) is largest else other)
    if isinstance(one, str) and isinstance(other, str):
        return Merged(one if (one > other) is largest else other)
    if isinstance(one, bytes) and isinstance(other, bytes):
        return Merged(one if (one > other) is largest else other)
    return None


def _sum(before: StoredValue | Absent, mine: Side, theirs: Side) -> Merged | None:
    if mine.value is None and theirs.value is None:
        return Merged(None)
    nothing_counted = before is None or before is ABSENT
    old = _count(before, nothing_counted=nothing_counted)
    ours = _count(mine.value, nothing_counted=nothing_counted)
    found = _count(theirs.value, nothing_counted=nothing_counted)
    if old is None or ours is None or found is None:
        # No numbers to add, but both may have written the same.
        return Merged(mine.value) if _same(mine.value, theirs.value) else None
    total = found + (ours - old)
    return Merged(total) if _INT64_MIN <= total <= _INT64_MAX else None


def _count(value: StoredValue | Absent, *, nothing_counted: bool) -> int | None:
    if value is None or value is ABSENT:
        return 0 if nothing_counted else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


_MERGES: Final[Mapping[Rule, Callable[[StoredValue | Absent, Side, Side], Merged | None]]] = {
    Rule.KEEP: _keep,
    Rule.LAST: _last,
    Rule.UNION: _union,
    Rule.TEXT: _text,
    Rule.MAX: _max,
    Rule.MIN: _min,
    Rule.SUM: _sum,
    Rule.DELETED: _deleted,
}
