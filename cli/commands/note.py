"""`td note`: what is worth keeping and is about no single issue."""

from typing import Annotated

import typer

from cli.collection_lines import note_lines, note_view_lines
from cli.errors import UsageError
from cli.formats import FormatOption, chosen_format
from cli.invocation import Invocation, command, default_command
from cli.rows import emit_row_changes, emit_rows, row_document
from cli.typed_text import read_text
from tracker import Note, NoteEdit, NoteFilter, notes

app = typer.Typer(name="note", help="Keep notes that are about no single issue.")

_Id = Annotated[str, typer.Argument(help="The note; the first characters of its id are enough.", metavar="ID")]
_Ids = Annotated[
    list[str], typer.Argument(help="The notes; the first characters of an id are enough.", metavar="ID...")
]
_CONTENT = "The text; - reads it from stdin, @FILE from a file."


@default_command(app)
def note(call: Invocation) -> None:
    """List the notes that are not archived."""
    list_notes(call)


@command(app, "add")
def add(
    call: Invocation,
    title: Annotated[str, typer.Argument(help="What it is about, in a few words.", metavar="TITLE")],
    content: Annotated[str, typer.Option("--content", "-c", help=_CONTENT, metavar="TEXT")] = "",
) -> None:
    """Write a new note."""
    text = read_text("--content", content)
    with call.tracker() as tracker:
        made = notes.create(tracker, title, text)
        pending = tracker.replica.pending_rows(Note.replica_table)
    emit_row_changes(call, "note", [("created", made)], pending)


@command(app, "list")
def list_notes(
    call: Invocation,
    archived: Annotated[bool, typer.Option("--archived", help="Those that are archived instead.")] = False,
    with_archived: Annotated[bool, typer.Option("--all", help="The archived ones too.")] = False,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that are deleted instead.")] = False,
    form: FormatOption = None,
) -> None:
    """List the notes, the pinned ones first."""
    chosen_format(form, as_json=call.as_json)
    # Of what is deleted, all is shown: that is where one looks for it.
    wanted = NoteFilter(archived=None if with_archived or (deleted and not archived) else archived, deleted=deleted)
    with call.reading() as tracker:
        found = notes.find(tracker, wanted)
        pending = tracker.replica.pending_rows(Note.replica_table)
    emit_rows(call, form, Note, [(one, {}) for one in found], pending, lambda: note_lines(found, pending))
    if not found:
        call.say("no notes" if wanted == NoteFilter() else "no such notes")


@command(app, "show")
def show(call: Invocation, note_id: _Id) -> None:
    """Show a note."""
    with call.reading() as tracker:
        found = notes.get(tracker, note_id)
        is_pending = found.id in tracker.replica.pending_rows(Note.replica_table)
    call.emit(
        lambda: row_document(found, pending=is_pending),
        lambda: note_view_lines(found, pending=is_pending),
    )


@command(app, "edit")
def edit(
    call: Invocation,
    note_id: _Id,
    title: Annotated[str | None, typer.Option("--title", help="A new title.", metavar="TEXT")] = None,
    content: Annotated[
        str | None, typer.Option("--content", "-c", help=f"A new text. {_CONTENT}", metavar="TEXT")
    ] = None,
    append: Annotated[
        str | None, typer.Option("--append", help=f"What to put after the text. {_CONTENT}", metavar="TEXT")
    ] = None,
) -> None:
    """Change a note."""
    if content is not None and append is not None:
        raise UsageError("a text is either replaced or appended to", "give one of --content and --append")
    wanted = NoteEdit(
        title=title,
        content=None if content is None else read_text("--content", content),
        append=None if append is None else read_text("--append", append),
    )
    with call.tracker() as tracker:
        before = notes.get(tracker, note_id)
        changed = notes.edit(tracker, note_id, wanted)
        pending = tracker.replica.pending_rows(Note.replica_table)
    action = "updated" if changed.updated_at != before.updated_at else "unchanged"
    emit_row_changes(call, "note", [(action, changed)], pending)


@command(app, "delete")
def delete(call: Invocation, note_ids: _Ids) -> None:
    """Delete notes; td note restore brings them back."""
    _move(call, "delete", "deleted", note_ids)


@command(app, "restore")
def restore(call: Invocation, note_ids: _Ids) -> None:
    """Bring deleted notes back."""
    _move(call, "restore", "restored", note_ids)


@command(app, "pin")
def pin(call: Invocation, note_ids: _Ids) -> None:
    """Let notes come first in the list."""
    _move(call, "pin", "pinned", note_ids)


@command(app, "unpin")
def unpin(call: Invocation, note_ids: _Ids) -> None:
    """Take that back."""
    _move(call, "unpin", "unpinned", note_ids)


@command(app, "archive")
def archive(call: Invocation, note_ids: _Ids) -> None:
    """Leave notes out of the list."""
    _move(call, "archive", "archived", note_ids)


@command(app, "unarchive")
def unarchive(call: Invocation, note_ids: _Ids) -> None:
    """Take notes back into the list."""
    _move(call, "unarchive", "unarchived", note_ids)


def _move(call: Invocation, name: str, action: str, note_ids: list[str]) -> None:
    with call.tracker() as tracker:
        moved = notes.move(tracker, name, note_ids)
        pending = tracker.replica.pending_rows(Note.replica_table)
    rows = [(action if one.id in moved.changed else "unchanged", one) for one in moved.notes]
    emit_row_changes(call, "note", rows, pending, many=len(note_ids) > 1)
