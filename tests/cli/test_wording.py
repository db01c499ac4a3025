"""What td says of errors and checks of the packages below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.exits import error_document
from cli.wording import in_words_of_td
from tracker import NotAllowedError

REPLICA = Path(__file__).parents[2] / "replica"
# About what td never does: a write that is `online`, and a table made without an id.
NOT_FOR_PEOPLE = ("`online`", "`id TEXT PRIMARY KEY`")


def told_texts() -> Iterator[str]:
    """Every text of the toolkit that quotes something in backticks and is not documentation."""
    for path in sorted(REPLICA.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for child in [] if isinstance(node, ast.Expr) else ast.iter_child_nodes(node):
                text = child.value if isinstance(child, ast.Constant) else None
                if isinstance(text, str) and "`" in text and not is_for_programs(text):
                    yield text


def is_for_programs(text: str) -> bool:
    """Whether no person at td gets to see it."""
    return any(each in text for each in NOT_FOR_PEOPLE)


def test_no_text_of_the_toolkit_reaches_a_person_with_a_call_in_it() -> None:
    """`sync` is a call of a program; people type td sync."""
    told = [in_words_of_td(text) for text in told_texts()]

    assert len(told) > 3
    assert [text for text in told if "`" in text or "adopt_primary" in text] == []
    assert in_words_of_td("`sync` sets it aside; run `sync`") == "td sync sets it aside; run td sync"


def test_a_refused_token_says_how_to_give_another() -> None:
    """The toolkit does not know where td takes it from."""
    hint = error_document(NotAllowedError("the primary refuses the token"))["hint"]

    assert "TD_DATABASE_TOKEN" in hint
    assert "td login keeps one" in hint
    assert hint.endswith("td sync")


@pytest.mark.parametrize("text", ["one\ntwo", "one\r\ntwo"])
def test_an_error_of_several_lines_is_told_in_one_without_escapes(text: str) -> None:
    """As the end of a log is."""
    assert in_words_of_td(text) == "one two"
