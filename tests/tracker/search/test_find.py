"""What a search finds, in which order, and what it shows of it."""

from collections.abc import Sequence
from pathlib import Path

from tests.tracker.clock import Clock
from tracker import Comment, IssueEdit, IssueFilter, IssueType, Priority, Status, Tracker, listing, search, talk
from tracker.search import Where
from tracker.search.index import ranked
from tracker.search.keeping import ask
from tracker.search.query import parse_query


def titles(hits: Sequence[search.Hit]) -> list[str]:
    """What was found, in order."""
    return [hit.issue.title for hit in hits]


def found(tracker: Tracker, typed: str, wanted: IssueFilter | None = None) -> list[str]:
    """The titles of what is found."""
    return titles(search.find(tracker, typed, wanted))


def file_of(tracker: Tracker) -> Path:
    """Where the index is."""
    assert tracker.replica.directory is not None
    return tracker.replica.directory / search.FILE_NAME


def test_every_place_is_searched_and_told(tracker: Tracker) -> None:
    """With a few words from there, and which of them match."""
    issue = tracker.create("title plum", description="one fig two", labels=frozenset({"pear"}))
    tracker.update(issue.id, IssueEdit(acceptance="when ripe"))
    tracker.comment(issue.id, "said quince")
    talk.log(tracker, issue.id, "tried medlar")
    talk.hand_off(tracker, issue.id, talk.Account(done=("ate sloe",), uncertain=('a "rowan" or two',)))

    places = {
        word: [(hit.match, hit.snippet.text, [hit.snippet.text[a:b] for a, b in hit.snippet.marks]) for hit in hits]
        for word in ("plum", "pear", "fig", "ripe", "quince", "medlar", "sloe", "rowan", "nut")
        for hits in [search.find(tracker, word)]
    }

    assert places == {
        "plum": [(Where.TITLE, "title plum", ["plum"])],
        "pear": [(Where.LABEL, "pear", ["pear"])],
        "fig": [(Where.DESCRIPTION, "one fig two", ["fig"])],
        "ripe": [(Where.ACCEPTANCE, "when ripe", ["ripe"])],
        "quince": [(Where.COMMENT, "said quince", ["quince"])],
        "medlar": [(Where.LOG, "tried medlar", ["medlar"])],
        "sloe": [(Where.HANDOFF, 'ate sloe … a "rowan" or two', ["sloe"])],
        "rowan": [(Where.HANDOFF, 'ate sloe … a "rowan" or two', ["rowan"])],
        "nut": [],
    }


def test_words_may_stand_in_different_places(tracker: Tracker) -> None:
    """An issue must have all of them somewhere; a phrase at one place."""
    issue = tracker.create("login fails")
    tracker.comment(issue.id, "the font")
    tracker.comment(issue.id, "server is slow")

    assert found(tracker, "slow login") == ["login fails"]
    assert found(tracker, '"font server"') == []
    assert found(tracker, '"server is"') == ["login fails"]


def test_a_word_finds_those_that_begin_so(tracker: Tracker) -> None:
    """The word itself comes before them, and quotes want it alone."""
    for title in ("authentication of users", "auth of users", "author", "reauth", "other", "else"):
        tracker.create(title)

    assert found(tracker, "auth") == ["auth of users", "author", "authentication of users"]
    assert found(tracker, '"auth"') == ["auth of users"]
    assert found(tracker, '"auth"*') == found(tracker, "auth*") == found(tracker, "auth")


def test_a_title_weighs_more_than_a_description_and_that_more_than_talk(tracker: Tracker) -> None:
    """Of texts that are as long."""
    talked, described, labelled, titled = (
        tracker.create("one"),
        tracker.create("two", description="plum"),
        tracker.create("three", labels=frozenset({"plum"})),
        tracker.create("plum"),
    )
    tracker.comment(talked.id, "plum")
    for number in range(8):
        tracker.create(f"other {number}")

    hits = search.find(tracker, "plum")

    assert [hit.issue.id for hit in hits] == [titled.id, labelled.id, described.id, talked.id]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_those_that_fit_alike_come_by_urgency_and_then_the_last_changed(tracker: Tracker, clock: Clock) -> None:
    """As a person would look at them."""
    for title, priority in (("plum a", Priority.P2), ("plum b", Priority.P1), ("plum c", Priority.P2)):
        clock.pass_seconds(1)
        tracker.create(title, priority=priority)

    assert found(tracker, "plum") == ["plum b", "plum c", "plum a"]


