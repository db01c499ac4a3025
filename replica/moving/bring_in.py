"""Bring all of a local file to a primary, and hold what arrived against what was there.

Always true:
- what is missing on the primary is found by comparing the file with a base that came from it, so that a move that was
  broken off goes on where it was, and one that was done does nothing;
- a row that others changed since is left as they have it; one that was changed on both sides is merged, or parked for a
  person, as in any sync;
- it is done only when a comparison finds nothing left to do, and counts and hashes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from replica import outbox, overlay
from replica.drivers.embedded import Embedded
from replica.errors import MoveMismatchError, PrimaryError, UnreachableError
from replica.moving.judge import Verdict, replacement
from replica.moving.send import Courier, Keyed, Pace, plan_history, plan_rows
from replica.moving.sides import Sides, both_sides
from replica.mutation import Mutation
from replica.pull import base_path
from replica.report import MoveReport, Show, TableMoved

if TYPE_CHECKING:
    from replica.primary import Refusal
    from replica.sync import Sync

_ROUNDS_MAX: Final = 8
_SYNC_S: Final = 3_600.0


def bring_in(store: Embedded, sync: Sync, source: Path, *, author: tuple[str, str, int], show: Show) -> MoveReport:
    """Bring what is in `source` to the primary of the replica in `store`, and into that replica.

    source: a local file that nobody writes meanwhile, of the schema of this program. author: session, machine and
    schema version, for rows without a history. Raises ReplicaError: run again, it goes on.
    """
    merged = parked = 0
    refused: list[str] = []
    for _ in range(_ROUNDS_MAX):
        show("fetching", 0, 1)
        report = sync.run(deadline_s=_SYNC_S)
        merged, parked = merged + report.merged, parked + report.parked
        if report.error is not None:
            raise report.error
        with both_sides(source, base_path(store.directory), store.tables) as sides:
            one_round = _Round(sides, store, sync, author, show)
            # Rows of one table may refer to each other, in any order.
            refusal = one_round.send(with_references=not any("FOREIGN KEY" in told for told in refused))
            if not one_round.has_sent and refusal is None:
                return MoveReport(_verified(sides, show), merged, parked)
        if refusal is not None:
            _check_new(refusal, refused)
            refused.append(refusal.message)
    raise UnreachableError("others change the same rows faster than they can be moved")


def _check_new(refusal: Refusal, before: Sequence[str]) -> None:
    """Raise PrimaryError for a constraint that was in the way before: this time the rows of others were known."""
    if refusal.message in before and "constraint failed" in refusal.message:
        message = f"the primary refuses what is moved: {refusal.message}"
        raise PrimaryError(message, "nothing was switched; change here what it refuses, and move again")


class _Round:
    """One comparison, and the sending of what it finds missing."""

    def __init__(self, sides: Sides, store: Embedded, sync: Sync, author: tuple[str, str, int], show: Show) -> None:
        self.has_sent = False
        self._sides, self._store, self._author, self._show = sides, store, author, show
        self._total, self._done, self._pace = sides.total(), 0, Pace()
        self._courier = Courier(sync.apply, self._pace, self._arrived)
        self._apart: list[Mutation] = []

    def send(self, *, with_references: bool) -> Refusal | None:
        """Send what is missing. Rows come first: history is there only of what is there."""
        rows = plan_rows(self._missing(), self._pace, with_references=with_references)
        refusal = self._courier.bring(rows)
        refusal = refusal or self._courier.bring(plan_history(self._sides.missing_history(), self._pace))
        if refusal is None:
            self._queue()
        return refusal

    def _arrived(self, rows: int) -> None:
        self.has_sent = True
        self._done += rows
        self._show("sending", self._done, self._total)

    def _missing(self) -> Iterator[Keyed]:
        for table in self._sides.tables.values():
            for row_id, mine, theirs, judgement in self._sides.judged(table, self._author):
                if judgement.verdict is Verdict.AHEAD:
                    yield (table.name, row_id), replacement(mine, theirs)
                if judgement.mine is not None:
                    self._apart.append(judgement.mine)
            for row in self._sides.missing(table):
                yield (table.name, str(row["id"])), replacement(row, None)

    def _queue(self) -> None:
        """Let what is apart go as ordinary changes, which a sync merges or parks; each once."""
        if not self._apart:
            return
        with self._store.writing() as connection:
            known = {mutation.id for mutation in outbox.load(connection)}
            for mutation in self._apart:
                if mutation.id not in known and not self._sides.has_mutation(mutation.id):
                    outbox.append(connection, mutation)
                    self.has_sent = True
            keys = {(change.table, change.row_id) for mutation in self._apart for change in mutation.changes}
            overlay.rebuild(connection, self._store.tables, self._store.attached().base_tables, keys)


def _verified(sides: Sides, show: Show) -> tuple[TableMoved, ...]:
    results = list(sides.verify(show))
    differing = [told.table for told, is_same in results if not is_same]
    if differing:
        raise MoveMismatchError(differing)
    return tuple(told for told, _ in results)
