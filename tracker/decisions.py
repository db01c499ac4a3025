"""Find the conflict that a person means, and settle it.

Always true: a decision is one mutation, and what belongs to the status of an issue fits the status that comes out.
"""

from collections.abc import Mapping
from typing import Literal

from replica import AmbiguousIdError, Conflict, InputError, Mutation, NotFoundError, Transaction
from tracker.conflicts import rows_of
from tracker.ids import full_prefix
from tracker.records import Issue
from tracker.statuses import what_fits
from tracker.tracker import Tracker


def find(tracker: Tracker, typed: str) -> Conflict:
    """The conflict whose id starts with `typed`, or the only open one on the row that `typed` stands for.

    A row that is no issue is named with what its id begins with, as `nt-`.

    Raises:
        NotFoundError: there is no such conflict.
        AmbiguousIdError: there are several.
    """
    try:
        return tracker.replica.conflict(typed)
    except NotFoundError:
        prefixes = (full_prefix(typed), typed.strip().lower())
        on_row = [
            found for found in tracker.replica.conflicts() if any(row.startswith(prefixes) for row in rows_of(found))
        ]
        if not on_row:
            raise
    if len(on_row) > 1:
        raise AmbiguousIdError("conflict", typed, [found.id for found in on_row])
    return on_row[0]


def is_open(tracker: Tracker, conflict: Conflict) -> bool:
    """Whether the conflict still waits for a decision."""
    return any(found.id == conflict.id for found in tracker.replica.conflicts())


def settle(tracker: Tracker, conflict: Conflict, choice: Literal["mine", "theirs"] | Mapping[str, object]) -> Mutation:
    """Settle a conflict with `"mine"`, `"theirs"`, or a value for each field in conflict.

    Raises:
        InputError: the choice does not fit, or the conflict was settled meanwhile.
        ConflictError: the values have changed since they were shown.
    """
    try:
        return tracker.replica.resolve(conflict.id, choice, then=lambda tx: _keep_in_step(tracker, tx, conflict))
    except InputError as error:
        if not is_open(tracker, conflict):
            error.hint = f"nothing is left to decide; td history {conflict.row_id} shows what came of it"
        raise


def _keep_in_step(tracker: Tracker, tx: Transaction, conflict: Conflict) -> None:
    # Fields are merged each for itself, so that the status of one side may meet what belongs to that of the other.
    for issue_id in {change.row_id for change in conflict.changes if change.table == Issue.replica_table}:
        try:
            issue = tx.get(Issue, issue_id)
        except NotFoundError:
            continue
        tx.update(issue, **what_fits(issue, tracker.now(), tracker.session))
