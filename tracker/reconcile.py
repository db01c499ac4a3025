"""Mend what no single client did wrong, and only came about where the work of several met.

Two who each close one of the last two parts of an epic leave it open; two who each add a dependency may make a circle;
somebody approves what somebody else is editing.
After a sync, what it brought is looked at, and what follows is written as an ordinary mutation.

Always true:
- what comes out depends on the rows alone, so that two who mend the same write the same, and it is merged in silence;
- of a circle of dependencies the youngest is taken out, of a circle of parents the one of the greatest id;
- a status that somebody set after the moment from which it would follow is left as it is;
- nothing here is for anybody to decide: it gives way to what a person did meanwhile;
- what is looked at grows with what the sync brought, not with what is stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from replica import NotFoundError, Transaction
from tracker.arrivals import Arrived
from tracker.cascade import consequences
from tracker.deeds import is_of, not_superseded
from tracker.dependencies import path_between
from tracker.ids import dependency_id, relation_id
from tracker.near import NearIssues
from tracker.parents import ancestors
from tracker.records import Dependency, Issue, Log, LogType, Status
from tracker.statuses import enter_status, what_fits
from tracker.tracker import Tracker

_BATCH = 500
# Most of what arrives has no part in anything: SQLite tells so a hundred times as fast as it is found out one by one.
_CONCERNED = """parent_id IS NOT NULL
OR EXISTS (SELECT 1 FROM issues part WHERE part.parent_id = issues.id)
OR EXISTS (SELECT 1 FROM dependencies d WHERE d.depends_on_id = issues.id)
OR EXISTS (SELECT 1 FROM dependencies d WHERE d.issue_id = issues.id)
OR (status = 'closed') <> (closed_at IS NOT NULL)
OR (status <> 'closed' AND closed_by_session IS NOT NULL)
OR (status = 'in_review' AND EXISTS (SELECT 1 FROM reviews r WHERE r.issue_id = issues.id))
OR (status = 'open' AND coalesce(implementer_session, reviewer_session, review_requested_by) IS NOT NULL)"""


@dataclass(frozen=True, slots=True)
class Mended:
    """What was mended. issue_id: of which issue. told: what was done, and why, in one line."""

    issue_id: str
    told: str


def mend(tracker: Tracker, arrived: Arrived) -> list[Mended]:
    """Mend what came about by what arrived. Returns what was done.

    It is one mutation, or none if there is nothing; where very much arrived, one for each part of it, since a mutation
    that is too large would be refused by every sync from then on.
    """
    mended: list[Mended] = []
    if arrived.dependencies:
        with tracker.transaction() as tx:
            mended += _open_circles(tracker, tx, arrived.dependencies)
    ids = sorted(arrived.issues)
    for start in range(0, len(ids), _BATCH):
        # Looked at before the write lock is taken, which most of what arrives needs not.
        if not _concerned(tracker, ids[start : start + _BATCH]):
            continue
        with tracker.transaction() as tx:
            issues = _concerned(tracker, ids[start : start + _BATCH])
            mended += _open_family_circles(tracker, tx, issues)
            mended += _bring_in_step(tx, issues)
            mended += _follow(tracker, tx, issues)
            mended += _take_approvals_back(tracker, tx, issues)
    return mended


def _concerned(tracker: Tracker, ids: Sequence[str]) -> list[Issue]:
    """Those issues of which anything could follow."""
    marks = ", ".join("?" * len(ids))
    where = f"WHERE id IN ({marks}) AND deleted_at IS NULL AND ({_CONCERNED}) ORDER BY id"
    return tracker.replica.select(Issue, where, ids)


def _open_circles(tracker: Tracker, tx: Transaction, dependency_ids: Iterable[str]) -> list[Mended]:
    mended = []
    for row_id in sorted(dependency_ids):
        try:
            added = tx.get(Dependency, row_id)
        except NotFoundError:
            continue
        way = path_between(tracker, tx, added.depends_on_id, added.issue_id)
        if not way:
            continue
        circle = [added.issue_id, *way]
        edges = [tx.get(Dependency, dependency_id(*pair)) for pair in pairwise(circle)]
        youngest = max(edges, key=lambda edge: (edge.created_at, edge.id))
        tx.delete(youngest)
        # From one place on, whichever of its dependencies it was found by.
        start = circle.index(youngest.issue_id)
        whole = [*circle[start:-1], *circle[:start], youngest.issue_id]
        told = f"no longer depends on {youngest.depends_on_id}: {' -> '.join(whole)} was a circle"
        mended.append(_say(tracker, tx, youngest.issue_id, youngest.id, told))
    return mended


def _open_family_circles(tracker: Tracker, tx: Transaction, issues: Iterable[Issue]) -> list[Mended]:
    mended = []
    for issue in issues:
        above = ancestors(tracker, tx.get(Issue, issue.id))
        if not above or above[-1].parent_id != issue.id:
            continue
        circle = [issue, *above]
        opened = max(circle, key=lambda one: one.id)
        start = circle.index(opened)
        whole = [one.id for one in (*circle[start:], *circle[:start], opened)]
        told = f"no longer part of {opened.parent_id}: {' -> '.join(whole)} was a circle"
        # It gives way to whoever opens the circle themselves.
        tx.follow(tx.get(Issue, opened.id), parent_id=None)
        mended.append(_say(tracker, tx, opened.id, f"{opened.id}|{opened.parent_id}", told))
    return mended


def _bring_in_step(tx: Transaction, issues: Iterable[Issue]) -> list[Mended]:
    # Fields are merged each for itself: one may be of a status that another one replaced. Who did what nobody knows of,
    # as in what was imported, is left open.
    mended = []
    for issue in (tx.get(Issue, one.id) for one in issues):
        fitting = what_fits(issue, issue.status_at or issue.created_at, issue.creator_session)
        left = {name: value for name, value in fitting.items() if value is None or name == "closed_at"}
        if tx.follow(issue, **left) is not issue:
            mended.append(Mended(issue.id, f"{issue.status.value}: what was left of another status is taken out"))
    return mended


def _follow(tracker: Tracker, tx: Transaction, issues: Iterable[Issue]) -> list[Mended]:
    landed = [tx.get(Issue, issue.id) for issue in issues]
    around = NearIssues(tracker, tx)

    def is_due(issue: Issue, status: Status) -> bool:
        # Nobody set the status of an epic that its parts closed, so nobody set it after the moment of a part either.
        if issue.status_at is None or issue.status is Status.CLOSED:
            return True
        return issue.status_at <= _moment_of_cause(around, issue, status)

    mended: dict[str, Mended] = {}
    for issue_id, status in consequences(around, landed, is_due):
        issue = tx.get(Issue, issue_id)
        tx.follow(issue, **enter_status(issue, status, _moment_of_cause(around, issue, status), None))
        mended[issue_id] = Mended(issue_id, _why(issue, status))
    return list(mended.values())


def _take_approvals_back(tracker: Tracker, tx: Transaction, issues: Iterable[Issue]) -> list[Mended]:
    """Say of approvals that met an edit that they do not count; they did not since the two met."""
    mended = []
    for issue in (tx.get(Issue, one.id) for one in issues):
        if issue.status is not Status.IN_REVIEW:
            continue
        for review in not_superseded(tracker, tx, issue.id):
            if not is_of(review, issue):
                # It never counted for what is there; and two who mend it say the same.
                tx.follow(review, superseded_at=review.created_at)
                told = f"the approval by {review.reviewer_session} does not count: the issue was edited meanwhile"
                mended.append(Mended(issue.id, told))
    return mended


def _is_freed(issue: Issue, status: Status) -> bool:
    """Whether it follows from what the issue waited for, and not from its parts."""
    return issue.status is Status.BLOCKED and status is Status.OPEN


def _moment_of_cause(around: NearIssues, issue: Issue, status: Status) -> datetime:
    """The moment from which the status follows: the same for everybody who sees the same rows."""
    near = around.needs(issue) if _is_freed(issue, status) else around.children(issue)
    if status is Status.OPEN and issue.status is Status.CLOSED:
        near = [child for child in near if child.status is not Status.CLOSED]
    return max(child.status_at or child.created_at for child in near)


def _why(issue: Issue, status: Status) -> str:
    reasons: Mapping[Status, str] = {
        Status.CLOSED: "closed: all its parts are closed",
        Status.IN_REVIEW: "in review: all its parts are closed or in review",
        Status.OPEN: "open again: a part of it is open",
    }
    if _is_freed(issue, status):
        return "open: all that it depends on is closed"
    return reasons[status]


def _say(tracker: Tracker, tx: Transaction, issue_id: str, cause: str, told: str) -> Mended:
    """Log what was done, once, whoever does it."""
    row_id = relation_id("log", issue_id, cause)
    try:
        tx.get(Log, row_id)
    except NotFoundError:
        tx.insert(
            Log(
                id=row_id,
                issue_id=issue_id,
                session=tracker.session,
                type=LogType.ORCHESTRATION,
                message=told,
                created_at=tracker.now(),
            )
        )
    return Mended(issue_id, told)
