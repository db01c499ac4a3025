"""Issues as td prints them: alone, in lists, with all that there is about them, and after a change."""

from typing import Literal

from pydantic import Field

from cli.schemas.rows import CommentRow, FileLinkRow, HandoffRow, LogRow, ReviewRow, SnapshotRow
from cli.schemas.shapes import Document, row_of
from cli.schemas.sharing import ChangeOfRow, ConflictDocument, MutationDocument
from tracker import Issue, IssueType, Priority, Status


@row_of(Issue)
class IssueDocument(Document):
    """An issue. pending: it has changes that are not on the primary yet."""

    pending: bool


class NamedIssue(Document):
    """An issue where it is only named."""

    id: str
    title: str
    status: Status


class BriefIssue(NamedIssue):
    """An issue in few words."""

    priority: Priority
    type: IssueType


class DeepIssue(BriefIssue):
    """An issue on its way from the one that was asked about. depth: how many steps away it is."""

    depth: int


class TreeIssue(DeepIssue):
    """An issue in a tree."""

    parent_id: str | None


class ShownIssue(IssueDocument):
    """An issue with all that there is about it."""

    parents: list[NamedIssue]
    children: list[NamedIssue]
    depends_on: list[NamedIssue]
    blocks: list[NamedIssue]
    comments: list[CommentRow]
    logs: list[LogRow]
    handoff: HandoffRow | None
    reviews: list[ReviewRow]
    files: list[FileLinkRow]
    snapshots: list[SnapshotRow]
    conflicts: list[ConflictDocument]


class Change(Document):
    """What was done to one issue, and the issue as it is now. action: `unchanged` where it was so already."""

    action: str
    id: str
    status: Status
    issue: IssueDocument


class Followed(Document):
    """An issue whose status followed from what was done to another."""

    id: str
    status: Status


class Move(Change):
    """A change of status, and what followed from it for other issues; of several, the first tells it for all."""

    followed: list[Followed]


class CommentChange(Change):
    """A change that is a comment."""

    comment: CommentRow


class Unfocused(Document):
    """That no issue is meant any more where none is named. id: the one that was."""

    action: Literal["unfocused", "unchanged"]
    id: str | None


class DependencyChange(Document):
    """What an issue waits for from now on, or does not any more."""

    action: Literal["dependency_added", "dependency_removed", "unchanged"]
    id: str
    depends_on: list[str]


class SqlChange(Document):
    """What SQL changed, or would. mutation_id: null where nothing was written."""

    action: str
    table: str
    count: int
    dry_run: bool
    mutation_id: str | None
    changes: list[ChangeOfRow]
    followed: list[Followed]


class RowChange(Document):
    """A change that may be about another row than an issue; then `status` and `issue` are null."""

    action: str
    id: str
    status: Status | None
    issue: IssueDocument | None
    mutation: MutationDocument


class Resolved(RowChange):
    """How a conflict was settled."""

    conflict: str


class PathStep(Document):
    """An issue of the critical path. frees: how many wait for it."""

    issue: IssueDocument
    frees: int


class CriticalPathDocument(Document):
    """In which order what is not done is to be done."""

    critical_path: list[PathStep]
    ready_to_start: list[IssueDocument]
    bottleneck_ranking: list[PathStep]


class Way(Document):
    """A way from one status to another. guards: what must hold."""

    from_: Status = Field(serialization_alias="from")
    to: Status
    guards: list[str]
