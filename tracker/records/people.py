"""Who works on issues: sessions, what each had to do with an issue, and reviews.

Always true: what a session had to do with an issue is one row for each kind of deed, and stays.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from replica import Record, Rule


class Decision(StrEnum):
    """What came of a review."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"


class Deed(StrEnum):
    """What a session did to an issue that matters to who may review it."""

    CREATED = "created"
    STARTED = "started"
    UNSTARTED = "unstarted"
    REVIEWED = "reviewed"
    CLOSED = "closed"


class Session(Record, table="sessions"):
    """Somebody at work: one on each machine, branch and agent. Its id is the session itself."""

    name: Annotated[str, Rule.LAST] = ""
    machine: str = ""
    branch: str = ""
    agent: str = ""
    previous_session: str | None = None
    started_at: Annotated[datetime, Rule.MIN]
    ended_at: Annotated[datetime | None, Rule.MIN] = None


class Involvement(Record, table="involvements"):
    """That a session did something to an issue."""

    issue_id: str
    session: str
    action: Deed
    created_at: Annotated[datetime, Rule.MIN]


class Review(Record, table="reviews"):
    """A decision about an issue in review.

    self_review: by somebody who was involved in it. reviewed_by: who looked at it, where that is not the session.
    superseded_at: since when it does not count any more, because the issue was edited or rejected. digest: of what was
    approved (`tracker.deeds.digest_of`); it does not count for anything else either.
    """

    issue_id: str
    reviewer_session: str = ""
    decision: Decision
    summary: str = ""
    requested_by: str | None = None
    self_review: bool = False
    reviewed_by: str = ""
    created_at: datetime
    superseded_at: Annotated[datetime | None, Rule.MIN] = None
    digest: str = ""
