"""`td link`, `td unlink`, `td files`: the files that belong to an issue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.changes import emit_linked
from cli.collection_lines import file_lines
from cli.formats import FormatOption, chosen_format
from cli.invocation import Invocation, command
from cli.rows import emit_rows
from tracker import (
    FileLink,
    FileState,
    FoundFile,
    InvalidFieldError,
    Worktree,
    files,
    find_worktree,
    parse_role,
)

app = typer.Typer()

_Id = Annotated[str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")]


@command(app, "link")
def link(
    call: Invocation,
    issue_id: _Id,
    paths: Annotated[
        list[str],
        typer.Argument(help="Files, directories, or patterns in quotes, as 'src/**/*.py'.", metavar="FILE..."),
    ],
    role: Annotated[
        str | None,
        typer.Option("--role", help="implementation, test, reference or config.", metavar="ROLE", show_default=False),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", help="All that is in the directories.")] = False,
) -> None:
    """Link files to an issue, as they are now."""
    wanted_role = None if role is None else parse_role(role)
    worktree = _worktree(call)
    found = [_found(worktree, path) for path in worktree.expand(paths, recursive=recursive)]
    with call.tracker() as tracker:
        change = files.link(tracker, issue_id, found, wanted_role)
        emit_linked(call, tracker, "linked" if change.is_changed else "unchanged", change)


@command(app, "unlink")
def unlink(
    call: Invocation,
    issue_id: _Id,
    paths: Annotated[list[str], typer.Argument(help="Files, or patterns in quotes.", metavar="FILE...")],
) -> None:
    """Let go of files of an issue."""
    worktree = _worktree(call)
    with call.tracker() as tracker:
        linked = [row.path for row in files.links_of(tracker, issue_id)[1]]
        chosen = [path for typed in paths for path in worktree.choose(typed, linked)]
        emit_linked(call, tracker, "unlinked", files.unlink(tracker, issue_id, chosen))


@command(app, "files")
def list_files(
    call: Invocation,
    issue_id: _Id,
    only_changed: Annotated[bool, typer.Option("--changed", help="Only those that are not as when linked.")] = False,
    only_missing: Annotated[
        bool, typer.Option("--untracked", "-u", help="Only those that are not there any more.")
    ] = False,
    form: FormatOption = None,
) -> None:
    """List the files of an issue, and which of them were changed."""
    chosen_format(form, as_json=call.as_json)
    worktree = _worktree(call)
    with call.reading() as tracker:
        _, links = files.links_of(tracker, issue_id)
        pending = tracker.replica.pending_rows(FileLink.replica_table)
    shown = _shown(only_changed=only_changed, only_missing=only_missing)
    rows = [(row, state) for row in links if (state := _state(worktree, row)) in shown]
    emit_rows(
        call,
        form,
        FileLink,
        [(row, {"state": state.value}) for row, state in rows],
        pending,
        lambda: file_lines(rows, pending),
    )
    if not rows:
        call.say("no such files" if links else "no files")


def _shown(*, only_changed: bool, only_missing: bool) -> Sequence[FileState]:
    if only_changed:
        return (FileState.CHANGED, FileState.MISSING, FileState.UNKNOWN)
    return (FileState.MISSING,) if only_missing else tuple(FileState)


def _worktree(call: Invocation) -> Worktree:
    directory = call.place().directory.parent
    try:
        here = Path.cwd()
    except OSError:
        here = directory  # somebody has deleted the current directory
    return find_worktree(directory, here)


def _found(worktree: Worktree, path: str) -> FoundFile:
    try:
        sha = worktree.sha_of(path)
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise InvalidFieldError("file", reason, "mend its permissions, or leave it out") from error
    if sha is None:
        raise InvalidFieldError("file", f"{path} is gone", "it was there a moment ago; try again")
    return FoundFile(path, sha)


def _state(worktree: Worktree, row: FileLink) -> FileState:
    try:
        return files.state_of(row, worktree.sha_of(row.path))
    except (OSError, ValueError):
        return FileState.UNKNOWN
