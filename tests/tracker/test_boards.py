"""Boards: which issues are on them, and in which order."""

import pytest

from tests.tracker.clock import Clock
from tests.tracker.pair import sync
from tracker import (
    AmbiguousIdError,
    BoardEdit,
    BoardPosition,
    DeletedError,
    FilterError,
    InvalidFieldError,
    IssueDeletedError,
    IssueEdit,
    NotFoundError,
    NothingToChangeError,
    Priority,
    Spot,
    Status,
    Tracker,
    ViewMode,
    boards,
    decisions,
    parse_field,
    parse_view_mode,
)

TOP, BOTTOM = Spot(number=1), Spot()


def titles(tracker: Tracker, typed: str = "all", *, everything: bool = False) -> list[str]:
    """What a board shows, from the first card on."""
    return [card.issue.title for card in boards.cards(tracker, boards.get(tracker, typed), everything=everything)]


def numbered(tracker: Tracker, typed: str = "all", *, everything: bool = False) -> dict[str, int | None]:
    """Which place each card has."""
    cards = boards.cards(tracker, boards.get(tracker, typed), everything=everything)
    return {card.issue.title: card.number for card in cards}


@pytest.fixture
def ids(tracker: Tracker, clock: Clock) -> dict[str, str]:
    """Five issues, a to e, each a second older than the next."""
    made = {}
    for title in "abcde":
        made[title] = tracker.create(title).id
        clock.pass_seconds(1)
    return made


def test_the_board_of_all_issues_is_always_there(tracker: Tracker, ids: dict[str, str]) -> None:
    """By three names; it has an order like any other, and cannot be changed."""
    (board,) = boards.find(tracker)
    assert [boards.get(tracker, typed) for typed in ("all", "ALL issues", "bd-all-issues", "bd-all")] == [board] * 4

    boards.place(tracker, "all", ids["e"], TOP)

    assert titles(tracker) == ["e", "a", "b", "c", "d"]
    with pytest.raises(InvalidFieldError, match="'All issues' is always there, as it is"):
        boards.edit(tracker, "all", BoardEdit(name="Some"))
    with pytest.raises(InvalidFieldError, match="'All issues' is always there, as it is"):
        boards.delete(tracker, "all")
    for name in ("All Issues", "all"):
        with pytest.raises(InvalidFieldError, match="bd-all-issues is called 'All issues' already"):
            boards.create(tracker, name)
    assert boards.restore(tracker, "all") == board


def test_a_board_is_named_by_its_name_or_its_id(tracker: Tracker) -> None:
    """In any case, and by the beginning of the id; a name comes before the beginning of another id."""
    first = boards.create(tracker, "Sprint 12")
    named_as_another = boards.create(tracker, first.id[3:5])

    for typed in (first.id, first.id[:7], first.id[3:8].upper(), " sprint 12 "):
        assert boards.get(tracker, typed) == first
    assert boards.get(tracker, first.id[3:5]) == named_as_another
    with pytest.raises(NotFoundError) as raised:
        boards.get(tracker, "sprint")
    assert "td board list" in raised.value.hint
    with pytest.raises(InvalidFieldError, match="it is empty"):
        boards.get(tracker, " ")


def test_a_name_is_taken_once(tracker: Tracker) -> None:
    """In any case; a board keeps its own, and that of a deleted board is free."""
    board = boards.create(tracker, "Sprint 12")
    with pytest.raises(InvalidFieldError, match=f"{board.id} is called 'Sprint 12' already"):
        boards.create(tracker, "SPRINT 12")
    assert boards.edit(tracker, "sprint 12", BoardEdit(name="SPRINT 12")).name == "SPRINT 12"
    boards.delete(tracker, board.id)

    again = boards.create(tracker, "Sprint 12")

    assert boards.get(tracker, "sprint 12") == again
    assert boards.restore(tracker, "sprint 12").id == board.id
    with pytest.raises(AmbiguousIdError) as raised:
        boards.get(tracker, "sprint 12")
    assert set(raised.value.candidates) == {board.id, again.id}


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "two\nlines"])
def test_a_name_is_one_short_line(tracker: Tracker, name: str) -> None:
    """It is typed again and again."""
    with pytest.raises(InvalidFieldError, match="name: "):
        boards.create(tracker, name)


