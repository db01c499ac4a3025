"""SQL that writes, as a program asks for it (`Replica.sql`).

Always true: what a statement changes is one mutation like any other, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from replica.captured import Capture, SqlRules, capture_of
from replica.drivers.protocol import Driver, Work
from replica.mutation import Mutation
from replica.records import Record
from replica.schema import Schema
from replica.sql_text import in_order
from replica.storable import check_query
from replica.transaction import Transaction

if TYPE_CHECKING:
    from replica.replica import Params


class SqlWriting:
    """Runs INSERT, UPDATE and DELETE; made by `Replica.sql`."""

    def __init__(
        self,
        driver: Driver,
        schema: Schema,
        *,
        new_id: Callable[[type[Record]], str],
        begun: Callable[[Work], Transaction],
        finished: Callable[[Transaction], Mutation | None],
    ) -> None:
        """`begun` makes the transaction of a work, `finished` commits it."""
        self._driver, self._schema = driver, schema
        self._new_id, self._begun, self._finished = new_id, begun, finished

    def capture(self, sql: str, params: Params = (), *, rules: SqlRules | None = None) -> Capture:
        """What one INSERT, UPDATE or DELETE would change; nothing is written. Raises as `execute` does."""
        return self.execute(sql, params, rules=rules, accept=lambda _: False)[0]

    def execute(
        self,
        sql: str,
        params: Params = (),
        *,
        rules: SqlRules | None = None,
        accept: Callable[[Capture], bool] = lambda _: True,
    ) -> tuple[Capture, Mutation | None]:
        """Run one INSERT, UPDATE or DELETE as a mutation like any other: queued, merged, undone.

        Args:
            sql: the statement.
            params: as of `Replica.query`.
            rules: what the program has to say about each row.
            accept: is shown what would change, and says whether it is to be written. It is asked within the
                transaction, so nobody may have to wait for its answer.

        Returns:
            What the statement changes, and the mutation; None if nothing was written.

        Raises:
            WriteRefusedError: it is another statement, or would write to anything else.
            QueryError: it does not run.
            InputError: a record does not take a row; or in mode `remote`.
        """
        sql, params = in_order(sql, params)
        check_query(sql, params)
        work = self._driver.begin(online=False)
        try:
            noted = work.note(sql, params)
            captured = capture_of(noted, self._schema.record_of(noted.table), self._new_id, rules or SqlRules())
            if not accept(captured):
                work.rollback()
                return captured, None
            return captured, self._written(work, captured)
        except BaseException:
            work.rollback()
            raise

    def apply(self, captured: Capture) -> Mutation | None:
        """Write what a statement would change; None if that is nothing. Raises ConflictError where a row moved on."""
        work = self._driver.begin(online=False)
        try:
            return self._written(work, captured)
        except BaseException:
            work.rollback()
            raise

    def _written(self, work: Work, captured: Capture) -> Mutation | None:
        tx = self._begun(work)
        captured.write(tx)
        return self._finished(tx)
