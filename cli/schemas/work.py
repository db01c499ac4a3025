"""What td prints of the work on issues: logs, handoffs, sessions, work sessions, and what an agent needs to begin."""

from typing import Literal

from cli.schemas.issues import BriefIssue, NamedIssue
from cli.schemas.rows import HandoffRow, LogRow, WorkSessionRow
from cli.schemas.shapes import Document, at_times


class Logged(Document):
    """A step that was logged. id: the issue it is about, or the work session."""

    action: Literal["logged"]
    id: str
    log: LogRow


class HandedOff(Document):
    """An issue that was handed off. parts: those of its parts that went with it."""

    action: Literal["handoff_recorded"]
    id: str
    handoff: HandoffRow
    parts: list[str]


class SessionDocument(Document):
    """Somebody at work: on one machine, branch and agent. claims: the issues it has started."""

    id: str
    name: str
    machine: str
    branch: str
    agent: str
    started_at: str | None
    active_at: str | None
    claims: list[str]
    current: bool


class CleanedUp(Document):
    """The sessions that were let go, or would be."""

    action: Literal["cleaned up", "would clean up"]
    sessions: list[str]


class WorkSessionChange(Document):
    """What was done with a work session. handoffs: what came of its end."""

    action: str
    id: str
    work_session: WorkSessionRow
    handoffs: list[HandoffRow] = at_times()


class StretchDocument(WorkSessionRow):
    """A work session with its issues."""

    issues: list[NamedIssue]


class LeftLying(Document):
    """What this session leaves lying: nothing, or the command fails."""

    claims: list[str]
    work_session: str | None


class Some(Document):
    """The first of some issues, and how many there are."""

    count: int
    first: list[BriefIssue]


class UsageDocument(Document):
    """All that an agent needs to begin."""

    session: str
    focus: BriefIssue | None
    handoff: HandoffRow | None
    claims: list[BriefIssue]
    ready: Some
    reviewable: Some
    blocked: int
    in_review: int
    conflicts: int
    pending: int
    work_session: str | None
