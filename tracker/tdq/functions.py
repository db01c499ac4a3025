"""The functions of the language: what each takes, and what it stands for.

Always true: a function stands for a condition of the language wherever there is one; only what the language cannot say
without it is SQL of its own.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tracker.records import IssueType, Status
from tracker.tdq.comparisons import Context, Fragment, among, ids, joined
from tracker.tdq.fields import ALIASES, FIELDS, RELATIONS, of_target
from tracker.tdq.refusal import Refusal, refuse_unknown
from tracker.tdq.syntax import All, Call, Comparison, Condition, Not, Operator, Value, both

_EMPTY: Final = Value("EMPTY")
_OPEN_TARGET: Final = "related.status <> 'closed'"
_LATEST_REVIEW: Final = (
    "NOT EXISTS (SELECT 1 FROM reviews later WHERE later.issue_id = review.issue_id "
    "AND (later.created_at, later.id) > (review.created_at, review.id))"
)
_WORKED_ON: Final = (Value("open"), Value("in_progress"))


@dataclass(frozen=True, slots=True)
class Function:
    """told: how it is called. at_least, at_most: how many arguments it takes; None is as many as there are."""

    told: str
    at_least: int
    at_most: int | None
    expand: Callable[[Call], Condition] | None = None
    sql: Callable[[Call, str, Context], Fragment] | None = None


def function_of(call: Call) -> Function:
    """What a call calls. Raises Refusal where there is no such function, or it takes other arguments."""
    function = FUNCTIONS.get(call.name)
    if function is None:
        raise refuse_unknown("function", call.name, FUNCTIONS, call.position)
    count = len(call.arguments)
    if count < function.at_least or (function.at_most is not None and count > function.at_most):
        given = f"{count} values" if count != 1 else "1 value"
        raise Refusal(f"{call.name} does not take {given}", call.position, f"it is called as {function.told}")
    return function


def asked_name(value: Value) -> str:
    """A field that a function is asked about, by the name it has in the table of fields."""
    name = value.text.lower()
    return ALIASES.get(name, name)


def _is(name: str, *values: Value, operator: Operator = Operator.IS, position: int = 0) -> Comparison:
    return Comparison(name, operator, values, position)


def _has(call: Call) -> Condition:
    name = asked_name(call.arguments[0])
    singular = name.removesuffix("s")
    if name == "children":
        return Call("has_children", (), call.position)
    if name in FIELDS or "." in name:
        return _is(name, _EMPTY, operator=Operator.IS_NOT, position=call.arguments[0].position)
    if singular in _SEVERAL or name in FIELDS:
        return _is(f"{singular}.created", _EMPTY, operator=Operator.IS_NOT, position=call.position)
    if singular == "dep":
        return _is("dep", _EMPTY, operator=Operator.IS_NOT, position=call.position)
    known = [*FIELDS, *(f"{relation}s" for relation in _SEVERAL), "children"]
    raise refuse_unknown("field", call.arguments[0].text, known, call.arguments[0].position)


_SEVERAL: Final = tuple(name for name in RELATIONS if name not in FIELDS)


def _is_state(call: Call) -> Condition:
    (value,) = call.arguments
    name = value.text.lower().replace("-", "_")
    if name in _STATES:
        return _STATES[name](call)
    known = {"review": Status.IN_REVIEW.value} | {status.value: status.value for status in Status}
    if name in known:
        return _is("status", Value(known[name]))
    if name in (*IssueType, "story"):
        return _is("type", Value(name))
    names = [*(status.value for status in Status), *(kind.value for kind in IssueType), *_STATES]
    raise refuse_unknown("state", value.text, names, value.position)


def _overdue(_call: Call) -> Condition:
    closed = _is("status", Value("closed"), operator=Operator.IS_NOT)
    return All((_is("due", Value("today"), operator=Operator.BEFORE), closed))


def _deferred(_call: Call) -> Condition:
    return _is("defer", Value("today"), operator=Operator.AFTER)


def _ready(call: Call) -> Condition:
    return All((_is("status", Value("open")), Not(_deferred(call)), Not(Call("has_open_deps", (), call.position))))


_STATES: Final[Mapping[str, Callable[[Call], Condition]]] = {
    "ready": _ready,
    "overdue": _overdue,
    "deferred": _deferred,
    "deleted": lambda _call: _is("deleted", _EMPTY, operator=Operator.IS_NOT),
    "minor": lambda _call: _is("minor", Value("true")),
    "mine": lambda _call: _is("implementer", Value("@me")),
    "conflicted": lambda call: Call("has_conflicts", (), call.position),
    "pending": lambda call: Call("has_pending", (), call.position),
}


def _every(call: Call) -> Condition:
    name, *values = call.arguments
    conditions = [_is(asked_name(name), value, position=name.position) for value in values]
    return both(*conditions) or conditions[0]


def _open_deps(_call: Call, row: str, _context: Context) -> Fragment:
    return Fragment(of_target(row, _OPEN_TARGET))


def _blocks(call: Call, row: str, _context: Context) -> Fragment:
    blocked = joined(ids("edge.issue_id", call.arguments), "OR")
    return among(row, f"SELECT edge.depends_on_id AS id FROM dependencies edge WHERE {blocked.sql}", blocked)


def _children(_call: Call, row: str, _context: Context) -> Fragment:
    return Fragment(
        f"EXISTS (SELECT 1 FROM issues child WHERE child.parent_id = {row}.id AND child.deleted_at IS NULL)"
    )


def _rejected(_call: Call, row: str, _context: Context) -> Fragment:
    wanted = f"review.issue_id = {row}.id AND review.decision = 'changes_requested' AND {_LATEST_REVIEW}"
    return Fragment(f"EXISTS (SELECT 1 FROM reviews review WHERE {wanted})")


def _conflicts(_call: Call, row: str, _context: Context) -> Fragment:
    wanted = "conflict.table_name = 'issues' AND conflict.state = 'open'"
    return among(row, f"SELECT conflict.row_id AS id FROM _replica_conflicts conflict WHERE {wanted}", Fragment(""))


def _pending(_call: Call, row: str, context: Context) -> Fragment:
    waiting = json.dumps(sorted(context.pending()))
    return among(row, "SELECT waiting.value AS id FROM json_each(?) waiting", Fragment("", (waiting,)))


def _of(name: str, operator: Operator = Operator.IS) -> Callable[[Call], Condition]:
    return lambda call: _is(name, *call.arguments, operator=operator, position=call.position)


def _any_of(operator: Operator) -> Callable[[Call], Condition]:
    return lambda call: _is(
        asked_name(call.arguments[0]), *call.arguments[1:], operator=operator, position=call.arguments[0].position
    )


def _rework(call: Call) -> Condition:
    return All((_is("status", *_WORKED_ON), Call("was_rejected", (), call.position)))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "has": Function("has(FIELD)", 1, 1, expand=_has),
    "is": Function("is(STATE)", 1, 1, expand=_is_state),
    "any": Function("any(FIELD, VALUE, …)", 2, None, expand=_any_of(Operator.IS)),
    "all": Function("all(FIELD, VALUE, …)", 2, None, expand=_every),
    "none": Function("none(FIELD, VALUE, …)", 2, None, expand=_any_of(Operator.IS_NOT)),
    "label": Function("label(LABEL, …)", 1, None, expand=_of("labels")),
    "labels": Function("labels(LABEL, …)", 1, None, expand=_of("labels")),
    "blocks": Function("blocks(ID, …)", 1, None, sql=_blocks),
    "blocked_by": Function("blocked_by(ID, …)", 1, None, expand=_of("dep")),
    "child_of": Function("child_of(ID, …)", 1, None, expand=_of("parent")),
    "descendant_of": Function("descendant_of(ID, …)", 1, None, expand=_of("epic")),
    "linked_to": Function("linked_to(PATH)", 1, None, expand=_of("file.path", Operator.HAS)),
    "is_ready": Function("is_ready()", 0, 0, expand=_ready),
    "has_open_deps": Function("has_open_deps()", 0, 0, sql=_open_deps),
    "has_children": Function("has_children()", 0, 0, sql=_children),
    "has_conflicts": Function("has_conflicts()", 0, 0, sql=_conflicts),
    "has_pending": Function("has_pending()", 0, 0, sql=_pending),
    "was_rejected": Function("was_rejected()", 0, 0, sql=_rejected),
    "rework": Function("rework()", 0, 0, expand=_rework),
}
