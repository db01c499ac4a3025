"""The JSON shapes of td, in one place.

Always true: lists are lists and never null; a set is a sorted list; moments are stamps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from cli.exits import error_document
from cli.output import json_value
from tracker import moment_text, other_fields

if TYPE_CHECKING:
    from tracker import Author, Conflict, HistoryEntry, Issue, Mutation, Record, ReplicaStatus, RowChange, SyncReport

Document = dict[str, object]


HISTORY_COLUMNS: Final = ("mutation_id", "kind", "at", "session", "machine", "pending", "fields")
MUTATION_COLUMNS: Final = ("mutation_id", "at", "session", "machine", "changes")
CONFLICT_COLUMNS: Final = (
    *("id", "table", "row_id", "reason", "fields", "other_fields", "mutation_id", "mine_by", "theirs_by"),
)
"""The names of each kind of document, as the columns of a flat form."""


def record_document(record: Record) -> Document:
    """A row: each of its columns."""
    columns = {column.name: _json_of(getattr(record, column.name)) for column in record.replica_columns}
    return {"id": record.id, **columns, "updated_at": record.updated_at}


def _json_of(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def issue_document(issue: Issue, *, pending: bool) -> Document:
    """An issue: each of its columns, and whether it has changes that are not on the primary."""
    return {**record_document(issue), "pending": pending}


def change_document(action: str, issue: Issue, *, pending: bool) -> Document:
    """A change to one issue."""
    return {
        "action": action,
        "id": issue.id,
        "status": issue.status.value,
        "issue": issue_document(issue, pending=pending),
    }


def conflict_document(conflict: Conflict) -> Document:
    """A conflict: what each side wants of each field, and who they are."""
    return {
        "id": conflict.id,
        "table": conflict.table,
        "row_id": conflict.row_id,
        "reason": conflict.reason,
        "fields": {
            name: {
                "before": field_value(name, field.before),
                "mine": field_value(name, field.mine),
                "theirs": field_value(name, field.theirs),
            }
            for name, field in conflict.fields.items()
        },
        "other_fields": _fields_document(other_fields(conflict)),
        "mutation_id": conflict.mutation_id,
        "mine_by": _author_document(conflict.mine_by),
        "theirs_by": None if conflict.theirs_by is None else _author_document(conflict.theirs_by),
    }


def history_document(entry: HistoryEntry) -> Document:
    """One change of one row."""
    return {
        "mutation_id": entry.mutation_id,
        "kind": entry.kind.value,
        "at": entry.at,
        "session": entry.session,
        "machine": entry.machine,
        "pending": entry.pending,
        "fields": _fields_document(entry.fields),
    }


def mutation_document(mutation: Mutation) -> Document:
    """A mutation with its changes."""
    return {
        "mutation_id": mutation.id,
        "at": mutation.made_at,
        "session": mutation.session,
        "machine": mutation.machine,
        "changes": [
            {
                "table": change.table,
                "row_id": change.row_id,
                "kind": change.kind.value,
                "fields": _fields_document(change.fields),
            }
            for change in mutation.changes
        ],
    }


def row_change_document(change: RowChange) -> Document:
    """What SQL does to one row."""
    return {
        "table": change.record.replica_table,
        "row_id": change.row_id,
        "kind": change.kind.value,
        "fields": _fields_document(change.fields()),
    }


def sync_document(report: SyncReport) -> Document:
    """What a sync did."""
    return {
        "pushed": report.pushed,
        "merged": report.merged,
        "parked": report.parked,
        "pulled": report.pulled,
        "pending": report.pending,
        "lost": report.lost,
        "stage": report.stage.value,
        "error": None if report.error is None else error_document(report.error),
    }


def status_document(status: ReplicaStatus) -> Document:
    """How the replica stands with its primary."""
    return {
        "mode": status.mode,
        "url": status.url,
        "state": status.state,
        "pending": status.pending,
        "conflicts": status.conflicts,
        "lost": status.lost,
        "last_sync_at": status.last_sync_at,
        "last_error": status.last_error,
        "waits_because": status.waits_because,
        "offline_since": status.offline_since,
    }


def field_value(name: str, value: object) -> object:
    """A stored value of a field as JSON: labels as a list."""
    if name.rpartition(".")[2] == "labels" and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return json_value(value)


def _fields_document(fields: Mapping[str, tuple[object, object]]) -> Document:
    return {
        name: {"before": field_value(name, before), "new": field_value(name, new)}
        for name, (before, new) in fields.items()
    }


def _author_document(author: Author) -> Document:
    return {"session": author.session, "machine": author.machine, "at": author.at}
