"""Merging rows: which fields are set, which clash, and who is asked about them."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from replica.merge import ABSENT, Clash, RowMerge, Side, merge_insert, merge_update
from replica.mutation import StoredValue
from replica.rules import Rule

MINE_AT = "2026-11-21T05:00:00.000000Z"
THEIRS_AT = "2026-11-21T06:00:00.000000Z"
MARKED = {"deleted_at": Rule.DELETED}
RULES = {"tags": Rule.UNION, "stars": Rule.SUM, "seen": Rule.MAX, "mood": Rule.LAST, "body": Rule.TEXT}

values = st.sampled_from([None, 0, 1, 1.0, "a", "b", b"a", "[]", '["a"]', '["b"]'])
rows = st.fixed_dictionaries(dict.fromkeys(["title", *RULES], values))


def their_change(_field: str) -> tuple[str, str]:
    """Say that they changed every field, later than I did."""
    return THEIRS_AT, "theirs"


def update(
    before: dict[str, StoredValue],
    mine: dict[str, StoredValue],
    theirs_row: dict[str, StoredValue],
    theirs: Callable[[str], tuple[str, str]] = their_change,
) -> RowMerge:
    """Merge a patch of mine."""
    return merge_update(RULES, before, mine, theirs_row, mine_at=MINE_AT, mine_by="mine", theirs=theirs)


def test_changes_to_different_fields_are_both_kept() -> None:
    """Only what has to be set on their row is named."""
    merge = update({"title": "Milk"}, {"title": "Oat milk"}, {"title": "Milk", "stars": 3})

    assert merge == RowMerge({"title": "Oat milk"}, {})


def test_two_values_for_a_field_without_a_rule_clash_and_name_both_authors() -> None:
    """A field that names no rule has the rule keep, and the other fields merge all the same."""
    merge = update({"title": "Milk", "stars": 1}, {"title": "Oat milk", "stars": 2}, {"title": "Soy milk", "stars": 5})

    clash = Clash("Milk", Side("Oat milk", MINE_AT, "mine"), Side("Soy milk", THEIRS_AT, "theirs"))
    assert merge == RowMerge({"stars": 6}, {"title": clash})


def mark(before: dict[str, StoredValue], mine: dict[str, StoredValue], theirs_row: dict[str, StoredValue]) -> RowMerge:
    """Merge a patch of mine into a row that can be marked as deleted."""
    return merge_update(MARKED, before, mine, theirs_row, mine_at=MINE_AT, mine_by="mine", theirs=their_change)


def test_a_change_of_a_row_that_was_marked_as_deleted_clashes() -> None:
    """The change is not to go out of sight with the row; what else it sets would merge."""
    merge = mark({"title": "Milk"}, {"title": "Oat milk"}, {"title": "Milk", "deleted_at": "noon"})

    clash = Clash(None, Side(None, MINE_AT, "mine"), Side("noon", THEIRS_AT, "theirs"))
    assert merge == RowMerge({"title": "Oat milk"}, {"deleted_at": clash})


def test_marking_a_row_that_has_moved_on_clashes() -> None:
    """Who marks it has not seen what was changed."""
    merge = mark({"deleted_at": None}, {"deleted_at": "noon"}, {"title": "Oat milk", "deleted_at": None})

    clash = Clash(None, Side("noon", MINE_AT, "mine"), Side(None, THEIRS_AT, "theirs"))
    assert merge == RowMerge({}, {"deleted_at": clash})


def test_two_marks_are_one() -> None:
    """Both want it deleted; the earlier is kept."""
    assert mark({"deleted_at": None}, {"deleted_at": "noon"}, {"deleted_at": "dawn"}) == RowMerge({}, {})
    assert mark({"deleted_at": None}, {"deleted_at": "dawn"}, {"deleted_at": "noon"}) == RowMerge(
        {"deleted_at": "dawn"}, {}
    )


def test_a_mark_that_is_taken_away_is_a_change_like_any_other() -> None:
    """Also where others changed the marked row."""
    theirs = {"title": "Oat milk", "deleted_at": "noon"}

    assert mark({"deleted_at": "noon"}, {"deleted_at": None}, dict(theirs)) == RowMerge({"deleted_at": None}, {})


def test_each_field_is_merged_by_its_own_rule() -> None:
    """Every rule in one row; what comes out as it is on their row is not set again."""
    merge = update(
        {"tags": '["a"]', "stars": 1, "seen": 1, "mood": "calm", "body": "1\n2\n3"},
        {"tags": '["b"]', "stars": 2, "seen": 2, "mood": "glad", "body": "one\n2\n3"},
        {"tags": '["a","c"]', "stars": 3, "seen": 3, "mood": "cross", "body": "1\n2\nthree", "title": "t"},
    )

    assert merge == RowMerge({"tags": '["b","c"]', "stars": 4, "body": "one\n2\nthree"}, {})


def test_a_field_that_their_row_no_longer_has_is_a_clash() -> None:
    """A column dropped by a newer schema takes no change with it, also not one from null."""
    merge = update({"gone": None}, {"gone": "mine"}, {"title": "Milk"})

    clash = Clash(None, Side("mine", MINE_AT, "mine"), Side(None, THEIRS_AT, "theirs"))
    assert merge == RowMerge({}, {"gone": clash})


def test_the_author_is_asked_for_only_where_both_changed() -> None:
    """A lookup in the history is paid for only where it can matter."""
    asked: list[str] = []

    def ask(field: str) -> tuple[str, str]:
        asked.append(field)
        return THEIRS_AT, "theirs"

    update(
        {"title": "Milk", "mood": "calm", "stars": 1},
        {"title": "Oat milk", "mood": "glad", "stars": 1},
        {"title": "Milk", "mood": "cross", "stars": 4},
        ask,
    )

    assert asked == ["mood"]


@given(before=rows, theirs_row=rows)
def test_a_patch_that_changes_nothing_sets_nothing(
    before: dict[str, StoredValue], theirs_row: dict[str, StoredValue]
) -> None:
    """An unchanged side is the identity, for whole rows too."""
    assert update(before, before, theirs_row) == RowMerge({}, {})


@given(before=rows, mine=rows)
def test_a_patch_on_an_unchanged_row_is_applied_as_it_is(
    before: dict[str, StoredValue], mine: dict[str, StoredValue]
) -> None:
    """Where the primary has what I started from, nothing is merged."""
    merge = update(before, mine, before)

    row = before | merge.fields
    assert [(type(row[name]), row[name]) for name in mine] == [(type(mine[name]), mine[name]) for name in mine]
    assert not merge.clashes


@given(before=rows, mine=rows, theirs_row=rows)
def test_every_field_is_set_or_as_they_have_it_or_a_clash(
    before: dict[str, StoredValue], mine: dict[str, StoredValue], theirs_row: dict[str, StoredValue]
) -> None:
    """No field is both decided and left open, and none that would not change is set."""
    merge = update(before, mine, theirs_row)

    assert not merge.fields.keys() & merge.clashes.keys()
    for name, value in merge.fields.items():
        assert (type(value), value) != (type(theirs_row[name]), theirs_row[name])


def insert(mine_row: dict[str, StoredValue], theirs_row: dict[str, StoredValue]) -> RowMerge:
    """Merge a row that I inserted with the one that they did."""
    return merge_insert(RULES, mine_row, theirs_row, mine_at=MINE_AT, mine_by="mine", theirs=their_change)


def test_two_inserts_of_one_id_merge_by_rule_and_clash_where_there_is_none() -> None:
    """There is no value before, so that every difference is a change of both sides."""
    merge = insert(
        {"title": "Milk", "tags": '["a"]', "stars": 1, "mood": "glad"},
        {"title": "Soy milk", "tags": '["b"]', "stars": 1, "mood": "calm"},
    )

    clash = Clash(ABSENT, Side("Milk", MINE_AT, "mine"), Side("Soy milk", THEIRS_AT, "theirs"))
    assert merge == RowMerge({"tags": '["a","b"]', "stars": 2}, {"title": clash})


def test_null_in_an_insert_is_a_value_of_its_own() -> None:
    """That the row did not exist is not the same as that the field was null."""
    merge = insert({"title": None}, {"title": "Soy milk"})

    assert merge.clashes.keys() == {"title"}


@given(row=rows)
def test_two_equal_inserts_are_one_but_for_what_they_counted(row: dict[str, StoredValue]) -> None:
    """Two who agree do not clash, nor does a counter that nobody started become 0."""
    row["stars"] = None

    assert insert(row, row) == RowMerge({}, {})
