"""The files that belong to an issue."""

import pytest

from tests.tracker.clock import Clock
from tests.tracker.pair import sync
from tracker import (
    FileRole,
    FileState,
    FoundFile,
    InvalidFieldError,
    IssueDeletedError,
    NotFoundError,
    NotLinkedError,
    Tracker,
    files,
    parse_role,
)

APP = FoundFile("src/app.py", "a" * 64)


def paths(tracker: Tracker, issue_id: str) -> list[str]:
    """What a list of files shows."""
    return [row.path for row in files.links_of(tracker, issue_id)[1]]


def test_files_are_linked_by_one_mutation(tracker: Tracker) -> None:
    """In the order of their paths, with the role and the content they had."""
    issue = tracker.create("Oat milk")

    change = files.link(tracker, issue.id[:6], [FoundFile("z.py", "b" * 64), APP], FileRole.TEST)

    assert (change.issue, change.is_changed) == (issue, True)
    _, links = files.links_of(tracker, issue.id)
    assert [(row.path, row.role, row.sha) for row in links] == [
        ("src/app.py", FileRole.TEST, "a" * 64),
        ("z.py", FileRole.TEST, "b" * 64),
    ]
    tracker.undo()
    assert paths(tracker, issue.id) == []


def test_a_file_linked_again_is_taken_as_it_is_now(tracker: Tracker) -> None:
    """It keeps its role, unless another one is named; where nothing differs nothing is written."""
    issue = tracker.create("Oat milk")
    (first,) = files.link(tracker, issue.id, [APP], FileRole.TEST).links
    assert not files.link(tracker, issue.id, [APP]).is_changed
    assert not files.link(tracker, issue.id, [APP], FileRole.TEST).is_changed

    (second,) = files.link(tracker, issue.id, [FoundFile(APP.path, "b" * 64)]).links
    (third,) = files.link(tracker, issue.id, [FoundFile(APP.path, "b" * 64)], FileRole.CONFIG).links

    assert (second.id, second.sha, second.role, third.role) == (first.id, "b" * 64, FileRole.TEST, FileRole.CONFIG)
    assert paths(tracker, issue.id) == [APP.path]


def test_a_file_that_somebody_else_linked_as_it_is_now_stays_theirs(tracker: Tracker, colleague: Tracker) -> None:
    """There is nothing new to say of it."""
    issue = tracker.create("Oat milk")
    (first,) = files.link(tracker, issue.id, [APP]).links

    again = files.link(colleague, issue.id, [APP])

    assert (again.is_changed, again.links) == (False, [first])


def test_files_are_let_go_of_all_or_none(tracker: Tracker) -> None:
    """One that is not linked keeps the others; one named twice is let go of once."""
    issue = tracker.create("Oat milk")
    files.link(tracker, issue.id, [APP, FoundFile("z.py", "")])
    with pytest.raises(NotLinkedError, match=f"x.py is not linked to {issue.id}"):
        files.unlink(tracker, issue.id, ["z.py", "x.py"])

    change = files.unlink(tracker, issue.id, ["z.py", "z.py"])

    assert [row.path for row in change.links] == ["z.py"]
    assert paths(tracker, issue.id) == [APP.path]


def test_a_deleted_issue_takes_and_loses_no_file(tracker: Tracker) -> None:
    """Its files can still be read."""
    issue = tracker.create("Oat milk")
    files.link(tracker, issue.id, [APP])
    tracker.delete([issue.id])

    with pytest.raises(IssueDeletedError):
        files.link(tracker, issue.id, [FoundFile("z.py", "")])
    with pytest.raises(IssueDeletedError):
        files.unlink(tracker, issue.id, [APP.path])

    assert paths(tracker, issue.id) == [APP.path]
    with pytest.raises(NotFoundError):
        files.link(tracker, "zzzzzzzz", [APP])


@pytest.mark.parametrize(
    ("linked", "now", "state"),
    [
        ("a", "a", FileState.UNCHANGED),
        ("a", "b", FileState.CHANGED),
        ("a", None, FileState.MISSING),
        ("", None, FileState.MISSING),
        ("", "a", FileState.UNKNOWN),
    ],
)
def test_the_state_of_a_file_is_told_by_its_content(
    tracker: Tracker, linked: str, now: str | None, state: FileState
) -> None:
    """Where it is not known what it held, nothing is claimed."""
    issue = tracker.create("Oat milk")
    (row,) = files.link(tracker, issue.id, [FoundFile("a.py", linked)]).links

    assert files.state_of(row, now) is state


def test_a_role_has_one_of_four_names() -> None:
    """In any case."""
    assert parse_role("Test") is FileRole.TEST
    with pytest.raises(InvalidFieldError, match="there is no role 'doc'") as raised:
        parse_role("doc")
    assert raised.value.hint == "use one of implementation, test, reference, config"


def test_two_people_who_link_one_file_make_one_link(laptop: Tracker, desktop: Tracker, clock: Clock) -> None:
    """As the later of them saw it, since the moment of the earlier; nothing is in conflict."""
    issue = laptop.create("Oat milk")
    sync(laptop, desktop)
    earlier = clock.now
    files.link(laptop, issue.id, [APP], FileRole.TEST)
    clock.pass_seconds(60)
    files.link(desktop, issue.id, [FoundFile(APP.path, "b" * 64)])

    sync(desktop, laptop, desktop)

    assert laptop.replica.conflicts() == []
    ((row,),) = {tuple(files.links_of(tracker, issue.id)[1]) for tracker in (laptop, desktop)}
    assert (row.sha, row.role, row.session) == ("b" * 64, FileRole.IMPLEMENTATION, desktop.session)
    assert row.created_at.timestamp() == earlier
