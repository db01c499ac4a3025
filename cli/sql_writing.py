"""SQL that writes: what it would change is shown, and asked about where it may be more than was meant.

Always true:
- a DELETE, and an UPDATE that means every row, is written only after `--yes` or a yes of the person who saw the rows;
- with `--dry-run`, nothing is written.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cli.documents import row_change_document
from cli.errors import UsageError
from cli.invocation import Invocation
from cli.output import note
from cli.render import change_line, row_change_lines
from tracker import Capture, Issue, Mutation, Tracker

_ROWS_SHOWN: Final = 20
_DONE: Final = {"insert": "inserted", "update": "updated", "delete": "deleted"}


@dataclass(frozen=True, slots=True)
class Consent:
    """yes: whatever it changes is written. dry_run: nothing is. ask: puts a question to a person, if one is there."""

    yes: bool = False
    dry_run: bool = False
    ask: Callable[[str], bool] | None = None

    def covers(self, captured: Capture) -> bool:
        """Whether nobody is to be asked about these changes."""
        return not self.dry_run and (self.yes or not captured.changes or not _is_sweeping(captured))


def write_sql(call: Invocation, tracker: Tracker, sql: str, params: Mapping[str, str], consent: Consent) -> None:
    """Run one statement that writes, and print what came of it.

    Raises:
        UsageError: somebody is to be asked, and nobody is there.
        TrackerError: a row would break a rule of td.
        ReplicaError: the statement does not run, or is none that may.
    """
    captured, mutation = tracker.replica.sql.execute(sql, params, rules=tracker.sql_rules, accept=consent.covers)
    is_asked = mutation is None and bool(captured.changes) and not consent.dry_run
    if is_asked:
        if not _is_wanted(captured, consent):
            note("nothing was written")
            return
        mutation = tracker.replica.sql.apply(captured)
    call.emit(
        lambda: _document(captured, mutation, dry_run=consent.dry_run),
        lambda: [
            _told(captured, mutation, tracker, dry_run=consent.dry_run),
            # Who was asked has seen them.
            *(() if is_asked else _shown(captured)),
            *(f"  {issue_id} follows: {status}" for issue_id, status in _followed(captured, mutation)),
        ],
    )


def _is_sweeping(captured: Capture) -> bool:
    return captured.kind.value == "delete" or captured.is_of_all


def _is_wanted(captured: Capture, consent: Consent) -> bool:
    what = f"{captured.kind.value} {_rows(len(captured.changes))} of {captured.table}"
    if consent.ask is None:
        hint = "look at them with --dry-run, then say --yes"
        raise UsageError(f"this would {what}, and there is nobody to ask", hint)
    for line in _shown(captured):
        note(line)
    return consent.ask(f"{what}?")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _action(captured: Capture) -> str:
    return _DONE[captured.kind.value] if captured.changes else "unchanged"


def _document(captured: Capture, mutation: Mutation | None, *, dry_run: bool) -> dict[str, object]:
    return {
        "action": _action(captured),
        "table": captured.table,
        "count": len(captured.changes),
        "dry_run": dry_run,
        "mutation_id": None if mutation is None else mutation.id,
        "changes": [row_change_document(change) for change in captured.changes],
        "followed": [{"id": issue_id, "status": status} for issue_id, status in _followed(captured, mutation)],
    }


def _followed(captured: Capture, mutation: Mutation | None) -> list[tuple[str, object]]:
    """Other issues that came to another status by it, as td's rules have it."""
    named = {change.row_id for change in captured.changes}
    changes = () if mutation is None else mutation.changes
    return [
        (change.row_id, change.fields["status"][1])
        for change in changes
        if change.table == Issue.replica_table and change.row_id not in named and "status" in change.fields
    ]


def _told(captured: Capture, mutation: Mutation | None, tracker: Tracker, *, dry_run: bool) -> str:
    pending = mutation is not None and tracker.is_pending(mutation)
    action = f"would be {_action(captured)}" if dry_run else _action(captured)
    return change_line(action, f"{_rows(len(captured.changes))} of {captured.table}", pending=pending)


def _shown(captured: Capture) -> Iterator[str]:
    for change in captured.changes[:_ROWS_SHOWN]:
        yield from row_change_lines(change)
    more = len(captured.changes) - _ROWS_SHOWN
    if more > 0:
        yield f"  and {_rows(more)} more"
