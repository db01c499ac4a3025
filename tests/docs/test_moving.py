"""What is told about moving in and out is how it is."""

import json
import re
from dataclasses import replace
from pathlib import Path

from cli.imported import summary_document
from tests.docs.test_reference import shape
from tests.tracker.transfer.test_beads import LINES
from tracker import open_tracker
from tracker.transfer import import_file
from tracker.transfer.beads import _DETAILS, _STATUSES
from tracker.transfer.go_tables import GO_TABLES
from tracker.transfer.intake import ROWS_MAX

TEXT = (Path(__file__).parents[2] / "docs" / "moving.md").read_text(encoding="utf-8")


def words(heading: str) -> set[str]:
    """What stands in code in the part under a heading."""
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return {word for code in re.findall(r"`([^`]+)`", part) for word in re.split(r"[ ,]+", code)}


def test_every_table_and_renamed_column_of_the_go_td_is_told() -> None:
    """As they are called there and here."""
    told = words("From the Go td")

    pairs = [pair for table in GO_TABLES.values() for pair in table.columns.items()]
    renamed = {name for theirs, ours in pairs if theirs != ours for name in (theirs, ours)}
    assert set(GO_TABLES) - told == set()
    assert renamed - told == set()
    assert {table.record.replica_table for table in GO_TABLES.values()} - told == set()


def test_what_becomes_of_beads_is_told() -> None:
    """Each status that td does not have, and each field that goes into the description."""
    assert {*_STATUSES, *_DETAILS} - words("From beads") == set()


def test_every_field_of_a_beads_issue_is_told_or_counted(tmp_path: Path) -> None:
    """What is not in the table is among what has no place."""
    path = tmp_path / "issues.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)))
    with open_tracker(tmp_path / "laptop") as tracker:
        summary = import_file(tracker, path, dry_run=True)

    counted = {remark.reason.removeprefix("field ") for remark in summary.homeless}
    fields = {name for line in LINES for name in line} - {"_type", "updated_at", "comment_count", "key", "value"}
    assert fields - words("From beads") - counted == set()


def test_the_example_has_the_shape_of_what_is_printed(tmp_path: Path) -> None:
    """Name by name; the numbers are what they are."""
    example = json.loads(TEXT.split("```json\n")[1].split("```")[0])
    path = tmp_path / "issues.jsonl"
    comment = {"id": 1, "text": " "}
    path.write_text(json.dumps({"id": "bd-1", "title": "x" * 300, "comments": [comment], "metadata": {"a": 1}}))
    with open_tracker(tmp_path / "laptop") as tracker:
        summary = import_file(tracker, path)
        path.write_text(json.dumps({"id": "bd-1", "title": "y" * 300, "comments": [comment], "metadata": {"a": 1}}))
        again = import_file(tracker, path)

    printed = summary_document(replace(again, counts={"issues": summary.counts["issues"]}))

    assert shape(printed) == shape(example)


def test_the_size_of_a_change_is_told() -> None:
    """How many rows there are in one at most."""
    assert f"up to {ROWS_MAX:,} rows" in TEXT
