"""Rows by chance, the same for the same seed, that meet what `trees` asks for; written to a tracker."""

import random
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, TypeVar

from tests.tracker.tdq.meaning import World
from tests.tracker.tdq.trees import LABELS, SESSIONS, TEXTS, WHOLE_IDS
from tracker import Tracker
from tracker.ids import dependency_id, relation_id
from tracker.records import (
    Comment,
    Decision,
    Dependency,
    FileLink,
    FileRole,
    Handoff,
    Issue,
    IssueType,
    Log,
    LogType,
    Priority,
    Review,
    Status,
)

_Picked = TypeVar("_Picked")


class _Chance:
    """What a world is drawn from. now: around which its moments are."""

    def __init__(self, seed: int, now: datetime) -> None:
        self._random, self._now = random.Random(seed), now

    def pick(self, choices: Iterable[_Picked]) -> _Picked:
        return self._random.choice(list(choices))

    def maybe(self, value: _Picked) -> _Picked | None:
        return value if self._random.random() < 0.5 else None

    def moment(self) -> datetime:
        return self._now + timedelta(hours=self._random.randrange(-240, 48), microseconds=self._random.choice([0, 1]))

    def day(self) -> date:
        return self.moment().date()

    def text(self) -> str:
        return " ".join(self._random.choices(TEXTS, k=self._random.randrange(3)))

    def texts(self) -> tuple[str, ...]:
        return tuple(self._random.choices(TEXTS, k=self._random.randrange(3)))

    def labels(self) -> frozenset[str]:
        return frozenset(self._random.choices(LABELS, k=self._random.randrange(3)))


def _issue(chance: _Chance, issue_id: str) -> Issue:
    session = SESSIONS[:2]
    return Issue(
        id=issue_id,
        title=chance.text() or "title",
        description=chance.text(),
        type=chance.pick(IssueType),
        priority=chance.pick(Priority),
        status=chance.pick(Status),
        labels=chance.labels(),
        created_at=chance.moment(),
        closed_at=chance.maybe(chance.moment()),
        deleted_at=chance.maybe(chance.maybe(chance.moment())),
        creator_session=chance.pick(SESSIONS),
        # An issue may come to be above itself, by two people who each move one of two.
        parent_id=chance.maybe(chance.pick(WHOLE_IDS)),
        points=chance.maybe(chance.pick([0, 1, 3, 5])),
        acceptance=chance.text(),
        sprint=chance.pick(["", "x", "EMPTY"]),
        minor=chance.pick([True, False]),
        defer_until=chance.maybe(chance.day()),
        defer_count=chance.pick([0, 1, 3]),
        due_date=chance.maybe(chance.day()),
        status_at=chance.maybe(chance.moment()),
        implementer_session=chance.maybe(chance.pick(session)),
        review_requested_by=chance.maybe(chance.pick(session)),
        reviewer_session=chance.maybe(chance.pick(session)),
        reviewed_at=chance.maybe(chance.moment()),
        closed_by_session=chance.maybe(chance.pick(session)),
        created_branch=chance.pick(["main", "fix", ""]),
    )


Written = Sequence[Issue | Comment | Log | Handoff | FileLink | Review | Dependency]


def rows(seed: int, now: datetime) -> tuple[Written, Written]:
    """Issues, and what belongs to them."""
    chance = _Chance(seed, now)
    issues = [_issue(chance, issue_id) for issue_id in WHOLE_IDS]
    around: list[Comment | Log | Handoff | FileLink | Review | Dependency] = []
    for issue_id in WHOLE_IDS:
        at, session = chance.moment(), chance.pick(SESSIONS)
        of: dict[str, Any] = {"issue_id": issue_id, "session": session, "created_at": at}  # fields of several records
        around += [Comment(text=chance.text(), **of) for _ in range(chance.pick(range(3)))]
        around += [Log(message=chance.text(), type=chance.pick(LogType), **of) for _ in range(chance.pick(range(3)))]
        around += [_handoff(chance, issue_id) for _ in range(chance.pick(range(3)))]
        around += [_review(chance, issue_id) for _ in range(chance.pick(range(3)))]
        for path in {chance.pick(TEXTS), chance.pick(TEXTS)} if chance.maybe(1) else ():
            role = chance.pick(FileRole)
            around.append(FileLink(id=relation_id("ifl", issue_id, path), path=path, role=role, **of))
        for target in {chance.pick(WHOLE_IDS), chance.pick(WHOLE_IDS)} if chance.maybe(1) else ():
            around.append(Dependency(id=dependency_id(issue_id, target), depends_on_id=target, **of))
    around.append(Log(message="auth", created_at=now))
    return issues, around


def _handoff(chance: _Chance, issue_id: str) -> Handoff:
    return Handoff(
        issue_id=issue_id,
        session=chance.pick(SESSIONS),
        done=chance.texts(),
        remaining=chance.texts(),
        decisions=chance.texts(),
        uncertain=chance.texts(),
        created_at=chance.moment(),
    )


def _review(chance: _Chance, issue_id: str) -> Review:
    return Review(
        issue_id=issue_id,
        reviewer_session=chance.pick(SESSIONS),
        decision=chance.pick(Decision),
        summary=chance.text(),
        created_at=chance.moment(),
    )


def write(tracker: Tracker, written: Written) -> None:
    """Write rows in one mutation."""
    with tracker.replica.transaction() as tx:
        for row in written:
            tx.insert(row)


def world_of(tracker: Tracker, zone: tzinfo) -> World:
    """The rows of a tracker, as they are read one table at a time."""
    read = tracker.replica.select
    return World(
        today=tracker.now().astimezone(zone).date(),
        zone=zone,
        me=tracker.session,
        issues=read(Issue),
        comments=read(Comment),
        logs=read(Log),
        handoffs=read(Handoff),
        files=read(FileLink),
        reviews=read(Review),
        dependencies=read(Dependency),
        pending=frozenset(tracker.pending_ids()),
    )
