"""A snapshot: what is there at one moment, for as long as a program looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from replica.drivers.protocol import Driver, Rows
from replica.mutation import StoredValue
from replica.records import Record
from replica.schema import Table
from replica.storable import check_query

if TYPE_CHECKING:
    from replica.changed import Changed


class Snapshot:
    """Reads of one moment, by the thread that took it; made by `Replica.snapshot`."""

    def __init__(self, driver: Driver, tables: Mapping[str, Table]) -> None:
        self._driver, self._tables = driver, tables

    def rows(self, sql: str, params: Sequence[StoredValue] = ()) -> Rows:
        """What SQL of the program's own finds. Raises QueryError, DamagedError."""
        check_query(sql, params)
        return self._driver.read(sql, params)

    def changes_since(self, marker: str, records: Sequence[type[Record]]) -> Changed:
        """Which rows of these records may be shown otherwise than when `marker` was given, and the marker of now.

        marker: of an earlier answer, kept anywhere and for any time; "" for a start, when all may differ.
        """
        from replica.changed import changes_since  # noqa: PLC0415 - only this pays for it

        return changes_since(self._driver, marker, [self._tables[record.replica_table] for record in records])
