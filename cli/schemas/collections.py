"""What td prints of what gathers issues or stands beside them: boards, notes, linked files, epics."""

from typing import Literal

from cli.schemas.issues import Change, IssueDocument
from cli.schemas.shapes import Document, row_of
from tracker import Board, FileLink, Note


@row_of(Board)
class BoardDocument(Document):
    """A board."""

    pending: bool


@row_of(Note)
class NoteDocument(Document):
    """A note."""

    pending: bool


@row_of(FileLink)
class LinkDocument(Document):
    """A file that belongs to an issue."""

    pending: bool


class FileDocument(LinkDocument):
    """A file that belongs to an issue, and whether it is as it was when it was linked."""

    state: Literal["unchanged", "changed", "missing", "unknown"]


class Linked(Change):
    """What was done to files of an issue."""

    files: list[LinkDocument]


class CardDocument(IssueDocument):
    """An issue on a board. position: its place; null where it has none of its own."""

    position: int | None


class BoardView(BoardDocument):
    """A board with its issues."""

    issues: list[CardDocument]


class BoardChange(Document):
    """What was done to a board."""

    action: str
    id: str
    board: BoardDocument


class Positioned(BoardChange):
    """Where an issue is on a board now. pending: its place is not on the primary yet."""

    issue: IssueDocument
    position: int | None
    pending: bool


class NoteChange(Document):
    """What was done to a note."""

    action: str
    id: str
    note: NoteDocument


class EpicDocument(IssueDocument):
    """An epic. parts, parts_closed: how many parts it has, and how many of them are closed."""

    parts: int
    parts_closed: int


class FoundIssue(IssueDocument):
    """An issue that was searched for. match: the weightiest place where it fits. snippet: a few words from there."""

    score: float
    match: Literal["id", "title", "label", "description", "acceptance", "comment", "log", "handoff"] | None
    snippet: str


class NextIssue(Document):
    """The issue to take next; null where nothing is ready."""

    issue: IssueDocument | None


class Count(Document):
    """How many there are."""

    count: int


class Explained(Document):
    """The SQL of a filter, its parameters, and how SQLite runs it."""

    sql: str
    params: list[int | float | str | None]
    plan: list[str]
