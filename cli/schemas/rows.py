"""The rows of td as documents: those that are printed as they are stored."""

from cli.schemas.shapes import Document, row_of
from tracker import Comment, FileLink, Handoff, Log, Review, Snapshot, WorkSession


@row_of(Comment)
class CommentRow(Document):
    """Something that was said about an issue."""


@row_of(Log)
class LogRow(Document):
    """A step of the work. issue_id: null for all issues of the work session."""


@row_of(Handoff)
class HandoffRow(Document):
    """How an issue stood when it was handed on."""


@row_of(Review)
class ReviewRow(Document):
    """A decision about an issue in review; where `superseded_at` is set it does not count any more."""


@row_of(FileLink)
class FileLinkRow(Document):
    """A file that belongs to an issue."""


@row_of(Snapshot)
class SnapshotRow(Document):
    """Where the repository stood when something was done to an issue."""


@row_of(WorkSession)
class WorkSessionRow(Document):
    """A stretch of work on several issues; it goes on while `ended_at` is null."""
