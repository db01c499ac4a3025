"""`td board`: views of the issues, in an order that people give them."""

from collections.abc import Sequence
from typing import Annotated

import typer

from cli.collection_lines import board_lines, board_view_lines, placed_text
from cli.errors import UsageError
from cli.formats import Format, FormatOption, chosen_format
from cli.invocation import Invocation, command, default_command
from cli.output import print_json, print_lines
from cli.render import change_line
from cli.rows import emit_row_changes, emit_rows, print_stored, row_document
from tracker import (
    Board,
    BoardEdit,
    BoardPosition,
    Issue,
    Placed,
    Spot,
    Tracker,
    ViewMode,
    boards,
    parse_status,
    parse_view_mode,
)

app = typer.Typer(name="board", help="See issues on boards, in an order of your own.")

_Board = Annotated[str, typer.Argument(help="The board: its name, or the first characters of its id.", metavar="BOARD")]
_Id = Annotated[str, typer.Argument(help="The issue; the first characters of its id are enough.", metavar="ID")]
_QUERY = "Which issues are on it, as a filter: 'status = open AND type = bug'."
_VIEW_MODE = "swimlanes, by status, or backlog, one list."


@default_command(app)
def board(call: Invocation) -> None:
    """List the boards."""
    list_boards(call)


@command(app, "list")
def list_boards(
    call: Invocation,
    deleted: Annotated[bool, typer.Option("--deleted", help="Those that are deleted instead.")] = False,
    form: FormatOption = None,
) -> None:
    """List the boards."""
    chosen_format(form, as_json=call.as_json)
    with call.reading() as tracker:
        found = boards.find(tracker, deleted=deleted)
        pending = _pending(tracker)
    emit_rows(call, form, Board, [(one, {}) for one in found], pending, lambda: board_lines(found, pending))
    if not found:
        call.say("no such boards")


@command(app, "create")
def create(
    call: Invocation,
    name: Annotated[str, typer.Argument(help="What it is called.", metavar="NAME")],
    query: Annotated[str, typer.Option("--query", "-q", help=_QUERY, metavar="TDQ")] = "",
    view_mode: Annotated[str, typer.Option("--view-mode", help=_VIEW_MODE, metavar="MODE")] = "swimlanes",
) -> None:
    """Make a new board."""
    wanted = parse_view_mode(view_mode)
    with call.tracker() as tracker:
        made = boards.create(tracker, name, query, wanted)
        _emit_change(call, tracker, "created", made)


@command(app, "show")
def show(
    call: Invocation,
    board_name: _Board,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", "-s", help="Only those of this status; may be given several times.", metavar="STATUS"),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The closed and the deferred ones too.")] = False,
    form: FormatOption = None,
) -> None:
    """Show a board: what somebody put in its place first."""
    chosen = chosen_format(form, as_json=call.as_json)
    statuses = tuple(parse_status(name) for typed in status or () for name in typed.split(","))
    with call.reading() as tracker:
        found = boards.get(tracker, board_name)
        cards = boards.cards(tracker, found, statuses=statuses, everything=everything)
        pending = tracker.pending_ids()
        is_pending = found.id in _pending(tracker)
    rows = [(card.issue, {"position": card.number}) for card in cards]
    if chosen is Format.JSON:
        issues = [row_document(row, pending=row.id in pending, extras=beside) for row, beside in rows]
        print_json({**row_document(found, pending=is_pending), "issues": issues})
    elif form is None:
        print_lines(board_view_lines(found, cards, pending, is_pending=is_pending))
    else:
        print_stored(Issue, rows, chosen)
    if not cards:
        call.say("no issues" if everything else "no such issues; --all adds the closed and the deferred")