def test_a_filter_is_understood_before_it_is_kept(tracker: Tracker) -> None:
    """The error points at the column; nothing is written."""
    board = boards.create(tracker, "Bugs", "type = bug")
    with pytest.raises(FilterError) as raised:
        boards.create(tracker, "Wrong", "type = bug AND colour = red")
    assert raised.value.column == 16
    with pytest.raises(FilterError):
        boards.edit(tracker, board.id, BoardEdit(query="type = banana"))
    with pytest.raises(FilterError):
        parse_field("boards", "query", "type =")

    assert boards.get(tracker, board.id) == board
    assert [one.name for one in boards.find(tracker)] == ["All issues", "Bugs"]
    assert parse_field("boards", "query", " type = task ") == "type = task"


def test_a_board_is_changed_and_told_to_be(tracker: Tracker) -> None:
    """What it is already is not written again, and a change of nothing is a mistake."""
    board = boards.create(tracker, "Bugs", "type = bug")
    changed = boards.edit(tracker, "bugs", BoardEdit(name="Tasks", query="type = task", view_mode=ViewMode.BACKLOG))

    assert (changed.name, changed.query, changed.view_mode) == ("Tasks", "type = task", ViewMode.BACKLOG)
    assert boards.edit(tracker, board.id, BoardEdit(name="Tasks")) == changed
    with pytest.raises(NothingToChangeError):
        boards.edit(tracker, board.id, BoardEdit())
    assert parse_view_mode("Backlog") is ViewMode.BACKLOG
    with pytest.raises(InvalidFieldError, match="there is no view mode 'kanban'"):
        parse_view_mode("kanban")


def test_a_deleted_board_is_only_restored(tracker: Tracker, ids: dict[str, str], clock: Clock) -> None:
    """With its order; deleting it again is done already."""
    board = boards.create(tracker, "Sprint")
    boards.place(tracker, "sprint", ids["c"], TOP)
    deleted = boards.delete(tracker, "sprint")
    clock.pass_seconds(1)

    assert boards.delete(tracker, "sprint") == deleted
    assert [one.id for one in boards.find(tracker, deleted=True)] == [board.id]
    with pytest.raises(DeletedError, match=f"the board {board.id} is deleted") as raised:
        boards.edit(tracker, "sprint", BoardEdit(name="x"))
    assert f"td board restore {board.id}" in raised.value.hint
    boards.restore(tracker, "sprint")
    assert titles(tracker, "sprint") == ["c", "a", "b", "d", "e"]


def test_cards_stand_where_they_are_put_and_the_rest_follows(tracker: Tracker, ids: dict[str, str]) -> None:
    """In the order of the filter."""
    boards.create(tracker, "Newest", "sort:-created")
    steps = (("a", TOP, 1), ("b", TOP, 1), ("c", BOTTOM, 3), ("d", Spot(number=2), 2), ("a", Spot(number=9), 4))

    for title, spot, number in steps:
        assert boards.place(tracker, "newest", ids[title], spot).card.number == number

    assert titles(tracker, "newest") == ["b", "d", "c", "a", "e"]
    assert numbered(tracker, "newest") == {"b": 1, "d": 2, "c": 3, "a": 4, "e": None}
    assert titles(tracker) == ["a", "b", "c", "d", "e"]


