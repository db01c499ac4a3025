"""A snippet is one line that is not too long, and knows where the match is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.search.query import MARK_END, MARK_START, cleaned
from tracker.search.snippets import read_snippet

pieces = st.lists(st.tuples(st.booleans(), st.text(max_size=90).map(cleaned)), max_size=6)


@settings(max_examples=50)
@given(pieces)
def test_marks_lie_within_the_text_in_order(parts: list[tuple[bool, str]]) -> None:
    """Whatever the text is."""
    text = "".join(f"{MARK_START}{part}{MARK_END}" if is_match else part for is_match, part in parts)

    snippet = read_snippet(text)

    edges = [edge for mark in snippet.marks for edge in mark]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(snippet.text) for edge in edges)
    assert len(snippet.text) <= 162
    assert not {MARK_START, MARK_END, "\n"} & set(snippet.text)


def test_a_long_text_is_cut_around_the_match() -> None:
    """With a few words before it."""
    snippet = read_snippet(f"{'a ' * 200}{MARK_START}plum{MARK_END}{' b' * 200}")

    (start, end) = snippet.marks[0]
    assert snippet.text[start:end] == "plum"
    assert snippet.text.startswith("…a")
    assert snippet.text.endswith("…")
