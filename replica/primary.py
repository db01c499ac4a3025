"""The primary as a sync sees it: what it holds of ours, asked and told in few round trips.

A call that raises `UnreachableError` may or may not have taken effect; repeating it is harmless, because mutations are
known by their ids and migrations by their versions.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from replica.backoff import delays_until_s
from replica.errors import (
    AnswerTooLargeError,
    BusyError,
    NotSentError,
    PrimaryBusyError,
    PrimaryError,
    QueryError,
    UnknownOutcomeError,
    UnreachableError,
)
from replica.history import CONFLICTS, HISTORY
from replica.hrana import Answer, BatchAnswer, Failure, Hrana, Statement, Step, understanding
from replica.infinities import read_exactly
from replica.lease import ACQUIRE, IS_HELD, RELEASE, check_token, ttl_s
from replica.migrate import BOOTSTRAP, READ_APPLIED, RECORD, Applied, applied_from, plan_migrations, record_of
from replica.mutation import Kind, Mutation, Row, StoredValue
from replica.push import plan_push
from replica.schema import Schema, Table, quote

if TYPE_CHECKING:
    from replica.rebase import Ground, Key, Touch

_KEYS_MAX = 500
# Under 0.5 MB a request; a primary takes no value of more than some megabytes.
_IDS_MAX = 10_000
_TAILS = """SELECT (SELECT salt FROM _replica_changes WHERE seq = ?), (SELECT max(seq) FROM _replica_changes)"""
_SHARED = """SELECT max(c.seq) FROM json_each(?) AS j CROSS JOIN _replica_changes AS c ON c.seq = j.value->>0
WHERE c.salt = j.value->>1"""
_IDENTITY = "SELECT id FROM _replica_primary"
_FINAL_CODES = ("SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_TOOBIG", "ARGS_INVALID")
_PRUNED_MAX = 5_000
HISTORY_DAYS_KEPT = 400
_PRUNE = """DELETE FROM _replica_changes WHERE received_at < unixepoch() - ?1
AND seq IN (SELECT seq FROM _replica_changes ORDER BY seq LIMIT ?2)
AND seq < (SELECT max(seq) FROM _replica_changes)"""
_FINAL = ("constraint failed", "datatype mismatch")
# What SQLite has no code of its own for: its own SQLITE_ERROR, by the names that primaries give it.
_PLAIN_CODES = ("SQLITE_ERROR", "SQLITE_UNKNOWN")
# Of these, what is not about the values of a row, and may pass: another schema, a transaction that ended, no reason.
_NOT_OF_VALUES = ("no such ", "has no column", "transaction", "SQL logic error", "unknown error", "not an error")


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest change that a base holds: its number, and the salt that the primary gave it when it was applied.

    History only grows at its end, so a primary that has this very change has all that the base holds.
    """

    seq: int
    salt: int


NO_TAIL: Final = Tail(0, 0)


@dataclass(frozen=True, slots=True)
class Greeting:
    """Where the primary stands.

    applied: its migrations. id: which primary it is, "" before our first migration. replication_index: its frame
    number. knows_our_tail: whether it has the last change that we know. has_more: whether it has later ones, too.
    is_migrating: whether a client holds the lease.
    """

    applied: Applied
    id: str
    replication_index: int | None
    knows_our_tail: bool
    has_more: bool
    is_migrating: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """A batch that was not applied: nothing of it was.

    is_stale: a row moved on, or a mutation is known already: rebasing helps. is_final: the primary refuses the values
    of a row, for a constraint, an index or a trigger, and will again. Neither: something that may pass, such as a full
    disk over there, or a table that it does not have yet.
    """

    is_stale: bool
    is_final: bool
    message: str


