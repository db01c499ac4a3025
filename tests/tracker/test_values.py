"""What the fields of an issue may hold."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica import Record, Rule
from tracker import (
    InvalidFieldError,
    IssueType,
    Priority,
    Status,
    check_label,
    parse_field,
    parse_label_changes,
    parse_labels,
    parse_moment,
    parse_priority,
    parse_status,
    parse_type,
)
from tracker.fields import _PARSERS
from tracker.ids import full_prefix
from tracker.records import RECORDS
from tracker.values import check_comment, check_text, check_title, moment_text


@pytest.mark.parametrize("typed", ["x", "x" * 200, "  Oat milk  ", "Hafermilch käufen ☕", "日本語"])
def test_a_title_is_one_line_of_up_to_200_characters(typed: str) -> None:
    """The space around it is not part of it."""
    assert check_title(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed", ["", "   ", "x" * 201, "two\nlines", "bell\a", "\x1b[31mred", "half \ud800 pair", "a\u2028b"]
)
def test_what_is_no_title_is_refused(typed: str) -> None:
    """The error names the field and says what to do."""
    with pytest.raises(InvalidFieldError, match="title: ") as raised:
        check_title(typed)

    assert raised.value.hint


def test_a_text_has_line_feeds_only() -> None:
    """So that line-wise merging sees the same lines, wherever they were typed."""
    assert check_text("description", "a\r\nb\rc\n\td") == "a\nb\nc\n\td"


@pytest.mark.parametrize("typed", ["\0", "\x1b[2J", "x" * 100_001, "\udcff"])
def test_a_text_without_meaning_for_a_terminal_is_refused(typed: str) -> None:
    """Escapes would run on everybody's terminal."""
    with pytest.raises(InvalidFieldError, match="description: "):
        check_text("description", typed)


def test_a_comment_says_something() -> None:
    """Space alone is nothing."""
    with pytest.raises(InvalidFieldError, match="text: it is empty"):
        check_comment(" \n ")


def test_labels_may_be_given_with_commas() -> None:
    """As they are in other trackers."""
    assert parse_labels(["backend,urgent", " ui "]) == {"backend", "urgent", "ui"}


@pytest.mark.parametrize("typed", ["", "two words", "a,b", "+x", "-x", "x" * 51, "a\tb", "\x1b"])
def test_what_is_no_label_is_refused(typed: str) -> None:
    """A label must be easy to type, and never look like an option."""
    with pytest.raises(InvalidFieldError, match="label: "):
        check_label(typed)


def test_labels_are_added_and_removed() -> None:
    """A bare name adds."""
    assert parse_label_changes(["+a", "b,-c"]) == (frozenset({"a", "b"}), frozenset({"c"}))


def test_a_label_is_not_added_and_removed_at_once() -> None:
    """Nobody could say which was meant."""
    with pytest.raises(InvalidFieldError, match="both added and removed"):
        parse_label_changes(["+a", "-a"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("P0", Priority.P0), ("p3", Priority.P3), ("1", Priority.P1), ("High", Priority.P1), ("lowest", Priority.P4)],
)
def test_priorities_have_many_names(typed: str, meant: Priority) -> None:
    """One of them is stored."""
    assert parse_priority(typed) is meant


@pytest.mark.parametrize(("typed", "meant"), [("BUG", IssueType.BUG), ("story", IssueType.FEATURE)])
def test_types_have_many_names(typed: str, meant: IssueType) -> None:
    """A story is a feature."""
    assert parse_type(typed) is meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("in-progress", Status.IN_PROGRESS),
        ("In Progress", Status.IN_PROGRESS),
        ("review", Status.IN_REVIEW),
        ("open", Status.OPEN),
    ],
)
def test_statuses_have_many_names(typed: str, meant: Status) -> None:
    """However they are written."""
    assert parse_status(typed) is meant


def test_an_unknown_name_lists_the_known_ones() -> None:
    """The person needs no manual."""
    with pytest.raises(InvalidFieldError, match="there is no status 'wip'") as raised:
        parse_status("wip")

    assert raised.value.hint == "use one of open, in_progress, blocked, in_review, closed"


@given(st.text())
def test_an_error_is_one_printable_line_whatever_was_typed(typed: str) -> None:
    """It goes to a terminal."""
    for parse in (parse_status, parse_type, parse_priority, check_label, full_prefix):
        assert refusal(parse, typed).isprintable()


def refusal(parse: Callable[[str], object], typed: str) -> str:
    """What is wrong with `typed`; nothing, if it is understood."""
    try:
        parse(typed)
    except InvalidFieldError as error:
        return str(error)
    return ""


def test_a_moment_is_read_as_it_is_printed() -> None:
    """To the microsecond."""
    assert moment_text(parse_moment("closed_at", "2026-11-21T05:07:12.123456Z")) == "2026-11-21T05:07:12.123456Z"


