"""WorkOS' own library, as it is safe to use here.

Always true:
- it takes nothing from the environment: no key of a server, no other address;
- it sends each request once; by itself it would send one that failed up to four times, and a refresh token is good for
  one use;
- what it raises becomes one of `auth.sign_in_errors`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from auth._exchange import exchange
from auth.sign_in import Application
from auth.sign_in_errors import (
    WorkOSMissingError,
    WorkOSRefusedError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)

if TYPE_CHECKING:
    from workos import HTTPResponse, WorkOSClient


@contextmanager
def asking(application: Application) -> "Iterator[WorkOSClient]":
    """WorkOS' client, for what is asked inside the block.

    Raises:
        WorkOSRefusedError: WorkOS refuses.
        WorkOSUnreachableError: WorkOS was not reached, or took nothing on.
        WorkOSUnansweredError: it was asked, and the answer cannot be used.
        WorkOSMissingError: its library is not installed.
    """
    try:
        from workos import WorkOSClient, WorkOSError  # noqa: PLC0415 - it takes half a second; only who asks pays
    except ModuleNotFoundError as error:
        if error.name != "workos":
            raise
        raise WorkOSMissingError from error
    client = WorkOSClient(
        client_id=application.client_id,
        base_url=application.url,
        # Without it, a key in the environment would be sent along.
        is_public=True,
        # Both would be read from the environment.
        request_timeout=max(1, round(application.timeout_s)),
        jwt_issuer=[],
        max_retries=0,
        http_client=_Exchanges(application.timeout_s),
    )
    try:
        yield client
    except WorkOSError as error:
        raise _translated(error) from error


class _Exchanges:
    """The connection that WorkOS' library uses: ours, with its bounds, and without a retry."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def request(
        self, method: str, url: str, *, headers: dict[str, str], content: bytes | None, timeout: float
    ) -> "HTTPResponse":
        """As `workos.HTTPBackend` wants it. Our own errors pass through the library as they are."""
        from workos import HTTPResponse  # noqa: PLC0415 - see above

        del timeout
        answer = exchange(method, url, headers=headers, content=content, timeout_s=self._timeout_s)
        # Of what is no JSON the library makes None, and hands that out as if it were an answer.
        if answer.status < 400 and not _is_object(answer.body):
            raise WorkOSUnansweredError("it is not what WorkOS answers")
        return HTTPResponse(answer.status, answer.headers, answer.body, method, url)

    def close(self) -> None:
        """Nothing is kept open."""


def _translated(error: Exception) -> WorkOSRefusedError | WorkOSUnreachableError:
    """What an error of WorkOS' library means."""
    from workos import RateLimitExceededError, ServerError  # noqa: PLC0415 - see above

    if isinstance(error, RateLimitExceededError):
        return WorkOSUnreachableError("it asks for patience", error.retry_after)
    if isinstance(error, ServerError):
        return WorkOSUnansweredError(f"it has trouble of its own ({error.status_code})")
    status = getattr(error, "status_code", None)
    if status is None:
        return WorkOSUnansweredError("it is not what WorkOS answers")
    reason = getattr(error, "error", None) or getattr(error, "code", None)
    # Every answer of WorkOS has a request id. A wall on the way refuses in its own words, and WorkOS took nothing on.
    if isinstance(reason, str) or getattr(error, "request_id", None):
        return WorkOSRefusedError(str(reason))
    return WorkOSUnreachableError(f"something on the way refuses ({status})")


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False
