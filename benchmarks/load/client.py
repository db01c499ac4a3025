"""One client under load: writes in bursts, syncs after each burst and at intervals, and notes when what happened.

Always true: a mutation is noted once it was acknowledged to its author, at the moment after its commit; what is
visible is noted at the moment after the sync that brought it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from benchmarks.load.entries import CONTENT, Entry
from replica import Replica

_KINDS: Final = 2
_DEADLINE_S: Final = 60.0
_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients do: `rate` transactions a second each, in bursts of `burst`, for `seconds`.

    sync_every_s: between syncs, besides those after each burst. shared: the part of the transactions that add to one
    of a few rows of all. rows: stored before it begins.
    """

    clients: int = 100
    rate: float = 1.0
    seconds: float = 30.0
    burst: int = 10
    sync_every_s: float = 10.0
    shared: float = 0.02
    rows: int = 1_000
    read_replica: bool = False
    processes: int = 4
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Synced:
    """One sync: when it was due, began and ended (monotonic seconds), its error's code, and how far the base is."""

    due: float
    began: float
    ended: float
    code: str
    last_seq: int
    pushed: int


@dataclass(slots=True)
class Notes:
    """What one client did: when each mutation was acknowledged, each sync, what it added to shared rows."""

    name: str
    committed: dict[str, float] = field(default_factory=dict)
    syncs: list[Synced] = field(default_factory=list)
    added: int = 0
    pending: int = 0
    digest: str = ""


class Client:
    """One replica and what it does."""

    def __init__(self, replica: Replica, load: Load, number: int, shared: list[str]) -> None:
        """`shared`: the ids of the rows that all write to."""
        self.notes = Notes(f"{number:08}")
        self._replica, self._load, self._shared = replica, load, shared
        self._chance = random.Random(f"{load.seed}/{number}")
        self._own: list[str] = []

    def run(self, start: float) -> None:
        """Write from `start` (monotonic seconds) on, and sync a while longer, so that all that was written is seen."""
        load = self._load
        end = start + load.seconds
        period = load.burst / load.rate
        # Spread over the period, as people are; two syncs of one client are never due together.
        burst_at = start + period * self._chance.random()
        sync_at = start + load.sync_every_s * self._chance.random()
        while min(burst_at, sync_at) < end + load.sync_every_s:
            due = min(burst_at, sync_at)
            threading.Event().wait(max(0.0, due - time.monotonic()))
            is_burst = burst_at <= sync_at
            if is_burst and due < end:
                self._write_burst()
            if not is_burst or due < end:
                self.sync(due)
            if is_burst:
                burst_at += period
            else:
                # A client that is late does not make up for it by syncing more.
                sync_at = max(sync_at + load.sync_every_s, time.monotonic())

    def _write_burst(self) -> None:
        for _ in range(self._load.burst):
            # No two alike, because an update that changes nothing is no mutation.
            title = f"{len(self.notes.committed)} of {self.notes.name}"
            with self._replica.transaction() as tx:
                if self._chance.random() < self._load.shared:
                    entry = tx.get(Entry, self._chance.choice(self._shared))
                    tx.update(entry, hits=entry.hits + 1)
                    self.notes.added += 1
                elif self._own and self._chance.randrange(_KINDS):
                    tx.update(tx.get(Entry, self._chance.choice(self._own)), title=title)
                else:
                    self._own.append(tx.insert(Entry(title=title)).id)
                mutation = tx.mutation_id
            self.notes.committed[mutation] = time.monotonic()

    def sync(self, due: float) -> bool:
        """Sync once, and note it; whether it went well."""
        began = time.monotonic()
        report = self._replica.sync(deadline_s=_DEADLINE_S)
        last = self._replica.query("SELECT max(seq) FROM _replica_changes").rows[0][0]
        ended = time.monotonic()
        code = "" if report.error is None else report.error.code
        self.notes.syncs.append(Synced(due, began, ended, code, int(str(last or 0)), report.pushed))
        self.notes.pending = report.pending
        return report.error is None

    def drain(self) -> None:
        """Sync until nothing waits here."""
        for _ in range(_ROUNDS):
            if self.sync(time.monotonic()) and not self.notes.pending:
                return

    def finish(self) -> None:
        """Fetch what the others drained, and note what all rows come to."""
        self.drain()
        self.notes.digest = digest_of(lambda sql: self._replica.query(sql).rows)


def digest_of(rows_of: Callable[[str], object]) -> str:
    """What all rows of the table come to, as a hash."""
    found = sha256()
    for row in rows_of(f"{CONTENT} ORDER BY id"):  # type: ignore[attr-defined] # any rows
        found.update(repr(tuple(row)).encode())
    return found.hexdigest()
