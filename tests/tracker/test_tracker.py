"""The issues of one directory."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tracker.clock import Clock
from tracker import (
    ConflictError,
    InvalidFieldError,
    Issue,
    IssueDeletedError,
    IssueEdit,
    IssueFilter,
    NotFoundError,
    NothingToUndoError,
    Priority,
    Status,
    Tracker,
    listing,
    moves,
    open_tracker,
    views,
)


def titles(issues: Sequence[Issue]) -> list[str]:
    """What a list shows."""
    return [issue.title for issue in issues]


def count_rows(tracker: Tracker) -> int:
    """How many changes were ever made."""
    return int(str(tracker.replica.query("SELECT count(*) FROM _replica_changes").rows[0][0]))


def test_an_issue_is_read_back_as_it_was_created(tracker: Tracker) -> None:
    """With who created it, and when."""
    made = tracker.create(" Oat milk ", description="two\r\nlines", labels=frozenset({"b", "a"}))

    found = tracker.get(made.id)

    assert found == made
    assert (found.title, found.description, found.creator_session) == ("Oat milk", "two\nlines", "ses_laptop_000001")
    assert found.created_at.timestamp() == 1_795_237_200.0


def test_an_issue_is_found_by_the_beginning_of_its_id(tracker: Tracker) -> None:
    """As people type it."""
    made = tracker.create("Oat milk")

    assert tracker.get(made.id[3:7].upper()) == made


def test_a_bad_title_writes_nothing(tracker: Tracker) -> None:
    """It is checked before anything else."""
    with pytest.raises(InvalidFieldError):
        tracker.create("")

    assert count_rows(tracker) == 0


def test_the_most_urgent_issue_comes_first_and_of_those_the_oldest(tracker: Tracker, clock: Clock) -> None:
    """That is the order to do them in."""
    for title, priority in (("later", Priority.P3), ("first", Priority.P1), ("second", Priority.P1)):
        tracker.create(title, priority=priority)
        clock.pass_seconds(1)

    assert titles(tracker.find(IssueFilter())) == ["first", "second", "later"]
    assert titles(tracker.find(IssueFilter(limit=1))) == ["first"]


def test_a_list_hides_what_is_closed_or_deleted(tracker: Tracker, clock: Clock) -> None:
    """And shows either when asked."""
    made = {}
    for title in ("open", "closed", "deleted", "both"):
        made[title] = tracker.create(title).id
        clock.pass_seconds(1)
    moves.close(tracker, [made["closed"], made["both"]])
    tracker.delete([made["deleted"], made["both"]])

    assert titles(tracker.find(IssueFilter())) == ["open"]
    assert titles(tracker.find(IssueFilter(with_closed=True))) == ["open", "closed"]
    assert titles(tracker.find(IssueFilter(with_deleted=True))) == ["open", "deleted", "both"]
    assert titles(tracker.find(IssueFilter(with_closed=True, with_deleted=True))) == [
        "open",
        "closed",
        "deleted",
        "both",
    ]
    assert titles(tracker.find(listing.filtered("status = closed"))) == ["closed"]


def test_a_list_is_narrowed_by_every_label(tracker: Tracker) -> None:
    """A label is a whole word."""
    tracker.create("one", labels=frozenset({"a"}))
    tracker.create("both", labels=frozenset({"a", "b"}))
    tracker.create("longer", labels=frozenset({"ab"}))

    assert titles(tracker.find(listing.filtered("all(labels, a, b)"))) == ["both"]


def test_an_update_made_of_an_old_reading_is_a_conflict(tracker: Tracker, clock: Clock) -> None:
    """With the issue as it is now."""
    seen = tracker.create("Oat milk")
    clock.pass_seconds(1)
    now = tracker.update(seen.id, IssueEdit(status=Status.IN_PROGRESS))

    with pytest.raises(ConflictError) as raised:
        tracker.update(seen.id, IssueEdit(title="Soy milk"), if_updated_at=seen.updated_at)

    assert raised.value.current == now
    assert tracker.get(seen.id) == now


def test_an_update_made_of_the_last_reading_is_done(tracker: Tracker) -> None:
    """Nobody else was there."""
    seen = tracker.create("Oat milk")

    assert tracker.update(seen.id, IssueEdit(title="Soy milk"), if_updated_at=seen.updated_at).title == "Soy milk"


def test_several_issues_are_closed_all_or_none(tracker: Tracker) -> None:
    """An id that is not there keeps the others open."""
    made = tracker.create("Oat milk")

    with pytest.raises(NotFoundError):
        moves.close(tracker, [made.id, "zzzzzzzz"])

    assert tracker.get(made.id).status is Status.OPEN


def test_closing_several_issues_is_one_mutation(tracker: Tracker) -> None:
    """So one undo takes it back; an issue named twice is closed once."""
    ids = [tracker.create(title).id for title in ("a", "b")]
    moves.close(tracker, [*ids, ids[0]])

    tracker.replica.undo()

    assert sorted(titles(tracker.find(IssueFilter()))) == ["a", "b"]


def test_undo_in_a_new_session_has_nothing_to_undo(tracker: Tracker, tmp_path: Path, clock: Clock) -> None:
    """What others did is named to be undone."""
    made = tracker.create("Oat milk")
    with open_tracker(tmp_path / "laptop", session="ses_laptop_000002", machine="laptop", clock=clock) as other:
        with pytest.raises(NothingToUndoError):
            other.undo()

        undone = other.undo(tracker.history(made.id)[1][0].mutation_id[:20])

    assert undone.deleted == (made.id,)


def test_who_takes_back_twice_goes_two_steps_back(tracker: Tracker) -> None:
    """And what took something back is taken back by its id; what it was about counts again."""
    made = tracker.create("Oat milk")
    for title in ("Whole milk", "No milk"):
        tracker.update(made.id, IssueEdit(title=title))

    def title_after(mutation_id: str | None = None) -> tuple[str, str]:
        undone = tracker.undo(mutation_id)
        return undone.mutation.id, tracker.get(made.id).title

    (_, one_back), (by, two_back) = title_after(), title_after()
    again = title_after(by)[1]

    assert (one_back, two_back, again) == ("Whole milk", "Oat milk", "Whole milk")
    assert title_after()[1] == "Oat milk"
    assert tracker.undo().deleted == (made.id,)
    with pytest.raises(NothingToUndoError, match="nothing that still stands"):
        tracker.undo()


def test_a_comment_is_taken_back_whole(tracker: Tracker) -> None:
    """Only issues are kept as deleted; and a mutation that is not there is not found."""
    made = tracker.create("Oat milk")
    tracker.comment(made.id, "hello")

    undone = tracker.undo()

    assert undone.deleted == ()
    assert views.whole(tracker, made.id).comments == []
    with pytest.raises(NotFoundError):
        tracker.undo("zzz")


def test_a_comment_is_shown_with_its_issue(tracker: Tracker, clock: Clock) -> None:
    """Oldest first."""
    made = tracker.create("Oat milk")
    for text in ("first", "second"):
        tracker.comment(made.id, text)
        clock.pass_seconds(1)

    view = views.whole(tracker, made.id)

    assert [comment.text for comment in view.comments] == ["first", "second"]
    assert view.comments[0].session == "ses_laptop_000001"


def test_a_deleted_issue_takes_no_comment(tracker: Tracker) -> None:
    """Nobody would read it."""
    made = tracker.create("Oat milk")
    tracker.delete([made.id])

    with pytest.raises(IssueDeletedError):
        tracker.comment(made.id, "hello")

    assert views.whole(tracker, made.id).comments == []


def test_history_tells_what_was_done(tracker: Tracker) -> None:
    """Oldest first, with the fields that changed."""
    made = tracker.create("Oat milk")
    tracker.update(made.id, IssueEdit(title="Soy milk"))

    _, entries = tracker.history(made.id)

    assert [entry.kind.value for entry in entries] == ["insert", "update"]
    assert entries[1].fields == {"title": ("Oat milk", "Soy milk")}


def test_issues_outlive_the_program(tmp_path: Path) -> None:
    """They are on disk when `create` returns."""
    with open_tracker(tmp_path) as first:
        made = first.create("Oat milk")

    with open_tracker(tmp_path) as second:
        assert second.get(made.id) == made
