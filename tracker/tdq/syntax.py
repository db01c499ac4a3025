"""The tree that a filter is read into, and its text.

Always true: the text of a tree reads back as the same tree. Where a node stood in the text is no part of what it is.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from tracker.tdq.lexer import quoted


class Operator(StrEnum):
    """How a field is compared with a value."""

    IS = "="
    IS_NOT = "!="
    HAS = "~"
    HAS_NOT = "!~"
    BEFORE = "<"
    AFTER = ">"
    UP_TO = "<="
    FROM = ">="

    @property
    def is_order(self) -> bool:
        """Whether it asks which of two comes first."""
        return self in (Operator.BEFORE, Operator.AFTER, Operator.UP_TO, Operator.FROM)

    @property
    def positive(self) -> "Operator":
        """The operator that it negates, or itself."""
        return {Operator.IS_NOT: Operator.IS, Operator.HAS_NOT: Operator.HAS}.get(self, self)


@dataclass(frozen=True, slots=True)
class Value:
    """What a field is compared with. is_quoted: it is nothing but text, and no `@me`, `EMPTY` or the like."""

    text: str
    is_quoted: bool = False
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return quoted(self.text) if self.is_quoted else self.text


@dataclass(frozen=True, slots=True)
class Words:
    """A text that the id, the title or the description of an issue holds."""

    text: str
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return quoted(self.text)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value, or with any of several."""

    name: str
    operator: Operator
    values: tuple[Value, ...]
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{self.name} {self.operator} {self.values[0]}"
        listed = f"({', '.join(map(str, self.values))})"
        word = {Operator.IS: "IN", Operator.IS_NOT: "NOT IN"}.get(self.operator, self.operator.value)
        return f"{self.name} {word} {listed}"


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Value, ...] = ()
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"


@dataclass(frozen=True, slots=True)
class Not:
    """What a condition leaves out."""

    condition: "Condition"

    def __str__(self) -> str:
        return f"(NOT {self.condition})"


@dataclass(frozen=True, slots=True)
class All:
    """At least two conditions, all of which hold."""

    conditions: tuple["Condition", ...]

    def __str__(self) -> str:
        return f"({' AND '.join(map(str, self.conditions))})"


@dataclass(frozen=True, slots=True)
class Any:
    """At least two conditions, one of which holds."""

    conditions: tuple["Condition", ...]

    def __str__(self) -> str:
        return f"({' OR '.join(map(str, self.conditions))})"


Condition: TypeAlias = Words | Comparison | Call | Not | All | Any


@dataclass(frozen=True, slots=True)
class Sort:
    """By which field issues are ordered."""

    name: str
    is_reversed: bool = False
    position: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"sort:{'-' if self.is_reversed else ''}{self.name}"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which issues, and in which order; None: all of them, in the order of a list. text: as it was written."""

    condition: Condition | None = None
    sort: Sort | None = None
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.condition, self.sort) if part is not None)


def both(*conditions: Condition | None) -> Condition | None:
    """What holds where all the conditions hold; None is one that always does."""
    wanted = tuple(condition for condition in conditions if condition is not None)
    return All(wanted) if len(wanted) > 1 else wanted[0] if wanted else None
