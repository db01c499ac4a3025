"""The table of conflicts: what every replica has of it, also one that never meets a conflict.

What a row of it means is in `conflicts.py`.
"""

from typing import Annotated

from replica.history import CONFLICTS
from replica.records import Record
from replica.rules import Rule

OPEN = "open"
RESOLVED = "resolved"


class ConflictRow(Record, table=CONFLICTS):
    """A conflict as it is stored. Who settles it first settles it; a second decision is parked in turn."""

    mutation_id: str
    table_name: str
    row_id: str
    reason: str
    clashing: str
    theirs: Annotated[str, Rule.LAST]
    changes: str
    mine_rows: str
    mine_session: str
    mine_machine: str
    mine_at: str
    schema_version: int
    theirs_session: Annotated[str, Rule.LAST]
    theirs_machine: Annotated[str, Rule.LAST]
    theirs_at: Annotated[str, Rule.LAST]
    theirs_by: Annotated[str, Rule.LAST] = "{}"
    yielding: str = "[]"
    state: str = OPEN
    outcome: Annotated[str, Rule.LAST] = ""
    resolved_by: Annotated[str, Rule.LAST] = ""
    resolved_at: Annotated[str, Rule.LAST] = ""
