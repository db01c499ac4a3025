"""A filter as SQL: a condition on the rows of `issues`, with its parameters, and the order of them.

Always true:
- the SQL is made of the tables of this package; what was typed is only ever a bound parameter;
- of every issue a condition is true or false, and NOT makes one of the other;
- the same filter and context give the same SQL, and nothing is read to make it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tracker.errors import FilterError
from tracker.records import Status
from tracker.tdq.comparisons import (
    Context,
    Fragment,
    among,
    compare,
    contains,
    ids,
    is_empty_value,
    joined,
    negate,
    negated,
)
from tracker.tdq.fields import ALIASES, FIELDS, ISSUE, RELATIONS, Field, Kind, Relation, below, of_target
from tracker.tdq.functions import asked_name, function_of
from tracker.tdq.refusal import Refusal, refuse_unknown
from tracker.tdq.syntax import All, Any, Call, Comparison, Condition, Filter, Not, Operator, Sort, Words

_CLOSED: Final = Status.CLOSED.value


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a filter comes to.

    where: None where every issue fits. order: SQL of what issues are ordered by, first to last, each of a column of
    `issues`; empty is the order of a list. names: the fields of the issue itself that it names. is_unclosed: whether no
    closed issue can fit.
    """

    where: Fragment | None
    order: tuple[str, ...]
    names: frozenset[str]
    is_unclosed: bool


def compile_filter(wanted: Filter, context: Context) -> Compiled:
    """The SQL of a filter. Raises FilterError."""
    try:
        condition = wanted.condition
        names = set() if condition is None else set(_names(condition))
        if wanted.sort is not None and _sort_name(wanted.sort) in _OF_HIDDEN:
            names.add(_sort_name(wanted.sort))
        return Compiled(
            where=None if condition is None else _sql(condition, context),
            order=() if wanted.sort is None else _order(wanted.sort),
            names=frozenset(names),
            is_unclosed=condition is not None and _is_unclosed(condition),
        )
    except Refusal as refusal:
        raise FilterError(refusal.reason, wanted.text, refusal.position, refusal.advice) from None


def _sql(condition: Condition, context: Context) -> Fragment:
    match condition:
        case Words():
            columns = (f"{ISSUE}.id", f"{ISSUE}.title", f"{ISSUE}.description")
            return joined([contains(column, condition.text, condition.position) for column in columns], "OR")
        case Comparison():
            return _compared(condition, context)
        case Call():
            return _called(condition, context)
        case Not():
            return negated(_sql(condition.condition, context))
        case All() | Any():
            parts = [_sql(part, context) for part in condition.conditions]
            return joined(parts, "AND" if isinstance(condition, All) else "OR")


def _called(call: Call, context: Context) -> Fragment:
    function = function_of(call)
    return _sql(_expanded(call), context) if function.sql is None else function.sql(call, ISSUE, context)


def _expanded(call: Call) -> Condition:
    expand = function_of(call).expand
    return call if expand is None else expand(call)


def _compared(asked: Comparison, context: Context) -> Fragment:
    relation, field = _field_of(asked)
    is_negated = asked.operator.positive is not asked.operator
    if relation is not None:
        return _compared_related(asked, relation, field, context)
    if field.kind in (Kind.ANCESTOR, Kind.TARGET):
        found = _compared_relatives(asked, field)
        return negated(found) if is_negated else found
    found = compare(field, ISSUE, asked, context)
    return negate(field, ISSUE, found) if is_negated else found


def _field_of(asked: Comparison) -> tuple[Relation | None, Field]:
    """The field that is asked for, and what it is a field of, where that is not the issue itself."""
    of, dot, name = asked.name.partition(".")
    if not dot:
        known = ALIASES.get(of, of)
        if known in FIELDS:
            return None, FIELDS[known]
        if of in RELATIONS:
            told = ", ".join(f"{of}.{field}" for field in RELATIONS[of].fields)
            raise Refusal(f"{of} is no field by itself", asked.position, f"there is {told}")
        raise _no_field(asked)
    if of == "note":
        raise Refusal("notes are no part of an issue", asked.position, "td note list shows them")
    relation = RELATIONS.get(of)
    if relation is None:
        raise _no_field(asked)
    field = relation.fields.get(name) or relation.fields.get(ALIASES.get(name, name))
    if field is None:
        names = [f"{of}.{known}" for known in relation.fields]
        raise refuse_unknown("field", asked.name, names, asked.position)
    return relation, field


def _no_field(asked: Comparison) -> Refusal:
    known = [*FIELDS, *ALIASES, *(f"{name}.{field}" for name, found in RELATIONS.items() for field in found.fields)]
    told = [*FIELDS, *(f"{name}.…" for name in RELATIONS)]
    return refuse_unknown("field", asked.name, known, asked.position, told=told)


def _compared_related(asked: Comparison, relation: Relation, field: Field, context: Context) -> Fragment:
    """A field of something that an issue is related to: `=` holds where one of these fits, `!=` where none does."""
    is_negated = asked.operator.positive is not asked.operator
    empty = [value for value in asked.values if is_empty_value(value) and asked.operator.positive is not Operator.HAS]
    rest = tuple(value for value in asked.values if value not in empty)
    parts = []
    if empty:
        # Nothing there, not even an empty one.
        filled = negated(compare(field, relation.row, Comparison(asked.name, Operator.IS, (empty[0],)), context))
        parts.append(negated(Fragment(relation.around(ISSUE, filled.sql), filled.params)))
    if rest:
        some = Comparison(asked.name, asked.operator.positive, rest, asked.position)
        found = compare(field, relation.row, some, context)
        # Texts that are looked for are rare; what is left out is not.
        if asked.operator is Operator.HAS and relation.listed is not None:
            parts.append(among(ISSUE, relation.listed(found.sql), found))
        else:
            parts.append(Fragment(relation.around(ISSUE, found.sql), found.params))
    whole = joined(parts, "OR")
    return negated(whole) if is_negated else whole


