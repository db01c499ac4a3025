"""Take in a file.

Always true:
- nothing is written before all of the file was read and checked;
- what is written is written in whole mutations, so that an import that was stopped is simply run again;
- the file itself is never written.
"""

import json
import sqlite3
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from replica import InputError, Record
from tracker.tracker import Tracker
from tracker.transfer.cleaning import clean, stated
from tracker.transfer.detect import Source, detect, reader_of
from tracker.transfer.errors import SourceError
from tracker.transfer.found import Found, Tally
from tracker.transfer.intake import Decision, Outcome, batches, decide, record_of
from tracker.transfer.report import Counter, Summary
from tracker.transfer.staging import Staged, Staging

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many rows of it are done, and of how many; 0 where nobody knows yet."""
_READ_BETWEEN_SIGNS: Final = 500


def _no_progress(doing: str, done: int, total: int) -> None:
    """Show nothing."""


def import_file(
    tracker: Tracker,
    path: Path,
    *,
    source: Source | None = None,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress = _no_progress,
) -> Summary:
    """Take in the rows of a file.

    Args:
        tracker: where to.
        path: the file.
        source: what kind of file it is; None finds out.
        force: change rows that are here with other values, by ordinary updates.
        dry_run: only tell what would be done.
        progress: told how far it is.

    Raises:
        SourceError: the file is not what it should be; nothing was written.
        ReplicaError: what was written could not be kept; what was written before it stays.
    """
    source = detect(path) if source is None else source
    tally, counter = Tally(), Counter()
    with _scratch_trouble_told(path), closing(Staging()) as staging:
        _stage(staging, reader_of(source)(path, tally), tally, is_ours=source is Source.TD, progress=progress)
        staging.drop_dangling(lambda record, ids: set(_here(tracker, record, ids)), tally)
        total, done = staging.count(), 0
        progress("importing", done, total)
        for batch in batches(staging.rows()):
            if dry_run:
                deque(_decided(tracker, batch, counter, force=force), maxlen=0)
            else:
                _write(tracker, batch, counter, tally, force=force)
            done += len(batch)
            progress("importing", done, total)
    return counter.summary(source.value, tally, is_dry=dry_run)


@contextmanager
def _scratch_trouble_told(path: Path) -> Iterator[None]:
    """Say of the files that are only there for the import what keeps them from being written."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        hint = "free some space where temporary files are, then run it again; what was written of it stays"
        raise SourceError(path, f"there is no room to look it through: {error}", hint) from error


def _stage(staging: Staging, rows: Iterable[Found], tally: Tally, *, is_ours: bool, progress: Progress) -> None:
    for number, found in enumerate(rows):
        if number % _READ_BETWEEN_SIGNS == 0:
            progress("reading", number, 0)
        cleaned = clean(found, tally, is_ours=is_ours)
        if cleaned is not None and not staging.put(cleaned, stated(found), found.where):
            kind = tally.homeless if found.may_repeat else tally.skipped
            kind.add(found.record.replica_table, "rows that are there twice", f"{found.where}: {cleaned.record.id}")


def _here(tracker: Tracker, record: type[Record], ids: Sequence[str]) -> dict[str, Record]:
    found = tracker.replica.select(record, "WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
    return {row.id: row for row in found}


def _decided(
    tracker: Tracker, batch: Sequence[Staged], counter: Counter, *, force: bool
) -> Iterator[tuple[Staged, Record | None, Decision]]:
    """What to do with each row of a batch, counted."""
    ids: dict[type[Record], list[str]] = defaultdict(list)
    for row in batch:
        ids[row.record].append(row.row_id)
    here = {record: _here(tracker, record, wanted) for record, wanted in ids.items()}
    for row in batch:
        found = here[row.record].get(row.row_id)
        decision = decide(row, None if found is None else found.to_row(), force=force)
        counter.add(row.record.replica_table, decision.outcome, row.row_id, decision.fields)
        yield row, found, decision


def _write(tracker: Tracker, batch: Sequence[Staged], counter: Counter, tally: Tally, *, force: bool) -> None:
    """Write a batch as one mutation; where that is too much for one, as several."""
    trial = Counter()
    try:
        with tracker.replica.transaction() as tx:
            for row, found, decision in _decided(tracker, batch, trial, force=force):
                if decision.outcome is Outcome.NEW:
                    tx.insert(record_of(row))
                elif decision.outcome is Outcome.CHANGED and found is not None:
                    wanted = record_of(row)
                    tx.update(found, **{name: getattr(wanted, name) for name in decision.fields})
            is_written = bool(tx.changes())
    except InputError as error:
        if len(batch) == 1:
            tally.skipped.add(batch[0].record.replica_table, str(error), batch[0].place)
            return
        middle = len(batch) // 2
        for part in (batch[:middle], batch[middle:]):
            _write(tracker, part, counter, tally, force=force)
        return
    counter.take_in(trial)
    counter.mutations += is_written
