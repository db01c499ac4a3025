"""Find issues by what is said in them.

Always true:
- an issue that is deleted is never found;
- an issue that is meant by its id comes first, then what fits best;
- only the issues that are returned are read whole, and not many more are looked up to filter them.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from replica import Replica, Snapshot
from tracker.listing import IssueFilter, Statement, condition_of
from tracker.records import Issue
from tracker.search import index
from tracker.search.documents import FIELDS, Where
from tracker.search.elsewhere import candidates
from tracker.search.index import Ranked
from tracker.search.keeping import ask, ask_in_memory
from tracker.search.query import Query, parse_query
from tracker.search.snippets import Snippet, plain_snippet, read_snippet
from tracker.tracker import Tracker

LIMIT: Final = 50
_EXACT_ID, _ID_BEGINS = 1000.0, 900.0
_LOOKED_UP_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Hit:
    """An issue that was found.

    score: how well it fits; more is better. match: the weightiest place where it does; None for a query that only says
    what is not wanted. snippet: a few words from there.
    """

    issue: Issue
    score: float
    match: Where | None
    snippet: Snippet


def find(tracker: Tracker, typed: str, wanted: IssueFilter | None = None, *, limit: int = LIMIT) -> list[Hit]:
    """The issues in which something is said, best first, pending work included.

    Args:
        tracker: whose issues.
        typed: what a person types (`tracker.search.query`); nothing that can be typed is an error.
        wanted: which issues may be found; by default those that are not closed, put off or not. Deleted ones never are.
        limit: at most so many.

    Raises:
        BusyError: another process makes the index, for longer than anybody should wait.
        SearchUnavailableError: this SQLite has no FTS5.
        FilterError: the filter of `wanted` cannot be understood.
        ReplicaError: the issues cannot be read.
    """
    query, replica = parse_query(typed), tracker.replica
    if not query.terms and not query.id_start:
        return []
    condition, params = condition_of(tracker, wanted or IssueFilter(with_deferred=True))
    # IS TRUE keeps SQLite from going through an index of what is filtered by, which would find far more.
    filtering = Statement(f"deleted_at IS NULL AND ({condition}) IS TRUE", params)

    def question(connection: sqlite3.Connection, _: Snapshot) -> list[Hit]:
        return _hits(connection, replica, query, filtering, limit)

    if replica.directory is not None:
        return ask(replica, replica.directory, question)
    with replica.snapshot() as seen:
        return ask_in_memory(candidates(seen, query, filtering), seen, question)


def _hits(
    connection: sqlite3.Connection, replica: Replica, query: Query, filtering: Statement, limit: int
) -> list[Hit]:
    by_id = _meant_by_id(replica, query, filtering, limit)
    meant = {issue.id for issue, _ in by_id}
    others = (found for found in index.ranked(connection, query) if found.issue_id not in meant)
    by_text = list(islice(_filtered(replica, others, filtering, limit), limit - len(by_id)))
    texts = index.marked(connection, query, [issue.id for issue, _ in by_text]) if query.wanted else {}
    hits = [Hit(issue, score, Where.ID, plain_snippet(issue.title)) for issue, score in by_id]
    return hits + [_hit(issue, score, texts.get(issue.id, ())) for issue, score in by_text]


def _meant_by_id(replica: Replica, query: Query, filtering: Statement, limit: int) -> list[tuple[Issue, float]]:
    if not query.id_start:
        return []
    found = replica.select(
        Issue,
        f"WHERE id >= ? AND id < ? AND {filtering.sql} ORDER BY id LIMIT ?",
        (query.id_start, query.id_start + "~", *filtering.params, limit),
    )
    return [(issue, _EXACT_ID if issue.id == query.id_start else _ID_BEGINS) for issue in found]


def _filtered(
    replica: Replica, ranking: Iterator[Ranked], filtering: Statement, at_first: int
) -> Iterator[tuple[Issue, float]]:
    """The issues of a ranking that a filter leaves, looked up a few at a time, and more the fewer it leaves."""
    size = at_first
    fragment = f"WHERE id IN (SELECT value FROM json_each(?)) AND {filtering.sql}"
    while some := list(islice(ranking, size)):
        issue_ids = json.dumps([found.issue_id for found in some])
        issues = {issue.id: issue for issue in replica.select(Issue, fragment, (issue_ids, *filtering.params))}
        yield from ((issues[found.issue_id], found.score) for found in some if found.issue_id in issues)
        size = min(size * 2, _LOOKED_UP_MAX)


def _hit(issue: Issue, score: float, texts: Sequence[str]) -> Hit:
    for where, text in zip(FIELDS, texts, strict=False):
        snippet = read_snippet(text)
        if snippet.marks:
            return Hit(issue, round(score, 6), where, snippet)
    return Hit(issue, round(score, 6), None, plain_snippet(issue.title))
