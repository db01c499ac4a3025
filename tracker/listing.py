"""Which issues a list shows.

Always true: every value is a bound parameter; the SQL text is made of ours only.
"""

from dataclasses import dataclass
from typing import Final

from tracker.records import Status

_NOT_CLOSED: Final = tuple(status for status in Status if status is not Status.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFilter:
    """Which issues to list: by default those that are neither closed nor deleted.

    statuses: these instead of all that are not closed. labels: those that carry every one of them.
    with_closed, with_deleted: add the closed, the deleted. limit: at most so many.
    """

    statuses: tuple[Status, ...] = ()
    labels: frozenset[str] = frozenset()
    with_closed: bool = False
    with_deleted: bool = False
    limit: int | None = None

    def sql(self) -> tuple[str, tuple[str | int, ...]]:
        """The WHERE, ORDER BY and LIMIT of it, and the parameters: the most urgent first, the oldest of those first."""
        conditions, params = self._by_status()
        for label in sorted(self.labels):
            conditions.append("EXISTS (SELECT 1 FROM json_each(labels) WHERE value = ?)")
            params.append(label)
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        if self.limit is None:
            return f"{where}ORDER BY priority, created_at, id", tuple(params)
        return f"{where}ORDER BY priority, created_at, id LIMIT ?", (*params, self.limit)

    def _by_status(self) -> tuple[list[str], list[str | int]]:
        statuses = self.statuses or (() if self.with_closed else _NOT_CLOSED)
        conditions: list[str] = []
        if statuses:
            marks = ", ".join("?" * len(statuses))
            # A deleted issue that was closed is shown among the deleted: that is where one looks for it.
            also = " OR deleted_at IS NOT NULL" if self.with_deleted and not self.statuses else ""
            conditions.append(f"(status IN ({marks}){also})")
        if not self.with_deleted:
            conditions.append("deleted_at IS NULL")
        return conditions, [status.value for status in statuses]
