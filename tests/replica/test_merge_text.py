"""Merging texts by line."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replica.merge import ABSENT, Absent, Clash, Merged, Side, merge_field
from replica.mutation import StoredValue
from replica.rules import Rule

lines = st.lists(st.sampled_from(["a", "b", "c", "d\r", ""]), min_size=1, max_size=8)
parts = st.lists(st.sampled_from(["x", "y\r", "z"]), max_size=3)


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """Return a text's lines, and those of two people who changed a line of it here and there."""
    before = draw(lines)
    edit = st.lists(st.sampled_from(["keep", "keep", "keep", "drop", "add"]), min_size=8, max_size=8)
    return before, edited(before, draw(edit), "mine"), edited(before, draw(edit), "theirs")


def edited(before: list[str], edit: list[str], new: str) -> list[str]:
    """Return the lines after an edit of each."""
    kept = {"keep": 1, "drop": 0, "add": 1}
    return [
        text for line, what in zip(before, edit, strict=False) for text in [line] * kept[what] + [new] * (what == "add")
    ]


def merge(before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue) -> Merged | Clash:
    """Merge one field of rule text."""
    at = "2026-11-21T05:07:12.123456Z"
    return merge_field(Rule.TEXT, before, Side(mine, at, "1"), Side(theirs, at, "2"))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("end", [0, 1])
@given(
    before=st.integers(3, 12),
    mine=st.lists(st.just("mine"), max_size=3),
    theirs=st.lists(st.just("theirs"), max_size=3),
)
@example(before=3, mine=[], theirs=[])
def test_changes_to_different_places_are_both_in_the_result(
    before: int, mine: list[str], theirs: list[str], ending: str, end: int
) -> None:
    """The first line is mine to replace or delete, the last one theirs; between them one line stands still.

    Line endings, and a missing newline at the end, come out as they went in.
    """
    base = [f"line {number}" for number in range(before)]
    last = ending * end

    outcome = merge(
        ending.join(base) + last,
        ending.join(mine + base[1:]) + last,
        ending.join(base[:-1] + theirs) + last,
    )

    assert outcome == Merged(ending.join(mine + base[1:-1] + theirs) + last)


@given(edits())
def test_no_line_is_invented_and_none_that_was_added_is_lost(
    edit: tuple[list[str], list[str], list[str]],
) -> None:
    """Every line of the result is a line of one of the two, and every new one is in it."""
    before, mine, theirs = edit

    outcome = merge("\n".join(before), "\n".join(mine), "\n".join(theirs))

    if isinstance(outcome, Merged):
        assert isinstance(outcome.value, str)
        result = outcome.value.split("\n")
        assert set(result) <= {*mine, *theirs, ""}
        assert result.count("mine") == mine.count("mine")
        assert result.count("theirs") == theirs.count("theirs")


@given(before=lines, mine=parts, theirs=parts)
def test_a_line_added_by_anyone_is_not_lost(before: list[str], mine: list[str], theirs: list[str]) -> None:
    """What one side appended and the other prepended is there as often as they wrote it."""
    outcome = merge("\n".join(before), "\n".join(before + mine), "\n".join(theirs + before))

    assert isinstance(outcome, Clash) or outcome == Merged("\n".join(theirs + before + mine))


@pytest.mark.parametrize(
    ("before", "mine", "theirs", "result"),
    [
        ("a", "a\nb", "0\na", "0\na\nb"),
        ("a\nb\nc", "a\nb\nc\n", "A\nb\nc", "A\nb\nc\n"),
        ("a\nb\nc\n", "a\nb\nc", "A\nb\nc\n", "A\nb\nc"),
        ("a\r\nb\nc\r\n", "A\r\nb\nc\r\n", "a\r\nb\nC\r\n", "A\r\nb\nC\r\n"),
        ("a\nb\nc", "x\nb\nc", "x\nb\ny", "x\nb\ny"),
        ("a\u2028b\n\nc\x0cd", "a\u2028B\n\nc\x0cd", "a\u2028b\n\nC\x0cd", "a\u2028B\n\nC\x0cd"),
    ],
)
def test_newlines_and_what_looks_like_them_come_out_to_the_letter(
    before: str, mine: str, theirs: str, result: str
) -> None:
    """Only a newline separates lines; a change both made is made once."""
    assert merge(before, mine, theirs) == Merged(result)


@pytest.mark.parametrize(
    ("before", "mine", "theirs"),
    [
        ("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc"),
        ("a\nb\nc", "a\nmine\nc", "a\nb\ntheirs"),
        ("a\nb\nc", "a\nc", "a\ntheirs\nc"),
        ("a", "a\nmine", "a\ntheirs"),
        ("", "mine", "theirs"),
        (ABSENT, "mine", "theirs"),
        (None, "mine", "theirs"),
        ("a\nb\nc", None, "a\nb\nC"),
        ("a\nb\nc", "a\nb\nC", None),
        ("a\nb\nc", b"A\nb\nc", "a\nb\nC"),
        (1, "a", "b"),
    ],
)
def test_changes_to_one_place_or_to_no_text_clash(
    before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue
) -> None:
    """A line, its neighbour, a deleted line, and null, which is no text rather than an empty one."""
    assert isinstance(merge(before, mine, theirs), Clash)


def test_a_long_text_is_merged_by_line() -> None:
    """Ten thousand lines, many of them alike, take no time that anyone would notice."""
    base = ["" if number % 3 else f"line {number}" for number in range(10_000)]
    mine, theirs = ["mine", *base[1:]], [*base[:-1], "theirs"]

    outcome = merge("\n".join(base), "\n".join(mine), "\n".join(theirs))

    assert outcome == Merged("\n".join(["mine", *base[1:-1], "theirs"]))
