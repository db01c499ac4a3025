"""The issues around an issue, read as they are here: its parent and parts, and what waits for what.

Always true: deleted issues are left out, so that nothing waits for them and nothing is held up by them.
"""

import json
from collections.abc import Callable

from replica import NotFoundError, Transaction
from tracker.records import Dependency, Issue
from tracker.seen import select_seen
from tracker.tracker import Tracker

_ALIVE = "deleted_at IS NULL"
_AMONG = "id IN (SELECT value FROM json_each(?))"


class NearIssues:
    """Reads of one tracker; within a transaction, what that has changed already is seen as it changed it."""

    def __init__(self, tracker: Tracker, tx: Transaction | None = None) -> None:
        self._tracker, self._tx = tracker, tx

    def by_id(self, issue_id: str) -> Issue | None:
        """The issue with this whole id."""
        if self._tx is None:
            found = self._select("id = ?", issue_id)
            return found[0] if found else None
        try:
            issue = self._tx.get(Issue, issue_id)
        except NotFoundError:
            return None
        return None if issue.deleted_at else issue

    def parent(self, issue: Issue) -> Issue | None:
        """The issue that it is a part of."""
        return None if issue.parent_id is None else self.by_id(issue.parent_id)

    def children(self, issue: Issue) -> list[Issue]:
        """Its parts."""
        if self._tx is None:
            return self._select("parent_id = ?", issue.id)
        return self._seen(self._tx, "parent_id = ?", issue.id, lambda one: one.parent_id == issue.id)

    def waiting_for(self, issue: Issue) -> list[Issue]:
        """Those that depend on it."""
        if self._tx is None:
            return self._select("id IN (SELECT issue_id FROM dependencies WHERE depends_on_id = ?)", issue.id)
        return self._among(self._tx, {one.issue_id for one in edges_on(self._tracker, self._tx, issue.id)})

    def needs(self, issue: Issue) -> list[Issue]:
        """Those that it depends on."""
        if self._tx is None:
            return self._select("id IN (SELECT depends_on_id FROM dependencies WHERE issue_id = ?)", issue.id)
        return self._among(self._tx, {one.depends_on_id for one in edges_of(self._tracker, self._tx, issue.id)})

    def descendants(self, issue: Issue) -> list[Issue]:
        """Its parts, and theirs, nearest first, each once."""
        found, queue = {issue.id: issue}, [issue]
        while queue:
            for child in self.children(queue.pop(0)):
                if child.id not in found:
                    found[child.id] = child
                    queue.append(child)
        return list(found.values())[1:]

    def _select(self, where: str, value: str) -> list[Issue]:
        where = f"WHERE {where} AND {_ALIVE} ORDER BY priority, created_at, id"
        return self._tracker.replica.select(Issue, where, (value,))

    def _among(self, tx: Transaction, ids: set[str]) -> list[Issue]:
        return self._seen(tx, _AMONG, json.dumps(sorted(ids)), lambda issue: issue.id in ids)

    def _seen(self, tx: Transaction, where: str, value: str, fits: Callable[[Issue], bool]) -> list[Issue]:
        found = select_seen(
            self._tracker,
            tx,
            Issue,
            f"WHERE {where} AND {_ALIVE}",
            (value,),
            columns=frozenset({"parent_id", "deleted_at"}),
            fits=lambda issue: issue.deleted_at is None and fits(issue),
        )
        return sorted(found, key=lambda issue: (issue.priority.value, issue.created_at, issue.id))


def edges_of(tracker: Tracker, tx: Transaction, issue_id: str) -> list[Dependency]:
    """What an issue waits for, as a transaction sees it, oldest first."""
    return _edges(tracker, tx, "issue_id", issue_id, lambda one: one.issue_id == issue_id)


def edges_on(tracker: Tracker, tx: Transaction, issue_id: str) -> list[Dependency]:
    """What waits for an issue, as a transaction sees it, oldest first."""
    return _edges(tracker, tx, "depends_on_id", issue_id, lambda one: one.depends_on_id == issue_id)


def _edges(
    tracker: Tracker, tx: Transaction, column: str, issue_id: str, fits: Callable[[Dependency], bool]
) -> list[Dependency]:
    found = select_seen(
        tracker, tx, Dependency, f"WHERE {column} = ?", (issue_id,), columns=frozenset({column}), fits=fits
    )
    return sorted(found, key=lambda one: (one.created_at, one.id))
