"""What a source has to say: rows, and what became of what it holds.

Always true: whatever a file holds is either a row here, or counted in a tally with its reason and one example.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from replica import Record

_REASONS_MAX: Final = 1_000
_OTHERS: Final = "other reasons"


@dataclass(frozen=True, slots=True)
class Found:
    """A row that a source has.

    values: by the names of our columns, as JSON would have them. where: the place in the file. derived: those of the
    values that the source itself does not state, so that nobody is asked about them where the row is here already.
    may_repeat: a further row with the same id says nothing new.
    """

    record: type[Record]
    values: Mapping[str, object]
    where: str
    derived: frozenset[str] = frozenset()
    may_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was done to `count` values or rows; `example`: the first of them."""

    table: str
    reason: str
    count: int
    example: str


@dataclass(slots=True)
class _Remarks:
    """Remarks of one kind, counted by table and reason."""

    found: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, table: str, reason: str, example: str, count: int = 1) -> None:
        key = (table, reason)
        if key not in self.found and len(self.found) >= _REASONS_MAX:
            key = (table, _OTHERS)
        before, first = self.found.get(key, (0, example))
        self.found[key] = (before + count, first)

    def __iter__(self) -> Iterator[Remark]:
        for (table, reason), (count, example) in self.found.items():
            yield Remark(table, reason, count, example)


@dataclass(slots=True)
class Tally:
    """What is said about a file besides its rows.

    skipped: rows that are not taken. repaired: values that were changed so that they can be. homeless: fields and rows
    that have no place here, counted where they hold something.
    """

    skipped: _Remarks = field(default_factory=_Remarks)
    repaired: _Remarks = field(default_factory=_Remarks)
    homeless: _Remarks = field(default_factory=_Remarks)
