"""Boards: views of the issues that a filter describes, in an order that people give them.

Always true:
- a filter is understood before it is kept, and is asked anew each time a board is shown;
- the board of all issues is always there; nobody can change it, and it keeps an order as any other;
- what people put somewhere comes first, in their order, and all else follows in the order of the filter;
- of two who move one card, the later one moves it, and nothing is in conflict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from replica import AmbiguousIdError, NotFoundError, Transaction
from tracker.errors import DeletedError, InvalidFieldError, NothingToChangeError
from tracker.ids import full_prefix, relation_id
from tracker.listing import filtered, find_issues, narrowed, statement_of
from tracker.positions import moved, ordered
from tracker.records import Board, BoardPosition, Issue, Status, ViewMode
from tracker.rules import check_not_deleted
from tracker.values import check_line, check_text

if TYPE_CHECKING:
    from tracker.tracker import Tracker

ALL_ISSUES: Final = "bd-all-issues"
"""The id of the board of all issues."""
_SHORT_NAME: Final = "all"
_NAME_LENGTH_MAX: Final = 100
_NO_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEdit:
    """What to change of a board; None leaves it as it is."""

    name: str | None = None
    query: str | None = None
    view_mode: ViewMode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where on a board: one of these, or else at the bottom.

    number: the place that a list of the board shows, from 1. before, after: the id of a card there.
    """

    number: int | None = None
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """An issue on a board. number: its place, from 1, among those that somebody put somewhere; None: it has none."""

    issue: Issue
    number: int | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A card that was put somewhere, or taken from its place. is_changed: whether anything was written."""

    board: Board
    card: Card
    is_changed: bool

    @property
    def row_id(self) -> str:
        """The id of the row that says where the card is."""
        return _row_id(self.board, self.card.issue.id)


def all_issues() -> Board:
    """The board that is always there."""
    return Board(id=ALL_ISSUES, name="All issues", created_at=_NO_MOMENT)


def find(tracker: Tracker, *, deleted: bool = False) -> list[Board]:
    """The boards by name, that of all issues first; or those that are deleted."""
    condition = "NOT NULL" if deleted else "NULL"
    kept = tracker.replica.select(
        Board, f"WHERE id <> ? AND deleted_at IS {condition} ORDER BY name COLLATE NOCASE, id", (ALL_ISSUES,)
    )
    return kept if deleted else [all_issues(), *kept]


def get(tracker: Tracker, typed: str) -> Board:
    """The board with this id or name, or the only one whose id starts so; names are the same in any case.

    Raises:
        InvalidFieldError: nothing is typed.
        NotFoundError: there is no such board.
        AmbiguousIdError: there are several.
        DeletedError: it is deleted.
    """
    board = _look_up(tracker, typed)
    if board.deleted_at is not None:
        raise DeletedError("board", board.id)
    return board


def create(tracker: Tracker, name: str, query: str = "", view_mode: ViewMode = ViewMode.SWIMLANES) -> Board:
    """Make a new board. Raises InvalidFieldError, or FilterError where the filter is not understood."""
    board = Board(
        name=_free_name(tracker, name),
        query=check_board_query(query),
        view_mode=view_mode,
        session=tracker.session,
        created_at=tracker.now(),
    )
    with tracker.transaction() as tx:
        return tx.insert(board)


def edit(tracker: Tracker, typed: str, wanted: BoardEdit) -> Board:
    """Change what `wanted` names. Raises as `get` and `create` do, and NothingToChangeError."""
    if wanted == BoardEdit():
        raise NothingToChangeError
    board = get(tracker, typed)
    _refuse_all_issues(board)
    changes: dict[str, object] = {}
    if wanted.name is not None:
        changes["name"] = _free_name(tracker, wanted.name, of=board)
    if wanted.query is not None:
        changes["query"] = check_board_query(wanted.query)
    if wanted.view_mode is not None:
        changes["view_mode"] = wanted.view_mode
    with tracker.transaction() as tx:
        return tx.update(tx.get(Board, board.id), **changes)


def delete(tracker: Tracker, typed: str) -> Board:
    """Delete a board; its issues stay, and its order is kept with it. Raises as `get` does, but for DeletedError."""
    board = _look_up(tracker, typed)
    _refuse_all_issues(board)
    with tracker.transaction() as tx:
        found = tx.get(Board, board.id)
        return found if found.deleted_at else tx.update(found, deleted_at=tracker.now())


def restore(tracker: Tracker, typed: str) -> Board:
    """Bring a deleted board back. Raises as `get` does, but for DeletedError."""
    board = _look_up(tracker, typed, deleted_first=True)
    if board.id == ALL_ISSUES:
        return board
    with tracker.transaction() as tx:
        return tx.update(tx.get(Board, board.id), deleted_at=None)


def cards(tracker: Tracker, board: Board, *, statuses: Sequence[Status] = (), everything: bool = False) -> list[Card]:
    """What is on a board, in its order.

    Args:
        tracker: where the issues are.
        board: one of its boards.
        statuses: only those; none given are all that the filter of the board does not hide.
        everything: what is closed or deferred, too, where the filter does not say so itself.

    Raises:
        FilterError: the filter, which another program may have written, is not understood.
    """
    wanted = replace(filtered(board.query), with_closed=everything, with_deferred=everything)
    if statuses:
        wanted = narrowed(wanted, f"status IN ({', '.join(statuses)})")
    issues = find_issues(tracker, wanted)
    shown = _shown(tracker, board, _positions(tracker, board))
    numbers = {issue_id: number for number, issue_id in enumerate(shown, 1)}
    found = [Card(issue, numbers.get(issue.id)) for issue in issues]
    return sorted(found, key=lambda card: (card.number is None, card.number or 0))


def place(tracker: Tracker, typed_board: str, typed_issue: str, spot: Spot) -> Placed:
    """Put an issue somewhere on a board.

    Raises:
        InvalidFieldError: the issue is not on the board, or what it is to stand beside has no place there.
        IssueDeletedError: the issue is deleted.
        ReplicaError: as `get` does, of the board and of the issues.
    """
    board, issue = get(tracker, typed_board), tracker.get(typed_issue)
    check_not_deleted(issue)
    if not _shown(tracker, board, {issue.id: 0}):
        raise InvalidFieldError(
            "issue", f"{issue.id} is not on the board {board.name!r}", "its filter leaves the issue out"
        )
    positions = _positions(tracker, board)
    wanted = moved(positions, issue.id, _index(tracker, board, positions, issue.id, spot))
    with tracker.transaction() as tx:
        for issue_id, position in wanted.items():
            _put(tx, board, issue_id, position)
    shown = _shown(tracker, board, {**positions, **wanted})
    return Placed(board, Card(issue, shown.index(issue.id) + 1), is_changed=bool(wanted))


def unplace(tracker: Tracker, typed_board: str, typed_issues: Sequence[str]) -> list[Placed]:
    """Let issues follow those that have a place on a board, as the filter orders them. Raises as `place` does."""
    board = get(tracker, typed_board)
    issues = {issue.id: issue for issue in map(tracker.get, typed_issues)}
    placed = _positions(tracker, board)
    with tracker.transaction() as tx:
        for issue_id in issues:
            if issue_id in placed:
                _put(tx, board, issue_id, None)
    return [Placed(board, Card(issue, None), is_changed=issue.id in placed) for issue in issues.values()]


def _look_up(tracker: Tracker, typed: str, *, deleted_first: bool = False) -> Board:
    """The board that was typed; where boards that are deleted and others fit, one of those that are wanted first."""
    prefix = full_prefix(typed, Board.replica_id_prefix)
    name = typed.strip().casefold()
    known = [all_issues(), *tracker.replica.select(Board, "WHERE id <> ? ORDER BY id", (ALL_ISSUES,))]
    ways = (
        [board for board in known if board.id == prefix],
        [board for board in known if name in _names(board)],
        [board for board in known if board.id.startswith(prefix)],
    )
    for fitting in ways:
        found = [board for board in fitting if (board.deleted_at is not None) == deleted_first] or fitting
        if len(found) > 1:
            raise AmbiguousIdError("board", typed, [board.id for board in found])
        if found:
            return found[0]
    error = NotFoundError("board", typed)
    error.hint = "td board list shows the boards; name one by its id or by its name"
    raise error


def _names(board: Board) -> tuple[str, ...]:
    name = board.name.casefold()
    return (name, _SHORT_NAME) if board.id == ALL_ISSUES else (name,)


def check_board_name(typed: str) -> str:
    """The name of a board. Raises InvalidFieldError."""
    return check_line("name", typed, _NAME_LENGTH_MAX)


def check_board_query(typed: str) -> str:
    """A filter that is understood; empty is all issues. Raises InvalidFieldError or FilterError."""
    query = check_text("query", typed).strip()
    # Only who writes a filter pays for it.
    from tracker.tdq import Context, compile_filter, parse  # noqa: PLC0415 - see above

    compile_filter(parse(query), Context(now=_NO_MOMENT, me=""))
    return query


def _free_name(tracker: Tracker, typed: str, *, of: Board | None = None) -> str:
    name = check_board_name(typed)
    for board in find(tracker):
        if name.casefold() in _names(board) and (of is None or board.id != of.id):
            raise InvalidFieldError("name", f"{board.id} is called {board.name!r} already", "choose another name")
    return name


def _refuse_all_issues(board: Board) -> None:
    if board.id == ALL_ISSUES:
        raise InvalidFieldError(
            "board", f"{board.name!r} is always there, as it is", "td board create makes one of your own"
        )


def _index(tracker: Tracker, board: Board, positions: Mapping[str, int], issue_id: str, spot: Spot) -> int:
    """How many of the other cards of a board come before the spot; also those that are not shown on it any more."""
    others = [other for other in ordered(positions) if other != issue_id]
    if spot.number is not None:
        shown = set(_shown(tracker, board, positions))
        counted = [number for number, other in enumerate(others) if other in shown]
        return counted[spot.number - 1] if spot.number <= len(counted) else len(others)
    beside = spot.before if spot.before is not None else spot.after
    if beside is None:
        return len(others)
    other = tracker.get(beside).id
    if other == issue_id:
        raise InvalidFieldError("issue", f"{issue_id} cannot stand beside itself", "name another issue of the board")
    if other not in others:
        hint = f"give it one first: td board move {board.id} {other} --bottom"
        raise InvalidFieldError("issue", f"{other} has no place of its own on the board {board.name!r}", hint)
    return others.index(other) + (spot.before is None)


def _positions(tracker: Tracker, board: Board) -> dict[str, int]:
    rows = tracker.replica.select(BoardPosition, "WHERE board_id = ? AND position IS NOT NULL", (board.id,))
    return {row.issue_id: row.position for row in rows if row.position is not None}


def _shown(tracker: Tracker, board: Board, positions: Mapping[str, int]) -> list[str]:
    """The cards in their order that are on the board at all, hidden ones too: those that are counted."""
    if not positions:
        return []
    on_board = statement_of(tracker, replace(filtered(board.query), with_closed=True, with_deferred=True))
    rows = tracker.replica.read(
        f"SELECT id FROM ({on_board.sql}) WHERE id IN (SELECT value FROM json_each(?))",
        (*on_board.params, json.dumps(list(positions))),
    ).rows
    there = {str(row[0]) for row in rows}
    return [card for card in ordered(positions) if card in there]


def _put(tx: Transaction, board: Board, issue_id: str, position: int | None) -> None:
    row_id = _row_id(board, issue_id)
    with suppress(NotFoundError):
        tx.update(tx.get(BoardPosition, row_id), position=position)
        return
    tx.insert(BoardPosition(id=row_id, board_id=board.id, issue_id=issue_id, position=position))


def _row_id(board: Board, issue_id: str) -> str:
    return relation_id("bip", board.id, issue_id)
