"""The rows of td: issues and the comments on them.

Always true: an issue is never removed, only marked in `deleted_at`, so that a change someone else made to it
meanwhile is not lost with it.
"""

from datetime import datetime
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
    """One piece of work."""

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


class Comment(Record, table="comments"):
    """Something said about an issue."""

    issue_id: str
    text: str
    session: str = ""
    created_at: datetime
