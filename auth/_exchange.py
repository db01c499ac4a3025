"""One request over HTTP, as those need it who ask WorkOS.

Always true:
- each wait is bounded, and so are the time and the size of a whole answer;
- a redirect is never followed, and plain http never goes to a proxy: what is sent is a secret, meant for one address;
- whoever gets no answer learns whether the request can have been carried out;
- nothing is sent twice.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from auth.sign_in_errors import WorkOSUnansweredError, WorkOSUnreachableError

_ANSWER_BYTES_MAX: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. headers: found in any spelling of their names. body: decoded from gzip and the like."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    method: str,
    url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
) -> Answer:
    """Send one request and read its answer.

    Raises:
        WorkOSUnreachableError: no connection came about, so nothing was sent; or the answer leads elsewhere.
        WorkOSUnansweredError: it was sent, and the answer did not come, or not whole, or not in `timeout_s`.
    """
    import httpx  # noqa: PLC0415 - only who asks WorkOS pays for it

    ends_at = time.monotonic() + timeout_s
    try:
        with (
            # By https a proxy sees no more than whom we speak to; by http, which is for this machine, it would see all.
            httpx.Client(
                verify=_trust(), timeout=timeout_s, follow_redirects=False, trust_env=url.startswith("https:")
            ) as client,
            client.stream(method, url, headers=headers, content=content) as response,
        ):
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _ANSWER_BYTES_MAX:
                    raise WorkOSUnansweredError("the answer is too large")
                if time.monotonic() > ends_at:
                    raise WorkOSUnansweredError("the answer takes too long")
            answer = Answer(response.status_code, response.headers, bytes(body))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise WorkOSUnreachableError("no connection") from error
    except httpx.TimeoutException as error:
        raise WorkOSUnansweredError(f"nothing came within {timeout_s:g} seconds") from error
    except httpx.HTTPError as error:
        raise WorkOSUnansweredError("the connection broke") from error
    if 300 <= answer.status < 400:
        raise WorkOSUnreachableError("the answer leads to another address")
    return answer


@cache
def _trust() -> ssl.SSLContext:
    """Whom this machine trusts. It takes longer to read than an answer does to come."""
    import httpx  # noqa: PLC0415 - see above

    return httpx.create_ssl_context()
