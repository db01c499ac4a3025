"""Hrana: what is sent to a primary, and what its answers mean."""

import math
from contextlib import closing

import pytest

from replica.bearer import Bearer
from replica.errors import InputError, QueryError
from replica.hrana import Hrana, Statement
from sqld import Server


@pytest.mark.parametrize("token", ["secret\nvalue", "secret\n", "secret\x00", "secretü", "secret\x7f"])
def test_a_token_that_cannot_be_in_a_header_is_refused_without_being_shown(primary_server: Server, token: str) -> None:
    """The HTTP client would quote it in its error, and from there it would reach a log."""
    with closing(Hrana(primary_server.url, Bearer(lambda: token))) as hrana, pytest.raises(InputError) as caught:
        hrana.execute(Statement("SELECT 1"))

    assert "secret" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT 1; SELECT 2"])
def test_sql_that_the_primary_cannot_parse_is_a_query_error(primary_server: Server, sql: str) -> None:
    """It is the caller's SQL that is wrong, not the primary."""
    with closing(Hrana(primary_server.url)) as hrana, pytest.raises(QueryError):
        hrana.execute(Statement(sql))


def test_an_infinite_argument_is_refused_before_it_is_sent(primary_server: Server) -> None:
    """JSON cannot say it."""
    with closing(Hrana(primary_server.url)) as hrana, pytest.raises(InputError):
        hrana.execute(Statement("SELECT ?", (math.inf,)))
