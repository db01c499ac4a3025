"""Bodies are taken in within bounds, whatever the client announces."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.types import Message

from sqld.gateway import RefusedError
from sqld.gateway.bodies import read_body


def request(receive: Callable[[], Awaitable[Message]], announced: str | None = None) -> Request:
    """One whose body comes as `receive` says."""
    headers = [] if announced is None else [(b"content-length", announced.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def without_end() -> Message:
    """A thousand bytes more."""
    return {"type": "http.request", "body": b"x" * 1000, "more_body": True}


async def never() -> Message:
    """A client that went quiet."""
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


@pytest.mark.parametrize("announced", [None, "10", "not a number"])
def test_a_body_that_is_longer_than_it_may_be_is_refused(announced: str | None) -> None:
    """Also one that comes in pieces, and one of which less was said."""
    with pytest.raises(RefusedError) as caught:
        asyncio.run(read_body(request(without_end, announced), bytes_max=5000))

    assert caught.value.refusal.code == "body_too_large"


def test_a_body_that_announces_too_much_is_refused_before_it_comes() -> None:
    """Nobody waits for it."""
    with pytest.raises(RefusedError) as caught:
        asyncio.run(read_body(request(never, "5001"), bytes_max=5000))

    assert caught.value.refusal.code == "body_too_large"


def test_a_body_that_does_not_come_is_given_up() -> None:
    """A client that went quiet holds nothing for ever."""
    with pytest.raises(RefusedError) as caught:
        asyncio.run(read_body(request(never), within_s=0.01))

    assert caught.value.refusal.code == "body_too_slow"
