"""docs/merge-rules.md: what becomes of every field that two people changed to two values."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Final

from tracker import RECORDS, Record

_HEAD: Final = """\
# What is merged, and what a person decides

Made from the records of td by `python -m cli.manual`. A field that only one side changed takes that side's value, and
two equal changes are one. What is told here is what happens where two people changed the same field of the same row to
two different values, neither having seen the other's.

| rule | what becomes of the two values |
|---|---|
| `keep` | nothing is decided: the later of the two to arrive waits as a conflict, and `td resolve` settles it |
| `last` | the later change wins, by its stamp |
| `union` | what either side added is in, what either side removed is out |
| `text` | merged line by line; where both changed the same lines, or lines next to each other, it is as `keep` |
| `max`, `min` | the larger, or the smaller, of the two |
| `sum` | what each side added is added |
| `deleted` | of two who delete, the earlier moment counts; deleted by one and changed by the other is as `keep` |

`id` and `updated_at`, which every row has, are written by td and never merged. The reason for `keep` is always the
same: td cannot know which of two values is right, and says so rather than lose one.
"""

REASONS: Final[Mapping[str, str]] = {
    "issues.description": "Two who add to a text at two places have not contradicted each other.",
    "issues.labels": "A label is there or not, each by itself.",
    "issues.closed_at": "Two who close the same issue agree; that they did so at two moments is nothing to decide.",
    "issues.deleted_at": "Two who delete agree; who changed what another deleted has a say in it.",
    "issues.acceptance": "As with the description.",
    "issues.defer_count": "Each of the two has put it off once more.",
    "issues.status_at": "It came to its status when the last of them brought it there.",
    "issues.review_requested_by": "Whoever asked last is the one to be answered.",
    "issues.reviewer_session": "Whoever reviewed last is the one it tells of; every review is a row of its own.",
    "issues.reviewed_at": "The moment of the last review.",
    "issues.closed_by_session": "Two who close the same issue agree, and one of them is named.",
    "logs.session": "A log that several write, because they mend the same, is one row, and one of them is named.",
    "logs.created_at": "Such a row is as old as the first of its makers has it.",
    "dependencies.session": "Two who make the same dependency make one row, and one of them is named.",
    "dependencies.created_at": "It is there since the first of them made it.",
    "files.role": "A file has one role in an issue, and whoever says so later knows more.",
    "files.sha": "It is the content that was looked at last.",
    "files.session": "As with the content: who looked at it last.",
    "files.created_at": "It is linked since the first of them linked it.",
    "involvements.created_at": "What a session did to an issue, it did when it did so first.",
    "reviews.superseded_at": "It does not count since the first edit that took it back.",
    "boards.view_mode": "How a board looks is nobody's loss.",
    "boards.deleted_at": "As with an issue.",
    "board_positions.position": "A card is where it was put last; nobody should have to settle an order.",
    "notes.content": "As with the description of an issue.",
    "notes.pinned": "It is one click to set it right.",
    "notes.archived": "As with pinned.",
    "notes.deleted_at": "As with an issue.",
    "work_sessions.end_sha": "It ended at the last commit that was told.",
    "work_sessions.ended_at": "What was ended twice was over the first time.",
    "work_session_issues.created_at": "It is part of it since somebody first said so.",
    "sessions.name": "A session is called what it was last called.",
    "sessions.started_at": "It began when it was first seen.",
    "sessions.ended_at": "What was ended twice was over the first time.",
}
"""Why a field has the rule it has, for each that has another than `keep`."""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def rules() -> dict[str, str]:
    """The rule of every field, by table and field."""
    return {
        f"{record.replica_table}.{column.name}": column.rule.value
        for record in RECORDS
        for column in record.replica_columns
    }


def _lines() -> Iterator[str]:
    yield _HEAD
    for record in RECORDS:
        yield from (f"## {record.replica_table}", "", _about(record), "", "| field | rule | why |", "|---|---|---|")
        for column in record.replica_columns:
            why = REASONS.get(f"{record.replica_table}.{column.name}", "")
            yield f"| `{column.name}` | `{column.rule.value}` | {why} |"
        yield ""


def _about(record: type[Record]) -> str:
    return (inspect.getdoc(record) or "").partition("\n\n")[0].replace("\n", " ")
