"""Issues: the rows that everything else in td is about.

Always true: an issue is never removed, only marked in `deleted_at`, so that a change someone else made to it
meanwhile is not lost with it.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from replica import Record, Rule


class IssueType(StrEnum):
    """What kind of work an issue is."""

    BUG = "bug"
    FEATURE = "feature"
    TASK = "task"
    EPIC = "epic"
    CHORE = "chore"


class Priority(StrEnum):
    """How urgent an issue is; P0 comes first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Status(StrEnum):
    """Where an issue stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    BLOCKED = "blocked"
    IN_REVIEW = "in_review"
    CLOSED = "closed"


class Issue(Record, table="issues", id_prefix="td-"):
    """One piece of work.

    parent_id: the issue that it is a part of. points: how large it is. acceptance: when it counts as done.
    minor: small enough to do without a review. defer_until: out of sight before that day; defer_count: how often it was
    put off. status_at: when it came to its status. implementer_session: who claims it, while it is not open.
    """

    title: str
    description: Annotated[str, Rule.TEXT] = ""
    type: IssueType = IssueType.TASK
    priority: Priority = Priority.P2
    status: Status = Status.OPEN
    labels: Annotated[frozenset[str], Rule.UNION] = frozenset()
    created_at: datetime
    # Two people who close or delete the same issue agree: that they did so at two moments is nothing to decide.
    closed_at: Annotated[datetime | None, Rule.MIN] = None
    deleted_at: Annotated[datetime | None, Rule.DELETED] = None
    creator_session: str = ""
    parent_id: str | None = None
    points: int | None = None
    acceptance: Annotated[str, Rule.TEXT] = ""
    sprint: str = ""
    minor: bool = False
    defer_until: date | None = None
    defer_count: Annotated[int, Rule.SUM] = 0
    due_date: date | None = None
    status_at: Annotated[datetime | None, Rule.MAX] = None
    # Two who start the same issue are a conflict with a name in it.
    implementer_session: str | None = None
    # Whoever came last to a review is the one it says.
    review_requested_by: Annotated[str | None, Rule.LAST] = None
    reviewer_session: Annotated[str | None, Rule.LAST] = None
    reviewed_at: Annotated[datetime | None, Rule.MAX] = None
    closed_by_session: Annotated[str | None, Rule.LAST] = None
    created_branch: str = ""