def test_a_card_is_put_beside_another(tracker: Tracker, ids: dict[str, str]) -> None:
    """That has a place; beside itself, or beside one that has none, is nowhere."""
    for title in "abc":
        boards.place(tracker, "all", ids[title], BOTTOM)

    boards.place(tracker, "all", ids["d"], Spot(before=ids["b"][:8]))
    boards.place(tracker, "all", ids["a"], Spot(after=ids["c"]))

    assert titles(tracker) == ["d", "b", "c", "a", "e"]
    with pytest.raises(InvalidFieldError, match="cannot stand beside itself"):
        boards.place(tracker, "all", ids["a"], Spot(before=ids["a"]))
    with pytest.raises(InvalidFieldError, match="has no place of its own") as raised:
        boards.place(tracker, "all", ids["a"], Spot(after=ids["e"]))
    assert f"td board move bd-all-issues {ids['e']} --bottom" in raised.value.hint


def test_a_card_is_taken_from_its_place(tracker: Tracker, ids: dict[str, str]) -> None:
    """Several at once; one that has none stays as it is."""
    for title in "ed":
        boards.place(tracker, "all", ids[title], BOTTOM)

    placed = boards.unplace(tracker, "all", [ids["e"], ids["a"], ids["e"]])

    assert [(one.card.issue.title, one.is_changed) for one in placed] == [("e", True), ("a", False)]
    assert {row.issue_id for row in tracker.replica.select(BoardPosition)} == {ids["d"], ids["e"]}
    assert titles(tracker) == ["d", "a", "b", "c", "e"]
    assert boards.place(tracker, "all", ids["e"], TOP).card.number == 1
    assert not boards.place(tracker, "all", ids["e"], TOP).is_changed


def test_hidden_cards_keep_their_places_and_their_numbers(tracker: Tracker, ids: dict[str, str]) -> None:
    """A closed one is counted, so that a number means the same whatever is shown; a deleted one is not on the board."""
    for title in "abcde":
        boards.place(tracker, "all", ids[title], BOTTOM)
    tracker.update(ids["b"], IssueEdit(status=Status.CLOSED))
    tracker.delete([ids["c"]])

    assert numbered(tracker) == {"a": 1, "d": 3, "e": 4}
    assert numbered(tracker, everything=True) == {"a": 1, "b": 2, "d": 3, "e": 4}
    boards.place(tracker, "all", ids["e"], Spot(number=2))
    assert titles(tracker, everything=True) == ["a", "e", "b", "d"]
    tracker.restore([ids["c"]])
    assert titles(tracker, everything=True) == ["a", "e", "b", "c", "d"]


def test_a_board_shows_what_is_not_closed_unless_it_is_asked_for_it(tracker: Tracker, ids: dict[str, str]) -> None:
    """By a status, for everything, or by its own filter."""
    boards.create(tracker, "Done", "status = closed")
    tracker.update(ids["a"], IssueEdit(status=Status.CLOSED))
    tracker.update(ids["b"], IssueEdit(status=Status.BLOCKED))
    everything = boards.get(tracker, "all")

    assert titles(tracker) == ["b", "c", "d", "e"]
    assert [card.issue.title for card in boards.cards(tracker, everything, statuses=[Status.CLOSED])] == ["a"]
    assert [
        card.issue.title for card in boards.cards(tracker, everything, statuses=[Status.CLOSED, Status.BLOCKED])
    ] == ["a", "b"]
    assert titles(tracker, "done") == ["a"]


def test_an_issue_that_is_not_on_a_board_gets_no_place_there(tracker: Tracker, ids: dict[str, str]) -> None:
    """Nobody would see it; nor does a deleted one."""
    boards.create(tracker, "Urgent", "priority = P0")
    with pytest.raises(InvalidFieldError, match="is not on the board 'Urgent'"):
        boards.place(tracker, "urgent", ids["a"], TOP)
    tracker.delete([ids["a"]])
    with pytest.raises(IssueDeletedError):
        boards.place(tracker, "all", ids["a"], TOP)

    urgent = tracker.create("f", priority=Priority.P0)

    assert boards.place(tracker, "urgent", urgent.id, TOP).is_changed
    assert titles(tracker, "urgent") == ["f"]


