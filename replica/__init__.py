"""A local-first replica toolkit: a full copy of a database on the user's disk, traded with one primary.

from replica import Record, Rule, open_replica
"""

from typing import TYPE_CHECKING, Final

from replica.address import check_url, http_url, is_turso, refuse_open_token
from replica.drivers.protocol import Rows
from replica.errors import (
    AmbiguousIdError,
    BusyError,
    ConflictError,
    DamagedBaseError,
    DamagedError,
    ForeignFileError,
    InputError,
    MovedError,
    MoveMismatchError,
    NotAllowedError,
    NotFoundError,
    NotSentError,
    OfflineError,
    OtherPrimaryError,
    PrimaryBusyError,
    PrimaryError,
    PullUnavailableError,
    QueryError,
    ReplicaError,
    SchemaMismatchError,
    SchemaTooNewError,
    StorageError,
    TokenRefusedError,
    UnknownOutcomeError,
    UnreachableError,
    UntrustedError,
    WriteRefusedError,
)
from replica.history import HistoryEntry
from replica.identity import machine_id, new_session_id, new_short_id
from replica.mutation import Change, Kind, Mutation
from replica.opening import call_off_move, make_way, open_replica, put_away, salvage_outbox
from replica.records import Record
from replica.replica import Replica
from replica.rules import Rule
from replica.settings import Mode
from replica.stamps import Stamp
from replica.transaction import Transaction

if TYPE_CHECKING:
    from replica.captured import Capture, RowChange, SqlRules
    from replica.changed import Changed
    from replica.conflicts import Author, Conflict, FieldConflict
    from replica.report import Check, MoveReport, Pending, Salvaged, Show, Stage, Status, SyncReport, TableMoved
    from replica.snapshot import Snapshot
    from replica.trust import check_ca_file
    from replica.validation import model_of
else:
    # Many programs read and write without them, and to make each takes as long as to read a hundred rows.
    from importlib import import_module

    _HOME_OF: Final = {
        **dict.fromkeys(("Capture", "RowChange", "SqlRules"), "captured"),
        **dict.fromkeys(("Author", "Conflict", "FieldConflict"), "conflicts"),
        **dict.fromkeys(
            ("Check", "MoveReport", "Pending", "Salvaged", "Show", "Stage", "Status", "SyncReport", "TableMoved"),
            "report",
        ),
        "Changed": "changed",
        "Snapshot": "snapshot",
        "check_ca_file": "trust",
        "model_of": "validation",
    }

    def __getattr__(name: str) -> object:
        """What is imported when it is first asked for."""
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(f"replica.{_HOME_OF[name]}"), name)
        return found


__all__ = [
    "AmbiguousIdError",
    "Author",
    "BusyError",
    "Capture",
    "Change",
    "Changed",
    "Check",
    "Conflict",
    "ConflictError",
    "DamagedBaseError",
    "DamagedError",
    "FieldConflict",
    "ForeignFileError",
    "HistoryEntry",
    "InputError",
    "Kind",
    "Mode",
    "MoveMismatchError",
    "MoveReport",
    "MovedError",
    "Mutation",
    "NotAllowedError",
    "NotFoundError",
    "NotSentError",
    "OfflineError",
    "OtherPrimaryError",
    "Pending",
    "PrimaryBusyError",
    "PrimaryError",
    "PullUnavailableError",
    "QueryError",
    "Record",
    "Replica",
    "ReplicaError",
    "RowChange",
    "Rows",
    "Rule",
    "Salvaged",
    "SchemaMismatchError",
    "SchemaTooNewError",
    "Show",
    "Snapshot",
    "SqlRules",
    "Stage",
    "Stamp",
    "Status",
    "StorageError",
    "SyncReport",
    "TableMoved",
    "TokenRefusedError",
    "Transaction",
    "UnknownOutcomeError",
    "UnreachableError",
    "UntrustedError",
    "WriteRefusedError",
    "call_off_move",
    "check_ca_file",
    "check_url",
    "http_url",
    "is_turso",
    "machine_id",
    "make_way",
    "model_of",
    "new_session_id",
    "new_short_id",
    "open_replica",
    "put_away",
    "refuse_open_token",
    "salvage_outbox",
]
