"""The tables and rules of td, and the one door through which the command line reaches the replica."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
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
        moves,
        planning,
        reconcile,
        reviews,
        sessions,
        statistics,
        talk,
        views,
        work_sessions,
    )
    from tracker.conflicts import BOOKKEEPING, other_fields
    from tracker.errors import (
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
    from tracker.planning import CriticalPath
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
    from tracker.review_policy import Approval
    from tracker.rules import Clearable, IssueEdit
    from tracker.sessions import Known
    from tracker.statuses import NEXT
    from tracker.syncing import Synced, sync
    from tracker.talk import Account
    from tracker.tracker import Tracker, open_tracker
    from tracker.undo import Undone
    from tracker.usage import Usage, find_usage
    from tracker.values import check_label, moment_text, parse_label_changes, parse_labels, parse_moment
    from tracker.views import IssueView
    from tracker.work_sessions import Stretch
else:
    # So that a command pays only for what it uses. The same names as above, after the module that has each.
    from importlib import import_module

    _HOMES: Final = """
    replica: AmbiguousIdError Author Check Conflict ConflictError DamagedError FieldConflict HistoryEntry
    replica: InputError Mode Mutation NotAllowedError NotFoundError PullUnavailableError Record ReplicaError Rows
    replica: Salvaged Stage SyncReport UnreachableError check_url is_turso machine_id new_session_id
    replica: refuse_open_token salvage_outbox
    tracker.conflicts: BOOKKEEPING other_fields
    tracker.errors: InvalidFieldError IssueDeletedError NothingToChangeError NothingToUndoError TrackerError
    tracker.errors: UndoRefusedError
    tracker.fields: parse_field
    tracker.here: Desk Here seen_at
    tracker.listing: IssueFilter
    tracker.moves: Commit Moved
    tracker.names: parse_log_type parse_priority parse_role parse_status parse_type split_title
    tracker.near: NearIssues
    tracker.planning: CriticalPath
    tracker.reconcile: Mended
    tracker.records: Comment Dependency FileLink Handoff Issue IssueType Log LogType Priority Review Session Status
    tracker.records: WorkSession
    tracker.review_policy: Approval
    tracker.rules: Clearable IssueEdit
    tracker.sessions: Known
    tracker.statuses: NEXT
    tracker.syncing: Synced sync
    tracker.talk: Account
    tracker.tracker: Tracker open_tracker
    tracker.undo: Undone
    tracker.usage: Usage find_usage
    tracker.values: check_label moment_text parse_label_changes parse_labels parse_moment
    tracker.views: IssueView
    tracker.work_sessions: Stretch
    """
    _HOME_OF: Final = {
        name: home
        for line in _HOMES.split("\n")
        for home, _, names in [line.strip().partition(":")]
        for name in names.split()
    }

    def __getattr__(name: str) -> object:
        """What is imported when it is first asked for."""
        if name == "ReplicaStatus":
            return import_module("replica").Status
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
        return found


__all__ = [
    "BOOKKEEPING",
    "NEXT",
    "Account",
    "AmbiguousIdError",
    "Approval",
    "Author",
    "Check",
    "Clearable",
    "Comment",
    "Commit",
    "Conflict",
    "ConflictError",
    "CriticalPath",
    "DamagedError",
    "Dependency",
    "Desk",
    "FieldConflict",
    "FileLink",
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
    "find_usage",
    "is_turso",
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
    "statistics",
    "sync",
    "talk",
    "views",
    "work_sessions",
]
