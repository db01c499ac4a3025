"""What the text of a statement says."""

import pytest

from replica import QueryError
from replica.sql_text import bound, first_word, has_where, insert_columns, on_clash, tokens


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("select 1", "SELECT"),
        (" -- DELETE\n/* DROP */ update t", "UPDATE"),
        ("'select'", ""),
        ('"select"', ""),
        ("(select 1)", ""),
        ("", ""),
        ("/* never closed", ""),
    ],
)
def test_the_first_word_is_none_of_a_comment_or_a_text(sql: str, word: str) -> None:
    """It says what kind of statement it is."""
    assert first_word(sql) == word


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("INSERT INTO notes (title, body) VALUES (1, 2)", ("title", "body")),
        ("INSERT INTO notes VALUES (1)", None),
        ("INSERT INTO notes SELECT (1)", None),
        ("INSERT INTO notes DEFAULT VALUES", ()),
        ('INSERT INTO main.notes AS n ( [title] , `bo``dy`, "a""b", \'c\' ) SELECT 1', ("title", "bo`dy", 'a"b', "c")),
        ("WITH replace (into_) AS (SELECT 1) INSERT INTO 'notes'(title) SELECT * FROM replace", ("title",)),
        ("INSERT INTO notes/* (x) */(title -- )\n) VALUES ('INTO t (y)')", ("title",)),
        ("UPDATE notes SET title = ' INTO x (y)'", None),
    ],
)
def test_the_columns_of_an_insert_are_those_it_names(sql: str, columns: tuple[str, ...] | None) -> None:
    """Whatever stands around them; without any, it gives a value to all."""
    assert insert_columns(sql) == columns


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE notes SET title = 1 WHERE id = 2", True),
        ("UPDATE notes SET title = 1 where(id)", True),
        ("WITH a AS (SELECT 1 WHERE 1) UPDATE notes SET title = (SELECT 1 WHERE 1)", False),
        ("UPDATE notes SET title = ' WHERE ' -- WHERE", False),
        ('UPDATE notes SET "WHERE" = 1 /* WHERE */', False),
    ],
)
def test_a_where_counts_only_for_the_statement_itself(sql: str, found: bool) -> None:  # noqa: FBT001 - a parameter
    """Not in a query within it, a text, a name or a comment."""
    assert has_where(sql) is found


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("INSERT OR IGNORE INTO t VALUES (1)", "IGNORE"),
        ("update or replace t SET a = 1", "REPLACE"),
        ("REPLACE INTO t VALUES (1)", "REPLACE"),
        ("WITH replace AS (SELECT 1) INSERT INTO t SELECT * FROM replace", ""),
        ("UPDATE t SET a = 1 WHERE a OR b", ""),
    ],
)
def test_what_is_to_be_done_with_a_clash_is_told(sql: str, word: str) -> None:
    """By the words after INSERT or UPDATE."""
    assert on_clash(sql) == word


def test_every_character_of_a_statement_is_in_one_token_or_between_two() -> None:
    """What comes before and after a token is never lost."""
    sql = "SELECT :name, ?1, x'00', é$ FROM [a b]  -- end"

    assert [sql[token.start : token.end] for token in tokens(sql)] == [
        "SELECT", ":name", ",", "?1", ",", "x'00'", ",", "é$", "FROM", "[a b]",
    ]  # fmt: skip


def test_named_values_take_the_place_of_their_names() -> None:
    """As often as each is named, and not within a text."""
    sql, params = bound("SELECT :a, ':b', @b, $a -- :c", {"a": 1, "b": None})

    assert (sql, params) == ("SELECT ?, ':b', ?, ? -- :c", [1, None, 1])


@pytest.mark.parametrize(("sql", "name"), [("SELECT :a", ":a"), ("SELECT 1", ":b"), ("SELECT ':b'", ":b")])
def test_a_name_without_a_value_and_a_value_without_a_name_are_refused(sql: str, name: str) -> None:
    """One of them is mistyped."""
    with pytest.raises(QueryError, match=name):
        bound(sql, {"b": 1})
