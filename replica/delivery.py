"""Delivery: bring the outbox to the primary, whatever it takes: as it is, rebased, in halves, or parked.

Always true:
- mutations reach the primary in the order they were made, unless parked;
- a mutation is acknowledged here only after the primary said that it has it, applied or parked;
- what is rebased or parked replaces what it was in one local transaction, under its id, in its place in the order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from replica import outbox, overlay
from replica.backoff import delays_until_s
from replica.bearer import Bearer
from replica.conflicts import is_parked
from replica.drivers.embedded import Embedded
from replica.drivers.queued import read_row
from replica.errors import PrimaryBusyError, PrimaryError, UnreachableError
from replica.hrana import Step
from replica.mutation import Kind, Mutation, Row
from replica.outbox import State
from replica.primary import Primary, Refusal
from replica.push import cut_batches, has_effect, plan_push
from replica.records import rules_of
from replica.report import NEXT, Stage
from replica.rules import Rule
from replica.schema import Schema
from replica.sqlite_file import storage_errors
from replica.stamps import Stamp

if TYPE_CHECKING:
    from replica.rebase import Key

# Small enough to prepare one batch while the primary applies another, large enough that round trips do not matter.
_BATCH_MUTATIONS: Final = 2_500
_ROUNDS_MAX: Final = 12
_ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a sync takes from outside: who it is, the time, chance, and the way to the primary."""

    url: str
    bearer: Bearer
    session: str
    now: Callable[[], Stamp]
    random: Callable[[], float]
    new_id: Callable[[], str]
    sleep: Callable[[float], None] = time.sleep
    ca_file: Path | None = None


@dataclass(slots=True)
class Progress:
    """What a sync has done so far, and where it is.

    kept_back: why the primary did not take a conflict that stays here, "" if it took all.
    """

    stage: Stage = Stage.IDLE
    pushed: int = 0
    merged: set[str] = field(default_factory=set)
    parked: set[str] = field(default_factory=set)
    pulled: int = 0
    lost: int = 0
    kept_back: str = ""

    def enter(self, stage: Stage) -> None:
        """Go on to a stage that may follow the present one."""
        assert stage in NEXT[self.stage], f"{self.stage} → {stage}"
        self.stage = stage


@dataclass(frozen=True, slots=True)
class _Sent:
    batch: list[Mutation]
    refusal: Future[Refusal | None]


