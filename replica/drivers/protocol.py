"""What `Replica` needs of a way to hold the database.

Each driver proves itself to the type checker, and one conformance suite runs over all of them
(`tests/replica/test_drivers.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from replica.mutation import Change, Mutation, Row, StoredValue

if TYPE_CHECKING:
    from replica.capture import Noted


@dataclass(frozen=True, slots=True)
class Rows:
    """The answer to a query: the names of its columns, and its rows in order."""

    columns: tuple[str, ...]
    rows: list[tuple[StoredValue, ...]]


class Work(Protocol):
    """One transaction in the making. Nothing of it is seen by others before `commit`.

    Every `Work` ends with exactly one `commit` or `rollback`.
    """

    def row(self, table: str, row_id: str) -> Row | None:
        """The row as this transaction sees it, with `id` and `updated_at`, or None."""

    def apply(self, change: Change, row: Row | None) -> None:
        """Take in one change; `row` is the whole row after it, None after a delete."""

    def note(self, sql: str, params: Sequence[StoredValue]) -> Noted:
        """Run a statement of a user's that writes, and tell what it would do; nothing of it is done.

        Raises as `replica.capture.note_statement` does; InputError where the rows are not on this disk.
        """

    def commit(self, mutation: Mutation) -> None:
        """Keep it, durably. Raises ConflictError where only now it turns out that a row has moved on."""

    def rollback(self) -> None:
        """Forget it."""


class Driver(Protocol):
    """A database that is read with SQL and written by mutations."""

    def read(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of ours; it sees everything committed here so far."""

    def query(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """Run SQL of a user's, which cannot write. Raises QueryError or WriteRefusedError."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let this thread `read` what is there now, and nothing newer, while the block lasts; it writes nothing then.

        Where the rows are on a primary, nothing holds it still: there, later reads may see more.
        """

    def begin(self, *, online: bool) -> Work:
        """Start a transaction; `online` sends it to the primary before it counts. Raises SchemaTooNewError."""

    def close(self) -> None:
        """Release files and connections; the driver is not used again."""
