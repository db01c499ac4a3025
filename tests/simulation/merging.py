"""Whether what the primary did with a change is what its author asked for, under the rules of the fields. Pure.

A second opinion: nothing here is the toolkit's own merge. It knows what its author had before their eyes, what the
primary held at that moment, and what it held afterwards. Always true: silence means the change is explained.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from replica import Rule
from tests.simulation.records import NEW
from tests.simulation.story import ToldChange

Json = Any  # a stored value
Row = dict[str, Json]


@dataclass(slots=True)
class Past:
    """What a row has been: each value a field ever had, and who set it last, as (made at, mutation); if it was gone."""

    was_gone: bool = False
    values: dict[str, list[Json]] = field(default_factory=dict)
    setters: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def note(self, name: str, value: Json, setter: tuple[str, str]) -> None:
        """A field was set."""
        self.values.setdefault(name, []).append(value)
        self.setters.setdefault(name, []).append(setter)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a change: as its author saw it and wanted it, as the primary held it, and as it was left."""

    name: str
    before: Json
    wanted: Json
    found: Json
    left: Json
    is_insert: bool
    author: tuple[str, str]
    past: Past

    @property
    def is_as_seen(self) -> bool:
        """Whether the author had seen the value that was there."""
        return not self.is_insert and same(self.found, self.before)


def same(one: Json, other: Json) -> bool:
    """Equal and of one type."""
    return type(one) is type(other) and one == other


def explain(told: ToldChange, applied: ToldChange, found: Row, rules: Mapping[str, Rule], author: tuple[str, str],
            past: Past) -> Iterator[tuple[str, str]]:  # fmt: skip
    """What is wrong with a change that met a row that was there, as (invariant, what)."""
    for name in applied.fields:
        if name not in told.fields:
            yield "I4", f"{name} was set, which its author did not ask for"
    for name, (before, wanted) in told.fields.items():
        if name not in found:
            continue
        is_insert = told.kind == "insert"
        left = applied.fields[name][1] if name in applied.fields else found[name]
        one = Field(name, before, wanted, found[name], left, is_insert, author, past)
        judge = _RULES[rules.get(name, Rule.KEEP)]
        if one.is_as_seen:
            # What gave way to another value on its way may find the row changed back: as if it had come before that.
            has_moved = found["updated_at"] != told.seen
            gave_way = has_moved and same(left, one.found) and judge(one) is None
            if not same(left, wanted) and not gave_way:
                yield "I1", f"{name} was left at {left!r}, and its author wanted {wanted!r} over what they saw"
            continue
        if not is_insert and same(before, wanted):
            # Changed there and back in one transaction: nothing was asked for.
            if not same(left, one.found):
                yield "I4", f"{name} was set, which its author had left as they saw it"
            continue
        wrong = judge(one)
        if wrong:
            yield (
                wrong[0],
                f"{name}: {wrong[1]} (saw {before!r}, wanted {wanted!r}, found {found[name]!r}, left {left!r})",
            )


# What only the primary can refuse, and no value of the row tells.
_CONSTRAINED: Final = frozenset({"code", "project"})


def may_give_way(told: ToldChange, found: Row, rules: Mapping[str, Rule], past: Past) -> bool:
    """Whether a consequence may have come to nothing: it met, now or on its way, what it could not be merged with."""
    is_dropped = told.table not in {record.replica_table for record in NEW.records}
    if is_dropped or past.was_gone or told.fields.keys() & _CONSTRAINED:
        return True
    for name, pair in told.fields.items():
        ever = (found.get(name), *past.values.get(name, []))
        is_mergeable = rules.get(name, Rule.KEEP) not in (Rule.KEEP, Rule.TEXT)
        if not is_mergeable and not all(any(same(value, one) for one in pair) for value in ever):
            return True
    return False


Verdict = tuple[str, str] | None


def _keep(one: Field) -> Verdict:
    if not same(one.left, one.found):
        return "I4", "a value was overwritten that its author had not seen"
    return _was_there(one)


def _was_there(one: Field) -> Verdict:
    """Nothing was written: right only if what was wanted was there already, now or when it was first merged."""
    if same(one.before, one.wanted) and not one.is_insert:
        return None
    if any(same(one.wanted, value) for value in (one.found, *one.past.values.get(one.name, []))):
        return None
    return "I1", "a change was dropped"


def _last(one: Field) -> Verdict:
    setters = one.past.setters.get(one.name, [])
    if same(one.left, one.found):
        is_older = any(setter > one.author for setter in setters)
        return None if is_older or same(one.left, one.wanted) else ("I1", "the later change was dropped")
    if not same(one.left, one.wanted):
        return "thin air", "nobody wrote this"
    return None if not setters or one.author > setters[-1] else ("I4", "the earlier change won")


def _elements(text: Json) -> set[str]:
    return set(json.loads(text)) if isinstance(text, str) else set()


def _union(one: Field) -> Verdict:
    before, wanted = (set() if one.is_insert else _elements(one.before)), _elements(one.wanted)
    found, left = _elements(one.found), _elements(one.left)
    added, removed = wanted - before, before - wanted
    if not left - found <= added or not found - left <= removed:
        return "I4", "elements came or went that nobody added or removed"
    ever = set().union(*(_elements(value) for value in one.past.values.get(one.name, [])))
    if not added - left <= ever:
        return "I1", "an element was not added"
    return None


def _text(one: Field) -> Verdict:
    if same(one.left, one.found):
        return _was_there(one) if one.is_insert else None if _has_lines(one) else ("I1", "lines were not changed")
    if one.is_insert:
        return "I4", "a text was overwritten that its author had not seen"
    before, wanted, found, left = (set(str(text).split("\n")) for text in (one.before, one.wanted, one.found, one.left))
    if not left <= wanted | found:
        return "thin air", "a line nobody wrote"
    lost = (found - before) - left - (before - wanted)
    return ("I4", f"lines were lost that their author had not seen: {lost}") if lost else None


def _has_lines(one: Field) -> bool:
    """Whether the new lines have been in the row at some time."""
    new = set(str(one.wanted).split("\n")) - set(str(one.before).split("\n"))
    ever = set().union(*(str(value).split("\n") for value in (one.found, *one.past.values.get(one.name, []))))
    return new <= ever


def _extreme(is_better: Callable[[int, int], bool]) -> Callable[[Field], Verdict]:
    def judge(one: Field) -> Verdict:
        if same(one.left, one.found):
            ever = (one.found, *one.past.values.get(one.name, []))
            beaten = one.wanted is None or any(v is not None and not is_better(one.wanted, v) for v in ever)
            return None if beaten else ("I1", "the better value was dropped")
        if not same(one.left, one.wanted):
            return "thin air", "nobody wrote this"
        if one.found is not None and not is_better(one.wanted, one.found):
            return "I4", "a better value was overwritten unseen"
        return None

    return judge


def _sum(one: Field) -> Verdict:
    before = 0 if one.is_insert or one.before is None else one.before
    if (one.left or 0) - (one.found or 0) != (one.wanted or 0) - before:
        return "I4", "what was counted is not what was added"
    return None


_RULES: Final[Mapping[Rule, Callable[[Field], Verdict]]] = {
    Rule.KEEP: _keep,
    Rule.LAST: _last,
    Rule.UNION: _union,
    Rule.TEXT: _text,
    Rule.MAX: _extreme(lambda one, other: one > other),
    Rule.MIN: _extreme(lambda one, other: one < other),
    Rule.SUM: _sum,
}
