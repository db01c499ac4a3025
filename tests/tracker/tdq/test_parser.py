"""What a filter says is read as it is meant, and what says nothing is refused where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracker.tdq.trees import FILTERS
from tracker import FilterError
from tracker.tdq import Filter, Sort, parse, parse_comparison


@given(wanted=FILTERS)
def test_a_tree_is_read_from_its_own_text(wanted: Filter) -> None:
    """So a filter can be kept as text, as a board keeps it."""
    assert parse(str(wanted)) == wanted


@given(text=st.text(max_size=60))
def test_any_text_is_text_in_quotes(text: str) -> None:
    """Whatever is in it, if it can be stored."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        return

    assert str(parse(f'"{escaped}"')) == str(parse(str(parse(f'"{escaped}"'))))
    assert parse(f'title = "{escaped}"').condition == parse(str(parse(f'title = "{escaped}"'))).condition


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a OR b AND c", '("a" OR ("b" AND "c"))'),
        ("NOT a AND b", '((NOT "a") AND "b")'),
        ("a b", '("a" AND "b")'),
        ("a && b || !c", '(("a" AND "b") OR (NOT "c"))'),
        ("a and -b", '("a" AND (NOT "b"))'),
        ("-label(x)", "(NOT label(x))"),
        ("(a OR b) c", '(("a" OR "b") AND "c")'),
        ("((a))", '"a"'),
        ("status:open", "status = open"),
        ("STATUS = open", "status = open"),
        ("status IN (open, blocked)", "status IN (open, blocked)"),
        ("status = (open, blocked)", "status IN (open, blocked)"),
        ("status NOT IN (open, blocked)", "status NOT IN (open, blocked)"),
        ("status != (open,blocked)", "status NOT IN (open, blocked)"),
        ("title ~ (a, b)", "title ~ (a, b)"),
        ("bug in parser", '("bug" AND "in" AND "parser")'),
        (r"status \!= open \(a\)", '(status != open AND "a")'),
        (r"priority \<= P1", "priority <= P1"),
        (r"title = 'it\'s \"so\"\n'", 'title = "it\'s \\"so\\"\\n"'),
        (r"path\to", '"path\\\\to"'),
        ("created >= -7d", "created >= -7d"),
        ("created > 2026-05-01T12:00:00Z", "created > 2026-05-01T12:00:00Z"),
        ("log.message ~ x", "log.message ~ x"),
        ("any(labels, a, 'b c')", 'any(labels, a, "b c")'),
        ("is_ready()", "is_ready()"),
        ("a sort:-updated b", '("a" AND "b") sort:-updated'),
        ("sort:title", "sort:title"),
        ("sort", '"sort"'),
        ("id:td-ab12cd34", "id = td-ab12cd34"),
        ("a & b | c", '("a" AND "&" AND "b" AND "|" AND "c")'),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_filter_is_read_as(text: str, read: str) -> None:
    """NOT before AND before OR, and beside each other is AND."""
    assert str(parse(text)) == read


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("status = ", 10, "a value must follow =, not the end"),
        ("status =", 9, "a value must follow =, not the end"),
        ("status = AND x", 10, "a value must follow =, not AND"),
        ("status = - 7d", 10, "a value must follow =, not -"),
        ("= open", 1, "= cannot stand here"),
        ("a OR", 5, "a condition is missing at the end"),
        ("a AND OR b", 7, "OR cannot stand here"),
        ("(a", 1, "this parenthesis is never closed"),
        ("a)", 2, ") cannot stand here"),
        ("()", 2, ") cannot stand here"),
        ("status IN ()", 12, "a value must follow (, not )"),
        ("status IN (open closed)", 17, "closed cannot stand here"),
        ("label(x", 6, "this parenthesis is never closed"),
        ('title = "x', 9, "this quote is never closed"),
        ("a, b", 2, ", cannot stand here"),
        ("sort:title sort:id", 12, "the order is given twice"),
        ("sort:", 6, "sort: needs a field after it"),
        ("a\0b", 2, "this is not valid text"),
        ("a \ud800", 3, "this is not valid text"),
        ("(" * 51 + "a" + ")" * 51, 51, "this is nested more than 50 deep"),
        ("NOT " * 51 + "a", 201, "this is nested more than 50 deep"),
        ("a " * 201, 401, "there are more than 200 conditions"),
        (f"id IN ({', '.join('a' * 1001)})", 3008, "there are more than 1000 values"),
        ("a" * 20_001, 20_001, "the filter has 20001 characters, 20000 are allowed"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(text: str, column: int, reason: str) -> None:
    """With the column, counted from 1."""
    with pytest.raises(FilterError) as raised:
        parse(text)

    assert (raised.value.column, raised.value.reason) == (column, reason)
    assert str(raised.value) == f"at column {column}: {reason}"


def test_the_hint_shows_the_place_in_the_filter() -> None:
    """Behind the word that is meant, in one line, however long the filter is."""
    with pytest.raises(FilterError) as short:
        parse("status = ")
    with pytest.raises(FilterError) as long:
        parse(f"{'word ' * 30}= = {'word ' * 30}\n")

    assert short.value.hint.startswith("status = ⟵here;")
    assert long.value.hint.startswith("…d word word word word word word word = =⟵here word word word word…;")


def test_a_value_alone_is_compared_by_equality() -> None:
    """As an option of a list takes it; with an operator in front, by that."""
    assert str(parse_comparison("priority", "P0, P1")) == "priority IN (P0, P1)"
    assert str(parse_comparison("priority", "<=P1")) == "priority <= P1"


@pytest.mark.parametrize("typed", ["", "P1 OR status = closed", "P1) OR (a", ">= P1 a", "P1 sort:id"])
def test_what_is_more_than_a_value_is_refused(typed: str) -> None:
    """An option says one thing."""
    with pytest.raises(FilterError):
        parse_comparison("priority", typed)


def test_an_order_is_part_of_the_tree() -> None:
    """Wherever it stands."""
    assert parse("sort:-due x").sort == Sort("due", is_reversed=True)
