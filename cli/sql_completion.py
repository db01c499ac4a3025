"""What may come next in SQL that somebody types.

Always true: a completion begins as what was typed does, in any case; within a text in quotes there is none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

KEYWORDS: Final = tuple(
    """
    ABS ALL AND AS ASC AVG BETWEEN BY CASE CAST COALESCE COUNT CROSS DATE DELETE DESC DISTINCT ELSE END EXCEPT EXISTS
    EXPLAIN FROM GLOB GROUP HAVING IN INNER INSERT INTERSECT INTO IS JOIN JSON_EACH LEFT LENGTH LIKE LIMIT LOWER MAX
    MIN NOT NULL OFFSET ON OR ORDER OUTER OVER PARTITION RECURSIVE SELECT SET SUBSTR SUM THEN UNION UPDATE UPPER USING
    VALUES WHEN WHERE WITH
    """.split()  # noqa: SIM905 - one reads them better so
)
_LAST_WORD: Final = re.compile(r"[\w$]*\Z")
_BEFORE_TABLE: Final = ("FROM", "JOIN", "INTO", "UPDATE", "TABLE")
_QUALIFIED: Final = re.compile(r"([\w$]+)\.\Z")
_COMMA_LIST_OF_TABLES: Final = re.compile(r"\bFROM\s+[\w\s,]*,\s*\Z", re.IGNORECASE)


def completions(before: str, tables: Mapping[str, Sequence[str]]) -> list[str]:
    """What may stand where the cursor is.

    Args:
        before: what was typed up to the cursor, from the beginning of the statement.
        tables: the columns of each table.
    """
    if before.count("'") % 2:
        return []
    typed = last_word(before)
    rest = before[: len(before) - len(typed)]
    if qualified := _QUALIFIED.search(rest):
        return _beginning(typed, _columns_of(qualified[1], before, tables))
    previous = (re.findall(r"[\w$]+|[^\w\s]", rest) or [""])[-1].upper()
    if previous in _BEFORE_TABLE or _COMMA_LIST_OF_TABLES.search(rest):
        return _beginning(typed, sorted(tables))
    if not typed:
        return []
    named = [name for name in tables if re.search(rf"\b{re.escape(name)}\b", before, re.IGNORECASE)]
    columns = sorted({column for name in named or tables for column in tables[name]})
    return _beginning(typed, [*columns, *sorted(tables), *KEYWORDS])


def last_word(before: str) -> str:
    """The word that is being typed; "" between two words."""
    found = _LAST_WORD.search(before)
    assert found is not None, "it matches nothing at all, too"
    return found[0]


def _columns_of(name: str, before: str, tables: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The columns of a table, by its name or by the alias it has in the statement."""
    for table, columns in tables.items():
        alias = rf"\b{re.escape(table)}\s+(?:AS\s+)?{re.escape(name)}\b"
        if table.lower() == name.lower() or re.search(alias, before, re.IGNORECASE):
            return columns
    return ()


def _beginning(typed: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.lower().startswith(typed.lower()) and name != typed]
