"""How it is told what came of taking in a file.

Always true: whatever was not taken over as it is, is told with its reason, its number and one example.
"""

from collections.abc import Sequence
from typing import Final

from cli.documents import Document
from cli.text import aligned, printable
from tracker import transfer

_DIFFERENCES_SHOWN: Final = 10
_REMARKS_SHOWN: Final = 20


def summary_document(summary: transfer.Summary) -> Document:
    """The summary: the rows of each outcome for every table, and all remarks."""
    return {
        "action": "would_import" if summary.is_dry else "imported",
        "source": summary.source,
        "mutations": summary.mutations,
        "tables": {
            table: {outcome.value: count for outcome, count in counts.items()}
            for table, counts in summary.counts.items()
        },
        "conflicts": [
            {"table": one.table, "id": one.row_id, "fields": list(one.fields)} for one in summary.differences
        ],
        "skipped": [_remark_document(remark) for remark in summary.skipped],
        "repaired": [_remark_document(remark) for remark in summary.repaired],
        "no_place": [_remark_document(remark) for remark in summary.homeless],
    }


def _remark_document(remark: transfer.Remark) -> Document:
    return {"table": remark.table, "what": remark.reason, "count": remark.count, "example": remark.example}


def summary_lines(summary: transfer.Summary) -> list[str]:
    """The same for a person: a line, a table, and what is to be known besides."""
    return [
        _head(summary),
        *_table(summary),
        *_differences(summary.differences, summary.total(transfer.Outcome.CONFLICTING)),
        *_remarks("not taken", summary.skipped),
        *_remarks("changed to fit", summary.repaired),
        *_remarks("without a place here", summary.homeless),
    ]


def _head(summary: transfer.Summary) -> str:
    new, changed = summary.total(transfer.Outcome.NEW), summary.total(transfer.Outcome.CHANGED)
    if summary.is_dry:
        return f"WOULD IMPORT from {summary.source}: {new} new, {changed} changed"
    if not summary.mutations:
        return f"IMPORTED from {summary.source}: nothing, all that can be taken is here"
    in_changes = "1 change" if summary.mutations == 1 else f"{summary.mutations} changes"
    return f"IMPORTED from {summary.source}: {new} new, {changed} changed, in {in_changes}; td undo takes back the last"


def _table(summary: transfer.Summary) -> list[str]:
    rows = [
        (table.replace("_", " "), *(str(counts[outcome]) for outcome in transfer.Outcome))
        for table, counts in summary.counts.items()
        if any(counts.values())
    ]
    return aligned([("", *(outcome.value for outcome in transfer.Outcome)), *rows]) if rows else []


def _differences(shown: Sequence[transfer.Difference], total: int) -> list[str]:
    if not total:
        return []
    lines = [f"{total} here with other values, left as they are; --force changes them:"]
    lines += [f"  {one.table} {printable(one.row_id)}: {', '.join(one.fields)}" for one in shown[:_DIFFERENCES_SHOWN]]
    return [*lines, *_rest(total - _DIFFERENCES_SHOWN)]


def _remarks(heading: str, remarks: Sequence[transfer.Remark]) -> list[str]:
    if not remarks:
        return []
    lines = [f"{heading}:"]
    lines += [
        f"  {remark.count} {remark.table}: {printable(remark.reason)} ({printable(remark.example)})"
        for remark in remarks[:_REMARKS_SHOWN]
    ]
    return [*lines, *_rest(len(remarks) - _REMARKS_SHOWN)]


def _rest(count: int) -> list[str]:
    return [f"  and {count} more; --json shows them"] if count > 0 else []
