"""Ids that people type, and ids of relations."""

from tracker.ids import dependency_id, relation_id


def test_a_relation_has_the_id_that_the_go_td_gives_it() -> None:
    """So that what comes from there is not there twice. Source: the survey of td 0.62."""
    assert dependency_id("td-a", "td-b") == "dep_172195e7f4ce0737"
    assert relation_id("ifl", "td-a", "src/main.go") == "ifl_90a9645fea0246ce"