@command(app, "edit")
def edit(
    call: Invocation,
    board_name: _Board,
    name: Annotated[str | None, typer.Option("--name", "-n", help="A new name.", metavar="NAME")] = None,
    query: Annotated[str | None, typer.Option("--query", "-q", help=_QUERY, metavar="TDQ")] = None,
    view_mode: Annotated[str | None, typer.Option("--view-mode", help=_VIEW_MODE, metavar="MODE")] = None,
) -> None:
    """Change a board."""
    mode: ViewMode | None = None if view_mode is None else parse_view_mode(view_mode)
    with call.tracker() as tracker:
        before = boards.get(tracker, board_name)
        changed = boards.edit(tracker, before.id, BoardEdit(name=name, query=query, view_mode=mode))
        action = "updated" if changed.updated_at != before.updated_at else "unchanged"
        _emit_change(call, tracker, action, changed)


@command(app, "delete")
def delete(call: Invocation, board_name: _Board) -> None:
    """Delete a board, not its issues; td board restore brings it back."""
    with call.tracker() as tracker:
        _emit_change(call, tracker, "deleted", boards.delete(tracker, board_name))


@command(app, "restore")
def restore(call: Invocation, board_name: _Board) -> None:
    """Bring a deleted board back, with its order."""
    with call.tracker() as tracker:
        _emit_change(call, tracker, "restored", boards.restore(tracker, board_name))


@command(app, "move")
def move(
    call: Invocation,
    board_name: _Board,
    issue_id: _Id,
    position: Annotated[
        int | None,
        typer.Argument(min=1, help="Its place, as td board show tells it.", metavar="POS", show_default=False),
    ] = None,
    *,
    top: Annotated[bool, typer.Option("--top", help="Before all others.")] = False,
    bottom: Annotated[bool, typer.Option("--bottom", help="After all that have a place.")] = False,
    before: Annotated[str | None, typer.Option("--before", help="Right before this issue.", metavar="ID")] = None,
    after: Annotated[str | None, typer.Option("--after", help="Right after this issue.", metavar="ID")] = None,
) -> None:
    """Put an issue in a place on a board."""
    if [position is not None, top, bottom, before is not None, after is not None].count(True) != 1:
        raise UsageError("say where: one of POS, --top, --bottom, --before and --after", "see td board move --help")
    spot = Spot(number=1 if top else position, before=before, after=after)
    with call.tracker() as tracker:
        placed = boards.place(tracker, board_name, issue_id, spot)
        _emit_placed(call, tracker, "moved", [placed], many=False)


@command(app, "unposition")
def unposition(
    call: Invocation,
    board_name: _Board,
    issue_ids: Annotated[
        list[str], typer.Argument(help="The issues; the first characters of an id are enough.", metavar="ID...")
    ],
) -> None:
    """Take issues from their places on a board."""
    with call.tracker() as tracker:
        placed = boards.unplace(tracker, board_name, issue_ids)
        _emit_placed(call, tracker, "unpositioned", placed, many=len(issue_ids) > 1)


def _pending(tracker: Tracker) -> set[str]:
    return tracker.replica.pending_rows(Board.replica_table)


def _emit_change(call: Invocation, tracker: Tracker, action: str, changed: Board) -> None:
    emit_row_changes(call, "board", [(action, changed)], _pending(tracker))


def _emit_placed(call: Invocation, tracker: Tracker, action: str, placed: Sequence[Placed], *, many: bool) -> None:
    """Print where issues are now."""
    # A place is a row of its own, and waits by itself.
    waiting = tracker.replica.pending_rows(BoardPosition.replica_table)
    told = [(action if one.is_changed else "unchanged", one) for one in placed]
    if not call.as_json:
        print_lines(change_line(word, placed_text(one), pending=one.row_id in waiting) for word, one in told)
        return
    of_boards, of_issues = _pending(tracker), tracker.pending_ids()
    documents = [
        {
            "action": word,
            "id": one.board.id,
            "board": row_document(one.board, pending=one.board.id in of_boards),
            "issue": row_document(one.card.issue, pending=one.card.issue.id in of_issues),
            "position": one.card.number,
            "pending": one.row_id in waiting,
        }
        for word, one in told
    ]
    print_json(documents if many else documents[0])
