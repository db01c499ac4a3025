"""What may come next in SQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.sql_completion import completions

TABLES = {"issues": ("id", "title", "status"), "comments": ("id", "issue_id", "text")}


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("SEL", ["SELECT"]),
        ("sel", ["SELECT"]),
        ("SELECT * FROM ", ["comments", "issues"]),
        ("SELECT * FROM is", ["issues"]),
        ("SELECT * FROM issues JOIN ", ["comments", "issues"]),
        ("SELECT * FROM issues, ", ["comments", "issues"]),
        ("UPDATE ", ["comments", "issues"]),
        ("insert into com", ["comments"]),
        ("SELECT i.", []),
        ("SELECT * FROM issues i WHERE i.", ["id", "title", "status"]),
        ("SELECT * FROM issues AS i WHERE i.st", ["status"]),
        ("SELECT comments.te", ["text"]),
        ("SELECT * FROM issues WHERE ti", ["title"]),
        ("SELECT * FROM issues WHERE te", []),
        ("SELECT te", ["text"]),
        ("SELECT * FROM issues WHERE title = 'ti", []),
        ("SELECT 'it''s' AS x FROM iss", ["issues"]),
        ("", []),
    ],
)
def test_what_may_come_next(before: str, found: list[str]) -> None:
    """Tables where one belongs, columns of the tables that are named, keywords; nothing within a text."""
    assert completions(before, TABLES) == found


@given(st.text(st.sampled_from("SELECT from issues i.'(),;\n$"), max_size=30))
def test_a_completion_begins_as_what_was_typed(before: str) -> None:
    """In any case, whatever was typed."""
    word = before.split()[-1:] if before and not before[-1].isspace() else []

    for completion in completions(before, TABLES):
        assert not word or any(completion.lower().startswith(word[0].lower()[at:]) for at in range(len(word[0]) + 1))
