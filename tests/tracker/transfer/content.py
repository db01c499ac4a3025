"""What a tracker may hold, drawn at random: rows of every table, with odd text, every name of every enum, and nulls."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from hypothesis import strategies as st

from replica import Record
from tracker import Tracker
from tracker.records import RECORDS, Board, Issue, WorkSession
from tracker.transfer.fields import kind_of
from tracker.values import plain_line, plain_text

_LINES: Final = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12).map(plain_line)
_TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(plain_text)
_SAYINGS: Final = _TEXTS.map(lambda text: text if text.strip() else f"{text}'quoted';\n")
_NAMES: Final = _LINES.map(lambda text: text or "it's")
_LABELS: Final = st.text(
    st.characters(categories=("L", "N", "S", "P"), exclude_characters=",+-"), min_size=1, max_size=8
)
_LONG: Final = frozenset({"description", "acceptance", "content", "summary", "query", "value"})
_KINDS: Final[dict[Any, st.SearchStrategy[Any]]] = {  # an annotation may be any object
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    frozenset: st.frozensets(_LABELS, max_size=3),
    tuple: st.lists(_TEXTS, max_size=3).map(tuple),
}


def _values(record: type[Record], name: str) -> st.SearchStrategy[Any]:  # see above
    kind, is_optional = kind_of(record, name)
    return st.none() | _kind(name, kind) if is_optional else _kind(name, kind)


def _kind(name: str, kind: Any) -> st.SearchStrategy[Any]:  # see above
    if kind in _KINDS:
        return _KINDS[kind]
    if issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    if name in ("text", "message"):
        return _SAYINGS
    if name in ("title", "name"):
        return _NAMES
    return _TEXTS if name in _LONG else _LINES


@st.composite
def contents(draw: Callable[[st.SearchStrategy[Any]], Any]) -> list[Record]:  # what is drawn
    """The rows of a tracker: what names another row names one that is there."""
    counts = {record: draw(st.integers(0, 3)) for record in RECORDS}
    ids = {
        "issue_id": [f"td-{number:08d}" for number in range(counts[Issue])],
        "board_id": [f"bd-{number}" for number in range(counts[Board])],
        "work_session_id": [f"ws-{number}" for number in range(counts[WorkSession])],
    }
    ids |= {"parent_id": ids["issue_id"], "depends_on_id": ids["issue_id"]}
    own = {Issue: ids["issue_id"], Board: ids["board_id"], WorkSession: ids["work_session_id"]}
    rows: list[Record] = []
    for record, count in counts.items():
        for number in range(count):
            values = {"id": own[record][number] if record in own else f"{record.replica_table}-{number}"}
            for column in record.replica_columns:
                if column.name in ids:
                    _, is_optional = kind_of(record, column.name)
                    values[column.name] = draw(
                        st.sampled_from([*ids[column.name], *([None] if is_optional else [])] or [""])
                    )
                else:
                    values[column.name] = draw(_values(record, column.name))
            if "" not in (values.get("issue_id"), values.get("board_id"), values.get("work_session_id")) and not (
                record.replica_table == "logs" and values["issue_id"] is values["work_session_id"] is None
            ):
                rows.append(record.model_validate(values))
    return rows


def fill(tracker: Tracker, rows: list[Record]) -> None:
    """Write rows into a tracker."""
    with tracker.replica.transaction() as tx:
        for row in rows:
            tx.insert(row)


def empty(tracker: Tracker) -> Tracker:
    """Take every row out of a tracker: quicker than to make a new one for each example."""
    with tracker.replica.transaction() as tx:
        for record in RECORDS:
            for row in tracker.replica.select(record):
                tx.delete(row)
    return tracker


def rows_of(tracker: Tracker) -> list[Record]:
    """Every row of a tracker, without its stamp."""
    return [
        row.model_copy(update={"updated_at": ""})
        for record in RECORDS
        for row in tracker.replica.select(record, "ORDER BY id")
    ]