def test_a_card_keeps_its_place_while_it_is_not_on_the_board(tracker: Tracker, ids: dict[str, str]) -> None:
    """It comes back to it; those that are there are numbered without it."""
    boards.create(tracker, "Open", "status = open")
    for title in "abc":
        boards.place(tracker, "open", ids[title], BOTTOM)
    tracker.update(ids["b"], IssueEdit(status=Status.BLOCKED))
    assert numbered(tracker, "open") == {"a": 1, "c": 2, "d": None, "e": None}

    boards.place(tracker, "open", ids["d"], Spot(number=2))
    tracker.update(ids["b"], IssueEdit(status=Status.OPEN))

    assert titles(tracker, "open") == ["a", "b", "d", "c", "e"]


def test_all_cards_make_room_by_one_mutation(tracker: Tracker, ids: dict[str, str]) -> None:
    """Where a place was halved until none was left; one undo takes it back."""
    for title in "abc":
        boards.place(tracker, "all", ids[title], BOTTOM)
    written = 1
    for step in range(60):
        boards.place(tracker, "all", ids["bc"[step % 2]], Spot(after=ids["a"]))
        written = len(tracker.replica.mutation().changes)
        if written > 1:
            break
    after = titles(tracker)
    assert (written, after[0], set(after[1:3])) == (2, "a", {"b", "c"})

    tracker.undo()

    assert titles(tracker) == [after[0], after[2], after[1], *after[3:]]


def test_of_two_who_move_one_card_the_later_moves_it(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """Also where neither had moved it before, and where one takes it from its place: nothing is in conflict."""
    ids = {title: laptop.create(title).id for title in "abcd"}
    for title in "ab":
        boards.place(laptop, "all", ids[title], BOTTOM)
    sync(laptop, desktop)
    boards.place(desktop, "all", ids["c"], TOP)
    boards.place(laptop, "all", ids["a"], BOTTOM)
    clock.pass_seconds(60)
    boards.place(laptop, "all", ids["c"], BOTTOM)
    boards.unplace(desktop, "all", [ids["a"]])
    boards.place(desktop, "all", ids["d"], BOTTOM)

    sync(laptop, desktop, laptop)

    assert laptop.replica.conflicts() == desktop.replica.conflicts() == []
    assert titles(laptop) == titles(desktop)
    assert numbered(laptop)["a"] is None
    order = [title for title, number in numbered(laptop).items() if number is not None]
    assert order.index("b") < order.index("c")


def test_two_cards_put_in_one_place_stand_in_one_order_for_all(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """And a third one can be put between them."""
    ids = {title: laptop.create(title).id for title in "abcd"}
    sync(laptop, desktop)
    boards.place(laptop, "all", ids["a"], TOP)
    boards.place(desktop, "all", ids["b"], TOP)
    sync(laptop, desktop, laptop)
    first, second = titles(laptop)[:2]
    assert titles(desktop)[:2] == [first, second]
    assert {first, second} == {"a", "b"}

    boards.place(desktop, "all", ids["c"], Spot(before=ids[second]))
    sync(desktop, laptop)

    assert titles(laptop)[:3] == titles(desktop)[:3] == [first, "c", second]


def test_two_boards_of_one_name_made_offline_are_both_kept(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """Each is named by its id; one name for a board that two rename is for a person to decide."""
    made = {boards.create(tracker, "Sprint").id for tracker in (laptop, desktop)}
    sync(laptop, desktop, laptop)
    with pytest.raises(AmbiguousIdError) as raised:
        boards.get(laptop, "sprint")
    assert set(raised.value.candidates) == made
    one = min(made)
    boards.edit(laptop, one, BoardEdit(name="Sprint 1", view_mode=ViewMode.BACKLOG))
    clock.pass_seconds(60)
    boards.edit(desktop, one, BoardEdit(name="Sprint 2", view_mode=ViewMode.SWIMLANES))
    sync(laptop, desktop)

    conflict = decisions.find(desktop, one[:8])

    assert list(conflict.fields) == ["name"]
    decisions.settle(desktop, conflict, {"name": parse_field(conflict.table, "name", " Sprint 3 ")})
    sync(desktop, laptop)
    assert boards.get(laptop, one).name == "Sprint 3"
