"""What is to be done with the rows of a file: pure functions from what is wanted and what is here.

Always true:
- a row that is here as the source states it is left alone, so that a second time changes nothing;
- what is here with other values is only changed where that is asked for;
- what belongs to one issue is written in one mutation, as far as that has room for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from replica import Record
from tracker.transfer.staging import Staged

ROWS_MAX: Final = 3_000
"""How many rows go into one mutation."""
BYTES_MAX: Final = 2_000_000
"""How much they take as JSON within JSON, which is how a mutation travels; the toolkit takes twice that."""


class Outcome(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICTING = "conflicting"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Decision:
    """outcome: of one row. fields: those in which it differs from what is here."""

    outcome: Outcome
    fields: tuple[str, ...] = ()


def decide(wanted: Staged, here: Mapping[str, object] | None, *, force: bool) -> Decision:
    """What to do with a row; `here`: the stored values of the row with this id, if there is one."""
    if here is None:
        return Decision(Outcome.NEW)
    fields = tuple(
        name for name, value in wanted.values.items() if name in wanted.given and not _same(value, here[name])
    )
    if not fields:
        return Decision(Outcome.UNCHANGED)
    return Decision(Outcome.CHANGED if force else Outcome.CONFLICTING, fields)


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def record_of(row: Staged) -> Record:
    """The record of a row that waits."""
    return row.record.from_row(("id", "updated_at", *row.values), (row.row_id, "", *row.values.values()))


def batches(rows: Iterable[Staged]) -> Iterator[list[Staged]]:
    """Rows in parts, each for one mutation.

    Those of no issue are never with those of one, because undo deletes issues and takes other rows back. `rows`: what
    belongs to one issue stands together.
    """
    batch: list[Staged] = []
    filled = 0
    for owner, group in groupby(rows, key=lambda row: row.owner):
        for part, size in _parts(group):
            is_other_kind = batch and bool(batch[0].owner) != bool(owner)
            if is_other_kind or len(batch) + len(part) > ROWS_MAX or filled + size > BYTES_MAX:
                if batch:
                    yield batch
                batch, filled = [], 0
            batch += part
            filled += size
    if batch:
        yield batch


def _parts(group: Iterable[Staged]) -> Iterator[tuple[list[Staged], int]]:
    """What belongs to one issue, with its size: whole, or in parts where no mutation holds it."""
    part: list[Staged] = []
    filled = 0
    for row in group:
        if part and (len(part) >= ROWS_MAX or filled + row.size > BYTES_MAX):
            yield part, filled
            part, filled = [], 0
        part.append(row)
        filled += row.size
    if part:
        yield part, filled
