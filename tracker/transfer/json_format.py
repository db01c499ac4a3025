"""The export in JSON: one document with a list for each table, a row a line.

Always true: it holds all that a row holds, and reading it gives the same rows, but for `updated_at`, which is the stamp
of the write that makes them.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tracker.records import RECORDS
from tracker.transfer.dump import TABLES, Dump, document_maker
from tracker.transfer.errors import SourceError
from tracker.transfer.found import Found, Tally
from tracker.transfer.json_reader import JsonReader
from tracker.transfer.opened import open_text

FORMAT: Final = "td-export"
VERSION: Final = 1
_RECORD_OF: Final = {record.replica_table: record for record in RECORDS}
_HEAD: Final = ("format", "version", "complete")


def write_json(dump: Dump) -> Iterator[str]:
    """The document in pieces."""
    # complete: what is deleted is in it too.
    head = {"format": FORMAT, "version": VERSION, "complete": dump.with_deleted}
    yield "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items())
    for record in TABLES:
        make = document_maker(record)
        yield f',\n"{record.replica_table}": ['
        separator = "\n"
        for row in dump.rows(record):
            yield separator + json.dumps(make(row), ensure_ascii=False, separators=(",", ":"), default=bytes.hex)
            separator = ",\n"
        yield "]" if separator == "\n" else "\n]"
    yield "\n}\n"


def read_json(path: Path, tally: Tally) -> Iterator[Found]:
    """The rows of such a document. Raises SourceError."""
    with open_text(path) as file:
        reader = JsonReader(file, path)
        head: dict[str, object] = {}
        for name in reader.names():
            if name in _RECORD_OF and reader.peek() == "[":
                yield from _rows(reader, name, tally)
            else:
                value = reader.value()
                if name in _HEAD:
                    head[name] = value
                    _check_version(path, head)
                else:
                    tally.homeless.add(name[:40], "all of it", reader.where)
        if head.get("format") != FORMAT:
            reason = f'it does not say "format": "{FORMAT}"'
            raise SourceError(path, reason, "td export writes such files; --from says what else it is")
        if reader.peek():
            reader.refuse("something comes after its end")


def _rows(reader: JsonReader, table: str, tally: Tally) -> Iterator[Found]:
    for _ in reader.elements():
        reader.peek()
        where, element = reader.where, reader.value()
        if isinstance(element, dict):
            yield Found(_RECORD_OF[table], element, where)
        else:
            tally.skipped.add(table, "it is no object", where)


def _check_version(path: Path, head: dict[str, object]) -> None:
    version = head.get("version", VERSION)
    if version != VERSION:
        reason = f"it is of version {str(version)[:20]!r} of the format, and this td knows version {VERSION}"
        raise SourceError(path, reason, "nothing was written; take it in with a newer td")
