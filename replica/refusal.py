"""Why a primary, or the gateway before it, refuses a token.

Always true: what it says is only repeated where it is a short line that does not hold the token itself.
"""

from typing import TYPE_CHECKING, Final

from replica.errors import NotAllowedError, TokenRefusedError

if TYPE_CHECKING:
    import httpx

_CHARACTERS_MAX: Final = 200
# With which sqld 0.24 answers 403 to a token that only reads (measured); a tenant that is closed gets one without.
_NO_WRITING: Final = b"Write permission"


def refusal(response: "httpx.Response", url: str) -> NotAllowedError:
    """The error of an answer with 401 or 403. url: of the primary, as it is shown."""
    if response.status_code == 403 and _NO_WRITING in response.content:
        return NotAllowedError(
            f"the token for the primary at {url} may read and not write",
            "what is pending waits here; ask whoever runs the primary for one that may write",
        )
    authorization = response.request.headers.get("Authorization")
    if authorization is None:
        told = f"the primary at {url} wants a token"
    else:
        told = f"the primary at {url} refuses the token{_why(response, authorization)}"
    return TokenRefusedError(told) if response.status_code == 401 else NotAllowedError(told)


def _why(response: "httpx.Response", authorization: str) -> str:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    said = error.get("message") if isinstance(error, dict) else None
    if not isinstance(said, str) or not said.isprintable() or not 0 < len(said) <= _CHARACTERS_MAX:
        return ""
    return "" if authorization.removeprefix("Bearer ") in said else f": {said}"
