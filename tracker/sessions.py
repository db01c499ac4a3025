"""Who works on this tracker: the sessions of this machine, and those that others tell of.

Always true: a session keeps its id for good; a new one remembers which it came after; and one that still claims an
issue is not let go.
"""

from dataclasses import dataclass, replace

from replica import AmbiguousIdError, NotFoundError, new_session_id
from tracker.here import Desk
from tracker.records import Issue, Session, Status
from tracker.tracker import Tracker
from tracker.values import check_line, moment_text

_NAME_LENGTH_MAX = 60
_TOLD_OF = """SELECT implementer_session FROM issues WHERE implementer_session IS NOT NULL
UNION SELECT reviewer_session FROM issues WHERE reviewer_session IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Known:
    """A session as it is known here. desk: what it has before it, where it is one of this directory. claims: issues."""

    id: str
    name: str
    machine: str
    branch: str
    agent: str
    started_at: str
    desk: Desk | None
    claims: tuple[str, ...] = ()


def own(tracker: Tracker) -> Known:
    """The session of the caller."""
    return next(one for one in known(tracker, with_ended=True) if one.id == tracker.session)


def known(tracker: Tracker, *, with_ended: bool = False) -> list[Known]:
    """All sessions, those of this directory first. with_ended: also those that were let go."""
    desks = {desk.session: desk for desk in (tracker.desk, *tracker.here.desks())}
    rows = {row.id: row for row in tracker.replica.select(Session, "ORDER BY started_at DESC, id")}
    found = []
    for session in dict.fromkeys([*desks, *rows]):
        row, desk = rows.get(session), desks.get(session)
        if desk is None and row is not None and row.ended_at is not None and not with_ended:
            continue
        found.append(_known(tracker, session, row, desk))
    return found


def _known(tracker: Tracker, session: str, row: Session | None, desk: Desk | None) -> Known:
    claims = tracker.replica.select(
        Issue,
        "WHERE implementer_session = ? AND status = ? AND deleted_at IS NULL ORDER BY id",
        (session, Status.IN_PROGRESS.value),
    )
    ids = tuple(issue.id for issue in claims)
    if row is not None:
        started = moment_text(row.started_at)
        return Known(session, row.name, row.machine, row.branch, row.agent, started, desk, ids)
    own_desk = desk or Desk(session, "")
    machine = tracker.replica.machine
    return Known(session, "", machine, own_desk.branch, own_desk.agent, own_desk.started_at, desk, ids)


def find(tracker: Tracker, typed: str) -> str:
    """The id of a session: by its name, or by the first characters of its id, also of what follows the machine in it.

    @me is the caller's. Those that only an issue tells of, as after an import, are found too. Raises NotFoundError,
    AmbiguousIdError.
    """
    wanted = typed.strip().lower()
    if wanted in ("@me", tracker.session):
        return tracker.session
    called = {str(row[0]): str(row[1]) for row in tracker.replica.query("SELECT id, name FROM sessions").rows}
    if wanted in called:
        return wanted
    told = tracker.replica.query(_TOLD_OF).rows
    ids = {tracker.session, *called, *(str(row[0]) for row in told)}
    exact = [one for one in ids if one == typed.strip()]
    named = [one for one in ids if wanted and called.get(one, "").lower() == wanted]
    begun = [one for one in ids if wanted and any(part.startswith(wanted) for part in _starts(one))]
    found = sorted(exact or named or begun)
    if len(found) > 1:
        raise AmbiguousIdError("session", typed, found)
    if found:
        return found[0]
    raise NotFoundError("session", typed)


def _starts(session: str) -> tuple[str, str]:
    lower = session.lower()
    return lower, lower.rpartition("_")[2]


def names(tracker: Tracker) -> dict[str, str]:
    """How those sessions are called that have a name, by their ids: `Ann (ses_jtr4n58w_3vsfkm)`."""
    rows = tracker.replica.query("SELECT id, name FROM sessions WHERE name <> ''").rows
    return {str(session): f"{called!s} ({session!s})" for session, called in rows}


def name(tracker: Tracker, typed: str) -> Session:
    """Give the session of the caller a name that others see. Raises InvalidFieldError."""
    told = check_line("name", typed, _NAME_LENGTH_MAX)
    with tracker.transaction() as tx:
        try:
            return tx.update(tx.get(Session, tracker.session), name=told)
        except NotFoundError:
            return tx.insert(tracker.introduction().model_copy(update={"name": told}))


def renew(tracker: Tracker) -> Desk:
    """Begin a new session in the place of the caller's; its next call is of the new one."""
    stamp = moment_text(tracker.now())
    desk = replace(
        tracker.desk,
        session=new_session_id(tracker.replica.machine),
        started_at=stamp,
        active_at=stamp,
        focus=None,
        work=None,
        previous=tracker.session,
    )
    tracker.keep_desk(desk)
    return desk


def clean_up(tracker: Tracker, *, idle_since: str, is_dry: bool) -> list[Known]:
    """Let the sessions of this directory go that were not active since a stamp and claim nothing. Returns them.

    is_dry: only tell which.
    """
    idle = [
        one
        for one in known(tracker)
        if one.desk is not None
        and one.id != tracker.session
        and one.desk.active_at < idle_since
        and not one.claims
        and one.desk.work is None
    ]
    if is_dry or not idle:
        return idle
    with tracker.transaction() as tx:
        for one in idle:
            try:
                tx.update(tx.get(Session, one.id), ended_at=tracker.now())
            except NotFoundError:
                continue
    for one in idle:
        if one.desk is not None:
            tracker.here.forget(one.desk)
    return idle
