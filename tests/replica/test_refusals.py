"""What is told of a token that a primary refuses."""

import json
from contextlib import closing

import pytest

from replica.bearer import Bearer
from replica.errors import NotAllowedError
from replica.hrana import Hrana, Statement
from tests.replica.garbage_server import GarbageServer

TOKEN = "s3cret-token"


def _gateway(message: object) -> dict[str, object]:
    return {"error": {"code": "token_revoked", "message": message, "hint": "ask for another"}}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, _gateway("the token was revoked"), ": the token was revoked"),
        (403, _gateway("the tenant is not open"), ": the tenant is not open"),
        (401, {"error": "Unauthorized: `The JWT is invalid`"}, ""),
        (401, _gateway(f"not {TOKEN}"), ""),
        (401, _gateway("two\nlines"), ""),
        (401, _gateway("long " * 100), ""),
        (401, _gateway(7), ""),
        (401, ["error"], ""),
        (403, None, ""),
    ],
)
def test_why_a_token_is_refused_is_told_where_it_can_be(status: int, body: object, told: str) -> None:
    """A short line of the gateway's; never the token, nor whatever else is sent."""
    text = json.dumps(body)
    answer = f"HTTP/1.1 {status} Refused\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()

    with GarbageServer(answer) as server, closing(Hrana(server.url, Bearer(lambda: TOKEN))) as hrana:
        with pytest.raises(NotAllowedError) as caught:
            hrana.execute(Statement("SELECT 1"))

        assert str(caught.value) == f"the primary at {server.url} refuses the token{told}"
