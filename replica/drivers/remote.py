"""Mode `remote`: no disk of our own; every read and write goes to the primary.

Always true: a write is acknowledged once the primary has it, history included, in one transaction.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from replica.drivers.buffered import BufferedWork
from replica.drivers.protocol import Rows, Work
from replica.errors import (
    ConflictError,
    InputError,
    NotAllowedError,
    PrimaryError,
    QueryError,
    UnknownOutcomeError,
    UnreachableError,
    UntrustedError,
    WriteRefusedError,
)
from replica.migrate import check_version, plan_migrations, version_of
from replica.mutation import Mutation, StoredValue
from replica.primary import NO_TAIL, Primary
from replica.schema import Schema, Table
from replica.sqlite_file import is_refused_write
from replica.stamps import Stamp

_MIGRATION_PATIENCE_S = 60.0
_WRITE_PATIENCE_S = 10.0
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_READING = frozenset({"SELECT", "WITH", "VALUES", "EXPLAIN"})


@contextmanager
def _nothing_kept() -> Iterator[None]:
    """What the errors of a primary say is safe is so with a replica; here nothing is kept."""
    try:
        yield
    except UnknownOutcomeError:
        raise
    except UntrustedError as error:
        error.hint = f"nothing was written; {error.hint}"
        raise
    except UnreachableError as error:
        is_told = error.hint != type(error).hint
        error.hint = f"nothing was written; {error.hint if is_told else 'try again once the primary can be reached'}"
        raise
    except NotAllowedError as error:
        is_told = error.hint != type(error).hint
        error.hint = f"nothing was read or written; {error.hint if is_told else 'give a valid token'}"
        raise


class Remote:
    """The driver of mode `remote`."""

    @_nothing_kept()
    def __init__(
        self, primary: Primary, schema: Schema, tables: Mapping[str, Table], *, session: str, now: Callable[[], Stamp]
    ) -> None:
        """Greet the primary and migrate it if need be.

        Raises UnreachableError, NotAllowedError, SchemaMismatchError.
        """
        self._primary, self._schema, self._tables = primary, schema, tables
        greeting = primary.greet()
        if version_of(greeting.applied) <= schema.version and plan_migrations(schema, greeting.applied):
            primary.migrate(
                greeting.applied,
                holder=session,
                at=now(),
                wait=time.sleep,
                deadline=time.monotonic() + _MIGRATION_PATIENCE_S,
            )

    @_nothing_kept()
    def read(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of ours on the primary."""
        answer = self._primary.read(sql, params)
        return Rows(answer.columns, answer.rows)

    @_nothing_kept()
    def query(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of a user's, if the primary itself says that it only reads."""
        word = _FIRST_WORD.match(sql)
        if word is None:
            raise QueryError("there is no SQL statement to run", "for example SELECT 1")
        try:
            is_read_only = self._primary.is_read_only(sql)
        except PrimaryError as error:
            if is_refused_write(sql, error):
                raise WriteRefusedError("this SQL would write, or reach outside the database") from error
            raise QueryError(f"SQL does not run: {error}", "check its syntax and its names") from error
        # A PRAGMA or ATTACH is read-only to SQLite, and changes what the connection is or reaches.
        if not is_read_only or word[1].upper() not in _READING:
            raise WriteRefusedError("this SQL would write, or reach outside the database")
        return self.read(sql, params)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read as ever: nothing holds the primary still."""
        yield

    @_nothing_kept()
    def begin(self, *, online: bool) -> Work:  # noqa: ARG002 - every write is online here
        """Start a transaction. Raises SchemaTooNewError, BusyError if the primary is being migrated for too long."""
        greeting = self._primary.greet_in_peace(NO_TAIL, time.sleep, time.monotonic() + _WRITE_PATIENCE_S)
        check_version(greeting.applied, self._schema)
        return BufferedWork(self._tables, self.read, self._send)

    @_nothing_kept()
    def _send(self, mutation: Mutation) -> None:
        refusal = self._primary.push_one(mutation, time.sleep)
        if refusal is None:
            return
        if not refusal.is_stale:
            raise InputError(f"the primary refuses it: {refusal.message}")
        raise moved_on(mutation, self._primary, self._schema) or PrimaryError(
            f"the primary refused the change: {refusal.message}"
        )

    def close(self) -> None:
        """Close idle connections."""
        self._primary.close()


def moved_on(mutation: Mutation, primary: Primary, schema: Schema) -> ConflictError | None:
    """The first row of a refused mutation that is not as its author saw it, as an error with the row as it is now."""
    rows = primary.ground((change.table, change.row_id) for change in mutation.changes).rows
    for change in mutation.changes:
        row = rows.get((change.table, change.row_id))
        found = "" if row is None else str(row["updated_at"])
        if found != change.seen:
            record = schema.record_of(change.table)
            current = None if row is None else record.from_row(tuple(row), tuple(row.values()))
            return ConflictError(change.table, change.row_id, seen=change.seen, found=found, current=current)
    return None
