"""Whatever happened to the rows or to the index, a search finds what reading every row would find."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sqld import Server
from tests.tracker.search.naive import Wish, found
from tracker import (
    ConflictError,
    InputError,
    IssueEdit,
    IssueFilter,
    NotFoundError,
    Tracker,
    TrackerError,
    open_tracker,
    search,
    talk,
)

TEXTS = ("auth", "Authentication", "log in", "login", "Café", "cafe-noir", "日本語", "本", "x", "C++", "a_b", "naïve é")
EVERYTHING = IssueFilter(with_closed=True)
LOOKS = [
    [Wish("auth", is_begin=True)],
    [Wish("auth")],
    [Wish("log in"), Wish("cafe", is_begin=True)],
    [Wish("本")],
    [Wish("日本", is_begin=True), Wish("naive", is_wanted=False)],
    [Wish("cafe noir"), Wish("x", is_wanted=False)],
    [Wish("log", is_begin=True, is_wanted=False)],
    [Wish("a b")],
]
NAMES = ("create", "title", "text", "label", "comment", "log", "hand off", "sync", "look", "look")
SELDOM = ("close", "delete", "restore", "undo", "drop base", "drop index", "spoil index", "cut index")
steps = st.lists(
    st.tuples(
        st.sampled_from(("here", "there")), st.sampled_from(NAMES + NAMES + SELDOM), st.integers(0, 3),
        st.sampled_from(TEXTS), st.sampled_from(TEXTS),
    ),
    min_size=10,
    max_size=30,
)  # fmt: skip
Step = tuple[str, str, int, str, str]
whatever = settings(
    # Every step is a real commit or a real sync, so a long walk is not made shorter for minutes.
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def typed(wishes: Sequence[Wish]) -> str:
    """What a person types for that."""
    return " ".join(f'{"" if one.is_wanted else "-"}"{one.text}"{"*" if one.is_begin else ""}' for one in wishes)


def look(tracker: Tracker, number: int) -> None:
    """Search for something, and hold what is found to what is there."""
    for wishes in LOOKS[number % 2 :: 2]:
        hits = search.find(tracker, typed(wishes), EVERYTHING, limit=1000)

        assert {hit.issue.id for hit in hits} == found(tracker, wishes), typed(wishes)
        assert len(hits) == len({hit.issue.id for hit in hits})
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert all(hit.snippet.marks for hit in hits if any(wish.is_wanted for wish in wishes))


def step(tracker: Tracker, directory: Path, name: str, number: int, text: str, other: str) -> None:
    """One thing that may happen."""
    if name == "create":
        tracker.create(text, description=other)
    elif name == "look":
        look(tracker, number)
    elif name == "sync":
        assert tracker.replica.sync().error is None
    elif name == "drop base":
        tracker.replica.close()
        for path in directory.glob("replica.db*"):
            path.unlink()
    elif name == "undo":
        tracker.undo()
    elif name.endswith("index"):
        hurt(directory / search.FILE_NAME, name)
    else:
        change(tracker, name, number, text, other)


def hurt(path: Path, name: str) -> None:
    """Something is done to the file of the index."""
    if name == "drop index":
        path.unlink(missing_ok=True)
    elif path.exists():
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if name == "cut index" else b"\x55" * len(data))


def label_of(text: str) -> frozenset[str]:
    """A label holds no space."""
    return frozenset({text.replace(" ", "-")})


def change(tracker: Tracker, name: str, number: int, text: str, other: str) -> None:
    """Something is done to an issue that is there."""
    ids = [str(row[0]) for row in tracker.replica.query("SELECT id FROM issues ORDER BY id").rows]
    if not ids:
        return
    issue_id = ids[number % len(ids)]
    edits = {
        "title": IssueEdit(title=text),
        "text": IssueEdit(description=text, acceptance=other),
        "label": IssueEdit(
            add_labels=frozenset({text.split(maxsplit=1)[0]}), remove_labels=frozenset({other.split(maxsplit=1)[0]})
        ),
    }
    if name in edits:
        tracker.update(issue_id, edits[name])
    elif name == "comment":
        tracker.comment(issue_id, text)
    elif name == "log":
        talk.log(tracker, issue_id, text)
    elif name == "hand off":
        talk.hand_off(tracker, issue_id, talk.Account(done=(text,), remaining=(other, text)))
    elif name == "delete":
        tracker.delete([issue_id])
    elif name == "restore":
        tracker.restore([issue_id])


@contextmanager
def opened(directory: Path, server: Server | None) -> Iterator[Tracker]:
    """A tracker, with a primary or without one."""
    url = None if server is None else server.url
    mode = "local" if server is None else "libsql"
    session = f"ses_{directory.name}_000001"
    with open_tracker(directory, mode=mode, url=url, session=session, machine=directory.name) as tracker:
        yield tracker


def play(home: Path, server: Server | None, walk: Sequence[Step]) -> None:
    """Take each step, opening the tracker anew for it as td does."""
    for who, name, number, text, other in [*walk, ("here", "look", 0, "", ""), ("there", "look", 1, "", "")]:
        # An answer like any other: there is nothing like that here.
        with opened(home / who, server) as tracker, suppress(TrackerError, InputError, NotFoundError, ConflictError):
            step(tracker, home / who, name, number, text, other)


@settings(whatever, max_examples=10)
@given(walk=steps)
def test_in_one_file_a_search_finds_what_reading_everything_would(
    tmp_path_factory: pytest.TempPathFactory, walk: list[Step]
) -> None:
    """Two directories, each with its own issues, in mode local."""
    play(tmp_path_factory.mktemp("law"), None, walk)


@settings(whatever, max_examples=4)
@given(walk=steps)
def test_with_a_primary_a_search_finds_what_reading_everything_would(
    tmp_path_factory: pytest.TempPathFactory, primary_server: Server, walk: list[Step]
) -> None:
    """Two replicas that write, sync, merge, park and lose their bases."""
    home = tmp_path_factory.mktemp("law")
    for name in ("here", "there"):
        with opened(home / name, primary_server) as tracker:
            assert tracker.replica.sync().error is None
    play(home, primary_server, walk)
