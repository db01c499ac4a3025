"""How a column is compared with what was typed: SQL for each kind of field.

Always true:
- what was typed is only ever a bound parameter;
- the SQL here is of the positive operators (`=`, `~` and those of order) and may come to NULL, which counts as false;
  `negated` makes two values of these three again.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeVar

from tracker.errors import InvalidFieldError
from tracker.ids import full_prefix
from tracker.names import parse_priority, parse_status, parse_type
from tracker.records import IssueType, Priority, Status
from tracker.tdq.fields import Field, Kind
from tracker.tdq.moments import ADVICE, days_named, moments_named
from tracker.tdq.refusal import Refusal, refuse_unknown, shown
from tracker.tdq.syntax import Comparison, Operator, Value
from tracker.values import moment_text

_SEARCHED_LENGTH_MAX: Final = 1_000
_WHOLE_ID_LENGTH: Final = len("td-7x2k9m1p")
_ABOVE_ALL: Final = "\U0010ffff"
_SHALLOW: Final = 4
_Stretch = TypeVar("_Stretch")


@dataclass(frozen=True, slots=True)
class Context:
    """What a filter means here and now.

    now: what relative dates are relative to. me: who `@me` is. zone: where days are days; None is where this machine
    is. pending: the ids of the issues with changes that are not on the primary yet, asked for only where it matters.
    """

    now: datetime
    me: str
    zone: tzinfo | None = None
    pending: Callable[[], Collection[str]] = frozenset


@dataclass(frozen=True, slots=True)
class Fragment:
    """A condition as SQL, with the parameters of its marks, and the tables it names that are to be made before."""

    sql: str
    params: tuple[str | int, ...] = ()
    tables: tuple["Made", ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A table that is made for one query: `sql` selects its column `id`."""

    name: str
    sql: str
    params: tuple[str | int, ...]


def among(row: str, selected: str, inner: Fragment) -> Fragment:
    """Whether the id of a row is among those that `selected` selects, which holds the condition `inner`.

    They are selected once, in a table made before: within the condition they would be once for each part of a view.
    """
    # Named by what is in it, so that what is asked for twice is one table.
    digest = sha256(repr((selected, inner.params)).encode()).hexdigest()
    made = Made(f"made_{digest[:16]}", selected, inner.params)
    return Fragment(f"{row}.id IN (SELECT id FROM {made.name})", (), (*inner.tables, made))


def joined(parts: Iterable[Fragment], word: str) -> Fragment:
    """Conditions with AND or OR between them."""
    # What is nested deeply comes first: SQLite keeps a place for everything that stands before a parenthesis, and has a
    # hundred of them.
    ordered = sorted(parts, key=lambda part: -max(*_depths(part.sql), _SHALLOW))
    if len(ordered) == 1:
        return ordered[0]
    return Fragment(
        f"({f' {word} '.join(part.sql for part in ordered)})",
        tuple(value for part in ordered for value in part.params),
        tuple(dict.fromkeys(table for part in ordered for table in part.tables)),
    )


def negated(part: Fragment) -> Fragment:
    """What a condition leaves out; one that comes to NULL leaves everything out."""
    inner = part.sql if _is_enclosed(part.sql) else f"({part.sql})"
    return Fragment(f"({inner} IS NOT TRUE)", part.params, part.tables)


def _depths(sql: str) -> list[int]:
    """How many parentheses are open behind each that there is; there is none in what is quoted in SQL of ours."""
    depths = [0]
    for char in sql:
        if char in "()":
            depths.append(depths[-1] + (1 if char == "(" else -1))
    return depths


def _is_enclosed(sql: str) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    return sql.startswith("(") and sql.endswith(")") and 0 not in _depths(sql)[1:-1]


def is_empty_value(value: Value) -> bool:
    """Whether it stands for no value at all."""
    return not value.is_quoted and value.text.upper() in ("EMPTY", "NULL")


def compare(field: Field, row: str, asked: Comparison, context: Context) -> Fragment:
    """A field of a row compared as `asked`, by the positive of its operator. Raises Refusal."""
    operator = asked.operator.positive
    if operator not in _OPERATORS[field.kind]:
        fitting = " ".join(one.value for one in Operator if one.positive in _OPERATORS[field.kind])
        reason = f"{asked.operator} is not supported for {asked.name}, {field.kind.told}"
        raise Refusal(reason, asked.position, f"use one of {fitting}")
    if operator.is_order and len(asked.values) > 1:
        raise Refusal(f"{asked.operator} takes one value", asked.values[1].position, "lists are for = != ~ !~ IN")
    column = field.of(row)
    if operator is Operator.HAS:
        return _holds_any(field, column, asked.values)
    empty = [Fragment(_empty(field, column)) for value in asked.values if is_empty_value(value)]
    rest = [value for value in asked.values if not is_empty_value(value)]
    if empty and operator.is_order:
        raise Refusal(f"{asked.operator} cannot compare with {asked.values[0]}", asked.values[0].position, "use =")
    return joined([*empty[:1], *(_COMPARED[field.kind](field, column, operator, rest, asked, context))], "OR")


