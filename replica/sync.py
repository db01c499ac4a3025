"""Sync: send the outbox, fetch the base, settle what arrived.

Always true:
- one process at a time syncs a replica; it holds the sync lock from the first request to the last write;
- a mutation leaves the outbox only in `_settle`, because the base holds it;
- what the primary refuses is rebased or parked in one local transaction, under its id, in its place in the order;
- whatever stops a sync, the next one starts from what is on disk and needs nothing else.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from replica import outbox, overlay
from replica.backoff import delays_s
from replica.conflicts import is_parked
from replica.drivers.embedded import Embedded, read_row
from replica.drivers.remote import moved_on
from replica.errors import (
    BusyError,
    DamagedError,
    InputError,
    OfflineError,
    PrimaryError,
    ReplicaError,
    SchemaTooNewError,
    UnreachableError,
)
from replica.history import HISTORY
from replica.migrate import plan_migrations, version_of
from replica.mutation import Mutation, Row
from replica.outbox import State
from replica.primary import Greeting, Primary, Refusal
from replica.pull import frame_number, pull, set_aside
from replica.push import cut_batches
from replica.rebase import Key, Means, rebase
from replica.records import rules_of
from replica.report import NEXT, Stage, SyncReport
from replica.rules import Rule
from replica.schema import Schema
from replica.sqlite_file import storage_errors
from replica.stamps import Stamp
from replica.sync_lock import sync_lock

_LOAD_MAX: Final = 20_000
_ROUNDS_MAX: Final = 12
_ATTEMPTS: Final = 4
_LOCK_WAIT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a sync takes from outside: who it is, the time, chance, and the way to the primary."""

    url: str
    token: Callable[[], str | None]
    session: str
    now: Callable[[], Stamp]
    random: Callable[[], float]
    new_id: Callable[[], str]
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class _Progress:
    stage: Stage = Stage.IDLE
    pushed: int = 0
    merged: set[str] = field(default_factory=set)
    parked: set[str] = field(default_factory=set)
    pulled: int = 0
    lost: int = 0

    def enter(self, stage: Stage) -> None:
        assert stage in NEXT[self.stage], f"{self.stage} → {stage}"
        self.stage = stage


