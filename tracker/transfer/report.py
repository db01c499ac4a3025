"""What came of taking in a file.

Always true: each row that a file has is counted once in its table: new, changed, unchanged, conflicting or skipped.
"""

from dataclasses import dataclass
from typing import Final

from tracker.records import RECORDS
from tracker.transfer.found import Remark, Tally
from tracker.transfer.intake import Outcome

CONFLICTS_SHOWN_MAX: Final = 1_000
TABLES: Final = tuple(record.replica_table for record in RECORDS)


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is here with other values than the file has: the names of those."""

    table: str
    row_id: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a file.

    source: what kind of file it was. counts: for each table the number of rows of each outcome. mutations: how many
    changes it was written in, each of which can be taken back. differences: the first of the conflicting rows. skipped,
    repaired, homeless: as in `Tally`.
    """

    source: str
    is_dry: bool
    counts: dict[str, dict[Outcome, int]]
    mutations: int
    differences: tuple[Difference, ...]
    skipped: tuple[Remark, ...]
    repaired: tuple[Remark, ...]
    homeless: tuple[Remark, ...]

    def total(self, outcome: Outcome) -> int:
        """How many rows of all tables came to `outcome`."""
        return sum(counts[outcome] for counts in self.counts.values())


class Counter:
    """Counts what becomes of rows."""

    def __init__(self) -> None:
        self.mutations = 0
        self._counts = {table: dict.fromkeys(Outcome, 0) for table in TABLES}
        self._differences: list[Difference] = []

    def add(self, table: str, outcome: Outcome, row_id: str = "", fields: tuple[str, ...] = ()) -> None:
        """Count a row."""
        self._counts[table][outcome] += 1
        if outcome is Outcome.CONFLICTING and len(self._differences) < CONFLICTS_SHOWN_MAX:
            self._differences.append(Difference(table, row_id, fields))

    def take_in(self, other: "Counter") -> None:
        """Add what another has counted."""
        for table, counts in other._counts.items():  # noqa: SLF001 - of the same class
            for outcome, count in counts.items():
                self._counts[table][outcome] += count
        room = CONFLICTS_SHOWN_MAX - len(self._differences)
        self._differences += other._differences[:room]  # noqa: SLF001 - the same

    def summary(self, source: str, tally: Tally, *, is_dry: bool) -> Summary:
        """What it came to."""
        skipped = tuple(tally.skipped)
        for remark in skipped:
            if remark.table in self._counts:
                self._counts[remark.table][Outcome.SKIPPED] += remark.count
        return Summary(
            source,
            is_dry,
            self._counts,
            self.mutations,
            tuple(self._differences),
            skipped,
            tuple(tally.repaired),
            tuple(tally.homeless),
        )
