"""Merging texts by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replica.merge import ABSENT, Absent, Clash, Merged, Side, merge_field
from replica.mutation import StoredValue
from replica.rules import Rule

lines = st.lists(st.sampled_from(["a", "b", "c", "d\r", ""]), min_size=1, max_size=8)
parts = st.lists(st.sampled_from(["x", "y\r", "z"]), max_size=3)
endings = st.sampled_from(["\n", "\r\n"])


def merge(before: StoredValue | Absent, mine: StoredValue, theirs: StoredValue) -> Merged | Clash:
    """Merge one field of rule text."""
    at = "2026-11-21T05:07:12.123456Z"
    return merge_field(Rule.TEXT, before, Side(mine, at, "1"), Side(theirs, at, "2"))


@given(
    before=st.integers(3, 12),
    mine=st.lists(st.just("mine"), max_size=3),
    theirs=st.lists(st.just("theirs"), max_size=3),
    ending=endings,
    newline_at_the_end=st.sampled_from([0, 1]),
)
def test_changes_to_different_places_are_both_in_the_result(
    before: int, mine: list[str], theirs: list[str], ending: str, newline_at_the_end: int
) -> None:
    """The first line is mine to replace or delete and the last one theirs; between them one line stands still.

    Line endings, and a missing newline at the end, come out as they went in.
    """
    base = [f"line {number}" for number in range(before)]
    end = ending * newline_at_the_end

    outcome = merge(
        ending.join(base) + end,
        ending.join(mine + base[1:]) + end,
        ending.join(base[:-1] + theirs) + end,
    )

    assert outcome == Merged(ending.join(mine + base[1:-1] + theirs) + end)


@given(before=lines, mine=lines, theirs=lines)
def test_no_line_is_invented(before: list[str], mine: list[str], theirs: list[str]) -> None:
    """Every line of the result is a line of one of the two."""
    outcome = merge("\n".join(before), "\n".join(mine), "\n".join(theirs))

    if isinstance(outcome, Merged):
        assert isinstance(outcome.value, str)
        assert set(outcome.value.split("\n")) <= set(mine) | set(theirs)


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