class Delivery:
    """Delivers one replica's outbox to its primary."""

    def __init__(self, store: Embedded, primary: Primary, schema: Schema, around: Surroundings) -> None:
        """`around`: the time, chance and ids of the sync."""
        self._store, self._primary, self._schema, self._around = store, primary, schema, around

    def deliver(self, progress: Progress, deadline: float) -> None:
        """Send all that is queued. Raises UnreachableError, NotAllowedError, PrimaryError; what was sent counts."""
        self._doubt_acknowledged()
        sent: _Sent | None = None
        with ThreadPoolExecutor(max_workers=1) as sender:
            for batch in self._batches():
                progress.enter(Stage.PUSH)
                # Planned while the batch before it is on its way, and sent only when that one is dealt with.
                steps = plan_push(batch)
                if sent is not None:
                    self._finish(sent, progress, deadline)
                sent = _Sent(batch, sender.submit(self._send_steps, steps, deadline))
            if sent is not None:
                self._finish(sent, progress, deadline)

    def _doubt_acknowledged(self) -> None:
        """Queue again what a restored primary has lost since it acknowledged it, before what was made on top of it."""
        with storage_errors(self._store.path):
            ids = outbox.acknowledged(self._store.connection())
        if ids and set(ids) - self._primary.known(ids):
            with self._store.writing() as connection:
                # Whatever it still has is known by its id.
                outbox.put_back(connection)
                self._store.rebuild_overlay(connection)

    def _batches(self) -> Iterator[list[Mutation]]:
        after = outbox.BEFORE_ALL
        while True:
            with storage_errors(self._store.path):
                loaded, after = outbox.load_queued(self._store.connection(), after=after, limit=_BATCH_MUTATIONS)
            if not loaded:
                return
            yield from cut_batches(loaded)

    def _finish(self, sent: _Sent, progress: Progress, deadline: float) -> None:
        refusal = sent.refusal.result()
        if refusal is None:
            self._acknowledge(sent.batch, progress)
        else:
            self._resolve(sent.batch, refusal, progress, deadline, round_number=0)

    def _push(self, batch: Sequence[Mutation], progress: Progress, deadline: float, round_number: int) -> None:
        progress.enter(Stage.PUSH)
        if not batch:
            return
        if round_number > _ROUNDS_MAX:
            message = "others change the same rows faster than this sync can merge"
            raise UnreachableError(message, "the changes wait here for the next sync")
        refusal = self.send(batch, deadline)
        if refusal is None:
            self._acknowledge(batch, progress)
        else:
            self._resolve(batch, refusal, progress, deadline, round_number)

    def _resolve(
        self, batch: Sequence[Mutation], refusal: Refusal, progress: Progress, deadline: float, round_number: int
    ) -> None:
        """Find out why a batch was refused, do what that takes, and push again."""
        progress.enter(Stage.RESOLVE)
        rest = self._drop_known(batch, progress)
        rebased = self._rebase(rest, progress, refused={})
        # A stale row may have come right by itself; one that a rebase leaves as it is, twice, will never.
        if rebased != rest or len(rest) < len(batch) or (refusal.is_stale and round_number == 0):
            self._push(rebased, progress, deadline, round_number + 1)
        elif refusal.is_final and len(rest) == 1 and is_parked(rest[0]):
            # It waits here, whole and shown, for a primary that takes it; it is out of the way of those behind it.
            progress.enter(Stage.PUSH)
            progress.kept_back = refusal.message
        elif not (refusal.is_final or refusal.is_stale) or (len(rest) == 1 and is_parked(rest[0])):
            message = f"the primary refused the changes: {refusal.message}"
            raise PrimaryError(message, "they wait here; look at the primary's log and disk")
        elif len(rest) == 1:
            self._push_in_order(rest, refusal, progress, deadline, round_number)
        else:
            middle = len(rest) // 2
            self._push(rest[:middle], progress, deadline, round_number=0)
            self._push(rest[middle:], progress, deadline, round_number=0)

    def _push_in_order(
        self, one: list[Mutation], refusal: Refusal, progress: Progress, deadline: float, round_number: int
    ) -> None:
        """Push one mutation row by row, as its author did, or park it for the reason for which it was refused.

        Where its consequences are what is refused, they give way, and the rest is pushed without them.
        """
        progress.enter(Stage.PUSH)
        last = refusal
        if len(one[0].changes) > 1:
            in_order = self._send_steps(plan_push(one, in_order=True), deadline)
            if in_order is None:
                self._acknowledge(one, progress)
                return
            # A refusal may be that of a repeat, after the reply was lost: it is parked only if it was not applied.
            if not self._drop_known(one, progress):
                return
            last = in_order
        if last.is_final and any(change.yields and has_effect(change) for change in one[0].changes):
            one = self._rebase(one, progress, refused={}, alone={one[0].id})
            without = self._send_steps(plan_push(one, in_order=True), deadline)
            if without is None:
                self._acknowledge(one, progress)
                return
            if not self._drop_known(one, progress):
                return
            refusal = without if without.is_final else refusal
        told = "its changes do not fit together there" if refusal.is_stale else refusal.message
        reason = f"the primary refuses it: {told}"
        self._push(self._rebase(one, progress, refused={one[0].id: reason}), progress, deadline, round_number + 1)

    def send(self, batch: Sequence[Mutation], deadline: float) -> Refusal | None:
        """Send a batch, several times if the primary does not answer, until the deadline if it says that it is busy.

        Raises UnreachableError at the last.
        """
        return self._send_steps(plan_push(batch), deadline)

    def _send_steps(self, steps: list[Step] | None, deadline: float) -> Refusal | None:
        delays = delays_until_s(deadline, self._around.random)
        unanswered = 0
        while True:
            try:
                return self._primary.apply(steps)
            except UnreachableError as error:
                # Whether it was applied is not known; the ids will tell, so sending it again is harmless.
                unanswered += 0 if isinstance(error, PrimaryBusyError) else 1
                delay = next(delays, None)
                if delay is None or unanswered >= _ATTEMPTS:
                    raise
                self._around.sleep(delay)

    def _acknowledge(self, batch: Sequence[Mutation], progress: Progress) -> None:
        with self._store.writing() as connection:
            outbox.set_state(connection, [mutation.id for mutation in batch], State.ACKNOWLEDGED)
        progress.pushed += len(batch)

    def _drop_known(self, batch: Sequence[Mutation], progress: Progress) -> list[Mutation]:
        known = self._primary.known([mutation.id for mutation in batch])
        done = [mutation for mutation in batch if mutation.id in known]
        self._take_for_applied([mutation for mutation in done if is_parked(mutation)], progress)
        self._acknowledge(done, progress)
        return [mutation for mutation in batch if mutation.id not in known]

    def _take_for_applied(self, parked: Sequence[Mutation], progress: Progress) -> None:
        """Put back as they were made what was parked here, and applied by a request that came late."""
        ids = [mutation.id for mutation in parked]
        applied = set(ids) - self._primary.known_parked(ids)
        if applied:
            with self._store.writing() as connection:
                outbox.put_back_parked(connection, applied)
                self._store.rebuild_overlay(connection)
            progress.parked -= applied

    def _rebase(
        self, batch: list[Mutation], progress: Progress, refused: dict[str, str], alone: Collection[str] = ()
    ) -> list[Mutation]:
        if not batch:
            return []
        from replica.rebase import Means, keys_of, rebase  # noqa: PLC0415 - most syncs are refused nothing

        refused = {**{mutation.id: told for mutation in batch if (told := self._what_is_gone(mutation))}, **refused}
        connection = self._store.connection()
        # Each round begins with what the authors made: what an earlier one gave way to may be gone, or parked, by now.
        made = outbox.as_made(connection, batch)
        keys = {key for mutation in made for key in keys_of(mutation)}
        ground = self._primary.ground(key for key in keys if key[0] in self._store.tables)

        def mine(key: Key) -> Row | None:
            table = self._store.tables.get(key[0])
            return None if table is None else read_row(connection, table, key[1])

        means = Means(self._rules, self._around.now(), mine, self._around.new_id, self._step_us)
        result = rebase(made, ground, means, refused, earlier=batch, alone=alone)
        changed = [after for before, after in zip(batch, result.mutations, strict=True) if after != before]
        if changed:
            with self._store.writing() as connection:
                for mutation in changed:
                    outbox.replace(connection, mutation)
                touched = {key for one in (batch, changed) for mutation in one for key in keys_of(mutation)}
                overlay.rebuild(connection, self._store.tables, self._store.attached().base_tables, touched)
        progress.merged.difference_update(mutation.id for mutation in batch)
        progress.merged.update(result.merged)
        progress.parked.update(result.parked)
        progress.merged -= progress.parked
        return result.mutations

    def _what_is_gone(self, mutation: Mutation) -> str:
        """Why a mutation made under an older schema cannot be merged any more; "" if it can."""
        for change in mutation.changes:
            if change.yields:
                continue
            table = self._store.tables.get(change.table)
            if table is None:
                return f"there is no table {change.table} any more"
            gone = [] if change.kind is Kind.DELETE else [name for name in change.fields if name not in table.columns]
            if gone:
                return f"there is no column {gone[0]} in {change.table} any more"
        return ""

    def _step_us(self) -> int:
        return 1 + int(self._around.random() * 999_999)

    def _rules(self, table: str) -> dict[str, Rule]:
        # Of a table that a newer schema dropped there are none; what was decided about it is still compared.
        return rules_of(self._schema.record_of(table)) if table in self._store.tables else {}
