"""The page about filters tells what they find."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.clock import Clock
from tracker import FilterError, Tracker, listing, open_tracker
from tracker.ids import dependency_id
from tracker.records import Comment, Dependency, FileLink, Issue, IssueType, Log, LogType, Priority, Status
from tracker.tdq import FIELDS, FUNCTIONS, RELATIONS, SORTS

TEXT = (Path(__file__).parents[2] / "docs" / "tdq.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```tdq( in order)?\n(.*?)```", TEXT, flags=re.DOTALL)
EXAMPLES = [
    (bool(order), *re.split(r"  +", line, maxsplit=1)) for order, block in BLOCKS for line in block.splitlines()
]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """The issues that the page is about."""
    directory = tmp_path_factory.mktemp("team")
    with open_tracker(directory, session="ses_laptop_000001", machine="laptop", clock=Clock()) as tracker:
        with tracker.replica.transaction() as tx:
            for row in rows(tracker.now()):
                tx.insert(row)
        yield tracker


def rows(now: datetime) -> Iterator[Issue | Comment | Log | FileLink | Dependency]:
    """What the table of the page says of them."""
    at: dict[str, Any] = {"created_at": now}  # a field of each of these records
    yield Issue(id="td-login", title="Login", type=IssueType.EPIC, priority=Priority.P1, **at)
    yield Issue(
        id="td-auth",
        title="Fix auth bug",
        type=IssueType.BUG,
        priority=Priority.P1,
        status=Status.IN_PROGRESS,
        labels=frozenset({"backend", "security"}),
        parent_id="td-login",
        implementer_session="ses_laptop_000001",
        due_date=date(2026, 11, 20),
        created_at=now + timedelta(seconds=1),
    )
    yield Issue(
        id="td-email",
        title="Log in by email",
        type=IssueType.FEATURE,
        labels=frozenset({"backend"}),
        parent_id="td-login",
        points=5,
        **at,
    )
    yield Issue(
        id="td-docs",
        title="Describe the login",
        priority=Priority.P3,
        labels=frozenset({"docs"}),
        parent_id="td-email",
        **at,
    )
    yield Issue(
        id="td-crash",
        title="Crash in Zürich",
        type=IssueType.BUG,
        priority=Priority.P0,
        status=Status.CLOSED,
        closed_at=now,
        **at,
    )
    yield Issue(
        id="td-later",
        title="Rewrite it all",
        type=IssueType.CHORE,
        priority=Priority.P4,
        defer_until=date(2026, 12, 1),
        **at,
    )
    yield Comment(issue_id="td-auth", text="it is the token", **at)
    yield Log(issue_id="td-crash", type=LogType.BLOCKER, message="needs a phone", **at)
    yield FileLink(issue_id="td-docs", path="docs/login.md", **at)
    waits = dependency_id("td-email", "td-auth")
    yield Dependency(id=waits, issue_id="td-email", depends_on_id="td-auth", **at)


@pytest.mark.parametrize(("is_ordered", "text", "told"), EXAMPLES, ids=[text for _, text, _ in EXAMPLES])
def test_an_example_finds_what_the_page_says(team: Tracker, is_ordered: bool, text: str, told: str) -> None:  # noqa: FBT001 - a parameter of the test
    """In its order, where the page promises one."""
    found = listing.find_ids(team, listing.filtered(text), zone=UTC)

    assert (found if is_ordered else sorted(found)) == (told.split() if is_ordered else sorted(told.split()))


def test_every_field_function_and_order_is_told() -> None:
    """And what is told is there."""
    fields = {*FIELDS, *SORTS, *(name.partition("(")[0] for name in FUNCTIONS)}

    assert {name for name in fields if not re.search(rf"`{name}[`(]", TEXT)} == set()
    assert {name for name in RELATIONS if f"`{name}." not in TEXT} == set()


def test_the_error_that_is_shown_is_the_one_that_is_told(team: Tracker) -> None:
    """To the letter."""
    (shown,) = re.findall(r"^td: (.*)$", TEXT, flags=re.MULTILINE)

    with pytest.raises(FilterError) as raised:
        listing.check_filter(team, "status = opn")

    assert shown == f"{raised.value}; {raised.value.hint}"
