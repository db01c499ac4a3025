"""How rows are put into parts, each for one mutation."""

from itertools import chain, groupby

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracker import Comment
from tracker.transfer import intake
from tracker.transfer.intake import batches
from tracker.transfer.staging import Staged

_ROWS_MAX = 4
_BYTES_MAX = 100


def row(owner: str, size: int) -> Staged:
    """A row that waits."""
    return Staged(Comment, "", owner, {}, size, frozenset(), "")


GROUPS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", ""]), st.lists(st.integers(1, 150), max_size=10)), max_size=8
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=GROUPS)
def test_parts_hold_all_rows_in_order_and_no_more_than_they_may(
    groups: list[tuple[str, list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What belongs to one issue is in one part, if one can hold it; what belongs to none is never with it."""
    monkeypatch.setattr(intake, "ROWS_MAX", _ROWS_MAX)
    monkeypatch.setattr(intake, "BYTES_MAX", _BYTES_MAX)
    rows = [
        row(f"{owner}{number}" if owner else "", size) for number, (owner, sizes) in enumerate(groups) for size in sizes
    ]

    parts = list(batches(rows))

    assert list(chain(*parts)) == rows
    for part in parts:
        assert 0 < len(part) <= _ROWS_MAX
        assert len(part) == 1 or sum(one.size for one in part) <= _BYTES_MAX
        assert len({bool(one.owner) for one in part}) == 1
    for owner, group in groupby(rows, key=lambda one: one.owner):
        together = list(group)
        if owner and len(together) <= _ROWS_MAX and sum(one.size for one in together) <= _BYTES_MAX:
            assert any(all(one in part for one in together) for part in parts)
