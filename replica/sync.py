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
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from replica import lost, outbox, overlay
from replica.base import Base
from replica.delivery import Delivery, Progress, Surroundings
from replica.drivers.embedded import Embedded, Trust
from replica.drivers.queued import read_row
from replica.drivers.remote import moved_on
from replica.errors import (
    DamagedError,
    InputError,
    NotAllowedError,
    OfflineError,
    OtherPrimaryError,
    PrimaryError,
    ReplicaError,
    StorageError,
    TokenRefusedError,
    UnknownOutcomeError,
    UnreachableError,
)
from replica.history import HISTORY
from replica.hrana import Step
from replica.migrate import plan_migrations, version_of
from replica.mutation import Mutation, StoredValue
from replica.outbox import State
from replica.primary import NO_TAIL, Greeting, Primary, Refusal
from replica.pull import base_number, frame_number
from replica.report import Stage, SyncReport
from replica.schema import Schema
from replica.sqlite_file import translate
from replica.sync_lock import sync_lock

_LOCK_WAIT_S: Final = 10.0


class Sync:
    """Syncs one replica with one primary."""

    def __init__(self, store: Embedded, primary: Primary, schema: Schema, around: Surroundings) -> None:
        self._store, self._primary, self._schema, self._around = store, primary, schema, around
        self._adopts = False
        self._base = Base(store, primary, around)
        self._delivery = Delivery(store, primary, schema, around)

    def run(self, *, deadline_s: float, adopt_primary: bool = False) -> SyncReport:
        """Sync once. Trouble is reported in the result, not raised; what was done until then counts.

        adopt_primary: if the primary at the address is another than before, belong to it from now on.
        """
        progress = Progress()
        self._adopts = adopt_primary
        error: ReplicaError | None = None
        try:
            with sync_lock(
                self._store.directory, wait_s=min(_LOCK_WAIT_S, deadline_s), sleep=self._around.sleep
            ) as lock_file:
                error = self._run_locked(progress, time.monotonic() + deadline_s, lock_file)
        except ReplicaError as stopped:
            # The lock is taken, or the disk refuses even to remember what went wrong.
            error = stopped
        with self._store.looking() as connection:
            pending = outbox.count_queued(connection)
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

    def ask(self, sql: str, params: Sequence[StoredValue]) -> Sequence[Sequence[StoredValue]]:
        """Run SQL that reads on the primary, past the replica."""
        return self._primary.read(sql, params).rows

    def apply(self, steps: list[Step]) -> Refusal | None:
        """Run one transaction on the primary, past the outbox; None if it went well."""
        return self._primary.apply(steps)

    def close(self) -> None:
        """Close idle connections to the primary."""
        self._primary.close()

    def _run_locked(self, progress: Progress, deadline: float, lock_file: int) -> ReplicaError | None:
        self._primary.give_up_at(deadline)
        error = self._try(progress, deadline, lock_file)
        if isinstance(error, DamagedError):
            own = self._store.own_damage()
            if own is not None:
                return own
            # The base can be mended here, and it costs a download at most.
            self._store.distrust_base(Trust.DAMAGED)
            progress.stage = Stage.IDLE
            error = self._try(progress, deadline, lock_file)
        self._remember(error)
        return error

    def _try(self, progress: Progress, deadline: float, lock_file: int) -> ReplicaError | None:
        try:
            self._go_through(progress, deadline, lock_file)
        except ReplicaError as stopped:
            return stopped
        except sqlite3.Error as error:
            return translate(error, self._store.path)
        return None

    def _go_through(self, progress: Progress, deadline: float, lock_file: int) -> None:
        is_damaged = self._store.trust() is Trust.DAMAGED
        if is_damaged:
            self._store.attached().detach()
        progress.enter(Stage.GREET)
        tail = NO_TAIL if is_damaged else self._base.tail()
        greeting = self._primary.greet_in_peace(tail, self._around.sleep, deadline)
        is_other = self._is_other_primary(greeting)
        if is_damaged:
            self._base.drop()
        elif is_other or self._base.is_of_another_past(greeting):
            progress.lost += self._base.outdate()
        is_fresh = self._store.trust() is not Trust.WHOLE
        frame = frame_number(self._store.directory)
        # A primary that was killed numbers its frames anew, and may have come to ours with more in it.
        is_same_frame = frame is not None and frame == greeting.replication_index
        is_current = is_same_frame and not greeting.has_more and not is_fresh
        if version_of(greeting.applied) > self._schema.version and not is_current:
            # Reads go on, and move on; outbox and overlay are left to the upgraded program.
            progress.enter(Stage.PULL)
            self._base.pull(deadline, lock_file, is_fresh=is_fresh)
        not_allowed = self._bring(greeting, progress, deadline)
        if not is_current or progress.stage is not Stage.GREET:
            progress.enter(Stage.PULL)
            is_fresh = self._base.pull(deadline, lock_file, is_fresh=is_fresh)
        progress.enter(Stage.SETTLE)
        self._settle(progress, tail.seq if greeting.knows_our_tail else 0, is_new=is_fresh)
        self._prune_daily()
        progress.enter(Stage.DONE)
        if progress.kept_back:
            message = f"the primary does not take a conflict: {progress.kept_back}"
            raise PrimaryError(message, "it is kept here alone, and all else is done; look at the primary's log")
        if not_allowed is not None:
            raise not_allowed

    def _bring(self, greeting: Greeting, progress: Progress, deadline: float) -> NotAllowedError | None:
        """Bring the schema and the outbox to the primary.

        Returns the refusal where the token holds and may only read: what waits here waits on, and what others write
        comes all the same.
        """
        try:
            if plan_migrations(self._schema, greeting.applied):
                progress.enter(Stage.MIGRATE)
                self._migrate(greeting, deadline)
            self._store.belong_to(greeting.id or self._primary.identity())
            self._delivery.deliver(progress, deadline)
        except TokenRefusedError:
            raise
        except NotAllowedError as error:
            # On a primary that nobody has set up there is nothing to read.
            if not greeting.id:
                raise
            self._store.belong_to(greeting.id)
            return error
        return None

    def _migrate(self, greeting: Greeting, deadline: float) -> None:
        self._primary.migrate(
            greeting.applied,
            holder=self._around.session,
            at=self._around.now(),
            wait=self._around.sleep,
            deadline=deadline,
        )

    def _is_other_primary(self, greeting: Greeting) -> bool:
        """Whether this is another primary than before, and to be adopted. Raises OtherPrimaryError if it is not."""
        if self._store.primary_id() in ("", greeting.id):
            return False
        if not self._adopts:
            raise OtherPrimaryError(self._around.url, is_new=not greeting.id)
        return True

    def _settle(self, progress: Progress, tail_seq: int, *, is_new: bool) -> None:
        """Drop from outbox and overlay what the base now holds.

        tail_seq: the last change that was known here before, to count what others did since. is_new: whether the base
        is a whole new copy, so that what it lacks of all that was sent from here is lost.
        """
        history = f"{overlay.BASE}.{HISTORY}"
        known_copy = outbox.read_fact(self._store.connection(), "settled_base")
        if HISTORY not in self._store.attached().base_tables:
            return
        copy = base_number(self._store.directory)
        is_new = is_new or copy != known_copy
        # Asked outside of the transaction, so that nobody waits for the network to write.
        kept_since = self._primary.kept_since() if is_new else 0
        with self._store.writing() as connection:
            progress.pulled += connection.execute(
                f"SELECT count(DISTINCT mutation) FROM {history} "
                "WHERE seq > ? AND mutation NOT IN (SELECT id FROM mutations)",
                (tail_seq,),
            ).fetchone()[0]
            if is_new:
                progress.lost += lost.note_sent_and_gone(connection, overlay.BASE, kept_since=kept_since)
                outbox.write_fact(connection, "settled_base", copy)
            held = f"SELECT seq FROM mutations m WHERE EXISTS (SELECT 1 FROM {history} c WHERE c.mutation = m.id)"
            lost.keep_sent(connection, overlay.BASE, held, self._around.now())
            outbox.drop(connection, [seq for (seq,) in connection.execute(held)])
            if lost.count(connection):
                lost.drop_found(connection, overlay.BASE)
            # A fresh base without it means that the primary lost what it had acknowledged: it is sent again.
            outbox.put_back(connection, State.ACKNOWLEDGED)
            self._store.rebuild_overlay(connection)

    def _prune_daily(self) -> None:
        now = self._around.now()
        today = now[:10]
        if outbox.read_fact(self._store.connection(), "pruned_on") != today:
            # A client that may only read cannot prune; another one will.
            with suppress(PrimaryError, NotAllowedError):
                self._primary.prune_history()
            with self._store.writing() as connection:
                lost.forget_sent(connection, now)
                outbox.write_fact(connection, "pruned_on", today)

    def _remember(self, error: ReplicaError | None) -> None:
        now = self._around.now()
        with self._store.writing(with_base=False) as connection:
            outbox.write_fact(connection, "last_error", "" if error is None else str(error))
            if error is None:
                outbox.write_fact(connection, "last_sync_at", now)
            if not isinstance(error, UnreachableError):
                outbox.write_fact(connection, "offline_since", "")
            elif not outbox.read_fact(connection, "offline_since"):
                outbox.write_fact(connection, "offline_since", now)

    # -- online writes

    def send_online(self, mutation: Mutation) -> None:
        """Bring one mutation to the primary now, after all that waits, and record it here as acknowledged.

        Raises ConflictError, OfflineError (nothing queued), InputError for what a constraint refuses, StorageError for
        what is done but cannot be shown here before the next sync.
        """
        progress = Progress(stage=Stage.PUSH)
        self._adopts = False
        with sync_lock(self._store.directory, wait_s=_LOCK_WAIT_S, sleep=self._around.sleep):
            deadline = time.monotonic() + _LOCK_WAIT_S
            self._primary.give_up_at(deadline)
            try:
                greeting = self._primary.greet_in_peace(NO_TAIL, self._around.sleep, deadline)
                self._is_other_primary(greeting)
                if plan_migrations(self._schema, greeting.applied):
                    self._migrate(greeting, deadline)
                self._store.belong_to(greeting.id or self._primary.identity())
                self._delivery.deliver(progress, deadline)
                refusal = self._primary.push_one(mutation, self._around.sleep)
                if refusal is not None:
                    raise self._online_refusal(mutation, refusal)
            except UnknownOutcomeError:
                raise
            except UnreachableError as error:
                raise OfflineError(str(error)) from error
            try:
                self._record_online(mutation)
            except DamagedError:
                # It is done, and must not be called a failure; the base that is fetched anew shows it.
                with suppress(ReplicaError):
                    self._store.distrust_base(Trust.DAMAGED)
            except ReplicaError as error:
                raise StorageError(
                    f"the change is on the primary, and could not be noted here: {error}",
                    "do not make it again; the next sync shows it",
                ) from error

    def _online_refusal(self, mutation: Mutation, refusal: Refusal) -> ReplicaError:
        if not refusal.is_stale:
            return InputError(f"the primary refuses it: {refusal.message}")
        return moved_on(mutation, self._primary, self._schema) or PrimaryError(
            f"the primary refused the change: {refusal.message}"
        )

    def _record_online(self, mutation: Mutation) -> None:
        with self._store.writing() as connection:
            outbox.append(connection, mutation, State.ACKNOWLEDGED)
            for change in mutation.changes:
                table = self._store.tables[change.table]
                before = read_row(connection, table, change.row_id)
                blank = overlay.default_row(connection, table)
                overlay.put(connection, table, change.row_id, overlay.apply_changes(before, [change], blank))
