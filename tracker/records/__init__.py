"""The rows of td, a class for each table."""

from tracker.records.collections import Board, BoardPosition, Note, Setting, ViewMode, WorkSession, WorkSessionIssue
from tracker.records.issues import Issue, IssueType, Priority, Status
from tracker.records.people import Decision, Deed, Involvement, Review, Session
from tracker.records.relations import Dependency, FileLink, FileRole, Snapshot
from tracker.records.talk import Comment, Handoff, Log, LogType

RECORDS = (
    Issue,
    Comment,
    Log,
    Handoff,
    Dependency,
    FileLink,
    Snapshot,
    Review,
    Involvement,
    Board,
    BoardPosition,
    Note,
    WorkSession,
    WorkSessionIssue,
    Session,
    Setting,
)
"""Every table of td, what is shared of it: all but what is of one machine."""

__all__ = [
    "RECORDS",
    "Board",
    "BoardPosition",
    "Comment",
    "Decision",
    "Deed",
    "Dependency",
    "FileLink",
    "FileRole",
    "Handoff",
    "Involvement",
    "Issue",
    "IssueType",
    "Log",
    "LogType",
    "Note",
    "Priority",
    "Review",
    "Session",
    "Setting",
    "Snapshot",
    "Status",
    "ViewMode",
    "WorkSession",
    "WorkSessionIssue",
]
