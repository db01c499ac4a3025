"""A filter read into its tree.

```
filter     = [any] ["sort:" ["-"] field]                  the sort may stand anywhere, once
any        = all {("OR" | "||") all}
all        = negation {["AND" | "&&"] negation}           conditions beside each other must all hold
negation   = ("NOT" | "!" | "-") negation | condition
condition  = "(" any ")" | function "(" [values] ")" | field operator value | field ["NOT"] "IN" "(" values ")"
           | text | word
operator   = "=" | ":" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">="
value      = text | ["-"] word | "(" values ")"
values     = value {"," value}
```

Always true: NOT binds closer than AND, and AND closer than OR; what cannot be read is refused where it stands.
"""

from typing import Final

from tracker.errors import FilterError
from tracker.tdq.lexer import Kind, Token, tokens_of
from tracker.tdq.refusal import Refusal, shown
from tracker.tdq.syntax import All, Any, Call, Comparison, Condition, Filter, Not, Operator, Sort, Value, Words

DEPTH_MAX: Final = 50
CONDITIONS_MAX: Final = 200
VALUES_MAX: Final = 1_000


def parse(text: str) -> Filter:
    """The tree of a filter. Raises FilterError."""
    try:
        tokens, sort = _take_sort(tokens_of(text))
        parser = _Parser(tokens)
        return Filter(parser.whole(), sort, text)
    except Refusal as refusal:
        raise FilterError(refusal.reason, text, refusal.position, refusal.advice) from None


def parse_comparison(name: str, typed: str) -> Comparison:
    """What `typed` asks of a field: an operator and a value, or a value alone, or several with commas between.

    Raises FilterError.
    """
    has_operator = typed.lstrip().startswith(("=", "!", "~", "<", ">"))
    text = f"{name} {typed}" if has_operator else f"{name} = ({typed})"
    found = parse(text)
    if not isinstance(found.condition, Comparison) or found.sort is not None:
        raise FilterError("one value is expected", text, len(name) + 1, "put text with spaces in it in quotes")
    return found.condition


def _take_sort(tokens: list[Token]) -> tuple[list[Token], Sort | None]:
    """The tokens without the clause that orders, and what it says."""
    rest: list[Token] = []
    sort: Sort | None = None
    position = 0
    while position < len(tokens):
        token, following = tokens[position], tokens[position + 1 : position + 4]
        if not _begins_sort(token, following, rest):
            rest.append(token)
            position += 1
            continue
        if sort is not None:
            raise Refusal("the order is given twice", token.start, "keep one sort:")
        is_reversed = len(following) > 1 and following[1].kind is Kind.MINUS
        name = following[2] if is_reversed and len(following) > 2 else following[1]
        if name.kind is not Kind.WORD:
            raise Refusal("sort: needs a field after it", name.start, "as sort:-updated")
        sort = Sort(name.text.lower(), is_reversed, name.start)
        position += 4 if is_reversed else 3
    return rest, sort


def _begins_sort(token: Token, following: list[Token], before: list[Token]) -> bool:
    is_value = bool(before) and before[-1].kind in (Kind.OPERATOR, Kind.COLON, Kind.COMMA)
    return (
        not is_value
        and token.kind is Kind.WORD
        and token.text.lower() == "sort"
        and following[0].kind is Kind.COLON
        and following[0].start == token.end
    )


