"""Bugs to plant in the clients, by name, each with a short run that meets it and the promise that it breaks.

They are here to test the checker: one that finds nothing in these runs would find nothing in any. Always true: a plant
changes the toolkit in the process that applies it, and nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from replica import delivery, merge, outbox, overlay, push, rebase
from replica.delivery import Delivery, Progress
from replica.drivers.embedded import Embedded
from replica.drivers.queued import QueuedWork
from replica.hrana import Statement
from replica.merge import Merged
from replica.mutation import Change, Kind, Mutation
from replica.primary import Primary
from replica.report import Stage
from replica.rules import Rule
from replica.stamps import Stamp, next_stamp
from tests.simulation.plan import Fault

_LATE_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Plant:
    """One bug. breaks: the promises of which at least one is found broken, in a run of this seed with these faults."""

    apply: Callable[[], None]
    breaks: frozenset[str]
    faults: tuple[Fault, ...] = ()
    seed: int = 1
    steps: int = 90


def _patch(owner: Any, name: str, make: Callable[[Any], Any]) -> None:  # any module or class, any attribute
    """Replace an attribute by what `make` makes of it; a plant for code that is gone fails here."""
    setattr(owner, name, make(getattr(owner, name)))


def _forget(store: Embedded, ids: Collection[str]) -> None:
    """Take mutations out of the outbox and out of sight."""
    with store.writing() as connection:
        for mutation_id in ids:
            sql = "DELETE FROM changes WHERE seq = (SELECT seq FROM mutations WHERE id = ?)"
            connection.execute(sql, (mutation_id,))
            connection.execute("DELETE FROM mutations WHERE id = ?", (mutation_id,))
        overlay.rebuild(connection, store.tables, store.attached().base_tables)


def _acknowledge_before_commit() -> None:
    """A write returns at once, and its COMMIT comes a moment later, or with the next write."""
    late: list[QueuedWork] = []
    alone = threading.Lock()

    def flush() -> None:
        with alone:
            while late:
                late.pop()._attached.connection.execute("COMMIT")

    def commit(work: QueuedWork, mutation: Mutation) -> None:
        outbox.append(work._attached.connection, mutation)
        late.append(work)
        threading.Timer(_LATE_S, flush).start()

    def flushed_first(inner: Any) -> Any:  # any method of the driver
        def method(*arguments: Any, **options: Any) -> Any:  # passed on
            flush()
            return inner(*arguments, **options)

        return method

    _patch(QueuedWork, "commit", lambda _: commit)
    _patch(Embedded, "begin", flushed_first)
    _patch(Embedded, "writing", flushed_first)


def _settle_before_pull() -> None:
    """What the primary has is let go of before the base has it."""

    def make(inner: Any) -> Any:  # the method itself
        def acknowledge(self: Delivery, batch: Sequence[Mutation], progress: Progress) -> None:
            inner(self, batch, progress)
            _forget(self._store, [mutation.id for mutation in batch])

        return acknowledge

    _patch(Delivery, "_acknowledge", make)


def _drop_on_constraint_error() -> None:
    """What a constraint of the primary refuses is dropped."""

    def drop(self: Delivery, one: list[Mutation], _refusal: object, progress: Progress, *_more: object) -> None:
        progress.enter(Stage.PUSH)
        _forget(self._store, [mutation.id for mutation in one])

    _patch(Delivery, "_push_in_order", lambda _: drop)


def _compare_without_stamp() -> None:
    """An update goes to the row with this id, whatever became of it."""

    def make(inner: Any) -> Any:  # the function itself
        def effect_sql(kind: Kind, table: str, shape: Any) -> str:  # passed on
            sql: str = inner(kind, table, shape)
            return sql.split(" AND ", maxsplit=1)[0] if kind is Kind.UPDATE else sql

        return effect_sql

    _patch(push, "_effect_sql", make)


def _apply_twice() -> None:
    """A mutation whose answer was lost is applied again: nobody looks whether it is there."""

    def make(inner: Any) -> Any:  # the function itself
        def history(mutations: Sequence[Mutation]) -> list[Statement]:
            return [replace(one, sql=one.sql.replace("INSERT", "INSERT OR IGNORE", 1)) for one in inner(mutations)]

        return history

    _patch(push, "history_statements", make)
    _patch(Delivery, "_drop_known", lambda _: lambda _self, batch, _progress: list(batch))


def _reorder() -> None:
    """The outbox is sent last come, first served."""
    _patch(delivery, "cut_batches", lambda inner: lambda mutations: inner(list(reversed(mutations))))


def _tear() -> None:
    """Only the first change of a mutation is sent."""

    def make(inner: Any) -> Any:  # the function itself
        def steps(mutations: Sequence[Mutation], *, in_order: bool = False) -> Any:  # passed on
            return inner([replace(one, changes=one.changes[:1]) for one in mutations], in_order=in_order)

        return steps

    _patch(push, "push_steps", make)


def _keep_overlay_stale() -> None:
    """The overlay is not rebuilt when the base has moved."""
    _patch(overlay, "rebuild", lambda _: lambda *_arguments: None)


def _lose_parked() -> None:
    """A conflict is told in the report, and then forgotten."""

    def make(inner: Any) -> Any:  # the method itself
        def rebased(
            self: Delivery, batch: list[Mutation], progress: Progress, refused: dict[str, str], **more: Any
        ) -> list[Mutation]:
            result: list[Mutation] = inner(self, batch, progress, refused, **more)
            _forget(self._store, [one.id for one in result if one.id in progress.parked])
            return [one for one in result if one.id not in progress.parked]

        return rebased

    _patch(Delivery, "_rebase", make)


def _migrate_twice() -> None:
    """The last migration runs once more after it was recorded."""

    def make(inner: Any) -> Any:  # the method itself
        def run(self: Primary, *arguments: Any) -> Any:  # passed on
            result = inner(self, *arguments)
            for sql in self._schema.migrations[-1].statements:
                self._hrana.execute(Statement(sql))
            return result

        return run

    _patch(Primary, "_run_migrations", make)


def _overwrite_by_clock() -> None:
    """Who has the later clock overwrites, whatever the rule of the field is."""

    def make(inner: Any) -> Any:  # the function itself
        def lay(mutation: Mutation, change: Change, current: Any, touches: Any, means: Any) -> Any:  # passed on
            if change.kind is not Kind.UPDATE or current is None or mutation.made_at <= current["updated_at"]:
                return inner(mutation, change, current, touches, means)
            stamp = next_stamp(means.now, Stamp(current["updated_at"]))
            fields = {name: (current.get(name), new) for name, new in change.new_values().items()}
            return Change(change.table, change.row_id, Kind.UPDATE, current["updated_at"], stamp, fields)

        return lay

    _patch(rebase, "_lay_change", make)


def _drop_on_schema_change() -> None:
    """What was written to a table that is gone is dropped."""

    def make(inner: Any) -> Any:  # the method itself
        def rebased(
            self: Delivery, batch: list[Mutation], progress: Progress, refused: dict[str, str], **more: Any
        ) -> list[Mutation]:
            gone = {one.id for one in batch if any(change.table not in self._store.tables for change in one.changes)}
            _forget(self._store, gone)
            result: list[Mutation] = inner(
                self, [one for one in batch if one.id not in gone], progress, refused, **more
            )
            return result

        return rebased

    _patch(Delivery, "_rebase", make)


def _take_lost_for_failed() -> None:
    """An online write whose answer was lost is reported as not written."""

    def push_one(self: Primary, mutation: Mutation, _sleep: object) -> Any:  # a refusal or None
        return self.push([mutation])

    _patch(Primary, "push_one", lambda _: push_one)


def _overlook_restore() -> None:
    """Nobody notices that the primary went back to an older copy."""

    def make(inner: Any) -> Any:  # the method itself
        def greet(self: Primary, *arguments: Any) -> Any:  # passed on
            return replace(inner(self, *arguments), knows_our_tail=True, replication_index=None)

        return greet

    _patch(Primary, "greet", make)


def _count_as_last() -> None:
    """Of two sums, mine is taken."""
    merges: Any = merge._MERGES  # a dict, behind a read-only name
    merges[Rule.SUM] = lambda _before, mine, _theirs: Merged(mine.value)


def _park_for_consequences() -> None:
    """A consequence is taken for a change like any other."""

    def make(inner: Any) -> Any:  # the function itself
        def rebased(mutations: Sequence[Mutation], *arguments: Any, **options: Any) -> Any:  # passed on
            plain = [
                replace(one, changes=tuple(replace(change, yields=False) for change in one.changes))
                for one in mutations
            ]
            return inner(plain, *arguments, **options)

        return rebased

    _patch(delivery, "rebase", make)


def _give_way_always() -> None:
    """A consequence comes to nothing as soon as anybody has touched its row."""

    def make(inner: Any) -> Any:  # the function itself
        def lay(mutation: Mutation, change: Change, current: Any, touches: Any, means: Any) -> Any:  # passed on
            is_moved = current is not None and current["updated_at"] != change.seen
            if change.yields and is_moved:
                return replace(change, fields={}, encoded="", ground=current)
            return inner(mutation, change, current, touches, means)

        return lay

    _patch(rebase, "_lay_change", make)


PLANTS: Final[dict[str, Plant]] = {
    "acknowledge-before-commit": Plant(_acknowledge_before_commit, frozenset({"I1", "I6"}), (Fault.KILL,)),
    "settle-before-pull": Plant(_settle_before_pull, frozenset({"I6"}), (Fault.KILL_AT, Fault.STOP)),
    "drop-on-constraint-error": Plant(_drop_on_constraint_error, frozenset({"I1"})),
    "compare-without-stamp": Plant(_compare_without_stamp, frozenset({"I4"})),
    "apply-twice": Plant(_apply_twice, frozenset({"I2"}), (Fault.LOSE, Fault.DUPLICATE)),
    "reorder": Plant(_reorder, frozenset({"I7"})),
    "tear": Plant(_tear, frozenset({"I5"})),
    "keep-overlay-stale": Plant(_keep_overlay_stale, frozenset({"I3", "atomic reads"})),
    "lose-parked": Plant(_lose_parked, frozenset({"I1"})),
    "migrate-twice": Plant(_migrate_twice, frozenset({"I9"}), (Fault.MIGRATE,)),
    "overwrite-by-clock": Plant(_overwrite_by_clock, frozenset({"I4"}), (Fault.CLOCK,), steps=150),
    "drop-on-schema-change": Plant(_drop_on_schema_change, frozenset({"I1"}), (Fault.MIGRATE,)),
    "take-lost-for-failed": Plant(_take_lost_for_failed, frozenset({"I1"}), (Fault.LOSE, Fault.DUPLICATE), seed=2),
    "overlook-restore": Plant(_overlook_restore, frozenset({"I3", "atomic reads", "thin air"}), (Fault.RESTORE_SAME,)),
    "park-for-consequences": Plant(_park_for_consequences, frozenset({"I1", "I5"})),
    "give-way-always": Plant(_give_way_always, frozenset({"I1", "I4"})),
    "count-as-last": Plant(_count_as_last, frozenset({"I4"})),
}