def negate(field: Field, row: str, part: Fragment) -> Fragment:
    """The negation of a comparison: a date or number that is not there fits no comparison, a negated one neither."""
    opposite = negated(part)
    if field.kind in (Kind.NUMBER, Kind.MOMENT, Kind.DAY):
        return joined([Fragment(f"{field.of(row)} IS NOT NULL"), opposite], "AND")
    return opposite


def _empty(field: Field, column: str) -> str:
    nothing = "'', '[]'" if field.kind is Kind.TEXTS else "''"
    return f"({column} IS NULL OR {column} IN ({nothing}))"


def contains(column: str, text: str, position: int) -> Fragment:
    """A column that holds a text, in capitals or small letters. Raises Refusal."""
    if len(text) > _SEARCHED_LENGTH_MAX:
        reason = f"this text has {len(text)} characters, {_SEARCHED_LENGTH_MAX} can be looked for"
        raise Refusal(reason, position, "a few words of it are enough")
    if text.isascii() or text.lower() == text.upper():
        escaped = re.sub(r"([\\%_])", r"\\\1", text)
        return Fragment(f"{column} LIKE ? ESCAPE '\\'", (f"%{escaped}%",))
    # LIKE knows the small letters of ASCII only.
    return Fragment(f"{column} GLOB ?", ("*" + "".join(map(_glob, text)) + "*",))


def _glob(char: str) -> str:
    cases = {case for case in (char.lower(), char.upper()) if len(case) == 1} | {char}
    return f"[{''.join(sorted(cases))}]" if len(cases) > 1 or char in "*?[" else char


def _holds_any(field: Field, column: str, values: Iterable[Value]) -> Fragment:
    return joined([_holds(field, column, value) for value in values], "OR")


def _holds(field: Field, column: str, value: Value) -> Fragment:
    if field.kind is not Kind.TEXTS:
        return contains(column, value.text, value.position)
    within = contains("member.value", value.text, value.position)
    found = _any_member(column, within)
    # As it is stored, a text without an escape in it is found much quicker.
    is_plain = json.dumps(value.text, ensure_ascii=False)[1:-1] == value.text
    return joined([contains(column, value.text, value.position), found], "AND") if is_plain else found


def _any_member(column: str, condition: Fragment) -> Fragment:
    # What another program stored there must not make a list fail.
    listed = f"json_each(CASE WHEN json_valid({column}) THEN {column} ELSE '[]' END) member"
    return Fragment(f"EXISTS (SELECT 1 FROM {listed} WHERE {condition.sql})", condition.params)


def ids(column: str, values: Iterable[Value]) -> list[Fragment]:
    """A column that holds an id which begins as one of the values. Raises Refusal."""
    prefixes = [_id_prefix(value) for value in values]
    whole = [prefix for prefix in prefixes if len(prefix) >= _WHOLE_ID_LENGTH]
    begun = [prefix for prefix in prefixes if len(prefix) < _WHOLE_ID_LENGTH]
    parts = [Fragment(f"({column} >= ? AND {column} < ?)", (prefix, prefix + _ABOVE_ALL)) for prefix in begun]
    return [_one_of(column, whole), *parts] if whole else parts


def _id_prefix(value: Value) -> str:
    try:
        return full_prefix(value.text)
    except InvalidFieldError as error:
        raise Refusal(f"this id is none: {error.reason}", value.position, error.hint) from None


def _one_of(column: str, values: Collection[str | int]) -> Fragment:
    test = "= ?" if len(values) == 1 else f"IN ({', '.join('?' * len(values))})"
    return Fragment(f"{column} {test}", tuple(values))


def _compare_ids(
    _field: Field, column: str, _operator: Operator, values: list[Value], _asked: Comparison, _context: Context
) -> list[Fragment]:
    return ids(column, values)


def _compare_texts(
    field: Field, column: str, _operator: Operator, values: list[Value], asked: Comparison, context: Context
) -> list[Fragment]:
    texts = [_text(field, value, asked, context) for value in values]
    return [_one_of(column, texts)] if texts else []


def _text(field: Field, value: Value, asked: Comparison, context: Context) -> str:
    if value.is_quoted or value.text.lower() != "@me":
        return value.text
    if field.kind is not Kind.SESSION:
        raise Refusal(f"@me is a session, and {asked.name} is {field.kind.told}", value.position, "put it in quotes")
    return context.me


def _compare_lists(
    _field: Field, column: str, _operator: Operator, values: list[Value], _asked: Comparison, _context: Context
) -> list[Fragment]:
    return [
        joined(
            [
                # As it is stored: it may be part of another text, so it is only where to look closer.
                Fragment(f"instr({column}, ?)", (json.dumps(value.text, ensure_ascii=False),)),
                _any_member(column, Fragment("member.value = ?", (value.text,))),
            ],
            "AND",
        )
        for value in values
    ]


