"""How much there is in a tracker, and what happened last.

Always true: everything is counted in SQL, not by reading rows.
"""

from datetime import timedelta
from typing import Final

from replica import Mutation, NotFoundError
from tracker.records import IssueType, Priority, Status
from tracker.tracker import Tracker
from tracker.values import moment_text

_WEEK_DAYS: Final = 7


def statistics(tracker: Tracker) -> dict[str, object]:
    """Counts by name, deleted issues left out but where they are counted themselves."""
    now = tracker.now()
    week_ago = moment_text(now - timedelta(days=_WEEK_DAYS))
    return {
        "issues": _one(tracker, "SELECT count(*) FROM issues WHERE deleted_at IS NULL"),
        "by_status": _by(tracker, "status", [status.value for status in Status]),
        "by_type": _by(tracker, "type", [kind.value for kind in IssueType]),
        "by_priority": _by(tracker, "priority", [priority.value for priority in Priority]),
        "points_open": _one(
            tracker, "SELECT coalesce(sum(points), 0) FROM issues WHERE deleted_at IS NULL AND status <> 'closed'"
        ),
        "points_closed": _one(
            tracker, "SELECT coalesce(sum(points), 0) FROM issues WHERE deleted_at IS NULL AND status = 'closed'"
        ),
        "created_in_7_days": _one(
            tracker, "SELECT count(*) FROM issues WHERE deleted_at IS NULL AND created_at >= ?", week_ago
        ),
        "closed_in_7_days": _one(
            tracker, "SELECT count(*) FROM issues WHERE deleted_at IS NULL AND closed_at >= ?", week_ago
        ),
        "overdue": _one(
            tracker,
            "SELECT count(*) FROM issues WHERE deleted_at IS NULL AND status <> 'closed' AND due_date < ?",
            now.date().isoformat(),
        ),
        "deleted": _one(tracker, "SELECT count(*) FROM issues WHERE deleted_at IS NOT NULL"),
        "comments": _one(tracker, "SELECT count(*) FROM comments"),
        "logs": _one(tracker, "SELECT count(*) FROM logs"),
        "handoffs": _one(tracker, "SELECT count(*) FROM handoffs"),
        "sessions": _one(tracker, "SELECT count(*) FROM sessions"),
        "changes": _one(tracker, "SELECT count(*) FROM _replica_changes"),
    }


def last_mutations(tracker: Tracker, count: int) -> list[Mutation]:
    """The last mutations of this session, the newest first."""
    pending = [one for one in tracker.replica.pending() if one.session == tracker.session][::-1][:count]
    known = {mutation.id for mutation in pending}
    rows = tracker.replica.query(
        """SELECT mutation, max(seq) AS last FROM _replica_changes WHERE session = ?
        GROUP BY mutation ORDER BY last DESC LIMIT ?""",
        (tracker.session, count + len(known)),
    ).rows
    found = list(pending)
    for mutation_id, _ in rows:
        if str(mutation_id) in known or len(found) >= count:
            continue
        try:
            found.append(tracker.replica.mutation(str(mutation_id)))
        except NotFoundError:
            continue
    return found


def _one(tracker: Tracker, sql: str, *params: str) -> int:
    return int(str(tracker.replica.query(sql, params).rows[0][0]))


def _by(tracker: Tracker, column: str, names: list[str]) -> dict[str, int]:
    sql = f"SELECT {column}, count(*) FROM issues WHERE deleted_at IS NULL GROUP BY {column}"
    counted = {str(name): int(str(count)) for name, count in tracker.replica.query(sql).rows}
    return {name: counted.get(name, 0) for name in names}
