"""Take in the body of a request, within bounds of size and time."""

import asyncio
from typing import Final

from starlette.requests import Request

from sqld.gateway.refusals import RefusedError

BODY_BYTES_MAX: Final = 4_000_000
BODY_S: Final = 30.0


async def read_body(request: Request, *, bytes_max: int = BODY_BYTES_MAX, within_s: float = BODY_S) -> bytes:
    """The whole body. Raises RefusedError for one that is larger than `bytes_max`, or takes longer than `within_s`."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > bytes_max:
        raise RefusedError("body_too_large")
    pieces, size = [], 0
    try:
        async with asyncio.timeout(within_s):
            async for piece in request.stream():
                pieces.append(piece)
                size += len(piece)
                if size > bytes_max:
                    raise RefusedError("body_too_large")
    except TimeoutError as error:
        raise RefusedError("body_too_slow") from error
    return b"".join(pieces)