def _compared_relatives(asked: Comparison, field: Field) -> Fragment:
    """The ids of what an issue is below, or depends on."""
    if asked.operator.positive is not Operator.IS:
        advice = f"use = != IN, or {asked.name}.title {asked.operator} …"
        raise Refusal(f"{asked.operator} is not supported for {asked.name}, an id", asked.position, advice)
    named = [value for value in asked.values if not is_empty_value(value)]
    parts = []
    if len(named) < len(asked.values):
        parts.append(negated(Fragment(_ANY_RELATIVE[field.kind])))
    if named:
        column, listed = _RELATIVES[field.kind]
        found = joined(ids(column, named), "OR")
        parts.append(among(ISSUE, listed(found.sql), found))
    return joined(parts, "OR")


def _waiting(condition: str) -> str:
    return f"SELECT edge.issue_id AS id FROM dependencies edge WHERE {condition}"


_RELATIVES: Final[Mapping[Kind, tuple[str, Callable[[str], str]]]] = {
    Kind.ANCESTOR: ("child.parent_id", below),
    Kind.TARGET: ("edge.depends_on_id", _waiting),
}
_ANY_RELATIVE: Final[Mapping[Kind, str]] = {
    Kind.ANCESTOR: RELATIONS["epic"].around(ISSUE, "1"),
    Kind.TARGET: of_target(ISSUE, "1"),
}


def _names(condition: Condition) -> Iterable[str]:
    """The fields of the issue itself that a condition names, as it is written."""
    match condition:
        case Comparison():
            yield ALIASES.get(condition.name, condition.name)
        case Call():
            function_of(condition)
            yield from _names_of_call(condition)
        case Not():
            yield from _names(condition.condition)
        case All() | Any():
            for part in condition.conditions:
                yield from _names(part)


def _names_of_call(call: Call) -> Iterable[str]:
    if call.name in ("has", "any", "all", "none"):
        yield asked_name(call.arguments[0])
    elif call.name in ("label", "labels"):
        yield "labels"
    elif call.name == "is" and call.arguments[0].text.lower() in _STATE_FIELDS:
        yield _STATE_FIELDS[call.arguments[0].text.lower()]
    elif call.name == "is":
        yield from _names(_expanded(call))


# What it means to be ready or overdue says nothing of wanting to see closed issues.
_STATE_FIELDS: Final = {"ready": "ready", "overdue": "due"}


def _is_unclosed(condition: Condition) -> bool:
    """Whether it says by itself that no closed issue fits."""
    match condition:
        case Comparison(name="status"):
            return _leaves_closed_out(condition, condition.operator)
        case Not(condition=Comparison(name="status", operator=Operator.IS) as inside):
            return _leaves_closed_out(inside, Operator.IS_NOT)
        case Call():
            expanded = _expanded(condition)
            return expanded is not condition and _is_unclosed(expanded)
        case All() | Any():
            fits = (_is_unclosed(part) for part in condition.conditions)
            return any(fits) if isinstance(condition, All) else all(fits)
    return False


def _leaves_closed_out(asked: Comparison, operator: Operator) -> bool:
    names_closed = any(value.text.strip().lower() == _CLOSED for value in asked.values)
    return names_closed if operator is Operator.IS_NOT else operator is Operator.IS and not names_closed


_STATUS_ORDER: Final = " ".join(f"WHEN '{status.value}' THEN {place}" for place, status in enumerate(Status))
_SORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "created": (f"{ISSUE}.created_at",),
    "updated": (f"{ISSUE}.updated_at",),
    "closed": (f"{ISSUE}.closed_at",),
    "deleted": (f"{ISSUE}.deleted_at",),
    "priority": (f"{ISSUE}.priority",),
    "id": (f"{ISSUE}.id",),
    "title": (f"lower({ISSUE}.title)",),
    "status": (f"CASE {ISSUE}.status {_STATUS_ORDER} END",),
    "type": (f"{ISSUE}.type",),
    "points": (f"{ISSUE}.points",),
    "sprint": (f"nullif({ISSUE}.sprint, '')",),
    "due": (f"{ISSUE}.due_date",),
    "defer": (f"{ISSUE}.defer_until",),
}
# Who orders by these wants to see what has them.
_OF_HIDDEN: Final = ("closed", "deleted", "defer")
_MAY_BE_MISSING: Final = ("closed", "deleted", "points", "sprint", "due", "defer")
SORTS: Final = tuple(_SORTS)
"""The fields that issues can be ordered by."""


def _sort_name(sort: Sort) -> str:
    name = ALIASES.get(sort.name, sort.name)
    if name not in _SORTS:
        raise refuse_unknown("order", sort.name, _SORTS, sort.position)
    return name


def _order(sort: Sort) -> tuple[str, ...]:
    name = _sort_name(sort)
    (key,) = _SORTS[name]
    way = " DESC" if sort.is_reversed else ""
    # Issues that have none come last, in either way.
    return (f"{key} IS NULL", f"{key}{way}") if name in _MAY_BE_MISSING else (f"{key}{way}",)
