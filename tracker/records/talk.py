"""What is said about issues: comments, logs of work by kind, and handoffs.

Always true: none of these rows is changed once it is written, so none of them is ever in conflict; a log that several
write, because they mend the same, is one row.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from replica import Record, Rule


class LogType(StrEnum):
    """What kind of thing a log tells."""

    PROGRESS = "progress"
    BLOCKER = "blocker"
    DECISION = "decision"
    HYPOTHESIS = "hypothesis"
    TRIED = "tried"
    RESULT = "result"
    SECURITY = "security"
    ORCHESTRATION = "orchestration"


class Comment(Record, table="comments"):
    """Something said about an issue."""

    issue_id: str
    text: str
    session: str = ""
    created_at: datetime


class Log(Record, table="logs"):
    """A step of the work. issue_id: what it is about; None for all issues of the work session."""

    issue_id: str | None = None
    work_session_id: str | None = None
    session: Annotated[str, Rule.LAST] = ""
    type: LogType = LogType.PROGRESS
    message: str
    created_at: Annotated[datetime, Rule.MIN]


class Handoff(Record, table="handoffs"):
    """How an issue stands when it is handed to whoever goes on."""

    issue_id: str
    session: str = ""
    done: tuple[str, ...] = ()
    remaining: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    created_at: datetime
