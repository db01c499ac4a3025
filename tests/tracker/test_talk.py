"""What is said about issues."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker import Account, Commit, InvalidFieldError, IssueDeletedError, IssueEdit, LogType, Tracker, editing, talk
from tracker.records import Snapshot
from tracker.talk import account_from


def test_logs_come_back_in_order_with_their_kinds(tracker: Tracker) -> None:
    """The newest of them where not all are wanted."""
    made = tracker.create("Oat milk")
    for kind in LogType:
        talk.log(tracker, made.id, f"a {kind}", kind=kind)

    assert [log.type for log in talk.logs(tracker, made.id)] == list(LogType)
    assert [log.message for log in talk.logs(tracker, made.id, limit=2)] == ["a security", "a orchestration"]


@pytest.mark.parametrize("message", ["", "  \n", "bell\a", "half \ud800"])
def test_a_log_says_something_that_can_be_kept(tracker: Tracker, message: str) -> None:
    """Else nothing is written."""
    made = tracker.create("Oat milk")

    with pytest.raises(InvalidFieldError):
        talk.log(tracker, made.id, message)
    assert talk.logs(tracker, made.id) == []


def test_nothing_is_said_of_what_is_deleted(tracker: Tracker) -> None:
    """Nobody would see it."""
    made = tracker.create("Oat milk")
    tracker.delete([made.id])

    with pytest.raises(IssueDeletedError):
        talk.log(tracker, made.id, "hello")
    with pytest.raises(IssueDeletedError):
        talk.hand_off(tracker, made.id, Account(done=("x",)))


def test_a_handoff_is_one_for_the_parts_that_have_none(tracker: Tracker) -> None:
    """With the commit that it was made at, and a message among the logs."""
    above = tracker.create("above")
    parts = [editing.create(tracker, IssueEdit(title=title, parent_id=above.id)) for title in "ab"]
    talk.hand_off(tracker, parts[0].id, Account(done=("mine",)))

    account = Account(("bought it", " "), ("drink it",), ("oat",), ("how long",))
    made, others = talk.hand_off(tracker, above.id, account, message="over to you", commit=Commit("c0ffee"))

    assert (made.done, made.remaining, made.decisions, made.uncertain) == (
        ("bought it",),
        ("drink it",),
        ("oat",),
        ("how long",),
    )
    assert [handoff.issue_id for handoff in others] == [parts[1].id]
    assert [log.message for log in talk.logs(tracker, above.id)] == ["over to you"]
    assert [snapshot.commit_sha for snapshot in tracker.replica.select(Snapshot)] == ["c0ffee"]


def test_an_account_is_read_from_text_with_headings() -> None:
    """Bullets and empty lines fall away; what stands before the first heading is done."""
    text = "measured\n\nRemaining:\n- fix\n* test\nDecisions:\n  - cache\nUNCERTAIN:\nwhy\n"

    assert account_from(text.splitlines()) == Account(("measured",), ("fix", "test"), ("cache",), ("why",))


@given(st.lists(st.text(), max_size=8))
def test_any_text_is_an_account(lines: list[str]) -> None:
    """Nothing that is typed raises, and no line is lost but headings and empty ones."""
    account = account_from(lines)

    told = account.done + account.remaining + account.decisions + account.uncertain
    assert len(told) <= len(lines)
