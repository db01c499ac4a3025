"""Move the issues of a directory from a file to a primary, and back.

Always true:
- the config is written only once all of it arrived and was compared, so that until then everything is as it was;
- what was moved is kept under another name;
- broken off at any moment, the same command goes on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cli.config import Config, is_config_in, load_config, save_config
from cli.documents import Document
from cli.errors import InterruptedByPersonError, InvalidValueError
from cli.exits import error_document
from cli.invocation import Invocation
from cli.place import DATA, LOCAL, NAME, Place, open_place
from cli.progress import bar
from tracker import IssueFilter, Mode, MoveReport, call_off_move, make_way, put_away

_SHARED: Final = (Mode.LIBSQL, Mode.TURSO)
_ISSUES: Final = "issues"


def move(call: Invocation, place: Place, new: Config) -> tuple[MoveReport, Path | None] | None:
    """Move what is in `place` to where `new` says, and write the config. Returns what was moved, and what is kept.

    None, with nothing written, if this change moves nothing.
    """
    old = place.stored
    if old.mode is Mode.LOCAL and new.mode in _SHARED:
        make_way(place.directory, new.url or "")
        if _is_empty(place):
            return None
        return take_in(call, place.directory, new, place.directory / DATA)
    if old.mode in _SHARED and new.mode is Mode.LOCAL:
        return _write_out(call, place, new)
    return None


def finish(place: Place) -> None:
    """Do what a move left that was killed after it had switched; let go of one that had not, and is not wanted."""
    call_off_move(place.directory, mode=place.stored.mode)
    put_away(place.directory, mode=place.stored.mode)


def take_in(call: Invocation, directory: Path, new: Config, source: Path) -> tuple[MoveReport, Path | None]:
    """Move what is in `source` to the primary that `new` names, and make `directory` a replica of it."""
    with (
        _told_if_interrupted(directory, new),
        bar(quiet=call.as_json) as show,
        open_place(directory, new) as tracker,
    ):
        moved = tracker.replica.moving.take_in(source, switch=_switch(directory, new), show=show)
    return moved, put_away(directory, mode=new.mode)


def _write_out(call: Invocation, place: Place, new: Config) -> tuple[MoveReport, Path | None]:
    with (
        _told_if_interrupted(place.directory, new),
        bar(quiet=call.as_json) as show,
        open_place(place.directory, place.stored) as tracker,
    ):
        moved = tracker.replica.moving.write_out(switch=_switch(place.directory, new), show=show)
    return moved, put_away(place.directory, mode=new.mode)


def _switch(directory: Path, new: Config) -> Callable[[], None]:
    return lambda: save_config(directory, new)


def _is_empty(place: Place) -> bool:
    with open_place(place.directory, place.stored) as tracker:
        written = tracker.replica.query("SELECT EXISTS (SELECT 1 FROM _replica_changes)").rows[0][0]
        any_issue = IssueFilter(with_closed=True, with_deleted=True, with_deferred=True, limit=1)
        return not written and not tracker.find(any_issue)


@contextmanager
def _told_if_interrupted(directory: Path, new: Config) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        if is_config_in(directory) and load_config(directory) == new:
            told = "the issues are moved; td config list shows where they are"
        else:
            told = "nothing here has changed; type the same again, and it goes on from what has arrived"
        raise InterruptedByPersonError(told) from None


def source_of(typed: Path) -> Path:
    """What `--migrate-from` means: a file, or the one that is used in a `.todos`, or in the `.todos` of a project."""
    found = typed.expanduser()
    directory = found / NAME if (found / NAME).is_dir() else found
    if not directory.is_dir() or not is_config_in(directory):
        return directory
    mode = load_config(directory).mode
    if mode is Mode.REMOTE:
        raise InvalidValueError(f"{directory} is in mode remote, and keeps no issues", "name the primary with --url")
    return directory / (DATA if mode is Mode.LOCAL else LOCAL)


def moved_document(moved: MoveReport, kept: Path | None) -> Document:
    """What was moved: each table with its count and hash."""
    trouble = moved.without_primary
    return {
        "tables": [
            {"table": each.table, "rows": each.rows, "sha256": each.sha256, "others": each.others}
            for each in moved.tables
        ],
        "merged": moved.merged,
        "parked": moved.parked,
        "kept": None if kept is None else str(kept),
        "without_primary": None if trouble is None else error_document(trouble),
    }


def moved_lines(moved: MoveReport) -> list[str]:
    """What was moved, in one line; nothing where there was nothing."""
    rows = {each.table: each.rows for each in moved.tables}
    if not any(rows.values()):
        return []
    told = "1 issue, and all that belongs to it" if rows[_ISSUES] == 1 else f"{rows[_ISSUES]} issues, and all of theirs"
    return [f"MOVED: {told}; the same in number and content on both sides"]


def say_moved(call: Invocation, moved: MoveReport, kept: Path | None) -> None:
    """What a person should know besides."""
    others = sum(each.others for each in moved.tables)
    if others:
        told = "1 row is" if others == 1 else f"{others} rows are"
        call.say(f"besides, {told} there in another version: changed there since, or on both sides")
    if moved.parked:
        waits = "1 conflict waits" if moved.parked == 1 else f"{moved.parked} conflicts wait"
        call.say(f"{waits} for a decision: td conflicts")
    if moved.without_primary is not None:
        told = error_document(moved.without_primary)["message"]
        call.say(f"the primary was not asked for what others did since the last sync: {told}")
    if kept is not None and moved_lines(moved):
        call.say(f"what was moved is kept as {kept}")
