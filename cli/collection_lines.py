"""How notes and linked files look to a person.

Always true: a row takes one line in a list, and what people wrote is shown without control characters.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from cli.text import BOLD, DIM, RED, YELLOW, aligned, paint, painter, printable, printable_lines, short_moment
from tracker import FileLink, FileState, Note, moment_text


def note_lines(notes: Sequence[Note], pending: AbstractSet[str]) -> list[str]:
    """A list of notes, a line each: the day of the last change, the title, and what is special about it."""
    brush = painter()
    return [
        "  ".join(
            [
                brush(note.id, BOLD),
                brush(short_moment(note.updated_at), DIM),
                printable(note.title),
                *(brush(f"({word})", YELLOW) for word in _words(note, is_pending=note.id in pending)),
            ]
        )
        for note in notes
    ]


def _words(note: Note, *, is_pending: bool) -> list[str]:
    told = (
        ("pinned", note.pinned),
        ("archived", note.archived),
        ("deleted", note.deleted_at is not None),
        ("pending", is_pending),
    )
    return [word for word, is_true in told if is_true]


def note_view_lines(note: Note, *, pending: bool) -> list[str]:
    """A note with its text."""
    facts = [
        ("created", f"{moment_text(note.created_at)} by {printable(note.session)}"),
        ("updated", note.updated_at),
    ]
    words = "".join(paint(f"  ({word})", YELLOW) for word in _words(note, is_pending=pending))
    lines = [f"{paint(note.id, BOLD)}  {printable(note.title)}{words}", *(f"  {line}" for line in aligned(facts))]
    if note.content:
        lines += ["", *printable_lines(note.content.removesuffix("\n")).split("\n")]
    return lines


_STATE_COLOURS: Final = {FileState.CHANGED: YELLOW, FileState.MISSING: RED}


def file_lines(files: Sequence[tuple[FileLink, FileState]], pending: AbstractSet[str]) -> list[str]:
    """The files of an issue, a line each."""
    brush = painter()
    cells = [(printable(link.path), link.role.value, state.value) for link, state in files]
    lines = aligned(cells) if cells else []
    return [
        brush(line, _STATE_COLOURS.get(state, "")) + (f"  {brush('(pending)', YELLOW)}" if link.id in pending else "")
        for line, (link, state) in zip(lines, files, strict=True)
    ]
