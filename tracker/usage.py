"""What an agent needs to know before it begins, in one call.

Always true: it is short whatever the tracker holds, so that it fits into the context of any agent: of everything there
is at most a handful, the most urgent first, and what is long is cut.
"""

from dataclasses import dataclass
from typing import Final

from tracker.near import NearIssues
from tracker.records import Handoff, Issue, Status, WorkSession
from tracker.reviews import reviewable
from tracker.sessions import Known, own
from tracker.talk import last_handoff
from tracker.tracker import Tracker
from tracker.work_sessions import current

SHOWN_MAX: Final = 5
_LINE_LENGTH_MAX: Final = 80
_READY: Final = """WHERE status = 'open' AND type <> 'epic' AND deleted_at IS NULL
AND (defer_until IS NULL OR defer_until <= ?)
AND NOT EXISTS (SELECT 1 FROM dependencies d JOIN issues n ON n.id = d.depends_on_id
    WHERE d.issue_id = issues.id AND n.status <> 'closed' AND n.deleted_at IS NULL)"""


@dataclass(frozen=True, slots=True)
class Usage:
    """session: of the caller. focus: the issue in focus, with its last handoff. claims: what the session has started.

    ready: what can begin now, and of how many these are the first. reviewable: what the session may approve. blocked,
    in_review: how many. conflicts: how many wait for a decision. work: the stretch of work that goes on.
    """

    session: Known
    focus: Issue | None
    handoff: Handoff | None
    claims: list[Issue]
    ready: list[Issue]
    ready_count: int
    reviewable: list[Issue]
    reviewable_count: int
    blocked: int
    in_review: int
    conflicts: int
    pending: int
    work: WorkSession | None


def find_usage(tracker: Tracker) -> Usage:
    """What stands before the caller's session."""
    session = own(tracker)
    focus = _focus(tracker)
    today = tracker.now().date().isoformat()
    ready = tracker.replica.select(Issue, f"{_READY} ORDER BY priority, created_at, id LIMIT {SHOWN_MAX}", (today,))
    may = reviewable(tracker)
    status = tracker.replica.status()
    return Usage(
        session=session,
        focus=None if focus is None else _briefly([focus])[0],
        handoff=None if focus is None else _brief(last_handoff(tracker, focus.id)),
        claims=_briefly([tracker.get(issue_id) for issue_id in session.claims[:SHOWN_MAX]]),
        ready=_briefly(ready),
        ready_count=_count(tracker, _READY, today),
        reviewable=_briefly(may[:SHOWN_MAX]),
        reviewable_count=len(may),
        blocked=_count(tracker, "WHERE deleted_at IS NULL AND status = ?", Status.BLOCKED.value),
        in_review=_count(tracker, "WHERE deleted_at IS NULL AND status = ?", Status.IN_REVIEW.value),
        conflicts=status.conflicts,
        pending=status.pending,
        work=current(tracker),
    )


def _briefly(issues: list[Issue]) -> list[Issue]:
    """The same with titles that are not long."""
    return [issue.model_copy(update={"title": _cut(issue.title)}) for issue in issues]


def _brief(handoff: Handoff | None) -> Handoff | None:
    """The same with not too many lines, none of them long."""
    if handoff is None:
        return None
    told = {name: getattr(handoff, name) for name in ("done", "remaining", "decisions", "uncertain")}
    return handoff.model_copy(
        update={name: tuple(_cut(line) for line in lines[:SHOWN_MAX]) for name, lines in told.items()}
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LINE_LENGTH_MAX else f"{text[: _LINE_LENGTH_MAX - 1]}…"


def _focus(tracker: Tracker) -> Issue | None:
    return None if tracker.desk.focus is None else NearIssues(tracker).by_id(tracker.desk.focus)


def _count(tracker: Tracker, where: str, value: str) -> int:
    return int(str(tracker.replica.query(f"SELECT count(*) FROM issues {where}", (value,)).rows[0][0]))
