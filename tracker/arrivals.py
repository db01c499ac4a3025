"""What a sync brought, told from the history of the primary as far as it is here.

Always true: what is read grows with what the sync brought, not with what is stored.
"""

from dataclasses import dataclass

from tracker.records import Dependency, Issue
from tracker.tracker import Tracker

_LOOK_BACK = 1_000


@dataclass(frozen=True, slots=True)
class Arrived:
    """What a sync brought. last: the newest change of it all. issues, dependencies: the ids of the rows."""

    last: str
    issues: frozenset[str]
    dependencies: frozenset[str]


def arrived_since(tracker: Tracker, last: str | None) -> Arrived:
    """What was changed on the primary after the change `last`, as far as it is here.

    None, or a change that is not there any more because the primary was restored: the newest of it all.
    """
    found = tracker.replica.read("SELECT seq, mutation FROM _replica_changes ORDER BY seq DESC LIMIT 1").rows
    newest = int(str(found[0][0])) if found else 0
    after = newest - _LOOK_BACK if last is None or not _is_there(tracker, last) else int(last.partition(" ")[0])
    rows = tracker.replica.read(
        "SELECT DISTINCT table_name, row_id FROM _replica_changes WHERE seq > ? AND table_name IN (?, ?)",
        (after, Issue.replica_table, Dependency.replica_table),
    ).rows
    return Arrived(
        f"{newest} {found[0][1]!s}" if found else "",
        frozenset(str(row_id) for table, row_id in rows if table == Issue.replica_table),
        frozenset(str(row_id) for table, row_id in rows if table == Dependency.replica_table),
    )


def _is_there(tracker: Tracker, last: str) -> bool:
    """Whether a change is still the one of its number: a primary that was restored counts anew."""
    seq, _, mutation = last.partition(" ")
    if not seq.isdigit():
        return False
    return bool(
        tracker.replica.read("SELECT 1 FROM _replica_changes WHERE seq = ? AND mutation = ?", (int(seq), mutation)).rows
    )
