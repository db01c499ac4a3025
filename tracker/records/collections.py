"""What gathers issues, or stands beside them: boards, work sessions, notes, and settings of the team."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from replica import Record, Rule


class ViewMode(StrEnum):
    """How a board is shown: by status, or as one list."""

    SWIMLANES = "swimlanes"
    BACKLOG = "backlog"


class Board(Record, table="boards", id_prefix="bd-"):
    """A view of the issues that `query` describes, in an order of its own."""

    name: str
    query: str = ""
    view_mode: Annotated[ViewMode, Rule.LAST] = ViewMode.SWIMLANES
    session: str = ""
    created_at: datetime
    deleted_at: Annotated[datetime | None, Rule.DELETED] = None


class BoardPosition(Record, table="board_positions"):
    """Where an issue stands on a board; None: nowhere in particular. Of two who move it, the later one moves it."""

    board_id: str
    issue_id: str
    position: Annotated[int | None, Rule.LAST] = None


class Note(Record, table="notes", id_prefix="nt-"):
    """Something worth keeping that is about no single issue."""

    title: str
    content: Annotated[str, Rule.TEXT] = ""
    pinned: Annotated[bool, Rule.LAST] = False
    archived: Annotated[bool, Rule.LAST] = False
    session: str = ""
    created_at: datetime
    deleted_at: Annotated[datetime | None, Rule.DELETED] = None


class WorkSession(Record, table="work_sessions", id_prefix="ws-"):
    """A stretch of work on several issues. start_sha, end_sha: the commits it began and ended at."""

    name: str
    session: str = ""
    branch: str = ""
    start_sha: str = ""
    end_sha: Annotated[str, Rule.LAST] = ""
    started_at: datetime
    ended_at: Annotated[datetime | None, Rule.MIN] = None


class WorkSessionIssue(Record, table="work_session_issues"):
    """That an issue is part of a work session."""

    work_session_id: str
    issue_id: str
    created_at: Annotated[datetime, Rule.MIN]


class Setting(Record, table="settings"):
    """A rule that a team has agreed on; its id is its name."""

    value: str