@pytest.mark.parametrize("typed", ["", "yesterday", "2026-11-21T05:07:12", "2026-13-01T00:00:00Z"])
def test_a_moment_needs_its_time_zone(typed: str) -> None:
    """A local time means something else on every machine."""
    with pytest.raises(InvalidFieldError, match="closed_at: "):
        parse_moment("closed_at", typed)


@pytest.mark.parametrize(
    ("table", "name", "typed", "value"),
    [
        ("issues", "title", " T ", "T"),
        ("issues", "labels", "b,a", frozenset({"a", "b"})),
        ("issues", "labels", "", frozenset()),
        ("issues", "status", "review", Status.IN_REVIEW),
        ("issues", "closed_at", "", None),
        ("comments", "issues/td-7x2k9m1p.title", " T ", "T"),
        ("issues", "comments/01a1.text", "hello", "hello"),
    ],
)
def test_a_field_is_set_by_the_rules_it_was_written_by(table: str, name: str, typed: str, value: object) -> None:
    """A resolution is a write like any other, also of another row than the one in conflict."""
    assert parse_field(table, name, typed) == value


@pytest.mark.parametrize(("table", "known"), [("issues", "title"), ("comments", "text")])
def test_a_field_that_does_not_exist_is_refused(table: str, known: str) -> None:
    """With the names of those that do, and not those of another table."""
    with pytest.raises(InvalidFieldError, match="there is no field 'tilte'") as raised:
        parse_field(table, "tilte", "x")

    names = raised.value.hint.removeprefix("use one of ").split(", ")
    assert known in names
    assert {"title", "text"} - set(names) == {"title", "text"} - {known}


@pytest.mark.parametrize("typed", ["td-ab12", "TD-AB12", " ab12 "])
def test_an_id_may_be_typed_without_its_prefix(typed: str) -> None:
    """And in any case."""
    assert full_prefix(typed) == "td-ab12"


@pytest.mark.parametrize("typed", ["", " ", "td-"])
def test_nothing_typed_is_no_id(typed: str) -> None:
    """Else `td delete td-` would delete the only issue there is."""
    with pytest.raises(InvalidFieldError, match="id: it is empty"):
        full_prefix(typed)


# They are written once, so nobody ever changes them to two values.
WRITTEN_ONCE = {
    "issues": {"created_at", "creator_session", "created_branch"},
    "boards": {"session", "created_at"},
    "notes": {"session", "created_at"},
    "board_positions": {"board_id", "issue_id"},
    "dependencies": {"issue_id", "depends_on_id"},
    "files": {"issue_id", "path"},
    "work_session_issues": {"work_session_id", "issue_id"},
    "work_sessions": {"name", "session", "branch", "start_sha", "started_at"},
    "involvements": {"issue_id", "session", "action"},
    "sessions": {"machine", "branch", "agent", "previous_session"},
    "reviews": {
        *("issue_id", "reviewer_session", "decision", "summary", "requested_by", "self_review", "reviewed_by"),
        *("created_at", "digest"),
    },
    "comments": {"issue_id", "session", "created_at"},
    "logs": {"issue_id", "work_session_id", "type", "message"},
    "handoffs": {"issue_id", "session", "done", "remaining", "decisions", "uncertain", "created_at"},
    "snapshots": {"issue_id", "session", "event", "commit_sha", "branch", "dirty_files", "created_at"},
}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.replica_table)
def test_every_field_that_two_may_disagree_about_can_be_set(record: type[Record]) -> None:
    """Else a conflict about it could only be taken whole."""
    decided = {Rule.KEEP, Rule.TEXT, Rule.DELETED}
    asked = {column.name for column in record.replica_columns if column.rule in decided}

    table = record.replica_table

    assert asked - WRITTEN_ONCE.get(table, set()) <= set(_PARSERS.get(table, {}))


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("points", "8", 8),
        ("points", "", None),
        ("minor", "yes", True),
        ("parent_id", "AB12", "td-ab12"),
        ("due_date", "2026-12-24", date(2026, 12, 24)),
        ("defer_until", "", None),
        ("implementer_session", "", None),
    ],
)
def test_a_field_of_an_issue_is_set_as_it_is_typed(name: str, typed: str, value: object) -> None:
    """By the same rules as when it was first written."""
    assert parse_field("issues", name, typed) == value


@pytest.mark.parametrize(
    ("name", "typed"), [("points", "4"), ("points", "x"), ("minor", "maybe"), ("due_date", "soon")]
)
def test_what_a_field_cannot_hold_is_refused(name: str, typed: str) -> None:
    """Also when a conflict is settled."""
    with pytest.raises(InvalidFieldError):
        parse_field("issues", name, typed)
