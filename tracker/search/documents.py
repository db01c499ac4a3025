"""What is searched of an issue: one document, put together from its rows.

Always true: a deleted issue has no document, and what belongs to no issue is in none.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from replica import Changed, Record, Snapshot
from tracker.records import Comment, Handoff, Issue, Log
from tracker.search.query import PART, cleaned, spread

_BATCH: Final = 2000
_AND: Final = "\x1f"
_NOTHING: Final[tuple[list[str], list[str]]] = ([], [])


class Where(StrEnum):
    """Where in an issue something was found, what weighs most first."""

    ID = "id"
    TITLE = "title"
    LABEL = "label"
    DESCRIPTION = "description"
    ACCEPTANCE = "acceptance"
    COMMENT = "comment"
    LOG = "log"
    HANDOFF = "handoff"


FIELDS: Final = tuple(where for where in Where if where is not Where.ID)
"""The fields of a document, in order."""

TALK: Final[Mapping[type[Record], str]] = {
    Comment: "text",
    Log: "message",
    Handoff: f"done || '{_AND}' || remaining || '{_AND}' || decisions || '{_AND}' || uncertain",
}
"""The tables whose rows are part of an issue's document, and the SQL for what they say."""
SEARCHED: Final[Sequence[type[Record]]] = (Issue, *TALK)
"""The records that documents are made of."""


@dataclass(frozen=True, slots=True)
class Document:
    """An issue as it is searched. fields: in the order of `FIELDS`. rows: the ids of the other rows it is made of."""

    issue_id: str
    priority: str
    updated_at: str
    fields: tuple[str, ...]
    rows: tuple[str, ...]


def all_documents(seen: Snapshot) -> Iterator[Document]:
    """The documents of all issues, the oldest issue first."""
    found = seen.rows("SELECT id FROM issues WHERE deleted_at IS NULL ORDER BY created_at, id").rows
    return documents(seen, [str(row[0]) for row in found])


def documents(seen: Snapshot, issue_ids: Sequence[str], *, batch: int = _BATCH) -> Iterator[Document]:
    """The documents of some issues, in their order; of those that are deleted, or not there, none."""
    for start in range(0, len(issue_ids), batch):
        yield from _read(seen, issue_ids[start : start + batch])


def _read(seen: Snapshot, issue_ids: Sequence[str]) -> Iterator[Document]:
    listed = (json.dumps(list(issue_ids)),)
    issues = seen.rows(
        """SELECT id, priority, updated_at, title, labels, description, acceptance FROM issues
        WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NULL""",
        listed,
    ).rows
    talk = [_said(seen, record, listed) for record in TALK]
    found = {}
    for row in issues:
        issue_id, priority, updated_at, title, labels, description, acceptance = map(str, row)
        said = [of_record.get(issue_id, _NOTHING) for of_record in talk]
        texts = ([title], _items(labels), [description], [acceptance], *(lines for _, lines in said))
        rows = tuple(row_id for ids, _ in said for row_id in ids)
        found[issue_id] = Document(issue_id, priority, updated_at, tuple(map(_indexed, texts)), rows)
    return (found[issue_id] for issue_id in issue_ids if issue_id in found)


def _said(seen: Snapshot, record: type[Record], listed: tuple[str]) -> dict[str, tuple[list[str], list[str]]]:
    """The rows of a table by the issue they belong to: their ids, and what they say."""
    lines = _lines if record is Handoff else str.split
    found = seen.rows(said_sql(record), listed).rows
    return {str(row[0]): (str(row[1]).split(_AND), lines(str(row[2]), _AND)) for row in found}


def said_sql(record: type[Record]) -> str:
    """The SQL for what rows of a table say, together for each issue of a list."""
    # SQLite takes the view of a replica apart, and need not read all of it, only where what orders it is in the result.
    return f"""SELECT issue_id, group_concat(id, '{_AND}'), group_concat(told, '{_AND}')
        FROM (SELECT issue_id, created_at, id, {TALK[record]} AS told FROM {record.replica_table}
            WHERE issue_id IN (SELECT value FROM json_each(?)) ORDER BY issue_id, created_at, id)
        GROUP BY issue_id"""


def _lines(text: str, separator: str) -> list[str]:
    """What handoffs say, of their lists."""
    return [line for items in text.split(separator) for line in _items(items)]


def _items(text: str) -> list[str]:
    """The items of a stored list; what is none, as another program may write it, is searched as it stands."""
    if text == "[]":
        return []
    try:
        return [str(item) for item in json.loads(text)]
    except (ValueError, TypeError):
        return [text]


def _indexed(texts: Sequence[str]) -> str:
    return PART.join([text if text.isascii() else spread(cleaned(text)) for text in texts])


def issues_to_read(seen: Snapshot, changed: Mapping[str, frozenset[str]]) -> set[str]:
    """The issues of which rows have changed, as far as the rows that are there now tell."""
    found = set(changed[Issue.replica_table])
    for record in TALK:
        table = record.replica_table
        if changed[table]:
            rows = seen.rows(
                f"SELECT issue_id FROM {table} WHERE id IN (SELECT value FROM json_each(?)) AND issue_id IS NOT NULL",
                (json.dumps(sorted(changed[table])),),
            ).rows
            found.update(str(row[0]) for row in rows)
    return found


def talk_of(changed: Mapping[str, frozenset[str]]) -> set[str]:
    """The ids of the changed rows that are not issues."""
    return {row_id for record in TALK for row_id in changed[record.replica_table]}


def changes(seen: Snapshot, marker: str) -> Changed:
    """What documents may be made of otherwise than when `marker` was given."""
    return seen.changes_since(marker, SEARCHED)
