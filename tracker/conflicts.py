"""What a conflict brings besides the fields that are in conflict.

Always true: what is decided by nobody, because it comes in whichever side is taken, is told before somebody decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from replica import Change, Kind
from tracker.records import Involvement, Issue, Session, Snapshot

if TYPE_CHECKING:
    from replica import Conflict

_OF_STATUS: Final = frozenset({"closed_at", "status_at", "closed_by_session", "review_requested_by", "reviewed_at"})
BOOKKEEPING: Final = frozenset({Involvement.replica_table, Session.replica_table, Snapshot.replica_table})
"""The tables of what td writes down beside what somebody does."""

Pairs = Mapping[str, tuple[object, object]]


def rows_of(conflict: Conflict) -> frozenset[str]:
    """The ids of the rows that a conflict is about."""
    return frozenset({conflict.row_id, *(row_id for _, row_id in conflict.clashing)})


def other_fields(conflict: Conflict) -> Pairs:
    """The fields of the parked change that nobody else changed: name to the value before and the new one.

    Fields of another row than the conflict's first are named with their row, as in the conflict itself.
    """
    found: dict[str, tuple[object, object]] = {}
    for change in conflict.changes:
        row = "" if (change.table, change.row_id) == (conflict.table, conflict.row_id) else f"{_row_name(change)}."
        for name, (before, new) in change.fields.items():
            if f"{row}{name}" not in conflict.fields and before != new and not _is_derived(change, name):
                found[f"{row}{name}"] = (before, new)
    return found


def _row_name(change: Change) -> str:
    return f"{change.table}/{change.row_id}"


def _is_derived(change: Change, name: str) -> bool:
    """Whether td or the toolkit keeps the field in step with others, or it says nothing."""
    is_of_status = change.table == Issue.replica_table and name in _OF_STATUS and "status" in change.fields
    says_nothing = change.kind is Kind.INSERT and change.fields[name][1] in (None, "", "[]", 0)
    return change.table.startswith("_") or change.table in BOOKKEEPING or is_of_status or says_nothing