class _Parser:
    """Reads tokens from left to right; `_next` gives the first that was not read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = self._depth = self._conditions = self._values = 0

    def _next(self) -> Token:
        return self._tokens[self._position]

    def _ahead(self, count: int) -> Token:
        return self._tokens[min(self._position + count, len(self._tokens) - 1)]

    def _take(self) -> Token:
        token = self._next()
        self._position += 1
        return token

    def whole(self) -> Condition | None:
        """All of it."""
        if self._next().kind is Kind.END:
            return None
        condition = self._any()
        if self._next().kind is not Kind.END:
            raise self._unexpected()
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._next().kind is Kind.OR:
            self._take()
            parts.append(self._all())
        return Any(tuple(parts)) if len(parts) > 1 else parts[0]

    def _all(self) -> Condition:
        parts = [self._negation()]
        while self._next().kind not in (Kind.END, Kind.OR, Kind.CLOSE):
            if self._next().kind is Kind.AND:
                self._take()
            parts.append(self._negation())
        return All(tuple(parts)) if len(parts) > 1 else parts[0]

    def _negation(self) -> Condition:
        if self._next().kind in (Kind.NOT, Kind.MINUS):
            self._deeper(self._take())
            condition = Not(self._negation())
            self._depth -= 1
            return condition
        return self._condition()

    def _condition(self) -> Condition:
        token = self._next()
        if token.kind is Kind.OPEN:
            self._deeper(self._take())
            condition = self._any()
            self._close(token)
            self._depth -= 1
            return condition
        if token.kind not in (Kind.WORD, Kind.STRING):
            raise self._unexpected()
        self._count_condition(self._take())
        if token.kind is Kind.STRING:
            return Words(token.text, token.start)
        if self._next().kind is Kind.OPEN and self._next().start == token.end:
            return self._call(token)
        return self._comparison(token)

    def _call(self, name: Token) -> Condition:
        opening = self._take()
        if self._next().kind is Kind.CLOSE:
            self._take()
            return Call(name.text.lower(), (), name.start)
        return Call(name.text.lower(), self._listed(opening), name.start)

    def _comparison(self, name: Token) -> Condition:
        operator = self._operator()
        if operator is None:
            return Words(name.text, name.start)
        values = self._value_or_list()
        return Comparison(name.text.lower(), operator, values, name.start)

    def _operator(self) -> Operator | None:
        token = self._next()
        if token.kind is Kind.OPERATOR:
            return Operator(self._take().text)
        if token.kind is Kind.COLON:
            self._take()
            return Operator.IS
        is_negated = token.kind is Kind.NOT
        word, after = (self._ahead(1), self._ahead(2)) if is_negated else (token, self._ahead(1))
        if word.kind is Kind.WORD and word.text.lower() == "in" and after.kind is Kind.OPEN:
            self._position += 2 if is_negated else 1
            return Operator.IS_NOT if is_negated else Operator.IS
        return None

    def _value_or_list(self) -> tuple[Value, ...]:
        if self._next().kind is Kind.OPEN:
            return self._listed(self._take())
        return (self._value(),)

    def _listed(self, opening: Token) -> tuple[Value, ...]:
        values = [self._value()]
        while self._next().kind is Kind.COMMA:
            self._take()
            values.append(self._value())
        self._close(opening)
        return tuple(values)

    def _value(self) -> Value:
        before, token = self._ahead(-1), self._take()
        self._values += 1
        if self._values > VALUES_MAX:
            raise Refusal(f"there are more than {VALUES_MAX} values", token.start, "narrow the list by fewer")
        if token.kind is Kind.STRING:
            return Value(token.text, is_quoted=True, position=token.start)
        if token.kind is Kind.WORD:
            return Value(token.text, position=token.start)
        if token.kind is Kind.MINUS and self._next().kind is Kind.WORD and self._next().start == token.end:
            return Value("-" + self._take().text, position=token.start)
        self._position -= 1
        what = "the end" if token.kind is Kind.END else shown(token.text)
        reason = f"a value must follow {shown(before.text)}, not {what}"
        raise Refusal(reason, token.start, "put a value that is a word of the language in quotes")

    def _close(self, opening: Token) -> None:
        if self._next().kind is not Kind.CLOSE:
            if self._next().kind is Kind.END:
                raise Refusal("this parenthesis is never closed", opening.start)
            raise self._unexpected()
        self._take()

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Refusal(f"this is nested more than {DEPTH_MAX} deep", token.start, "take parentheses away")

    def _count_condition(self, token: Token) -> None:
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            reason = f"there are more than {CONDITIONS_MAX} conditions"
            raise Refusal(reason, token.start, "list values instead: status IN (open, blocked)")

    def _unexpected(self) -> Refusal:
        token = self._next()
        if token.kind is Kind.END:
            return Refusal("a condition is missing at the end", token.start, "as status = open")
        advice = {
            Kind.OPERATOR: "a field comes first, as status = open",
            Kind.COLON: "a field comes first, as status:open",
            Kind.CLOSE: "no parenthesis is open here, or nothing is in it",
            Kind.COMMA: "a list stands in parentheses after a field: status IN (open, blocked)",
        }.get(token.kind, "a condition comes first, as status = open")
        return Refusal(f"{shown(token.text)} cannot stand here", token.start, advice)
