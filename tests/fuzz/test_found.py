"""What fuzzing found, each in the smallest form it had: what is read from outside is refused in words, and in time."""

import json
import time
from contextlib import closing

import pytest

from replica import PrimaryError, UnreachableError
from replica.hrana import Hrana, Statement
from replica.primary import Primary
from replica.schema import Schema
from tests.fuzz.lying_server import LyingServer, reply
from tests.replica.garbage_server import GarbageServer


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_an_answer_that_drips_ends_at_the_deadline(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in its head, and where no sync has set a deadline."""
    monkeypatch.setattr("replica.hrana._ANSWER_S_MAX", 0.3)
    start = time.monotonic()
    with (
        GarbageServer(answer, drip=b"x") as server,
        closing(Hrana(server.url, timeout_s=0.3)) as hrana,
        pytest.raises(UnreachableError),
    ):
        hrana.execute(Statement("SELECT 1"))

    assert time.monotonic() - start < 2


def _batch(rows: object, *, error: object = None) -> bytes:
    """An answer to a batch of one statement."""
    good = None if error else {"cols": [{"name": "a"}, {"name": "b"}], "rows": rows}
    result = {"step_results": [good], "step_errors": [error], "replication_index": None}
    return reply(json.dumps({"results": [{"type": "ok", "response": {"type": "batch", "result": result}}]}).encode())


@pytest.mark.parametrize(
    "cell",
    [
        {"type": "text", "value": "\ud800"},
        {"type": "integer", "value": str(2**63)},
        {"type": "integer", "value": "1" * 5000},
    ],
)
def test_a_value_that_sqlite_cannot_hold_is_refused(cell: object) -> None:
    """It would end in a traceback where it is written."""
    with LyingServer() as liar, closing(Hrana(liar.url)) as hrana:
        liar.tell(lambda _request, _true: _batch([[cell, cell]]))

        with pytest.raises(PrimaryError):
            hrana.execute(Statement("SELECT 1"))


def test_what_a_primary_says_of_an_error_can_be_written_down() -> None:
    """A sync keeps it for `status`."""
    with LyingServer() as liar, closing(Hrana(liar.url)) as hrana:
        liar.tell(lambda _request, _true: _batch([], error={"message": "half \ud800", "code": "\udfff"}))

        with pytest.raises(PrimaryError) as caught:
            hrana.execute(Statement("SELECT 1"))

    assert str(caught.value).encode().endswith(b"half \\ud800")


@pytest.mark.parametrize("rows", [[], [[]]])
def test_rows_of_another_width_are_no_answer(rows: object) -> None:
    """A primary is asked for its id, and has no row, or one of nothing."""
    with LyingServer() as liar, closing(Primary(Hrana(liar.url), Schema((), (), {}), {})) as primary:
        liar.tell(lambda _request, _true: _batch(rows))

        with pytest.raises(PrimaryError):
            primary.identity()