class Primary:
    """One database of a primary, spoken to over Hrana."""

    def __init__(self, hrana: Hrana, schema: Schema, tables: Mapping[str, Table]) -> None:
        self._hrana, self._schema, self._tables = hrana, schema, tables

    def greet(self, tail: Tail = NO_TAIL) -> Greeting:
        """One round trip: is it there, which schema has it, is it the primary that our base came from."""
        answer = self._hrana.batch(
            [
                Step(Statement(READ_APPLIED)),
                Step(Statement(IS_HELD)),
                Step(Statement(_TAILS, (tail.seq,))),
                Step(Statement(_IDENTITY)),
            ]
        )
        applied = _rows_or_none(answer, 0)
        tails = _rows_or_none(answer, 2) or [(None, None)]
        identity = _rows_or_none(answer, 3)
        is_held = bool(_rows_or_none(answer, 1))
        with understanding():
            salt, last = tails[0]
            name = str(identity[0][0]) if identity else ""
            return Greeting(
                applied_from(applied or []),
                name,
                answer.replication_index,
                tail == NO_TAIL or salt == tail.salt,
                (last or 0) != tail.seq,
                is_held,
            )

    def greet_in_peace(self, tail: Tail, wait: Callable[[float], None], deadline: float) -> Greeting:
        """Greet it once nobody migrates it: a write would break off a migration of over 5 s. Raises BusyError."""
        delays = delays_until_s(deadline, random.random, longest_s=1.0)
        while (greeting := self.greet(tail)).is_migrating:
            _wait_for_another(delays, wait)
        return greeting

    def identity(self) -> str:
        """Which primary this is."""
        rows = self._hrana.execute(Statement(_IDENTITY)).rows
        with understanding():
            return str(rows[0][0])

    def push(self, mutations: Sequence[Mutation]) -> Refusal | None:
        """Apply all the mutations in one transaction; None if that went well, else nothing of it was done."""
        return self.apply(plan_push(mutations))

    def push_one(self, mutation: Mutation, sleep: Callable[[float], None]) -> Refusal | None:
        """Apply one mutation that is kept nowhere else; ask what became of it if the answer is lost.

        Raises UnknownOutcomeError if that cannot be found out, PrimaryBusyError if it was turned away each time,
        NotSentError if it never left.
        """
        lost: UnreachableError | None = None
        for wait_s in (0.0, 0.05, 0.5, 1.0):
            sleep(wait_s)
            try:
                # Sent again, not only asked for: a lost request may still arrive, and the id admits only one.
                refusal = self.push([mutation])
                # What is refused may be the second of two that the network made of one.
                return refusal if refusal is None or mutation.id not in self.known([mutation.id]) else None
            except NotSentError as error:
                lost = lost or error
                break
            except UnreachableError as error:
                # What was turned away did nothing, so only another failure leaves a doubt.
                lost = error if lost is None or isinstance(lost, PrimaryBusyError) else lost
        if isinstance(lost, PrimaryBusyError | NotSentError):
            raise lost
        raise UnknownOutcomeError(mutation.id, str(lost)) from lost

    def apply(self, steps: list[Step] | None) -> Refusal | None:
        """Run what `plan_push` planned; None, a plan that cannot go well, is refused without asking."""
        if steps is None:
            return Refusal(is_stale=True, is_final=False, message="a pending change does not follow the one before it")
        answer = self._hrana.batch(steps)
        failures = [(position, step) for position, step in enumerate(answer.steps) if isinstance(step, Failure)]
        commit = answer.steps[-2]
        if isinstance(commit, Answer):
            return None
        if not failures:
            raise PrimaryError("the primary ended a transaction without a reason")
        position, failure = failures[0]
        if is_busy(failure):
            raise PrimaryBusyError(f"the primary is busy: {failure.message}")
        is_guard = steps[position].statement.sql.startswith("SELECT json(")
        is_known = position == 1 and "UNIQUE" in failure.message
        if is_guard or is_known:
            return Refusal(is_stale=True, is_final=False, message=failure.message)
        is_final = failure.code.startswith(_FINAL_CODES) or any(text in failure.message for text in _FINAL)
        is_in_the_midst = 0 < position < len(steps) - 2
        is_final = is_final or (is_in_the_midst and self._is_of_values(failure, steps[position].statement))
        return Refusal(is_stale=False, is_final=is_final, message=failure.message)

    def _is_of_values(self, failure: Failure, statement: Statement) -> bool:
        """Whether a failure without a code came from the values that a statement was run on, and not from the schema.

        A statement that does not fit the schema fails before it runs, so a primary that can describe it could run it.
        """
        if failure.code not in _PLAIN_CODES or any(text in failure.message for text in _NOT_OF_VALUES):
            return False
        try:
            self._hrana.is_read_only(statement.sql)
        except (PrimaryError, QueryError):
            return False
        return True

    def known(self, ids: Sequence[str]) -> set[str]:
        """Which of these mutations the primary has applied (or holds parked)."""
        return self._recorded(ids, "")

    def known_parked(self, ids: Sequence[str]) -> set[str]:
        """Which of these mutations the primary holds parked."""
        return self._recorded(ids, f"AND table_name = '{CONFLICTS}' AND kind = '{Kind.INSERT}'")

    def _recorded(self, ids: Sequence[str], which: str) -> set[str]:
        sql = f"SELECT DISTINCT mutation FROM {HISTORY} WHERE mutation IN (SELECT value FROM json_each(?)) {which}"
        found: set[str] = set()
        for start in range(0, len(ids), _IDS_MAX):
            answer = self._hrana.batch([Step(Statement(sql, (json.dumps(ids[start : start + _IDS_MAX]),)))])
            with understanding():
                found.update(str(row[0]) for row in _rows_or_none(answer, 0) or [])
        return found

    def newest_shared(self, changes: Sequence[Tail]) -> int:
        """The number of the newest of these changes that it still has, as it was applied then; 0 if it has none."""
        pairs = json.dumps([(each.seq, each.salt) for each in changes])
        rows = _rows_or_none(self._hrana.batch([Step(Statement(_SHARED, (pairs,)))]), 0)
        with understanding():
            return int(str(rows[0][0] or 0)) if rows else 0

    def kept_since(self) -> int:
        """The second, by its own clock, since when nothing that it received can have been pruned until now."""
        rows = self._hrana.execute(Statement("SELECT unixepoch() - ?", (HISTORY_DAYS_KEPT * 86_400,))).rows
        with understanding():
            return int(str(rows[0][0]))

    def give_up_at(self, deadline: float) -> None:
        """From now on, end every request at `deadline` (monotonic seconds) at the latest."""
        self._hrana.give_up_at(deadline)

    def ground(self, keys: Iterable[Key]) -> Ground:
        """The rows with these keys as they now are, with who touched them, in one request for each 500 rows or so."""
        from replica.rebase import Ground  # noqa: PLC0415 - most syncs are refused nothing

        ordered = list(dict.fromkeys(keys))
        rows: dict[Key, Row | None] = dict.fromkeys(ordered)
        touches: dict[Key, list[Touch]] = {}
        for start in range(0, len(ordered), _KEYS_MAX):
            self._read_halving(ordered[start : start + _KEYS_MAX], rows, touches)
        return Ground(rows, touches)

    def _read_halving(self, keys: Sequence[Key], rows: dict[Key, Row | None], touches: dict[Key, list[Touch]]) -> None:
        try:
            self._read_ground(keys, rows, touches)
        except AnswerTooLargeError:
            if len(keys) == 1:
                raise
            middle = len(keys) // 2
            self._read_halving(keys[:middle], rows, touches)
            self._read_halving(keys[middle:], rows, touches)

    def _read_ground(self, keys: Sequence[Key], rows: dict[Key, Row | None], touches: dict[Key, list[Touch]]) -> None:
        by_table: dict[str, list[str]] = {}
        for table, row_id in keys:
            by_table.setdefault(table, []).append(row_id)
        statements = []
        for name, ids in by_table.items():
            wanted = json.dumps(ids)
            statements.append(
                Statement(f"SELECT * FROM {quote(name)} WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
            )
            # The newest few tell who is the author of what is there.
            history = """SELECT row_id, mutation, kind, names, session, machine, made_at FROM (
                SELECT c.*, (SELECT json_group_array(key) FROM json_each(c.fields)) AS names,
                    row_number() OVER (PARTITION BY c.row_id ORDER BY c.seq DESC) AS age
                FROM _replica_changes c
                WHERE c.table_name = ? AND c.row_id IN (SELECT value FROM json_each(?))) WHERE age <= 50 ORDER BY seq"""
            statements.append(Statement(history, (name, wanted)))
        answers = read_exactly(self._hrana, statements, self._hrana.batch([Step(each) for each in statements]))
        with understanding():
            for position, table in enumerate(by_table):
                found = answers[2 * position]
                for values in found.rows:
                    row = dict(zip(found.columns, values, strict=True))
                    rows[table, str(row["id"])] = row
                for changed_id, *told in answers[2 * position + 1].rows:
                    touches.setdefault((table, str(changed_id)), []).append(_touch(*map(str, told)))

    def prune_history(self) -> None:
        """Delete some of the history that is older than a client may be offline; the newest entry always stays.

        By the primary's clock, because that of a client may be wrong; oldest first and a bounded number at a time.
        """
        self._hrana.execute(Statement(_PRUNE, (HISTORY_DAYS_KEPT * 86_400, _PRUNED_MAX)))

    def read(self, sql: str, params: Sequence[StoredValue]) -> Answer:
        """Run SQL that reads. Raises QueryError for SQL that does not run."""
        statement = Statement(sql, tuple(params))
        answer = self._hrana.batch([Step(statement)])
        result = answer.steps[0]
        if isinstance(result, Failure) and not is_busy(result):
            raise QueryError(f"SQL does not run: {result.message}", "check its syntax, its names and its values")
        return read_exactly(self._hrana, [statement], answer)[0]

    def is_read_only(self, sql: str) -> bool:
        """Whether the primary says that a statement only reads."""
        return self._hrana.is_read_only(sql)

    def migrate(
        self, applied: Applied, *, holder: str, at: str, wait: Callable[[float], None], deadline: float
    ) -> Applied:
        """Bring the primary to the program's schema, alone among all clients. Returns what is applied afterwards.

        Raises SchemaTooNewError, SchemaMismatchError, BusyError if another client migrates until the deadline.
        """
        delays = delays_until_s(deadline, random.random, longest_s=1.0)
        while plan_migrations(self._schema, applied):
            # Only looked at while it is held: whoever waits to write takes a transaction of over 5 s away.
            lease_s = ttl_s(deadline - time.monotonic())
            token = None if self._is_leased() else self._acquire(holder, lease_s)
            if token is None:
                _wait_for_another(delays, wait)
            else:
                try:
                    self._run_migrations(token, holder, at, lease_s)
                finally:
                    self._hrana.execute(Statement(RELEASE, (holder, token)))
            applied = self._applied()
        return applied

    def _applied(self) -> Applied:
        rows = self._hrana.execute(Statement(READ_APPLIED)).rows
        with understanding():
            return applied_from(rows)

    def _is_leased(self) -> bool:
        return bool(_rows_or_none(self._hrana.batch([Step(Statement(IS_HELD))]), 0))

    def _acquire(self, holder: str, lease_s: float) -> int | None:
        steps = [Step(Statement(sql)) for sql in BOOTSTRAP]
        answer = self._hrana.batch([*steps, Step(Statement(ACQUIRE, (holder, lease_s)))])
        result = answer.steps[-1]
        if isinstance(result, Failure) and is_busy(result):
            return None
        rows = answer.answer(len(steps)).rows
        with understanding():
            return int(str(rows[0][0])) if rows else None

    def _run_migrations(self, token: int, holder: str, at: str, lease_s: float) -> None:
        for step in plan_migrations(self._schema, self._applied()):
            # The lease is checked and renewed in the transaction of the migration, so a holder that was too slow fails.
            statements = [
                Statement("BEGIN IMMEDIATE"),
                *check_token(holder, token, lease_s),
                *(Statement(sql) for sql in step.migration.statements),
                Statement(RECORD, record_of(step, session=holder, at=at)),
                Statement("COMMIT"),
            ]
            steps = [
                Step(statement, after=position - 1 if position else None)
                for position, statement in enumerate(statements)
            ]
            answer = self._hrana.batch([*steps, Step(Statement("ROLLBACK"), unless=len(steps) - 1)], timeout_s=600)
            failure = next((item for item in answer.steps[:-1] if isinstance(item, Failure)), None)
            if failure is not None and (is_busy(failure) or answer.steps.index(failure) in (1, 2)):
                return
            if failure is not None:
                name = f"{step.migration.version:04d}_{step.migration.name}.sql"
                raise PrimaryError(
                    f"migration {name} does not run on the primary: {failure.message}",
                    "the primary is unchanged; mend the migration",
                )

    def close(self) -> None:
        """Close idle connections."""
        self._hrana.close()


def _wait_for_another(delays: Iterator[float], wait: Callable[[float], None]) -> None:
    """Wait while another client migrates. Raises BusyError once there is no time left."""
    delay = next(delays, None)
    if delay is None:
        raise BusyError("another client is migrating the primary")
    wait(delay)


def _touch(mutation: str, kind: str, names: str, session: str, machine: str, at: str) -> Touch:
    from replica.conflicts import Author  # noqa: PLC0415 - most syncs are refused nothing
    from replica.rebase import Touch  # noqa: PLC0415 - as above

    return Touch(Author(session, machine, at), mutation, Kind(kind), frozenset(json.loads(names)))


def is_busy(failure: Failure) -> bool:
    """Whether a failure goes away by itself."""
    return (
        "BUSY" in failure.code
        or "LOCKED" in failure.code
        or "TIMEOUT" in failure.code.upper()
        or "database is locked" in failure.message
    )


def _rows_or_none(answer: BatchAnswer, step: int) -> list[tuple[StoredValue, ...]] | None:
    """The rows of a step; None where the table is not there yet."""
    result = answer.steps[step]
    if isinstance(result, Failure) and "no such table" in result.message:
        return None
    return answer.answer(step).rows
