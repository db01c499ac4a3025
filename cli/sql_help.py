"""What a person is told who named a table or a column in SQL that is not there.

Always true: the hint names what there is, and first what was probably meant.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Final

from tracker import QueryError

Tables = Mapping[str, Sequence[str]]
"""The columns of each table, by its name."""

_NO_TABLE: Final = re.compile(r"no such table: ([^\s,;]+)")
_NO_COLUMN: Final = re.compile(r"no such column: ([^\s,;]+)|has no column named ([^\s,;]+)")
_WORD: Final = re.compile(r"\w+")


def add_names(error: QueryError, sql: str, tables: Tables) -> None:
    """Let the hint of `error` name the tables or columns there are, where it is about one that is not."""
    if found := _NO_TABLE.search(str(error)):
        error.hint = _guess(_last_part(found[1]), tables) + f"the tables are {_listed(tables)}"
    elif found := _NO_COLUMN.search(str(error)):
        named = {word.lower() for word in _WORD.findall(sql)}
        meant = {name: columns for name, columns in tables.items() if name.lower() in named}
        if not meant:
            error.hint = "no table is named in it; .schema shows what there is"
            return
        every = sorted({column for columns in meant.values() for column in columns})
        has = "; ".join(f"{name} has {_listed(columns)}" for name, columns in meant.items())
        error.hint = _guess(_last_part(found[1] or found[2]), every) + has


def _last_part(name: str) -> str:
    """A name without the table or schema before it, and without quotes."""
    return name.rpartition(".")[2].strip("\"'`[]")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _guess(typed: str, names: Iterable[str]) -> str:
    lower = {name.lower(): name for name in names}
    close = get_close_matches(typed.lower(), lower, n=1)
    return f"did you mean {lower[close[0]]}? " if close else ""
