"""Send rows and history past the outbox, in bounded batches.

Always true:
- a batch is applied whole or not at all, and a row that others wrote meanwhile makes it fail;
- a change that is in the history already is not written a second time;
- one batch is prepared while the primary applies the one before it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from replica.backoff import delays_until_s
from replica.errors import PrimaryBusyError
from replica.hrana import Statement, Step
from replica.primary import Refusal
from replica.push import INSERT_HISTORY, NetChange, arrays, effects_of, transaction_steps

_BYTES_MIN: Final = 250_000
# Large, because each batch writes the pages of the indexes again, and every page written is one to be fetched.
_BYTES_MAX: Final = 8_000_000
_BYTES_FIRST: Final = 1_000_000
_QUICK_S: Final = 1.0
_SLOW_S: Final = 5.0
_PATIENCE_S: Final = 60.0

_ADD_HISTORY: Final = f"{INSERT_HISTORY} WHERE true ON CONFLICT (mutation, position) DO NOTHING"
# For rows that come before those they name. The file kept its references, and all of it arrives in the end.
_NO_REFERENCES: Final = Statement("PRAGMA foreign_keys = OFF")

Keyed = tuple[tuple[str, str], NetChange]
Batch = tuple[list[Step], int]


class Pace:
    """How large a batch may be: larger while they are done quickly, smaller on a slow line."""

    def __init__(self) -> None:
        self.batch_bytes = _BYTES_FIRST

    def took(self, seconds: float) -> None:
        """A batch was sent and applied in so long."""
        if seconds < _QUICK_S:
            self.batch_bytes = min(self.batch_bytes * 2, _BYTES_MAX)
        elif seconds > _SLOW_S:
            self.batch_bytes = max(self.batch_bytes // 2, _BYTES_MIN)


def plan_rows(changes: Iterable[Keyed], pace: Pace, *, with_references: bool) -> Iterator[Batch]:
    """Batches of net changes, each with the number of its rows; the primary checks references, or not."""
    net: dict[tuple[str, str], NetChange] = {}
    size = 0
    for key, change in changes:
        weight = _weight(change)
        if net and size + weight > pace.batch_bytes:
            yield _rows_batch(net, with_references=with_references)
            net, size = {}, 0
        net[key] = change
        size += weight
    if net:
        yield _rows_batch(net, with_references=with_references)


def plan_history(rows: Iterable[str], pace: Pace) -> Iterator[Batch]:
    """Batches of history, given as JSON, each with the number of its changes."""
    batch: list[str] = []
    size = 0
    for row in rows:
        if batch and size + len(row) > pace.batch_bytes:
            yield _history_batch(batch)
            batch, size = [], 0
        batch.append(row)
        size += len(row)
    if batch:
        yield _history_batch(batch)


def _rows_batch(net: dict[tuple[str, str], NetChange], *, with_references: bool) -> Batch:
    count = len(net)
    steps = transaction_steps([], effects_of(net))
    return (steps if with_references else _without_references(steps)), count


def _weight(change: NetChange) -> int:
    weight = 100
    for value in change.values.values():
        weight += len(value) + 4 if isinstance(value, str) else 2 * len(value) if isinstance(value, bytes) else 16
    return weight


def _history_batch(rows: list[str]) -> Batch:
    statements = [Statement(_ADD_HISTORY, (text,)) for text, _ in arrays(rows)]
    return transaction_steps(statements, []), len(rows)


def _without_references(steps: list[Step]) -> list[Step]:
    """The same steps, on a connection that does not check references; where that cannot be had, they are checked."""
    later = [
        Step(
            step.statement,
            after=None if step.after is None else step.after + 1,
            unless=None if step.unless is None else step.unless + 1,
        )
        for step in steps
    ]
    return [Step(_NO_REFERENCES), *later]


class Courier:
    """Brings batches to one primary, in order."""

    def __init__(
        self,
        apply: Callable[[list[Step]], Refusal | None],
        pace: Pace,
        sent: Callable[[int], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`apply`: runs one transaction on the primary. `sent`: is told how many rows of a batch have arrived."""
        self._apply, self._pace, self._sent, self._sleep = apply, pace, sent, sleep

    def bring(self, batches: Iterable[Batch]) -> Refusal | None:
        """Send batches; the first refusal ends it.

        Raises UnreachableError, NotAllowedError, PrimaryError; what was sent before stays there.
        """
        waiting: tuple[Future[Refusal | None], int] | None = None
        with ThreadPoolExecutor(max_workers=1) as sender:
            for steps, count in batches:
                if waiting is not None and (refusal := self._arrived(*waiting)) is not None:
                    return refusal
                waiting = sender.submit(self._send, steps), count
            return None if waiting is None else self._arrived(*waiting)

    def _arrived(self, answer: Future[Refusal | None], count: int) -> Refusal | None:
        refusal = answer.result()
        if refusal is None:
            self._sent(count)
        return refusal

    def _send(self, steps: list[Step]) -> Refusal | None:
        delays = delays_until_s(time.monotonic() + _PATIENCE_S, random.random)
        while True:
            start = time.monotonic()
            try:
                refusal = self._apply(steps)
            except PrimaryBusyError:
                # It did nothing, so that sending it again can do nothing twice.
                delay = next(delays, None)
                if delay is None:
                    raise
                self._sleep(delay)
            else:
                self._pace.took(time.monotonic() - start)
                return refusal
