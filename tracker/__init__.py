"""The tables and rules of td, and the one door through which the command line reaches the replica."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from replica import (
        AmbiguousIdError,
        Author,
        Capture,
        Change,
        Check,
        Conflict,
        ConflictError,
        DamagedError,
        FieldConflict,
        HistoryEntry,
        InputError,
        Kind,
        Mode,
        MoveReport,
        Mutation,
        NotAllowedError,
        NotFoundError,
        NotSentError,
        PullUnavailableError,
        QueryError,
        Record,
        ReplicaError,
        RowChange,
        Rows,
        Salvaged,
        Stage,
        SyncReport,
        UnreachableError,
        WriteRefusedError,
        call_off_move,
        check_ca_file,
        check_url,
        http_url,
        is_turso,
        machine_id,
        make_way,
        model_of,
        new_session_id,
        put_away,
        refuse_open_token,
        salvage_outbox,
    )
    from replica import Status as ReplicaStatus
    from tracker import (
        arrivals,
        batches,
        boards,
        days,
        decisions,
        deeds,
        dependencies,
        editing,
        files,
        listing,
        moves,
        notes,
        notices,
        planning,
        reconcile,
        reviews,
        search,
        sessions,
        statistics,
        talk,
        tdq,
        transfer,
        views,
        work_sessions,
    )
    from tracker.boards import BoardEdit, Card, Placed, Spot
    from tracker.conflicts import BOOKKEEPING, other_fields
    from tracker.errors import (
        DeletedError,
        FilterError,
        InvalidFieldError,
        IssueDeletedError,
        NothingToChangeError,
        NothingToUndoError,
        NotLinkedError,
        SearchUnavailableError,
        TrackerError,
        UndoRefusedError,
    )
    from tracker.fields import parse_field
    from tracker.files import FileState, FoundFile, LinkChange
    from tracker.here import Desk, Here, seen_at
    from tracker.listing import IssueFilter, filtered
    from tracker.moves import Commit, Moved
    from tracker.names import (
        parse_log_type,
        parse_priority,
        parse_role,
        parse_status,
        parse_type,
        parse_view_mode,
        split_title,
    )
    from tracker.near import NearIssues
    from tracker.notes import MovedNotes, NoteEdit, NoteFilter
    from tracker.planning import CriticalPath
    from tracker.reconcile import Mended
    from tracker.records import (
        RECORDS,
        Board,
        BoardPosition,
        Comment,
        Dependency,
        FileLink,
        FileRole,
        Handoff,
        Involvement,
        Issue,
        IssueType,
        Log,
        LogType,
        Note,
        Priority,
        Review,
        Session,
        Snapshot,
        Status,
        ViewMode,
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
    from tracker.worktree import Worktree, find_worktree
else:
    # So that a command pays only for what it uses. The same names as above, after the module that has each.
    from importlib import import_module

    _HOMES: Final = """
    replica: AmbiguousIdError Author Capture Change Check Conflict ConflictError DamagedError FieldConflict
    replica: HistoryEntry InputError Kind Mode MoveReport Mutation NotAllowedError NotFoundError NotSentError
    replica: PullUnavailableError QueryError Record ReplicaError RowChange Rows Salvaged Stage SyncReport
    replica: UnreachableError WriteRefusedError call_off_move check_ca_file check_url http_url is_turso machine_id
    replica: make_way model_of new_session_id put_away refuse_open_token salvage_outbox
    tracker.boards: BoardEdit Card Placed Spot
    tracker.conflicts: BOOKKEEPING other_fields
    tracker.errors: DeletedError FilterError InvalidFieldError IssueDeletedError NotLinkedError NothingToChangeError
    tracker.errors: NothingToUndoError SearchUnavailableError TrackerError UndoRefusedError
    tracker.fields: parse_field
    tracker.files: FileState FoundFile LinkChange
    tracker.here: Desk Here seen_at
    tracker.listing: IssueFilter filtered
    tracker.moves: Commit Moved
    tracker.names: parse_log_type parse_priority parse_role parse_status parse_type parse_view_mode split_title
    tracker.near: NearIssues
    tracker.notes: MovedNotes NoteEdit NoteFilter
    tracker.planning: CriticalPath
    tracker.reconcile: Mended
    tracker.records: Board BoardPosition Comment Dependency FileLink FileRole Handoff Involvement Issue IssueType Log
    tracker.records: LogType Note Priority RECORDS Review Session Snapshot Status ViewMode WorkSession
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
    tracker.worktree: Worktree find_worktree
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
    "RECORDS",
    "Account",
    "AmbiguousIdError",
    "Approval",
    "Author",
    "Board",
    "BoardEdit",
    "BoardPosition",
    "Capture",
    "Card",
    "Change",
    "Check",
    "Clearable",
    "Comment",
    "Commit",
    "Conflict",
    "ConflictError",
    "CriticalPath",
    "DamagedError",
    "DeletedError",
    "Dependency",
    "Desk",
    "FieldConflict",
    "FileLink",
    "FileRole",
    "FileState",
    "FilterError",
    "FoundFile",
    "Handoff",
    "Here",
    "HistoryEntry",
    "InputError",
    "InvalidFieldError",
    "Involvement",
    "Issue",
    "IssueDeletedError",
    "IssueEdit",
    "IssueFilter",
    "IssueType",
    "IssueView",
    "Kind",
    "Known",
    "LinkChange",
    "Log",
    "LogType",
    "Mended",
    "Mode",
    "MoveReport",
    "Moved",
    "MovedNotes",
    "Mutation",
    "NearIssues",
    "NotAllowedError",
    "NotFoundError",
    "NotLinkedError",
    "NotSentError",
    "Note",
    "NoteEdit",
    "NoteFilter",
    "NothingToChangeError",
    "NothingToUndoError",
    "Placed",
    "Priority",
    "PullUnavailableError",
    "QueryError",
    "Record",
    "ReplicaError",
    "ReplicaStatus",
    "Review",
    "RowChange",
    "Rows",
    "Salvaged",
    "SearchUnavailableError",
    "Session",
    "Snapshot",
    "Spot",
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
    "ViewMode",
    "WorkSession",
    "Worktree",
    "WriteRefusedError",
    "arrivals",
    "batches",
    "boards",
    "call_off_move",
    "check_ca_file",
    "check_label",
    "check_url",
    "days",
    "decisions",
    "deeds",
    "dependencies",
    "editing",
    "files",
    "filtered",
    "find_usage",
    "find_worktree",
    "http_url",
    "is_turso",
    "listing",
    "machine_id",
    "make_way",
    "model_of",
    "moment_text",
    "moves",
    "new_session_id",
    "notes",
    "notices",
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
    "parse_view_mode",
    "planning",
    "put_away",
    "reconcile",
    "refuse_open_token",
    "reviews",
    "salvage_outbox",
    "search",
    "seen_at",
    "sessions",
    "split_title",
    "statistics",
    "sync",
    "talk",
    "tdq",
    "transfer",
    "views",
    "work_sessions",
]
