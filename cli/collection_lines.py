"""How notes, linked files and boards look to a person.

Always true: a row takes one line in a list, and what people wrote is shown without control characters.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from cli.text import (
    BOLD,
    CYAN,
    DIM,
    GREEN,
    RED,
    YELLOW,
    aligned,
    paint,
    painter,
    printable,
    printable_lines,
    short_moment,
)
from tracker import Board, Card, FileLink, FileState, Note, Placed, Status, ViewMode, moment_text


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


_ICONS: Final = {
    Status.OPEN: ("○", ""),
    Status.IN_PROGRESS: ("◐", CYAN),
    Status.BLOCKED: ("◉", RED),
    Status.IN_REVIEW: ("◑", YELLOW),
    Status.CLOSED: ("●", GREEN),
}


def board_lines(boards: Sequence[Board], pending: AbstractSet[str]) -> list[str]:
    """A list of boards, a line each: how it is called, how it is shown, and which issues are on it."""
    brush = painter()
    cells = [(board.id, printable(board.name), board.view_mode.value, _query_text(board)) for board in boards]
    lines = aligned(cells) if cells else []
    return [
        line + (f"  {brush('(pending)', YELLOW)}" if board.id in pending else "")
        for line, board in zip(lines, boards, strict=True)
    ]


def board_view_lines(board: Board, cards: Sequence[Card], pending: AbstractSet[str], *, is_pending: bool) -> list[str]:
    """A board: what is on it, by status or as one list."""
    brush = painter()
    word = f"  {brush('(pending)', YELLOW)}" if is_pending else ""
    lines = [f"{brush(printable(board.name), BOLD)}  {board.id}  {brush(_query_text(board), DIM)}{word}"]
    width = max((len(_place_text(card)) for card in cards), default=0)
    rows = {card.issue.id: _card_line(card, width, is_pending=card.issue.id in pending) for card in cards}
    if board.view_mode is ViewMode.BACKLOG:
        return lines + list(rows.values())
    for status, (icon, colour) in _ICONS.items():
        lane = [rows[card.issue.id] for card in cards if card.issue.status is status]
        if lane:
            lines += ["", f"{brush(f'{icon} {status.value}', colour)} ({len(lane)})", *lane]
    return lines


def placed_text(placed: Placed) -> str:
    """Which card it is, and where it stands."""
    where = _place_text(placed.card)
    return f"{placed.card.issue.id} {where}" if where else placed.card.issue.id


def _card_line(card: Card, width: int, *, is_pending: bool) -> str:
    brush, issue = painter(), card.issue
    icon, colour = _ICONS[issue.status]
    place = f"{brush(_place_text(card).rjust(width), DIM)} " if width else ""
    word = f"  {brush('(pending)', YELLOW)}" if is_pending else ""
    told = f"{brush(issue.id, BOLD)} {brush(icon, colour)} {issue.priority.value}"
    return f"{place}{told} [{issue.type.value}] {printable(issue.title)}{word}"


def _place_text(card: Card) -> str:
    return "" if card.number is None else f"[{card.number}]"


def _query_text(board: Board) -> str:
    return printable(board.query) or "-"
