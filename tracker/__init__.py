"""The tables and rules of td, and the one door through which the command line reaches the replica."""

from replica import (
    Author,
    Check,
    Conflict,
    ConflictError,
    FieldConflict,
    HistoryEntry,
    InputError,
    Mode,
    Mutation,
    NotAllowedError,
    NotFoundError,
    ReplicaError,
    Rows,
    Stage,
    SyncReport,
    UnreachableError,
    check_url,
    is_turso,
    machine_id,
    new_session_id,
    refuse_open_token,
)
from replica import Status as ReplicaStatus
from tracker.errors import InvalidFieldError, IssueDeletedError, NothingToChangeError, TrackerError
from tracker.fields import parse_field
from tracker.listing import IssueFilter
from tracker.names import parse_priority, parse_status, parse_type
from tracker.records import Comment, Issue, IssueType, Priority, Status
from tracker.rules import MOVES, IssueEdit
from tracker.tracker import IssueView, Tracker, open_tracker
from tracker.values import check_label, moment_text, parse_label_changes, parse_labels, parse_moment

__all__ = [
    "MOVES",
    "Author",
    "Check",
    "Comment",
    "Conflict",
    "ConflictError",
    "FieldConflict",
    "HistoryEntry",
    "InputError",
    "InvalidFieldError",
    "Issue",
    "IssueDeletedError",
    "IssueEdit",
    "IssueFilter",
    "IssueType",
    "IssueView",
    "Mode",
    "Mutation",
    "NotAllowedError",
    "NotFoundError",
    "NothingToChangeError",
    "Priority",
    "ReplicaError",
    "ReplicaStatus",
    "Rows",
    "Stage",
    "Status",
    "SyncReport",
    "Tracker",
    "TrackerError",
    "UnreachableError",
    "check_label",
    "check_url",
    "is_turso",
    "machine_id",
    "moment_text",
    "new_session_id",
    "open_tracker",
    "parse_field",
    "parse_label_changes",
    "parse_labels",
    "parse_moment",
    "parse_priority",
    "parse_status",
    "parse_type",
    "refuse_open_token",
]
