"""What td itself exported, in JSON or SQL."""

from collections.abc import Iterator
from pathlib import Path

from tracker.transfer.detect import is_sql
from tracker.transfer.found import Found, Tally
from tracker.transfer.json_format import read_json
from tracker.transfer.opened import read_head
from tracker.transfer.sql_format import read_sql


def read(path: Path, tally: Tally) -> Iterator[Found]:
    """The rows of an export. Raises SourceError."""
    head = read_head(path).decode("utf-8-sig", errors="replace")
    return read_sql(path) if is_sql(head) else read_json(path, tally)
