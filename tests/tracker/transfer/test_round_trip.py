"""What is exported and taken in by an empty tracker is what was there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replica import Record
from tests.tracker.transfer.content import contents, empty, fill, rows_of
from tracker import Tracker, open_tracker
from tracker.transfer import Dump, Outcome, import_file, write_json, write_sql

WRITERS = (write_json, write_sql)
PATIENT = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@pytest.fixture
def old(tracker: Tracker) -> Tracker:
    """The tracker that is exported."""
    return tracker


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Tracker]:
    """The tracker that takes in the file."""
    with open_tracker(tmp_path / "new", session="ses_new", machine="new") as opened:
        yield opened


def written(path: Path, pieces: Iterator[str]) -> Path:
    """A file of these pieces."""
    path.write_text("".join(pieces), encoding="utf-8", newline="")
    return path


@settings(max_examples=15, suppress_health_check=PATIENT)
@given(rows=contents())
def test_all_that_is_exported_comes_back(rows: list[Record], old: Tracker, new: Tracker, tmp_path: Path) -> None:
    """Every table, odd text, all enums, nulls; the other form holds the same, and nothing is remarked."""
    fill(empty(old), rows)
    in_json, in_sql = (written(tmp_path / write.__name__, write(Dump(old, with_deleted=True))) for write in WRITERS)

    first, second = import_file(empty(new), in_json), import_file(new, in_sql)
    found = rows_of(new)
    third = import_file(empty(new), in_sql)

    assert found == rows_of(new) == rows_of(old)
    assert (first.skipped, first.repaired, first.homeless) == (third.skipped, third.repaired, third.homeless)
    assert (first.total(Outcome.NEW), first.skipped, first.repaired, first.homeless) == (len(rows), (), (), ())
    assert (second.mutations, second.total(Outcome.UNCHANGED)) == (0, len(rows))


@settings(max_examples=8, suppress_health_check=PATIENT)
@given(rows=contents(), write=st.sampled_from(WRITERS))
def test_what_is_deleted_stays_out(
    write: Callable[[Dump], Iterator[str]], rows: list[Record], old: Tracker, new: Tracker, tmp_path: Path
) -> None:
    """With all that belongs to it; what is not deleted comes back, but for a parent that stayed out."""
    deleted = {row.id for row in rows if getattr(row, "deleted_at", None) is not None}
    names = ("id", "issue_id", "depends_on_id", "board_id")
    kept = [row for row in rows if not deleted & {getattr(row, name, None) for name in names}]
    orphaned = [row.id for row in kept if getattr(row, "parent_id", None) in deleted]
    fill(empty(old), rows)
    file = written(tmp_path / "export", write(Dump(old, with_deleted=False)))

    summary = import_file(empty(new), file)

    assert summary.skipped == ()
    assert sum(remark.count for remark in summary.repaired) == len(orphaned)
    assert {(type(row), row.id): row for row in rows_of(new)} == {
        (type(row), row.id): row.model_copy(update={"parent_id": None} if row.id in orphaned else {}) for row in kept
    }


@pytest.mark.parametrize("write", WRITERS)
def test_two_exports_of_the_same_rows_are_the_same_text(
    write: Callable[[Dump], Iterator[str]], tracker: Tracker
) -> None:
    """So that they can be compared, and kept in git."""
    for title in ("Oat milk", "Bread", "Jam"):
        tracker.create(title)

    texts = ["".join(write(Dump(tracker, with_deleted=True))) for _ in range(2)]

    assert texts[0] == texts[1]


@pytest.mark.parametrize("write", WRITERS)
def test_what_is_deleted_meanwhile_leaves_nothing_without_its_issue(
    write: Callable[[Dump], Iterator[str]], tracker: Tracker, new: Tracker, tmp_path: Path
) -> None:
    """What counts is how it was when the export began."""
    issue = tracker.create("Oat milk")
    tracker.comment(issue.id, "or soy?")
    pieces = write(Dump(tracker, with_deleted=False))
    begun = []
    for piece in pieces:
        begun.append(piece)
        if "or soy?" in piece:
            break
    with tracker.transaction() as tx:
        tx.update(tracker.get(issue.id), deleted_at=tracker.now())

    summary = import_file(new, written(tmp_path / "export", iter([*begun, *pieces])))

    assert (summary.skipped, summary.counts["comments"][Outcome.NEW]) == ((), 1)


def test_nothing_is_remarked_of_a_session_that_nobody_named(old: Tracker, new: Tracker, tmp_path: Path) -> None:
    """Most have no name, and that is one that td knows."""
    old.create("Oat milk")

    summary = import_file(new, written(tmp_path / "all.json", write_json(Dump(old, with_deleted=True))))

    assert (summary.skipped, summary.repaired, summary.homeless) == ((), (), ())
    assert rows_of(new) == rows_of(old)
