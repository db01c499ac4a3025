"""Notes: what is worth keeping and is about no single issue.

Always true:
- one call is one mutation: all of it is done, or none of it;
- a deleted note is only ever restored;
- what is appended stands on lines of its own, so that two who append keep both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tracker.errors import DeletedError, NothingToChangeError
from tracker.ids import full_prefix
from tracker.records import Note
from tracker.values import TITLE_LENGTH_MAX, check_line, check_text

if TYPE_CHECKING:
    from tracker.tracker import Tracker

Changes = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteEdit:
    """What to change of a note; None leaves it as it is. append: what is put after the content."""

    title: str | None = None
    content: str | None = None
    append: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFilter:
    """Which notes to list: by default those that are neither archived nor deleted.

    archived: only those that are archived, or not; None for both. deleted: those that are deleted, or those that are
    not.
    """

    archived: bool | None = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class MovedNotes:
    """The notes that were named, as they are now. changed: the ids of those that were not so before."""

    notes: list[Note]
    changed: frozenset[str]


def create(tracker: Tracker, title: str, content: str = "") -> Note:
    """Write a new note. Raises InvalidFieldError."""
    note = Note(
        title=check_note_title(title),
        content=check_text("content", content),
        session=tracker.session,
        created_at=tracker.now(),
    )
    with tracker.transaction() as tx:
        return tx.insert(note)


def find(tracker: Tracker, wanted: NoteFilter) -> list[Note]:
    """The notes that `wanted` describes: the pinned first, and of those the last changed first."""
    conditions = ["deleted_at IS NOT NULL" if wanted.deleted else "deleted_at IS NULL"]
    params: list[int] = []
    if wanted.archived is not None:
        conditions.append("archived = ?")
        params.append(int(wanted.archived))
    order = "ORDER BY pinned DESC, updated_at DESC, id"
    return tracker.replica.select(Note, f"WHERE {' AND '.join(conditions)} {order}", params)


def get(tracker: Tracker, typed: str) -> Note:
    """The note whose id starts with `typed`. Raises NotFoundError, AmbiguousIdError or InvalidFieldError."""
    return tracker.replica.get(Note, full_prefix(typed, Note.replica_id_prefix))


def edit(tracker: Tracker, typed: str, wanted: NoteEdit) -> Note:
    """Change what `wanted` names. Raises as `get` does, and TrackerError."""
    if wanted == NoteEdit():
        raise NothingToChangeError
    note_id = get(tracker, typed).id
    with tracker.transaction() as tx:
        note = tx.get(Note, note_id)
        return tx.update(note, **edit_note(note, wanted))


def move(tracker: Tracker, name: str, typed: Sequence[str]) -> MovedNotes:
    """Do one of `MOVES` to notes, to all of them or none. Raises as `get` does, and DeletedError."""
    ids = dict.fromkeys(get(tracker, one).id for one in typed)
    with tracker.transaction() as tx:
        notes = [tx.get(Note, note_id) for note_id in ids]
        moved = [tx.update(note, **MOVES[name](note, tracker.now())) for note in notes]
        return MovedNotes(moved, frozenset(change.row_id for change in tx.changes()))


def edit_note(note: Note, wanted: NoteEdit) -> Changes:
    """The fields that `wanted` changes. Raises InvalidFieldError or DeletedError."""
    _check_not_deleted(note)
    changes: dict[str, object] = {}
    if wanted.title is not None:
        changes["title"] = check_note_title(wanted.title)
    content = note.content if wanted.content is None else wanted.content
    if wanted.append is not None:
        between = "\n" if content and not content.endswith("\n") else ""
        content = f"{content}{between}{wanted.append}"
    if content != note.content:
        changes["content"] = check_text("content", content)
    return changes


def check_note_title(typed: str) -> str:
    """The title of a note. Raises InvalidFieldError."""
    return check_line("title", typed, TITLE_LENGTH_MAX)


def _check_not_deleted(note: Note) -> None:
    if note.deleted_at is not None:
        raise DeletedError("note", note.id)


def _mark(field: str, *, to: bool) -> Callable[[Note, datetime], Changes]:
    def mark(note: Note, _now: datetime) -> Changes:
        _check_not_deleted(note)
        return {field: to}

    return mark


def _delete(note: Note, now: datetime) -> Changes:
    return {} if note.deleted_at else {"deleted_at": now}


def _restore(_note: Note, _now: datetime) -> Changes:
    return {"deleted_at": None}


MOVES: Final[Mapping[str, Callable[[Note, datetime], Changes]]] = {
    "delete": _delete,
    "restore": _restore,
    "pin": _mark("pinned", to=True),
    "unpin": _mark("pinned", to=False),
    "archive": _mark("archived", to=True),
    "unarchive": _mark("archived", to=False),
}
"""What can be done to several notes at once, by name."""
