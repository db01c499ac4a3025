"""What the text of one SQL statement says that SQLite does not tell of it: pure, and never what safety rests on.

Always true: text in quotes, comments and parentheses is never taken for the words of the statement itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from replica.errors import QueryError
from replica.mutation import StoredValue

# As SQLite's own tokenizer has it: whatever is not ASCII may be part of a name.
_TOKEN: Final = re.compile(
    r"""(?P<gap>[\ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<text>[xX]?'(?:[^']|'')*(?:'|\Z))
    |(?P<name>"(?:[^"]|"")*(?:"|\Z)|\x60(?:[^\x60]|\x60\x60)*(?:\x60|\Z)|\[[^\]]*(?:\]|\Z))
    |(?P<parameter>\?\d*|[:@$#][\w$\x80-\U0010ffff]+)
    |(?P<number>\d[\w.]*)
    |(?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)


class Sort(StrEnum):
    """What a token is."""

    TEXT = "text"
    NAME = "name"
    PARAMETER = "parameter"
    NUMBER = "number"
    WORD = "word"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: how deep in parentheses it stands, and where in the text it begins and ends."""

    sort: Sort
    text: str
    depth: int
    start: int
    end: int

    @property
    def keyword(self) -> str:
        """The word in capitals; "" for what is none, or stands in parentheses."""
        return self.text.upper() if self.sort is Sort.WORD and not self.depth else ""

    @property
    def identifier(self) -> str:
        """The name that it stands for, without its quotes."""
        if self.sort is not Sort.NAME:
            return self.text
        mark = self.text[-1]
        return self.text[1:-1] if mark == "]" else self.text[1:-1].replace(mark * 2, mark)


def tokens(sql: str) -> Iterator[Token]:
    """The tokens of a statement, without space and comments."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        if match.lastgroup == "gap":
            continue
        text = match.group()
        depth -= text == ")"
        yield Token(Sort(str(match.lastgroup)), text, depth, match.start(), match.end())
        depth += text == "("


OF_THE_SCHEMA: Final = ("CREATE", "ALTER", "DROP", "REINDEX", "ANALYZE", "VACUUM")
"""What a statement begins with that changes the schema, or how all of it is kept."""


def first_word(sql: str) -> str:
    """The word that a statement begins with, in capitals; "" if there is none."""
    return next(tokens(sql), Token(Sort.MARK, "", 0, 0, 0)).keyword


def has_where(sql: str) -> bool:
    """Whether an UPDATE or DELETE says which rows it means."""
    return any(token.keyword == "WHERE" for token in tokens(sql))


def on_clash(sql: str) -> str:
    """What an INSERT or UPDATE says is to be done with a row that clashes: `REPLACE`, `IGNORE` …; "" if nothing."""
    found = list(tokens(sql))
    for token, following, last in zip(found, found[1:], found[2:], strict=False):
        if token.keyword in ("INSERT", "UPDATE") and following.keyword == "OR":
            return last.keyword
        if token.keyword == "REPLACE" and following.keyword == "INTO":
            return token.keyword
    return ""


def in_order(sql: str, params: Sequence[StoredValue] | Mapping[str, StoredValue]) -> tuple[str, Sequence[StoredValue]]:
    """SQL and its parameters in order, also where they were given by name. Raises QueryError."""
    return bound(sql, params) if isinstance(params, Mapping) else (sql, params)


def bound(sql: str, values: Mapping[str, StoredValue]) -> tuple[str, list[StoredValue]]:
    """A statement with a `?` for each `:name`, and their values in order.

    Raises QueryError for a name without a value, or a value without a name.
    """
    parts, params, end = [], [], 0
    unused = set(values)
    for token in tokens(sql):
        if token.sort is Sort.PARAMETER and token.text[0] != "?":
            name = token.text[1:]
            if name not in values:
                raise QueryError(f"SQL does not run: {token.text} has no value", "give one for each name")
            parts += [sql[end : token.start], "?"]
            params.append(values[name])
            unused.discard(name)
            end = token.end
    if unused:
        raise QueryError(f"SQL does not run: nothing in it is called :{min(unused)}", "name it in the SQL as :name")
    return "".join([*parts, sql[end:]]), params


def insert_columns(sql: str) -> tuple[str, ...] | None:
    """The columns that an INSERT names; None if it gives a value to every one."""
    found = list(tokens(sql))
    into = next((place for place, token in enumerate(found) if token.keyword == "INTO"), None)
    if into is None:
        return None
    rest = _after_table(found[into + 1 :])
    if rest and rest[0].keyword == "DEFAULT":
        return ()
    if not rest or rest[0].text != "(" or rest[0].sort is not Sort.MARK:
        return None
    names = []
    for token in rest[1:]:
        if token.sort in (Sort.WORD, Sort.NAME, Sort.TEXT):
            names.append(token.identifier.strip("'") if token.sort is Sort.TEXT else token.identifier)
        elif token.text == ")":
            break
    return tuple(names)


def _after_table(found: Sequence[Token]) -> Sequence[Token]:
    """The tokens after the name of a table, its schema before it and its alias behind it."""
    rest = found[1:]
    if rest and rest[0].text == ".":
        rest = rest[2:]
    if rest and rest[0].keyword == "AS":
        rest = rest[2:]
    return rest
