"""The rows of a tracker, on their way out.

Always true:
- a page of rows is held at a time, so that memory does not grow with the tracker;
- rows come in the order of their ids, so that two exports of the same rows are the same text;
- a table is read before the tables that its rows name, so that what is written meanwhile leaves no row without the one
  that it names.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from replica import Record
from tracker.records import RECORDS
from tracker.tracker import Tracker
from tracker.transfer.fields import kind_of

Row = Mapping[str, object]

TABLES: Final[tuple[type[Record], ...]] = tuple(reversed(RECORDS))
"""In the order in which they are read: what names issues before the issues."""
_PAGE_ROWS: Final = 1_000
# What counts as deleted with the row that it names.
_BELONGS_TO: Final[Mapping[str, str]] = {"issue_id": "issues", "depends_on_id": "issues", "board_id": "boards"}
_MARKED: Final = ("issues", "boards", "notes")


def columns_of(record: type[Record]) -> tuple[str, ...]:
    """The columns of a table: the id first, the stamp last."""
    return ("id", *(column.name for column in record.replica_columns), "updated_at")


class Dump:
    """What is to go out: everything, or what is not deleted at the moment when the first row is asked for."""

    def __init__(self, tracker: Tracker, *, with_deleted: bool) -> None:
        self.tracker, self.with_deleted = tracker, with_deleted
        self._gone: Mapping[str, frozenset[str]] | None = None

    def rows(self, record: type[Record]) -> Iterator[Row]:
        """The rows of a table."""
        columns = columns_of(record)
        gone = self._deleted()
        listing = ", ".join(columns)
        sql = f"SELECT {listing} FROM {record.replica_table} WHERE id > ? ORDER BY id LIMIT {_PAGE_ROWS}"
        last: str | None = ""
        while last is not None:
            page = self.tracker.replica.query(sql, (last,)).rows
            last = str(page[-1][0]) if len(page) == _PAGE_ROWS else None
            for values in page:
                row = dict(zip(columns, values, strict=True))
                if not _is_deleted(record.replica_table, row, gone):
                    yield row

    def _deleted(self) -> Mapping[str, frozenset[str]]:
        """The ids of what stays out, by table: the same for all tables, whatever is deleted meanwhile."""
        if self._gone is None:
            self._gone = {} if self.with_deleted else {table: self._marked(table) for table in _MARKED}
        return self._gone

    def _marked(self, table: str) -> frozenset[str]:
        sql = f"SELECT id FROM {table} WHERE deleted_at IS NOT NULL"
        return frozenset(str(row[0]) for row in self.tracker.replica.query(sql).rows)


def _is_deleted(table: str, row: Row, gone: Mapping[str, frozenset[str]]) -> bool:
    if row["id"] in gone.get(table, frozenset()):
        return True
    return any(row.get(name) in gone.get(target, frozenset()) for name, target in _BELONGS_TO.items())


def document_maker(record: type[Record]) -> Callable[[Row], dict[str, object]]:
    """What makes the JSON of a row of a table, as `td` prints it elsewhere."""
    nested = [column.name for column in record.replica_columns if column.form.value in ("set", "json")]
    flags = [column.name for column in record.replica_columns if kind_of(record, column.name)[0] is bool]

    def make(row: Row) -> dict[str, object]:
        document: dict[str, object] = dict(row)
        for name in nested:
            document[name] = _parsed(row[name])
        for name in flags:
            document[name] = bool(row[name]) if row[name] in (0, 1) else row[name]
        return document

    return make


def _parsed(stored: object) -> object:
    """A stored list as one; what is none, as another program may have written it, as it is."""
    try:
        return json.loads(stored) if isinstance(stored, str) else stored
    except ValueError:
        return stored