def test_an_id_comes_first(tracker: Tracker) -> None:
    """Whole or by its beginning, with td- or without, in any case."""
    meant = tracker.create("meant")
    tracker.create(f"see {meant.id}")
    short = meant.id.removeprefix("td-")

    for typed in (meant.id, meant.id.upper(), short, short[:5], f"td-{short[:3]}"):
        hits = search.find(tracker, typed)
        assert (hits[0].issue.id, hits[0].match) == (meant.id, Where.ID), typed
        assert len({hit.issue.id for hit in hits}) == len(hits)
    assert titles(search.find(tracker, meant.id)) == ["meant", f"see {meant.id}"]
    assert search.find(tracker, meant.id)[0].score > search.find(tracker, short[:5])[0].score


def test_closed_issues_are_found_when_asked_for_and_deleted_ones_never(tracker: Tracker) -> None:
    """Until they are restored."""
    shut, gone = tracker.create("plum shut"), tracker.create("plum gone")
    tracker.update(shut.id, IssueEdit(status=Status.CLOSED))
    tracker.delete([gone.id])

    assert found(tracker, "plum") == []
    assert found(tracker, "plum", IssueFilter(with_closed=True)) == ["plum shut"]
    assert found(tracker, "plum", listing.filtered("status = closed")) == ["plum shut"]
    assert found(tracker, gone.id, IssueFilter(with_closed=True)) == []
    tracker.restore([gone.id])
    assert found(tracker, "plum") == ["plum gone"]


def test_what_is_found_is_narrowed_as_a_list_is(tracker: Tracker) -> None:
    """By type, priority and label."""
    tracker.create("plum bug", type=IssueType.BUG, priority=Priority.P0)
    tracker.create("plum task", labels=frozenset({"web", "api"}))

    assert found(tracker, "plum", listing.filtered("type = bug")) == ["plum bug"]
    assert found(tracker, "plum", listing.filtered("priority = P2")) == ["plum task"]
    assert found(tracker, "plum", listing.filtered("all(labels, web, api)")) == ["plum task"]


def test_a_filter_that_leaves_few_still_fills_the_page(tracker: Tracker) -> None:
    """However far down they are."""
    for number in range(120):
        tracker.create("plum", type=IssueType.BUG if number % 40 else IssueType.EPIC)

    assert len(search.find(tracker, "plum", listing.filtered("type = epic"), limit=3)) == 3
    assert len(search.find(tracker, "plum", limit=7)) == 7


def test_a_search_sees_at_once_what_changed(tracker: Tracker) -> None:
    """And reads no more than that: the index stays the file that it is."""
    issue = tracker.create("plum")
    assert found(tracker, "plum") == ["plum"]
    inode = file_of(tracker).stat().st_ino

    tracker.update(issue.id, IssueEdit(title="pear"))
    assert (found(tracker, "plum"), found(tracker, "pear")) == ([], ["pear"])
    tracker.comment(issue.id, "said quince")
    assert found(tracker, "quince") == ["pear"]
    tracker.undo()
    assert found(tracker, "quince") == []
    tracker.update(issue.id, IssueEdit(title="plum"))
    assert (found(tracker, "plum"), found(tracker, "pear")) == (["plum"], [])
    tracker.delete([issue.id])
    assert found(tracker, "plum") == []

    assert file_of(tracker).stat().st_ino == inode


def test_a_comment_that_moves_to_another_issue_is_found_there(tracker: Tracker) -> None:
    """As a decision about a conflict may have it."""
    one, other = tracker.create("one"), tracker.create("other")
    said = tracker.comment(one.id, "quince")
    assert found(tracker, "quince") == ["one"]
    with tracker.replica.transaction() as tx:
        tx.update(tx.get(Comment, said.id), issue_id=other.id)

    assert found(tracker, "quince") == ["other"]


