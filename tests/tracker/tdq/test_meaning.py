"""The SQL of a filter finds the issues that the filter means."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sqld import Server
from tests.tracker.clock import Clock
from tests.tracker.tdq.meaning import World
from tests.tracker.tdq.trees import CONDITIONS, FILTERS, WHOLE_IDS
from tests.tracker.tdq.worlds import rows, world_of, write
from tracker import FilterError, Issue, IssueFilter, Tracker, listing, open_tracker
from tracker.tdq import Condition, Filter, parse

NEW_YORK = ZoneInfo("America/New_York")
EVERYTHING = IssueFilter(with_closed=True, with_deleted=True, with_deferred=True)


class Asked:
    """Trackers, each with its world; not as a list, of which a failing test would print all the rows."""

    def __init__(self, pairs: Sequence[tuple[Tracker, World]]) -> None:
        self.pairs = pairs


def opened(directory: Path, mode: str = "local", url: str | None = None) -> Tracker:
    """A tracker at five in the morning in UTC, which is midnight in New York."""
    return open_tracker(directory, mode=mode, url=url, session="ses_laptop_000001", machine="laptop", clock=Clock())


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, sqld_binary: Path) -> Iterator[Asked]:
    """Two worlds in mode local, one that is on a primary in part and in part waits to go there, and that primary."""
    directory = tmp_path_factory.mktemp("worlds")
    with Server(sqld_binary) as server:
        trackers = [opened(directory / "a"), opened(directory / "b"), opened(directory / "c", "libsql", server.url)]
        for seed, tracker in enumerate(trackers):
            issues, around = rows(seed, tracker.now())
            write(tracker, [*issues[::2], *around[::2]])
            assert tracker.replica.sync().error is None
            write(tracker, [*issues[1::2], *around[1::2]])
            with tracker.replica.transaction() as tx:
                tx.update(tx.get(Issue, WHOLE_IDS[0]), title="pending auth", parent_id=WHOLE_IDS[1])
        trackers.append(opened(directory / "d", "remote", server.url))
        yield Asked([(tracker, world_of(tracker, NEW_YORK)) for tracker in trackers])
        for tracker in trackers:
            tracker.replica.close()


@settings(max_examples=100)
@given(condition=CONDITIONS)
@example(condition=parse("epic.title ~ x AND NOT epic = EMPTY").condition)
@example(condition=parse('labels = "q\\"end" OR NOT labels ~ back').condition)
def test_a_condition_finds_the_issues_that_it_means(asked: Asked, condition: Condition) -> None:
    """In mode local, over a base with pending changes, and on a primary: all that fit, and no others."""
    for tracker, world in asked.pairs:
        wanted = IssueFilter(filter=Filter(condition), with_closed=True, with_deleted=True, with_deferred=True)

        found = listing.find_ids(tracker, wanted, zone=NEW_YORK)

        assert sorted(found) == sorted(issue.id for issue in world.issues if world.fits(issue, condition)), condition
        assert listing.count_issues(tracker, wanted, zone=NEW_YORK) == len(found)


@settings(max_examples=100)
@given(wanted=FILTERS)
def test_an_order_changes_nothing_but_the_order(asked: Asked, wanted: Filter) -> None:
    """And a page is the beginning of the whole list, in either direction."""
    tracker, _ = asked.pairs[-2]
    whole = IssueFilter(filter=wanted, with_closed=True, with_deleted=True)
    unsorted = IssueFilter(filter=Filter(wanted.condition), with_closed=True, with_deleted=True)

    found = [issue.id for issue in listing.find_issues(tracker, whole, zone=NEW_YORK)]

    page = IssueFilter(filter=wanted, with_closed=True, with_deleted=True, limit=3)
    assert listing.find_ids(tracker, page, zone=NEW_YORK) == found[:3]
    if not {"deleted", "defer", "closed"} & {None if wanted.sort is None else wanted.sort.name}:
        assert sorted(listing.find_ids(tracker, unsorted, zone=NEW_YORK)) == sorted(found)


def refused(tracker: Tracker, text: str) -> FilterError | None:
    """What is wrong with a filter, if anything is."""
    try:
        listing.find_issues(tracker, listing.filtered(text))
    except FilterError as error:
        return error
    return None


_PIECES = st.sampled_from(
    [
        *(
            "status",
            "title",
            "epic",
            "dep.status",
            "comment.text",
            "is",
            "label",
            "sort",
            "AND",
            "OR",
            "NOT",
            "IN",
            "in",
        ),
        *("=", "!=", "~", "!~", "<", ">", "<=", ">=", "(", ")", ",", ":", "-", "!", "&&", "||", "\\", '"', "'", "\\!"),
        *(
            "open",
            "closed",
            "td-aaaaaa01",
            "P1",
            "@me",
            "EMPTY",
            "today",
            "-7d",
            "2026-05-01",
            "9999-12-31",
            "0001-01-01",
        ),
        *(
            "+999999m",
            "-999999w",
            "-999999h",
            "2026-05-01T12:00:00Z",
            "\0",
            "\ud800",
            "☕",
            "*[",
            "%_",
            "'; DROP TABLE",
        ),
    ]
)


@settings(max_examples=250)
@given(
    text=st.text() | st.lists(_PIECES | st.text(max_size=3), max_size=12).map(" ".join) | st.lists(_PIECES).map("".join)
)
def test_no_text_ends_in_any_other_error_than_that_of_a_filter(asked: Asked, text: str) -> None:
    """Which tells where, within the text, and prints in one line."""
    tracker, _ = asked.pairs[0]
    error = refused(tracker, text)

    assert error is None or 0 <= error.position <= len(text)
    assert f"{error}{error and error.hint}".isprintable()


@pytest.mark.parametrize(
    "text",
    [
        'title = "\'; DROP TABLE issues; --"',
        'title ~ "%\' OR 1=1 --"',
        'labels = "x\') OR 1=1 --"',
        'implementer = "\' UNION SELECT id FROM issues --"',
        "comment.text ~ \"x' OR '1'='1\"",
        'id = "td-\' OR 1=1"',
        'linked_to("\' OR 1=1 --")',
        '"\') OR 1=1 --"',
    ],
)
def test_what_is_typed_is_never_sql(asked: Asked, text: str) -> None:
    """It finds what holds this very text, which is nothing here, and breaks nothing."""
    tracker, world = asked.pairs[0]

    found = listing.find_ids(tracker, listing.filtered(text))

    assert found == []
    assert len(listing.find_ids(tracker, EVERYTHING)) == len(world.issues)
