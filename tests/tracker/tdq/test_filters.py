"""The filters of the td that is written in Go find here what they find there; and what it lacks is there."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.clock import Clock
from tracker import FilterError, IssueFilter, Tracker, listing, open_tracker
from tracker.ids import dependency_id
from tracker.records import Comment, Dependency, Handoff, Issue, IssueType, Log, Priority, Status
from tracker.tdq import parse

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
Find = Callable[[str], list[str]]


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Tracker]:
    """A tracker of its own, with a clock that stands."""
    with open_tracker(tmp_path, session="ses_laptop_000001", machine="laptop", clock=Clock()) as opened:
        yield opened


def insert(tracker: Tracker, *rows: Any) -> None:  # records of any kind
    """Write rows in one mutation."""
    with tracker.replica.transaction() as tx:
        for row in rows:
            tx.insert(row)


def issue(number: int, **fields: Any) -> Issue:  # the fields of an issue
    """An issue called `td-0000000N`."""
    return Issue(**{"id": f"td-{number:08}", "title": f"issue {number}", "created_at": START, **fields})


def finder(tracker: Tracker) -> Find:
    """What finds the numbers of the issues, closed ones too, as the language itself says it."""

    def find(text: str) -> list[str]:
        wanted = IssueFilter(filter=parse(text), with_closed=True, with_deferred=True)
        return sorted(found.lstrip("td-0") for found in listing.find_ids(tracker, wanted, zone=UTC))

    return find


@pytest.fixture
def four(few: Tracker) -> Find:
    """An open bug, an open feature, a closed task and a bug in progress."""
    insert(
        few,
        issue(1, title="Fix auth bug", type=IssueType.BUG, priority=Priority.P1),
        issue(2, type=IssueType.FEATURE),
        issue(3, status=Status.CLOSED, priority=Priority.P3),
        issue(4, status=Status.IN_PROGRESS, type=IssueType.BUG, priority=Priority.P0),
    )
    return finder(few)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "1234"),
        ("status = open", "12"),
        ("type = bug", "14"),
        ("priority = P1", "1"),
        ("status = open AND type = bug", "1"),
        ("status = open OR status = in_progress", "124"),
        ("NOT status = closed", "124"),
        ('title ~ "auth"', "1"),
        ("status IN (open, closed)", "123"),
        ("status = (open, closed)", "123"),
        ("status NOT IN (open, closed)", "4"),
        ("status = OPEN", "12"),
        ("status = in-progress", "4"),
        ("priority = high", "1"),
        ("type = story", "2"),
        ("priority <= P1", "14"),
        ("priority > P1", "23"),
        ("AUTH", "1"),
        ("td-00000003", "3"),
        ("parent = EMPTY points = NULL", "1234"),
        ("points != 3", ""),
        ("implementer != @me", "1234"),
    ],
)
def test_a_filter_finds(four: Find, text: str, found: str) -> None:
    """Among four issues."""
    assert "".join(four(text)) == found


@pytest.mark.parametrize(("operator", "count"), [("<", 8), ("<=", 9), (">", 11), (">=", 12), ("=", 1), ("!=", 19)])
def test_a_date_is_a_whole_day(few: Tracker, operator: str, count: int) -> None:
    """Of twenty issues, one a day at noon."""
    insert(few, *(issue(day, created_at=START + timedelta(days=day - 1)) for day in range(1, 21)))

    find = finder(few)

    assert len(find(f"created {operator} 2026-05-09")) == count
    assert len(find("created >= 2026-05-15 AND created <= 2026-05-17")) == 3


def test_an_issue_is_ready_when_it_waits_for_nothing_open(few: Tracker) -> None:
    """One alone, one that others wait for, and one that waits for a closed one only."""
    insert(few, *(issue(number) for number in range(1, 5)), issue(5, status=Status.CLOSED))
    insert(few, *(depends(few, first, second) for first, second in ((3, 2), (4, 5))))

    find = finder(few)

    assert find("status = open AND is_ready()") == ["1", "2", "4"]
    assert find("has_open_deps()") == ["3"]
    assert find("dep.status = closed") == ["4"]
    assert find("dep = td-00000002") == find("blocked_by(td-00000002)") == ["3"]
    assert find("blocks(td-00000003)") == ["2"]
    assert find("dep = EMPTY") == ["1", "2", "5"]


def depends(tracker: Tracker, first: int, second: int) -> Dependency:
    """That an issue waits for another."""
    ids = f"td-{first:08}", f"td-{second:08}"
    return Dependency(id=dependency_id(*ids), issue_id=ids[0], depends_on_id=ids[1], created_at=tracker.now())


def test_an_epic_holds_what_is_below_it_at_any_depth(few: Tracker) -> None:
    """Itself it is not below, and circles end."""
    insert(
        few,
        issue(1, type=IssueType.EPIC, title="Login"),
        issue(2, type=IssueType.EPIC),
        issue(3, parent_id="td-00000001"),
        issue(4, parent_id="td-00000003"),
        issue(5, parent_id="td-00000002"),
        issue(6),
        issue(7, parent_id="td-00000008"),
        issue(8, parent_id="td-00000007"),
    )

    find = finder(few)

    assert find("NOT (epic = td-00000001 OR epic = td-00000002)") == ["1", "2", "6", "7", "8"]
    assert find("epic.title ~ login") == find("descendant_of(td-00000001)") == ["3", "4"]
    assert find("parent.title = Login") == find("child_of(td-00000001)") == ["3"]
    assert find("epic = td-00000007") == ["7", "8"]


def test_what_is_said_of_an_issue_is_looked_through(few: Tracker) -> None:
    """Logs, comments and the last handoff, with their moments."""
    insert(few, issue(1), issue(2, status=Status.CLOSED), issue(3))
    insert(
        few,
        Log(issue_id="td-00000001", message="good progress", created_at=START),
        Comment(issue_id="td-00000002", text="approved", created_at=START),
        Handoff(issue_id="td-00000003", done=("tests",), created_at=START),
        Handoff(issue_id="td-00000003", done=("docs",), created_at=START + timedelta(hours=1)),
    )

    find = finder(few)

    assert find('(log.message ~ "progress" OR comment.text ~ "approved") AND status = open') == ["1"]
    assert find("handoff.done ~ docs") == ["3"]
    assert find("handoff.done ~ tests") == []
    assert find("log.timestamp < 2026-05-02") == ["1"]
    assert find("comment.created > 2026-05-01") == []
    assert find("handoff.timestamp = 2026-05-01") == ["3"]
    assert find("comment.text !~ approved") == ["1", "3"]


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("created ~ 2026", 1, "~ is not supported for created, a date field"),
        ("created < banana", 11, "created is a date field, and banana is no date"),
        ("created < 2026-13-45", 11, "created is a date field, and 2026-13-45 is no date"),
        ("due IN (today, x)", 16, "due is a date field, and x is no date"),
        ("a AND stauts = open", 7, "there is no field stauts"),
        ("log.mesage ~ x", 1, "there is no field log.mesage"),
        ("log ~ x", 1, "log is no field by itself"),
        ("note.title ~ x", 1, "notes are no part of an issue"),
        ("status = opn", 10, "there is no status opn"),
        ("log.type = progres", 12, "there is no type progres"),
        ("title < x", 1, "< is not supported for title, text"),
        ("epic ~ x", 1, "~ is not supported for epic, an id"),
        ("points = many", 10, "points is a number, and many is none"),
        ("minor = perhaps", 9, "minor is true or false, not perhaps"),
        ("title = @me", 9, "@me is a session, and title is text"),
        ("points < (1, 2)", 14, "< takes one value"),
        ("due < EMPTY", 7, "< cannot compare with EMPTY"),
        ("redy()", 1, "there is no function redy"),
        ("is(opn)", 4, "there is no state opn"),
        ("has(colour)", 5, "there is no field colour"),
        ("is_ready(x)", 1, "is_ready does not take 1 value"),
        ("any(labels)", 1, "any does not take 1 value"),
        ("sort:colour", 6, "there is no order colour"),
        ('parent = ""', 10, "this id is none: it is empty"),
        (f"title ~ {'a' * 1001}", 9, "this text has 1001 characters, 1000 can be looked for"),
    ],
)
def test_what_means_nothing_is_refused_where_it_stands(few: Tracker, text: str, column: int, reason: str) -> None:
    """Before anything is looked for."""
    with pytest.raises(FilterError) as raised:
        listing.check_filter(few, text)

    assert (raised.value.column, raised.value.reason) == (column, reason)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("stauts = open", "stauts⟵here = open; did you mean status? there is id, title,"),
        (
            "status = opn",
            "status = opn⟵here; did you mean open? there is open, in_progress, blocked, in_review, closed",
        ),
        ("redy()", "redy⟵here(); did you mean is_ready? there is has, is, any,"),
        ("log.mesage ~ x", "log.mesage⟵here ~ x; did you mean log.message? there is log.message, log.type,"),
        ("title < x", "title⟵here < x; use one of = != ~ !~"),
    ],
)
def test_the_hint_tells_what_may_have_been_meant(few: Tracker, text: str, hint: str) -> None:
    """And all there is."""
    with pytest.raises(FilterError) as raised:
        listing.check_filter(few, text)

    assert raised.value.hint.startswith(hint)


def test_a_filter_as_deep_and_as_long_as_is_allowed_runs(few: Tracker) -> None:
    """SQLite has limits of its own, which nobody meets."""
    deep = "handoff.done = x"
    for number in range(50):
        deep = f"(handoff.done = x {'AND' if number % 2 else 'OR'} {deep})"
    negated = "NOT (handoff.done != x AND " * 25 + "epic.title = a" + ")" * 25
    long = " OR ".join(["epic.title ~ x"] * 200)
    many = f"id IN ({', '.join(['td-a'] * 1000)}) OR due IN ({', '.join(['today'] * 100)})"

    find = finder(few)

    assert [find(text) for text in (deep, negated, long)] == [[], [], []]
    with pytest.raises(FilterError):
        find(many)


@pytest.mark.parametrize("text", ["zürich", "ZÜRICH", "zÜrich"])
def test_letters_beyond_ascii_are_found_in_either_case(few: Tracker, text: str) -> None:
    """Which SQLite does not do by itself."""
    insert(few, issue(1, title="Zürich 100%"), issue(2, title="Zurich"))

    assert finder(few)(f"title ~ {text}") == ["1"]
    assert finder(few)("title ~ '0%'") == ["1"]
    assert finder(few)("title ~ 'ü*'") == []
