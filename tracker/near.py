"""The issues around an issue, read as they are here: its parent and parts, and what waits for what.

Always true: deleted issues are left out, so that nothing waits for them and nothing is held up by them.
"""

from tracker.records import Issue
from tracker.tracker import Tracker

_ALIVE = "deleted_at IS NULL"


class NearIssues:
    """Reads of one tracker, also within its transaction."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def by_id(self, issue_id: str) -> Issue | None:
        """The issue with this whole id."""
        found = self._select("WHERE id = ?", issue_id)
        return found[0] if found else None

    def parent(self, issue: Issue) -> Issue | None:
        """The issue that it is a part of."""
        return None if issue.parent_id is None else self.by_id(issue.parent_id)

    def children(self, issue: Issue) -> list[Issue]:
        """Its parts."""
        return self._select("WHERE parent_id = ?", issue.id)

    def waiting_for(self, issue: Issue) -> list[Issue]:
        """Those that depend on it."""
        return self._select("WHERE id IN (SELECT issue_id FROM dependencies WHERE depends_on_id = ?)", issue.id)

    def needs(self, issue: Issue) -> list[Issue]:
        """Those that it depends on."""
        return self._select("WHERE id IN (SELECT depends_on_id FROM dependencies WHERE issue_id = ?)", issue.id)

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
        return self._tracker.replica.select(Issue, f"{where} AND {_ALIVE} ORDER BY priority, created_at, id", (value,))
