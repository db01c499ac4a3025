"""What a list shows and hides, in which order, and how it tells what it does."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.tracker.clock import Clock
from tracker import FilterError, Issue, IssueFilter, Priority, Status, Tracker, listing


@pytest.fixture
def shown(tracker: Tracker) -> Tracker:
    """An open issue, a closed one, one put off until tomorrow, one put off until today, and a deleted one."""
    now = tracker.now()
    today = now.astimezone().date()
    with tracker.replica.transaction() as tx:
        tx.insert(Issue(title="open", created_at=now))
        tx.insert(Issue(title="closed", created_at=now, status=Status.CLOSED, closed_at=now))
        tx.insert(Issue(title="deferred", created_at=now, defer_until=today + timedelta(days=1)))
        tx.insert(Issue(title="surfaced", created_at=now, defer_until=today))
        tx.insert(Issue(title="deleted", created_at=now, deleted_at=now))
    return tracker


def titles(issues: Sequence[Issue]) -> list[str]:
    """What a list shows, by the alphabet."""
    return sorted(issue.title for issue in issues)


def test_a_list_hides_what_nobody_can_work_on(shown: Tracker) -> None:
    """The closed, the deleted, and what is put off to a later day; each is shown when asked for."""
    plain = ["open", "surfaced"]

    assert titles(shown.find(IssueFilter())) == plain
    assert titles(shown.find(IssueFilter(with_closed=True))) == ["closed", *plain]
    assert titles(shown.find(IssueFilter(with_deferred=True))) == ["deferred", *plain]
    assert titles(shown.find(IssueFilter(with_deleted=True))) == ["deleted", *plain]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("title ~ e", ["open", "surfaced"]),
        ("title ~ e AND status != open", ["closed"]),
        ("NOT status = open", ["closed"]),
        ("status IN (open, closed)", ["closed", "open", "surfaced"]),
        ("is(closed)", ["closed"]),
        ("has(closed)", ["closed"]),
        ("closed >= today", ["closed"]),
        ("sort:-closed", ["closed", "open", "surfaced"]),
        ("defer > today", ["deferred"]),
        ("is(deferred)", ["deferred"]),
        ("has(defer)", ["deferred", "surfaced"]),
        ("deleted <= today", ["deleted"]),
        ("is(deleted)", ["deleted"]),
        ("NOT is_ready()", []),
        ("id ~ td", ["closed", "deferred", "open", "surfaced"]),
        ("parent.status = closed", []),
        ("NOT parent.status = closed", ["open", "surfaced"]),
        ("sort:id", ["open", "surfaced"]),
        ("sort:due", ["open", "surfaced"]),
    ],
)
def test_a_filter_shows_what_it_speaks_of(shown: Tracker, text: str, found: list[str]) -> None:
    """By a field that only the hidden have: of the issue itself, not of one that it is related to."""
    assert titles(shown.find(listing.filtered(text))) == found


@pytest.mark.parametrize(
    ("sort", "numbers"),
    [
        ("points", [1, 2, 3, 0]),
        ("-points", [3, 2, 1, 0]),
        ("title", [2, 0, 1, 3]),
        ("status", [1, 0, 3, 2]),
        ("-status", [2, 3, 0, 1]),
        ("priority", [2, 0, 1, 3]),
        ("-created", [3, 2, 1, 0]),
    ],
)
def test_a_list_is_ordered_by_what_it_is_asked_for(
    tracker: Tracker, clock: Clock, sort: str, numbers: list[int]
) -> None:
    """Without case for a title, by the way of an issue for its status; what has no value comes last."""
    rows = [
        ("b", None, Status.IN_PROGRESS, Priority.P2),
        ("C", 1, Status.OPEN, Priority.P2),
        ("A", 3, Status.CLOSED, Priority.P1),
        ("d", 8, Status.IN_REVIEW, Priority.P2),
    ]
    ids = []
    for title, points, status, priority in rows:
        issue = Issue(title=title, points=points, status=status, priority=priority, created_at=tracker.now())
        with tracker.replica.transaction() as tx:
            ids.append(tx.insert(issue).id)
        clock.pass_seconds(1)

    found = listing.find_ids(tracker, listing.filtered(f"sort:{sort}", with_closed=True))

    assert [ids.index(one) for one in found] == numbers


def test_the_other_way_round_is_the_same_list_backwards(tracker: Tracker) -> None:
    """But what has no value stays last."""
    with tracker.replica.transaction() as tx:
        for number in range(4):
            tx.insert(Issue(title=str(number), points=number or None, created_at=tracker.now()))
    plain = listing.filtered("sort:points")

    found = [issue.title for issue in tracker.find(plain)]
    turned = [issue.title for issue in tracker.find(IssueFilter(filter=plain.filter, is_reversed=True))]

    assert found == ["1", "2", "3", "0"]
    assert turned == ["3", "2", "1", "0"]


def test_what_is_counted_is_what_is_listed(shown: Tracker) -> None:
    """Up to the limit, if there is one."""
    assert listing.count_issues(shown, IssueFilter()) == 2
    assert listing.count_issues(shown, IssueFilter(with_closed=True, limit=2)) == 2
    assert listing.count_issues(shown, listing.filtered("status = closed")) == 1


def test_a_list_is_narrowed_by_another_filter(shown: Tracker) -> None:
    """Both hold, the order of the second counts, and an error points into the first."""
    wanted = listing.narrowed(listing.filtered("title ~ e sort:id"), "title != open sort:title")

    assert titles(shown.find(wanted)) == ["surfaced"]
    assert str(wanted.filter) == "(title ~ e AND title != open) sort:title"
    assert listing.narrowed(IssueFilter(), "x").filter == listing.filtered("x").filter
    with pytest.raises(FilterError) as raised:
        shown.find(listing.narrowed(listing.filtered("status = opn"), "title != open"))
    assert raised.value.column == 10


def test_an_explanation_is_sql_that_finds_the_same(shown: Tracker) -> None:
    """With its parameters, and the way that SQLite goes: by the index that is made for a list."""
    wanted = listing.filtered("title ~ o", limit=10)

    statement, plan = listing.explain(shown, wanted)

    assert [row[0] for row in shown.replica.query(statement.sql, statement.params).rows] == listing.find_ids(
        shown, wanted
    )
    assert "%o%" in statement.params
    assert "%o%" not in statement.sql
    assert plan == ["SCAN issues USING COVERING INDEX issues_unclosed"]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("", "USING COVERING INDEX issues_unclosed"),
        ("status = open AND priority <= P1 sort:-updated", "SEARCH issues USING INDEX issues_unclosed (priority<?)"),
        ("label(x)", "USING COVERING INDEX issues_unclosed"),
        ("is_ready()", "SEARCH edge USING INDEX dependencies_by_issue (issue_id=?)"),
        ("epic = td-x", "SEARCH child USING INDEX issues_by_parent (parent_id>? AND parent_id<?)"),
        ("epic = td-x", "SEARCH child USING INDEX issues_by_parent (parent_id=?)"),
        ("comment.text ~ x", "SCAN made_"),
        ("sort:-updated", "SCAN issues"),
        ("id = td-0a1b2c3d", "SEARCH issues USING INDEX sqlite_autoindex_issues_1 (id=?)"),
    ],
)
def test_a_list_goes_by_an_index_where_there_is_one(tracker: Tracker, text: str, step: str) -> None:
    """Also when nothing is known of the tables yet: no figures of theirs are needed for it."""
    _, plan = listing.explain(tracker, listing.filtered(text))

    assert any(step in line for line in plan), plan


def test_a_filter_is_checked_without_looking_for_anything(tracker: Tracker) -> None:
    """As a board does before it is kept."""
    listing.check_filter(tracker, "status = open sort:-updated")

    with pytest.raises(FilterError):
        listing.check_filter(tracker, "sort:colour")


def test_conflicts_and_what_waits_are_found(tracker: Tracker) -> None:
    """In mode local there is neither."""
    tracker.create("a")

    assert tracker.find(listing.filtered("is(conflicted) OR is(pending)")) == []
