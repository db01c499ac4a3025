"""The files that belong to an issue.

Always true:
- a file is linked to an issue once, whoever links it how often, also offline: the row has an id made of both;
- a link says what the file held when it was linked, so that anybody can see whether it was changed since;
- one call is one mutation, and `_write` is the one place that makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from replica import NotFoundError, Transaction
from tracker.deeds import supersede_approvals
from tracker.errors import NotLinkedError
from tracker.ids import relation_id
from tracker.records import FileLink, FileRole, Issue
from tracker.rules import check_not_deleted

if TYPE_CHECKING:
    from tracker.tracker import Tracker


class FileState(StrEnum):
    """How a linked file stands to what it held when it was linked. unknown: one of the two cannot be told."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as it is now. path: from the root of the repository. sha: the SHA-256 of its content, in hex."""

    path: str
    sha: str


@dataclass(frozen=True, slots=True)
class LinkChange:
    """What linking, or unlinking, came to. links: those that were named. is_changed: whether anything was written."""

    issue: Issue
    links: list[FileLink]
    is_changed: bool


def links_of(tracker: Tracker, typed: str) -> tuple[Issue, list[FileLink]]:
    """An issue and its files, by their paths. Raises NotFoundError, AmbiguousIdError or InvalidFieldError."""
    issue = tracker.get(typed)
    return issue, _links(tracker, issue.id)


def link(tracker: Tracker, typed: str, found: Sequence[FoundFile], role: FileRole | None = None) -> LinkChange:
    """Link files to an issue as they are now; one that is linked already keeps its role unless one is given.

    Raises:
        IssueDeletedError: the issue is deleted.
        ReplicaError: as `links_of` raises.
    """
    issue_id = tracker.get(typed).id
    known = {row.path: row.id for row in _links(tracker, issue_id)}

    def write(tx: Transaction) -> list[FileLink]:
        return [
            _link_one(tracker, tx, issue_id, known.get(one.path) or relation_id("ifl", issue_id, one.path), one, role)
            for one in found
        ]

    return _write(tracker, issue_id, write)


def unlink(tracker: Tracker, typed: str, paths: Sequence[str]) -> LinkChange:
    """Let go of files of an issue, of all that are named or of none.

    Raises:
        NotLinkedError: one of them is not linked.
        IssueDeletedError: the issue is deleted.
        ReplicaError: as `links_of` raises.
    """
    issue, links = links_of(tracker, typed)
    ids = {row.path: row.id for row in links}
    for path in paths:
        if path not in ids:
            raise NotLinkedError(issue.id, path)

    def write(tx: Transaction) -> list[FileLink]:
        gone = [tx.get(FileLink, ids[path]) for path in dict.fromkeys(paths)]
        for row in gone:
            tx.delete(row)
        return gone

    return _write(tracker, issue.id, write)


def state_of(row: FileLink, sha: str | None) -> FileState:
    """How a linked file stands, of which `sha` is what it holds now; None: it is not there."""
    if sha is None:
        return FileState.MISSING
    if not row.sha:
        return FileState.UNKNOWN
    return FileState.UNCHANGED if row.sha == sha else FileState.CHANGED


def _links(tracker: Tracker, issue_id: str) -> list[FileLink]:
    return tracker.replica.select(FileLink, "WHERE issue_id = ? ORDER BY path, id", (issue_id,))


def _link_one(
    tracker: Tracker, tx: Transaction, issue_id: str, row_id: str, found: FoundFile, role: FileRole | None
) -> FileLink:
    with suppress(NotFoundError):
        row = tx.get(FileLink, row_id)
        wanted = role or row.role
        if (row.sha, row.role) == (found.sha, wanted):
            return row
        return tx.update(row, sha=found.sha, role=wanted, session=tracker.session)
    return tx.insert(
        FileLink(
            id=row_id,
            issue_id=issue_id,
            path=found.path,
            role=role or FileRole.IMPLEMENTATION,
            sha=found.sha,
            session=tracker.session,
            created_at=tracker.now(),
        )
    )


def _write(tracker: Tracker, issue_id: str, write: Callable[[Transaction], list[FileLink]]) -> LinkChange:
    with tracker.transaction() as tx:
        issue = tx.get(Issue, issue_id)
        check_not_deleted(issue)
        links, is_changed = write(tx), bool(tx.changes())
        if is_changed:
            supersede_approvals(tracker, tx, issue_id)
        return LinkChange(issue, links, is_changed=is_changed)
