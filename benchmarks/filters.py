"""Lists with a filter, within a process: the first page of what fits, of 1,000 issues and of 100,000."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from benchmarks.ground import Result, median_s, show
from tracker import Comment, Dependency, Issue, IssueFilter, IssueType, Priority, Status, Tracker, listing, open_tracker

FEW: Final = 1_000
MANY: Final = 100_000
_PAGE: Final = 50
_BUDGET_S: Final = 0.05
_TIMES: Final = 7
_MUTATION_ROWS: Final = 2_500
_WORDS: Final = (
    *(
        "login",
        "page",
        "slow",
        "token",
        "cache",
        "import",
        "export",
        "sync",
        "queue",
        "worker",
        "build",
        "deploy",
        "test",
    ),
    *(
        "flaky",
        "database",
        "index",
        "query",
        "search",
        "filter",
        "label",
        "editor",
        "button",
        "menu",
        "mobile",
        "session",
    ),
    *(
        "cookie",
        "password",
        "email",
        "invite",
        "team",
        "billing",
        "report",
        "chart",
        "timeout",
        "retry",
        "crash",
        "docs",
    ),
)
_RARE: Final = "auth"
_LABELS: Final = ("backend", "frontend", "mobile", "docs", "security", *(f"area{number}" for number in range(20)))
_FILTERS: Final = (
    "",
    "status = open AND priority <= P1 sort:-updated",
    "label(backend)",
    f"title ~ {_RARE}",
    "epic = {epic}",
    "is_ready()",
    f"comment.text ~ {_RARE}",
    "sort:-updated",
)


def few(directory: Path, url: str) -> Iterator[Result]:
    """With 1,000 issues."""
    yield from _run(directory, url, FEW)


def many(directory: Path, url: str) -> Iterator[Result]:
    """With 100,000 issues."""
    yield from _run(directory, url, MANY)


def _run(directory: Path, url: str, count: int) -> Iterator[Result]:
    for mode in ("local", "libsql"):
        with open_tracker(directory / mode, mode=mode, url=None if mode == "local" else url) as tracker:
            epic = _seed(tracker, count)
            for text in _FILTERS:
                wanted = replace(listing.filtered(text.format(epic=epic)) if text else IssueFilter(), limit=_PAGE)
                taken = median_s(partial(listing.find_issues, tracker, wanted), _TIMES)
                path = f"a page of {count:,} issues, `{text.format(epic='td-…') or 'td list'}`, mode `{mode}`"
                yield Result(path, show(taken), "50 records, in process", "–", "≤ 50 ms", taken <= _BUDGET_S)


def _seed(tracker: Tracker, count: int) -> str:
    """Write the issues and what belongs to them, most of it to the primary, and a little that waits; an epic's id."""
    chance = random.Random(count)
    issues = list(_issues(chance, count, tracker.now()))
    rows: Iterator[Any] = iter([*issues, *_around(chance, issues)])  # records of several kinds
    while part := list(islice(rows, _MUTATION_ROWS)):
        with tracker.replica.transaction() as tx:
            for row in part:
                tx.insert(row)
    report = tracker.replica.sync(deadline_s=900)
    assert report.error is None, report
    with tracker.replica.transaction() as tx:
        for issue in issues[:20]:
            tx.update(tx.get(Issue, issue.id), title="pending")
    parts = [issue.parent_id for issue in issues if issue.parent_id is not None]
    return max(set(parts), key=parts.count)


def _issues(chance: random.Random, count: int, now: datetime) -> Iterator[Issue]:
    """As a team has them after years: most are closed, half belong to an epic, a rare word is in one of a hundred."""
    epics: list[str] = []
    for number in range(count):
        kind = IssueType.EPIC if number % 100 == 0 else chance.choice(list(IssueType)[:3])
        issue_id = f"td-{number:08d}"
        created = now - timedelta(minutes=chance.randrange(1_500_000))
        statuses = chance.choices(list(Status), [20, 4, 3, 3, 70])
        yield Issue(
            id=issue_id,
            title=_text(chance, 6),
            description=_text(chance, chance.randrange(90)),
            type=kind,
            priority=chance.choices(list(Priority), [3, 15, 50, 24, 8])[0],
            status=statuses[0],
            labels=frozenset(chance.choices(_LABELS, k=chance.randrange(4))),
            created_at=created,
            closed_at=now if statuses[0] is Status.CLOSED else None,
            parent_id=chance.choice(epics) if epics and kind is not IssueType.EPIC and chance.random() < 0.5 else None,
            creator_session="ses_laptop_000001",
        )
        if kind is IssueType.EPIC:
            epics.append(issue_id)


def _around(chance: random.Random, issues: list[Issue]) -> Iterator[Comment | Dependency]:
    """A comment for each, and a dependency for every third."""
    for number, issue in enumerate(issues):
        of = chance.choice(issues).id
        yield Comment(issue_id=of, text=_text(chance, 25), created_at=issue.created_at)
        if number % 3 == 0:
            yield Dependency(
                id=f"dep_{number:016x}",
                issue_id=of,
                depends_on_id=chance.choice(issues).id,
                created_at=issue.created_at,
            )


def _text(chance: random.Random, words: int) -> str:
    rare = [_RARE] if chance.random() < 0.01 else []
    return " ".join([*chance.choices(_WORDS, k=words), *rare]) or "text"
