"""What the checker must not take for a violation: each was once, in a run of many seeds."""

import json
from typing import Any

from replica import Rule
from tests.simulation.merging import Past, Row, explain, may_give_way
from tests.simulation.reading import check_reads
from tests.simulation.records import PROGRAMS
from tests.simulation.story import Seen, Story, ToldChange, told_change
from tests.simulation.timeline import CONFLICTS, Timeline

_AUTHOR = ("2026-01-01T00:00:01.000000Z", "m1")
_SCRAP = ["scraps", "s1"]


def _update(fields: dict[str, list[object]]) -> ToldChange:
    return ToldChange("tasks", "t1", "update", "then", "now", fields)


def test_a_field_that_was_changed_there_and_back_is_left_as_others_had_it() -> None:
    """Seed 4002: in one transaction, so that its author asked for nothing."""
    told, found, rules = _update({"owner": ["ann", "ann"]}), {"owner": "eve"}, {"owner": Rule.LAST}

    left_alone = list(explain(told, _update({}), found, rules, _AUTHOR, Past()))
    set_anyway = list(explain(told, _update({"owner": ["eve", "ann"]}), found, rules, _AUTHOR, Past()))

    assert left_alone == []
    assert [invariant for invariant, _ in set_anyway] == ["I4"]


def test_a_value_that_gave_way_to_another_need_not_come_back_when_that_one_goes() -> None:
    """Seed 6028: merged under `min` with a smaller one, which somebody changed back before the rest of it arrived."""
    told, rules, past = _update({"least": [4, 52]}), {"least": Rule.MIN}, Past()
    past.note("least", 48, ("2026-01-01T00:00:00.000000Z", "m0"))
    as_it_was, moved = {"least": 4, "updated_at": "then"}, {"least": 4, "updated_at": "later"}

    assert list(explain(told, _update({}), moved, rules, _AUTHOR, past)) == []
    assert [invariant for invariant, _ in explain(told, _update({}), as_it_was, rules, _AUTHOR, past)] == ["I1"]


def test_a_consequence_comes_to_nothing_only_where_it_met_another_value() -> None:
    """There now, or on its way; other fields, and what the rules merge, are no reason."""
    fields: dict[str, list[object]] = {"title": ["a", "mine"], "spent": [1, 2]}
    told = ToldChange("tasks", "t1", "update", "then", "now", fields, yields=True)
    rules, past = {"title": Rule.KEEP, "spent": Rule.SUM}, Past()
    found: list[Row] = [{"title": "a", "spent": 7}, {"title": "mine", "spent": 7}, {"title": "theirs", "spent": 1}]

    assert [may_give_way(told, row, rules, past) for row in found] == [False, False, True]
    past.note("title", "theirs", _AUTHOR)
    assert may_give_way(told, found[0], rules, past)


def _sees(text: str, *pending: list[Any]) -> list[str]:
    """What is wrong with a read that shows one scrap with this text, over an empty base, with this pending."""
    by_mutation = {f"m{number}": [told_change(change)] for number, change in enumerate(pending)}
    rows = {"scraps": [["s1", "t2", text]]}
    story = Story(seen=[Seen(9, 8, "c0", "c0", min(PROGRAMS), None, by_mutation, rows)])
    return [violation.invariant for violation in check_reads(story, [Timeline()])]


def test_a_change_after_one_that_was_parked_stands_on_the_row_as_its_author_saw_it() -> None:
    """Seed 4007: until it is sent, and parked as well."""
    insert = [*_SCRAP, "insert", "", "t1", json.dumps({"text": [None, "first"]})]
    parked = [CONFLICTS, "k1", "insert", "", "t1", {"changes": [None, json.dumps([insert])]}]
    update = [*_SCRAP, "update", "t1", "t2", {}]

    assert _sees("first", parked, update) == []
    assert _sees("first", update) == ["I6"]
    assert _sees("second", parked, update) == ["I6"]