def test_a_search_where_nothing_changed_writes_nothing(tracker: Tracker) -> None:
    """Not even a moment."""
    tracker.create("plum")
    found(tracker, "plum")
    before = (file_of(tracker).read_bytes(), file_of(tracker).stat().st_mtime_ns)

    assert found(tracker, "plum") == ["plum"]

    assert (file_of(tracker).read_bytes(), file_of(tracker).stat().st_mtime_ns) == before


ODD = (
    "", " ", '"', '""', '"""', "'", "*", "**", "-", "--", "- -", '-"', "AND", "OR NOT", "NEAR(a b)", "a AND", "(", ")",
    "title:plum", "{a b}:c", "^a", "a + b", "C++", "c#", "foo-bar", "-foo-bar", "--json", "🎉", "🎉 plum", "\ue000",
    "\ue001x\ue002", "\0", "a\0b", "\ud800", "%", "_", "td-", "td-!", "日本", "é" * 300, "x" * 5000, '"a', 'a"b c"d',
    "; DROP TABLE issues", "\\", "\n", "a\tb", "plum " * 700, "-plum", "-*", '-""',
)  # fmt: skip


def test_nothing_that_can_be_typed_is_an_error(tracker: Tracker) -> None:
    """Nor syntax by accident."""
    tracker.create("plum AND C++ foo-bar --json")

    for typed in ODD:
        assert found(tracker, typed) in ([], ["plum AND C++ foo-bar --json"]), typed


def test_punctuation_is_no_syntax(tracker: Tracker) -> None:
    """What stands for words finds them."""
    tracker.create("plum AND C++ foo-bar --json title:x")

    for typed in ("AND", "C++", "foo-bar", "foo_bar", "--json", "title:x", "and c++", '"c++ foo"', "🎉 plum", "a*"):
        assert len(search.find(tracker, typed)) == 1, typed
    for typed in ("OR", "C+a", "-json", "-plum", "plum -foo-bar", '"foo plum"', "z*", "a"):
        assert search.find(tracker, typed) == [], typed


def test_what_is_only_unwanted_leaves_the_others(tracker: Tracker) -> None:
    """The most urgent first."""
    tracker.create("plum")
    tracker.create("pear", priority=Priority.P3)
    tracker.create("fig", priority=Priority.P1)

    hits = search.find(tracker, "-plum")

    assert titles(hits) == ["fig", "pear"]
    assert {(hit.match, hit.score) for hit in hits} == {(None, 0.0)}


def test_of_very_many_the_newest_are_ranked_first(tracker: Tracker, clock: Clock) -> None:
    """And none is left out or comes twice."""
    for number in range(7):
        clock.pass_seconds(1)
        tracker.create(f"plum {'plum ' * (number % 3)}")
    assert tracker.replica.directory is not None

    found_ids = ask(
        tracker.replica,
        tracker.replica.directory,
        lambda index, _: [one.issue_id for one in ranked(index, parse_query("plum"), at_once=3)],
    )

    newest_first = [str(row[0]) for row in tracker.replica.query("SELECT id FROM issues ORDER BY rowid DESC").rows]
    assert [set(found_ids[:3]), set(found_ids[3:6]), set(found_ids[6:])] == [
        set(newest_first[:3]),
        set(newest_first[3:6]),
        set(newest_first[6:]),
    ]


def test_a_row_of_another_program_is_searched_as_it_stands(tracker: Tracker) -> None:
    """What should be a list and is none does not keep others from being found."""
    issue = tracker.create("plum")
    connection = tracker.replica._driver._connection()  # type: ignore[attr-defined] # of the driver of one file
    connection.execute(
        "INSERT INTO handoffs (id, updated_at, issue_id, done, created_at) VALUES ('h', '', ?, 'nut', '')", (issue.id,)
    )

    assert found(tracker, "nut") == ["plum"]
