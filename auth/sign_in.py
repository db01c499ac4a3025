"""A sign-in with WorkOS: to which application, whose, and until when. Values only; nothing here asks anybody.

Always true:
- a secret is in no `repr`;
- the times are of this machine's clock, counted from the moment the tokens arrived, so that a clock that is wrong
  makes a token neither younger nor older.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self
from urllib.parse import urlsplit

from auth.sign_in_errors import DamagedSignInError, WorkOSAddressError

WORKOS_URL: Final = "https://api.workos.com"

_VERSION: Final = 1
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
# After this part of its life a token is renewed, while it still holds: who is offline just then goes on with it.
_RENEWAL_PART: Final = 0.8
_TOKEN_CHARACTERS_MAX: Final = 16_384
_TEXTS: Final = ("client_id", "url", "access_token", "refresh_token", "user_id", "email")
_PERHAPS_TEXTS: Final = ("name", "organization_id", "session_id")
_TIMES: Final = ("renew_at", "expires_at")


@dataclass(frozen=True, slots=True)
class Application:
    """An application at WorkOS. It is a public client: there is no secret of its own (RFC 6749 section 2.1).

    client_id: its id, `client_…`. url: where WorkOS is. timeout_s: how long an answer may take.

    Raises:
        WorkOSAddressError: `url` is none, or plain http to another machine.
    """

    client_id: str
    url: str = WORKOS_URL
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if not is_safe_url(self.url):
            raise WorkOSAddressError


def is_safe_url(url: str) -> bool:
    """Whether a secret may be sent there, or a browser: https, or http to this machine, and no tricks."""
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - it raises if it is no number
    except ValueError:
        return False
    if not parts.hostname or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One person's sign-in to one application. Times: seconds since 1970, by the clock of this machine.

    renew_at: when the access token is to be renewed. expires_at: when it ends.
    asked_at: when a renewal was asked for whose answer has not come, or None.
    """

    client_id: str
    url: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    renew_at: float
    expires_at: float
    user_id: str
    email: str
    name: str | None = None
    organization_id: str | None = None
    session_id: str | None = None
    asked_at: float | None = None

    @property
    def application(self) -> Application:
        """Where it belongs. Raises WorkOSAddressError."""
        return Application(self.client_id, self.url)

    def asked(self, at: float) -> Self:
        """The same, as it is kept while WorkOS is asked for the next one."""
        return replace(self, asked_at=at)

    def to_text(self) -> str:
        """As it is kept in a vault: it holds the tokens."""
        return json.dumps({"version": _VERSION} | asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` wrote. Raises DamagedSignInError."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DamagedSignInError from error
        if not isinstance(found, dict) or found.pop("version", None) != _VERSION or not are_fields(found):
            raise DamagedSignInError
        return cls(**found)


def are_fields(found: Mapping[str, object]) -> bool:
    """Whether these are the fields of a `SignIn`, each of its kind: they come from outside."""
    return (
        {*_TEXTS, *_TIMES} <= found.keys() <= {*_TEXTS, *_TIMES, *_PERHAPS_TEXTS, "asked_at"}
        and all(isinstance(found[name], str) and found[name] for name in _TEXTS)
        and all(isinstance(found.get(name), str | None) for name in _PERHAPS_TEXTS)
        and all(is_time(found[name]) for name in _TIMES)
        and (found.get("asked_at") is None or is_time(found["asked_at"]))
    )


def is_time(value: object) -> bool:
    """Whether it is a number of seconds since 1970. To Python True is a number too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53


def token_times(claims: dict[str, Any], *, now: float) -> tuple[float, float] | None:
    """When a token that arrived `now` is to be renewed, and when it ends; None if it does not say.

    claims: what the token says of itself, `exp` and `iat` (RFC 7519 section 4.1).
    """
    ends, began = claims.get("exp"), claims.get("iat", now)
    if not is_time(ends) or not is_time(began):
        return None
    life_s = ends - began
    return None if life_s <= 0 else (now + life_s * _RENEWAL_PART, now + life_s)


def claims_of(token: object) -> dict[str, Any]:
    """What a JWT says, unverified; {} if it is none. To plan by, never to trust: its reader is who verifies it."""
    if not isinstance(token, str) or len(token) > _TOKEN_CHARACTERS_MAX or not token.isascii():
        return {}
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