def _compare_choices(
    field: Field, column: str, operator: Operator, values: list[Value], asked: Comparison, _context: Context
) -> list[Fragment]:
    chosen = [choice(field, value, asked.name) for value in values]
    if operator.is_order:
        return [Fragment(f"{column} {operator} ?", (chosen[0],))]
    return [_one_of(column, chosen)] if chosen else []


def choice(field: Field, value: Value, name: str) -> str:
    """The stored value that `value` names. Raises Refusal."""
    assert field.choices is not None
    parse = _NAMES.get(field.choices)
    try:
        if parse is not None:
            return parse(value.text).value
        return field.choices(value.text.strip().lower().replace("-", "_")).value
    except (InvalidFieldError, ValueError):
        known = [one.value for one in field.choices]
        raise refuse_unknown(name.rpartition(".")[2], value.text, known, value.position) from None


_NAMES: Final[Mapping[type[StrEnum], Callable[[str], StrEnum]]] = {
    Status: parse_status,
    IssueType: parse_type,
    Priority: parse_priority,
}


def _compare_numbers(
    field: Field, column: str, operator: Operator, values: list[Value], asked: Comparison, _context: Context
) -> list[Fragment]:
    numbers = []
    for value in values:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value.text):
            reason = f"{asked.name} is {field.kind.told}, and {shown(value.text)} is none"
            raise Refusal(reason, value.position, "give a whole number, as 5")
        numbers.append(int(value.text))
    if operator.is_order:
        return [Fragment(f"{column} {operator} ?", (numbers[0],))]
    return [_one_of(column, numbers)] if numbers else []


_FLAGS: Final = {"true": 1, "yes": 1, "1": 1, "on": 1, "false": 0, "no": 0, "0": 0, "off": 0}


def _compare_flags(
    _field: Field, column: str, _operator: Operator, values: list[Value], asked: Comparison, _context: Context
) -> list[Fragment]:
    flags = []
    for value in values:
        if value.text.lower() not in _FLAGS:
            raise Refusal(f"{asked.name} is true or false, not {shown(value.text)}", value.position, "as minor = true")
        flags.append(_FLAGS[value.text.lower()])
    return [_one_of(column, flags)] if flags else []


def _compare_moments(
    field: Field, column: str, operator: Operator, values: list[Value], asked: Comparison, context: Context
) -> list[Fragment]:
    return [
        _within(column, operator, moment_text(found.start), moment_text(found.end))
        for found in _stretches(field, values, asked, context, moments_named)
    ]


def _compare_days(
    field: Field, column: str, operator: Operator, values: list[Value], asked: Comparison, context: Context
) -> list[Fragment]:
    return [
        _within(column, operator, found.start.isoformat(), found.end.isoformat())
        for found in _stretches(field, values, asked, context, days_named)
    ]


def _stretches(
    field: Field,
    values: Iterable[Value],
    asked: Comparison,
    context: Context,
    named: Callable[[str, datetime, tzinfo | None], _Stretch | None],
) -> Iterable[_Stretch]:
    for value in values:
        found = named(value.text, context.now, context.zone)
        if found is None:
            reason = f"{asked.name} is {field.kind.told}, and {shown(value.text)} is no date"
            raise Refusal(reason, value.position, ADVICE)
        yield found


def _within(column: str, operator: Operator, start: str, end: str) -> Fragment:
    """A text compared with the stretch from `start` on and before `end`."""
    if operator is Operator.IS:
        return Fragment(f"({column} >= ? AND {column} < ?)", (start, end))
    sql, bound = {
        Operator.BEFORE: ("< ?", start),
        Operator.UP_TO: ("< ?", end),
        Operator.AFTER: (">= ?", end),
        Operator.FROM: (">= ?", start),
    }[operator]
    return Fragment(f"{column} {sql}", (bound,))


_Compared = Callable[[Field, str, Operator, list[Value], Comparison, Context], list[Fragment]]
_COMPARED: Final[Mapping[Kind, _Compared]] = {
    Kind.TEXT: _compare_texts,
    Kind.TEXTS: _compare_lists,
    Kind.ID: _compare_ids,
    Kind.SESSION: _compare_texts,
    Kind.CHOICE: _compare_choices,
    Kind.PRIORITY: _compare_choices,
    Kind.NUMBER: _compare_numbers,
    Kind.FLAG: _compare_flags,
    Kind.MOMENT: _compare_moments,
    Kind.DAY: _compare_days,
}

_ORDER: Final = frozenset(operator for operator in Operator if operator.is_order)
_OPERATORS: Final[Mapping[Kind, frozenset[Operator]]] = {
    **dict.fromkeys(
        (Kind.TEXT, Kind.TEXTS, Kind.ID, Kind.SESSION, Kind.CHOICE), frozenset({Operator.IS, Operator.HAS})
    ),
    Kind.PRIORITY: _ORDER | {Operator.IS},
    **dict.fromkeys((Kind.NUMBER, Kind.MOMENT, Kind.DAY), _ORDER | {Operator.IS}),
    **dict.fromkeys((Kind.FLAG, Kind.ANCESTOR, Kind.TARGET), frozenset({Operator.IS})),
}
