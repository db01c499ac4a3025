"""All that there is about one issue, read in one go."""

from dataclasses import dataclass

from replica import Conflict
from tracker.conflicts import rows_of
from tracker.near import NearIssues
from tracker.parents import ancestors
from tracker.records import Comment, FileLink, Handoff, Issue, Log, Review, Snapshot
from tracker.talk import comments, last_handoff, logs
from tracker.tracker import Tracker

_LOGS_MAX = 20
_REVIEWS_MAX = 3


@dataclass(frozen=True, slots=True)
class IssueView:
    """An issue with all that is shown of it. logs, reviews: the newest, oldest first. snapshots: newest first."""

    issue: Issue
    parents: list[Issue]
    children: list[Issue]
    needs: list[Issue]
    waiting: list[Issue]
    comments: list[Comment]
    logs: list[Log]
    handoff: Handoff | None
    reviews: list[Review]
    files: list[FileLink]
    snapshots: list[Snapshot]
    conflicts: list[Conflict]


def whole(tracker: Tracker, typed: str) -> IssueView:
    """An issue by the beginning of its id. Raises as `Tracker.get`."""
    issue = tracker.get(typed)
    around, select = NearIssues(tracker), tracker.replica.select
    said = comments(tracker, issue.id)
    of_issue = {issue.id, *(comment.id for comment in said)}
    recent = select(Review, f"WHERE issue_id = ? ORDER BY created_at DESC, id DESC LIMIT {_REVIEWS_MAX}", (issue.id,))
    return IssueView(
        issue,
        ancestors(tracker, issue),
        around.children(issue),
        around.needs(issue),
        around.waiting_for(issue),
        said,
        logs(tracker, issue.id, limit=_LOGS_MAX),
        last_handoff(tracker, issue.id),
        recent[::-1],
        select(FileLink, "WHERE issue_id = ? ORDER BY path", (issue.id,)),
        select(Snapshot, "WHERE issue_id = ? ORDER BY created_at DESC, id DESC", (issue.id,)),
        [found for found in tracker.replica.conflicts() if rows_of(found) & of_issue],
    )