class Sync:
    """Syncs one replica with one primary."""

    def __init__(self, store: Embedded, primary: Primary, schema: Schema, around: Surroundings) -> None:
        self._store, self._primary, self._schema, self._around = store, primary, schema, around

    def run(self, *, deadline_s: float, wait_for_lock_s: float = _LOCK_WAIT_S) -> SyncReport:
        """Sync once. Trouble is reported in the result, not raised; what was done until then counts."""
        progress = _Progress()
        error: ReplicaError | None = None
        try:
            with sync_lock(
                self._store.directory, wait_s=min(wait_for_lock_s, deadline_s), sleep=self._around.sleep
            ) as lock_file:
                error = self._run_locked(progress, time.monotonic() + deadline_s, lock_file)
        except BusyError as busy:
            error = busy
        pending = outbox.count(self._store.connection(with_base=False))
        return SyncReport(
            progress.pushed,
            len(progress.merged),
            len(progress.parked),
            progress.pulled,
            pending,
            progress.stage,
            error,
            progress.lost,
        )

    def close(self) -> None:
        """Close idle connections to the primary."""
        self._primary.close()

    def _run_locked(self, progress: _Progress, deadline: float, lock_file: int) -> ReplicaError | None:
        error: ReplicaError | None = None
        try:
            self._go_through(progress, deadline, lock_file)
        except ReplicaError as stopped:
            error = stopped
        self._remember(error)
        return error

    def _go_through(self, progress: _Progress, deadline: float, lock_file: int) -> None:
        self._open_base(progress)
        progress.enter(Stage.GREET)
        greeting = self._greet()
        if self._is_of_another_past(greeting):
            self._leave_base(progress)
        if plan_needed(self._schema, greeting):
            progress.enter(Stage.MIGRATE)
            self._primary.migrate(
                greeting.applied,
                holder=self._around.session,
                at=self._around.now(),
                wait=self._around.sleep,
                deadline=deadline,
            )
        self._push_all(progress, deadline)
        frame = frame_number(self._store.directory)
        if frame is None or progress.stage is not Stage.GREET or greeting.replication_index != frame:
            progress.enter(Stage.PULL)
            self._pull(progress, deadline, lock_file)
        progress.enter(Stage.SETTLE)
        progress.pulled += self._settle()
        progress.enter(Stage.DONE)

    # -- greeting and the base

    def _open_base(self, progress: _Progress) -> None:
        try:
            self._store.connection()
        except DamagedError:
            self._leave_base(progress, is_readable=False)

    def _tail(self) -> tuple[int, str]:
        if HISTORY not in self._store.attached().base_tables:
            return 0, ""
        row = (
            self._store.connection()
            .execute(f"SELECT seq, mutation FROM {overlay.BASE}.{HISTORY} ORDER BY seq DESC LIMIT 1")
            .fetchone()
        )
        return (int(row[0]), str(row[1])) if row else (0, "")

    def _greet(self) -> Greeting:
        return self._primary.greet(*self._tail())

    def _is_of_another_past(self, greeting: Greeting) -> bool:
        """Whether the primary was restored from an older copy, or replaced, since the base was fetched."""
        frame = frame_number(self._store.directory)
        is_ahead = frame is not None and greeting.replication_index is not None and frame > greeting.replication_index
        return not greeting.knows_our_tail or is_ahead

    def _leave_base(self, progress: _Progress, *, is_readable: bool = True) -> None:
        if is_readable:
            progress.lost = self._count_lost()
        connection = self._store.connection(with_base=False)
        self._store.attached().detach()
        with storage_errors(self._store.path):
            set_aside(self._store.directory)
            # What the old base held and the new one lacks must be sent again: all that is here is to be asked for anew.
            connection.execute("UPDATE mutations SET state = ?", (State.QUEUED.value,))

    def _count_lost(self) -> int:
        if HISTORY not in self._store.attached().base_tables:
            return 0
        rows = self._store.connection().execute(
            f"SELECT mutation FROM {overlay.BASE}.{HISTORY} GROUP BY mutation ORDER BY max(seq) DESC"
        )
        lost = 0
        while chunk := [str(row[0]) for row in rows.fetchmany(1000)]:
            known = self._primary.known(chunk)
            lost += len(chunk) - len(known)
            if len(known) == len(chunk):
                break
        return lost

    # -- push and resolve

    def _push_all(self, progress: _Progress, deadline: float) -> None:
        while mutations := self._queued():
            for batch in cut_batches(mutations):
                self._push(batch, progress, deadline, round_number=0)

    def _queued(self) -> list[Mutation]:
        with storage_errors(self._store.path):
            return outbox.load(self._store.connection(), state=State.QUEUED, limit=_LOAD_MAX)

    def _push(self, batch: Sequence[Mutation], progress: _Progress, deadline: float, round_number: int) -> None:
        """Bring a batch to the primary, whatever it takes: as it is, rebased, in halves, or parked."""
        if not batch:
            return
        if round_number > _ROUNDS_MAX:
            raise UnreachableError(
                "others change the same rows faster than this sync can merge; the changes wait for the next one"
            )
        progress.enter(Stage.PUSH)
        refusal = self._send(batch, deadline)
        if refusal is None:
            self._acknowledge(batch, progress)
            return
        progress.enter(Stage.RESOLVE)
        rest = self._drop_known(batch, progress)
        rebased = self._rebase(rest, progress, refused={})
        if rebased != rest or len(rest) < len(batch) or refusal.is_stale:
            progress.enter(Stage.PUSH)
            self._push(rebased, progress, deadline, round_number + 1)
        elif not refusal.is_final or is_parked(rest[0]):
            raise PrimaryError(
                f"the primary refused the changes: {refusal.message}",
                "they wait here; look at the primary's log and disk",
            )
        elif len(rest) == 1:
            progress.enter(Stage.PUSH)
            self._push(
                self._rebase(rest, progress, refused={rest[0].id: f"the primary refuses it: {refusal.message}"}),
                progress,
                deadline,
                round_number + 1,
            )
        else:
            middle = len(rest) // 2
            progress.enter(Stage.PUSH)
            self._push(rest[:middle], progress, deadline, round_number=0)
            self._push(rest[middle:], progress, deadline, round_number=0)

    def _send(self, batch: Sequence[Mutation], deadline: float) -> Refusal | None:
        for delay in delays_s(self._around.random, attempts=_ATTEMPTS):
            try:
                return self._primary.push(batch)
            except UnreachableError:
                # Whether it was applied is not known; the ids will tell, so sending it again is harmless.
                if time.monotonic() + delay > deadline:
                    raise
                self._around.sleep(delay)
        return self._primary.push(batch)

    def _acknowledge(self, batch: Sequence[Mutation], progress: _Progress) -> None:
        with self._writing() as connection:
            outbox.set_state(connection, [mutation.id for mutation in batch], State.ACKNOWLEDGED)
        progress.pushed += len(batch)

    def _drop_known(self, batch: Sequence[Mutation], progress: _Progress) -> list[Mutation]:
        known = self._primary.known([mutation.id for mutation in batch])
        self._acknowledge([mutation for mutation in batch if mutation.id in known], progress)
        return [mutation for mutation in batch if mutation.id not in known]

    def _rebase(self, batch: list[Mutation], progress: _Progress, refused: dict[str, str]) -> list[Mutation]:
        if not batch:
            return []
        ground = self._primary.ground(
            (change.table, change.row_id) for mutation in batch for change in mutation.changes
        )
        connection = self._store.connection()

        def mine(key: Key) -> Row | None:
            return read_row(connection, self._store.tables[key[0]], key[1])

        means = Means(self._rules, self._around.now(), mine, self._around.new_id)
        result = rebase(batch, ground, means, refused)
        changed = [after for before, after in zip(batch, result.mutations, strict=True) if after != before]
        if changed:
            with self._writing() as connection:
                for mutation in changed:
                    outbox.replace(connection, mutation)
                overlay.rebuild(connection, self._store.tables, self._store.attached().base_tables)
        progress.merged.update(result.merged)
        progress.parked.update(result.parked)
        progress.merged -= progress.parked
        return result.mutations

    def _rules(self, table: str) -> dict[str, Rule]:
        return rules_of(self._schema.record_of(table))

    # -- pull and settle

    def _pull(self, progress: _Progress, deadline: float, lock_file: int) -> None:
        try:
            self._fetch(deadline, lock_file)
        except DamagedError:
            self._leave_base(progress, is_readable=False)
            self._fetch(deadline, lock_file)

    def _fetch(self, deadline: float, lock_file: int) -> None:
        before = self._tail()[0]
        pull(
            self._store.directory,
            self._around.url,
            self._around.token(),
            deadline=deadline,
            lock_file=lock_file,
            sleep=self._around.sleep,
        )
        self._store.connection()
        self._store.attached().refresh_schema()
        self._tail_before = before

    _tail_before: int = 0

    def _settle(self) -> int:
        """Drop from outbox and overlay what the base now holds; returns how many mutations of others arrived."""
        history = f"{overlay.BASE}.{HISTORY}"
        self._store.connection()
        if HISTORY not in self._store.attached().base_tables:
            return 0
        with self._writing() as connection:
            pulled = connection.execute(
                f"SELECT count(DISTINCT mutation) FROM {history} "
                "WHERE seq > ? AND mutation NOT IN (SELECT id FROM mutations)",
                (self._tail_before,),
            ).fetchone()[0]
            held = f"SELECT seq FROM mutations m WHERE EXISTS (SELECT 1 FROM {history} c WHERE c.mutation = m.id)"
            connection.execute(f"DELETE FROM changes WHERE seq IN ({held})")
            connection.execute(f"DELETE FROM mutations WHERE seq IN ({held})")
            # A fresh base without it means that the primary lost what it had acknowledged: it is sent again.
            connection.execute(
                "UPDATE mutations SET state = ? WHERE state = ?", (State.QUEUED.value, State.ACKNOWLEDGED.value)
            )
            overlay.rebuild(connection, self._store.tables, self._store.attached().base_tables)
        return int(pulled)

    def _remember(self, error: ReplicaError | None) -> None:
        now = self._around.now()
        with self._writing(with_base=False) as connection:
            outbox.write_fact(connection, "last_error", "" if error is None else str(error))
            if error is None:
                outbox.write_fact(connection, "last_sync_at", now)
            if not isinstance(error, UnreachableError):
                outbox.write_fact(connection, "offline_since", "")
            elif not outbox.read_fact(connection, "offline_since"):
                outbox.write_fact(connection, "offline_since", now)

    @contextmanager
    def _writing(self, *, with_base: bool = True) -> Iterator[sqlite3.Connection]:
        connection = self._store.connection(with_base=with_base)
        with storage_errors(self._store.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    # -- online writes

    def send_online(self, mutation: Mutation) -> None:
        """Bring one mutation to the primary now, after all that waits, and record it here as acknowledged.

        Raises ConflictError, OfflineError (nothing queued), InputError for what a constraint refuses.
        """
        deadline = time.monotonic() + _LOCK_WAIT_S
        progress = _Progress(stage=Stage.PUSH)
        with sync_lock(self._store.directory, wait_s=_LOCK_WAIT_S, sleep=self._around.sleep):
            try:
                greeting = self._greet()
                if plan_needed(self._schema, greeting):
                    self._primary.migrate(
                        greeting.applied,
                        holder=self._around.session,
                        at=self._around.now(),
                        wait=self._around.sleep,
                        deadline=deadline,
                    )
                self._push_all(progress, deadline)
                refusal = self._send([mutation], deadline)
                if refusal is not None and mutation.id not in self._primary.known([mutation.id]):
                    raise self._online_refusal(mutation, refusal)
            except UnreachableError as error:
                raise OfflineError(str(error)) from error
            self._record_online(mutation)

    def _online_refusal(self, mutation: Mutation, refusal: Refusal) -> ReplicaError:
        if not refusal.is_stale:
            return InputError(f"the primary refuses it: {refusal.message}")
        return moved_on(mutation, self._primary, self._schema) or PrimaryError(
            f"the primary refused the change: {refusal.message}"
        )

    def _record_online(self, mutation: Mutation) -> None:
        with self._writing() as connection:
            outbox.append(connection, mutation, State.ACKNOWLEDGED)
            for change in mutation.changes:
                table = self._store.tables[change.table]
                before = read_row(connection, table, change.row_id)
                overlay.put(connection, table, change.row_id, overlay.apply_changes(table, before, [change]))


def plan_needed(schema: Schema, greeting: Greeting) -> bool:
    """Whether the primary has yet to be migrated. Raises SchemaTooNewError, SchemaMismatchError."""
    if version_of(greeting.applied) > schema.version:
        raise SchemaTooNewError(version_of(greeting.applied), schema.version)
    return bool(plan_migrations(schema, greeting.applied))
