"""The tables and rules of td, and the one door through which the command line reaches the replica."""

from typing import TYPE_CHECKING

from replica import (
    AmbiguousIdError,
    Author,
    Check,
    Conflict,
    ConflictError,
    DamagedError,
    FieldConflict,
    HistoryEntry,
    InputError,
    Mode,
    Mutation,
    NotAllowedError,
    NotFoundError,
    PullUnavailableError,
    Record,
    ReplicaError,
    Rows,
    Salvaged,
    Stage,
    SyncReport,
    UnreachableError,
    check_url,
    is_turso,
    machine_id,
    new_session_id,
    refuse_open_token,
    salvage_outbox,
)
from replica import Status as ReplicaStatus
from tracker import (
    days,
    deeds,
    dependencies,
    editing,
    listing,
    moves,
    planning,
    reconcile,
    reviews,
    sessions,
    talk,
    views,
    work_sessions,
)
from tracker.conflicts import other_fields
from tracker.errors import (
    FilterError,
    InvalidFieldError,
    IssueDeletedError,
    NothingToChangeError,
    NothingToUndoError,
    TrackerError,
    UndoRefusedError,
)
from tracker.fields import parse_field
from tracker.here import Desk, Here, seen_at
from tracker.listing import IssueFilter
from tracker.moves import Commit, Moved
from tracker.names import parse_log_type, parse_priority, parse_role, parse_status, parse_type, split_title
from tracker.near import NearIssues
from tracker.reconcile import Mended
from tracker.records import (
    Comment,
    Dependency,
    FileLink,
    Handoff,
    Issue,
    IssueType,
    Log,
    LogType,
    Priority,
    Review,
    Session,
    Status,
    WorkSession,
)
from tracker.rules import Clearable, IssueEdit
from tracker.sessions import Known
from tracker.syncing import Synced, sync
from tracker.talk import Account
from tracker.tracker import Tracker, open_tracker
from tracker.undo import Undone
from tracker.usage import Usage, usage
from tracker.values import check_label, moment_text, parse_label_changes, parse_labels, parse_moment
from tracker.views import IssueView
from tracker.work_sessions import Stretch

if TYPE_CHECKING:
    # A list without a filter does not pay for the language.
    from tracker import tdq  # noqa: TC004 - it is imported by who asks for it by its name

__all__ = [
    "Account",
    "AmbiguousIdError",
    "Author",
    "Check",
    "Clearable",
    "Comment",
    "Commit",
    "Conflict",
    "ConflictError",
    "DamagedError",
    "Dependency",
    "Desk",
    "FieldConflict",
    "FileLink",
    "FilterError",
    "Handoff",
    "Here",
    "HistoryEntry",
    "InputError",
    "InvalidFieldError",
    "Issue",
    "IssueDeletedError",
    "IssueEdit",
    "IssueFilter",
    "IssueType",
    "IssueView",
    "Known",
    "Log",
    "LogType",
    "Mended",
    "Mode",
    "Moved",
    "Mutation",
    "NearIssues",
    "NotAllowedError",
    "NotFoundError",
    "NothingToChangeError",
    "NothingToUndoError",
    "Priority",
    "PullUnavailableError",
    "Record",
    "ReplicaError",
    "ReplicaStatus",
    "Review",
    "Rows",
    "Salvaged",
    "Session",
    "Stage",
    "Status",
    "Stretch",
    "SyncReport",
    "Synced",
    "Tracker",
    "TrackerError",
    "UndoRefusedError",
    "Undone",
    "UnreachableError",
    "Usage",
    "WorkSession",
    "check_label",
    "check_url",
    "days",
    "deeds",
    "dependencies",
    "editing",
    "is_turso",
    "listing",
    "machine_id",
    "moment_text",
    "moves",
    "new_session_id",
    "open_tracker",
    "other_fields",
    "parse_field",
    "parse_label_changes",
    "parse_labels",
    "parse_log_type",
    "parse_moment",
    "parse_priority",
    "parse_role",
    "parse_status",
    "parse_type",
    "planning",
    "reconcile",
    "refuse_open_token",
    "reviews",
    "salvage_outbox",
    "seen_at",
    "sessions",
    "split_title",
    "sync",
    "talk",
    "tdq",
    "usage",
    "views",
    "work_sessions",
]
