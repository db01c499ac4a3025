"""The ids of rows that had none of ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.transfer import origin
from tracker.transfer.origin import IssueIds, row_id


@given(name=st.text())
def test_an_id_is_made_of_the_name_alone(name: str) -> None:
    """On any machine, in any order; another origin has others."""
    ids = IssueIds("github")
    ids.of("another")

    assert ids.of(name) == IssueIds("github").of(name)
    assert re.fullmatch("td-[0-9a-z]{8}", ids.of(name))
    assert IssueIds("beads").of(name) != ids.of(name)


def test_two_names_that_come_to_one_id_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each keeps its own from then on."""
    monkeypatch.setattr(origin, "_issue_id", lambda *parts: f"td-{parts[-1]}")
    ids = IssueIds("github")

    found = [ids.of(name) for name in ("a", "b", "a", "b")]

    assert found == ["td-0", "td-1", "td-0", "td-1"]


def test_the_parts_of_an_id_are_told_apart() -> None:
    """Wherever one ends and the next begins."""
    assert row_id("cm", "ab", "c") != row_id("cm", "a", "bc")
