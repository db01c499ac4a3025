"""What to search where there is no disk to keep an index on: in mode `remote`.

The primary picks the issues that hold all that is wanted, by LIKE, and these few are indexed in memory: they are ranked
and shown as anywhere else. Two things differ, because LIKE knows of no accents and the primary sends no more than it
must: a letter typed without its accent does not find one that has it, and of more than `CANDIDATES_MAX` issues only
those changed last are ranked.
"""

import re
from collections.abc import Iterator
from typing import Final

from replica import Snapshot
from tracker.listing import Statement
from tracker.search.documents import TALK, Document, documents
from tracker.search.query import Query

CANDIDATES_MAX: Final = 200
_BATCH: Final = 50
_RUN: Final = re.compile(r"[^\W_]+")
# The first words say enough about where the others may be, and SQL has an end.
_RUNS_MAX: Final = 16
_RUN_LENGTH_MAX: Final = 100


def candidates(seen: Snapshot, query: Query, filtering: Statement) -> Iterator[Document]:
    """The documents of the issues that may fit a query."""
    patterns = [_pattern(run) for term in query.wanted for run in _RUN.findall(term.text)][:_RUNS_MAX]
    fields = [f"issues.{name} LIKE ?" for name in ("title", "labels", "description", "acceptance")]
    fields += [
        f"EXISTS (SELECT 1 FROM {record.replica_table} t WHERE t.issue_id = issues.id AND {told} LIKE ?)"
        for record, told in TALK.items()
    ]
    held = "".join(f" AND ({' OR '.join(fields)})" for _ in patterns)
    found = seen.rows(
        f"SELECT id FROM issues WHERE {filtering.sql}{held} ORDER BY updated_at DESC LIMIT ?",
        (*filtering.params, *(pattern for pattern in patterns for _ in fields), CANDIDATES_MAX),
    ).rows
    return documents(seen, [str(row[0]) for row in found], batch=_BATCH)


def _pattern(run: str) -> str:
    """What a text with these letters and digits is like, whatever accents and case those beyond ASCII have."""
    return f"%{''.join(letter if letter.isascii() else '%' for letter in run[:_RUN_LENGTH_MAX])}%"
