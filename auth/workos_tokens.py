"""Whether an access token of WorkOS holds, and whose it is: for a server that is handed one.

A token of AuthKit is a JWT signed with RS256. It has `iss`, `sub` (the user), `sid`, `jti`, `iat`, `exp`, and `org_id`,
`role` and `permissions` when the person chose an organisation; by itself it has no `aud`. What binds it to our
application is the key: WorkOS publishes those of each application apart, at `/sso/jwks/CLIENT_ID`.

Always true:
- the algorithm is ours to choose, never the token's (RFC 8725 section 3.1);
- a key is one that WorkOS published for this application, as `auth.workos_keys` holds them; none comes from a token;
- nothing of a token is believed before its signature was checked.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from auth.sign_in import Application, is_time
from auth.workos_keys import WorkOSKeys
from auth.workos_token_errors import (
    ForeignTokenError,
    NoOrganizationError,
    WorkOSAlgorithmError,
    WorkOSClaimError,
    WorkOSEarlyError,
    WorkOSExpiredError,
    WorkOSMalformedError,
    WorkOSSignatureError,
)

_ALGORITHM: Final = "RS256"
_TOKEN_CHARACTERS_MAX: Final = 16_384
_LEEWAY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Member:
    """Whose token it is: a person, as a member of an organisation. expires_at: seconds since 1970."""

    user_id: str
    organization_id: str
    session_id: str | None
    token_id: str | None
    role: str | None
    permissions: frozenset[str]
    expires_at: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say to be for us.

    client_id: the application's.
    issuers: any of these. audience: if it is given, a token must name it.
    leeway_s: by how much the clock of WorkOS may differ from ours, in seconds.
    """

    client_id: str
    issuers: frozenset[str]
    audience: str | None = None
    leeway_s: float = _LEEWAY_S


def default_issuers(application: Application) -> frozenset[str]:
    """Who issues the tokens of an application that has no domain of its own at WorkOS.

    WorkOS writes the bare address in environments from before the middle of 2025, with or without a stroke at its
    end, and one for each application in later ones.
    """
    url = application.url.rstrip("/")
    return frozenset({url, f"{url}/", f"{url}/user_management/{application.client_id}"})


class WorkOSTokens:
    """Checks the access tokens of one application. It may be used by many threads at once."""

    def __init__(
        self,
        application: Application,
        *,
        issuers: frozenset[str] | None = None,
        audience: str | None = None,
        leeway_s: float = _LEEWAY_S,
        clock: Callable[[], float] = time.time,
        keys: WorkOSKeys | None = None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            application: the one whose tokens hold here.
            issuers: who may have issued them, as `iss` names it; by default `default_issuers`. An application with a
                domain of its own at WorkOS needs it.
            audience: what `aud` must hold, where the application's JWT template puts one in.
            leeway_s: by how much the clock of WorkOS may differ from ours, in seconds.
            clock: seconds since 1970.
            keys: by default those that WorkOS publishes for `application`.
        """
        self._expected = Expected(
            client_id=application.client_id,
            issuers=default_issuers(application) if issuers is None else issuers,
            audience=audience,
            leeway_s=leeway_s,
        )
        self._clock = clock
        self._keys = WorkOSKeys(application) if keys is None else keys

    def check(self, token: str) -> Member:
        """Whose `token` is. It may ask WorkOS for its keys, so it blocks for as long as that takes.

        Raises:
            TokenError: it does not hold; each reason is a class of `auth.workos_token_errors` or `auth.workos_keys`.
            WorkOSUnreachableError: nobody can tell, because WorkOS' keys cannot be had: the caller may come again.
        """
        import jwt  # noqa: PLC0415 - only who checks a token pays for it

        key = self._keys.find(key_id_of(token))
        try:
            verified = jwt.PyJWS().decode_complete(token, key, algorithms=[_ALGORITHM])
        except jwt.InvalidSignatureError as error:
            raise WorkOSSignatureError from error
        except jwt.PyJWTError as error:
            raise WorkOSMalformedError from error
        return member_of(_json(verified["payload"]), self._expected, now=self._clock())


def key_id_of(token: str) -> str:
    """The key that a token names, which says nothing until the signature was checked.

    Raises:
        WorkOSMalformedError: it is no JWT, or names no key.
        WorkOSAlgorithmError: it is not signed with RS256.
    """
    import jwt  # noqa: PLC0415 - see above

    if len(token) > _TOKEN_CHARACTERS_MAX or not token.isascii():
        raise WorkOSMalformedError
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError) as error:
        raise WorkOSMalformedError from error
    if header.get("alg") != _ALGORITHM:
        raise WorkOSAlgorithmError
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise WorkOSMalformedError
    return key_id


def member_of(claims: Mapping[str, Any], expected: Expected, *, now: float) -> Member:
    """Whose token this is, by claims that WorkOS signed (RFC 7519 section 4.1).

    now: seconds since 1970.

    Raises:
        ForeignTokenError: it is not for us.
        WorkOSExpiredError, WorkOSEarlyError: its time is over, or has not come.
        NoOrganizationError: it names no organisation.
        WorkOSClaimError: a claim is missing or unusable.
    """
    _check_for_us(claims, expected)
    expires_at = _check_times(claims, now=now, leeway_s=expected.leeway_s)
    if claims.get("org_id") is None:
        raise NoOrganizationError
    return Member(
        user_id=_text(claims, "sub"),
        organization_id=_text(claims, "org_id"),
        session_id=_perhaps_text(claims, "sid"),
        token_id=_perhaps_text(claims, "jti"),
        role=_perhaps_text(claims, "role"),
        permissions=_permissions(claims),
        expires_at=expires_at,
    )


def _check_for_us(claims: Mapping[str, Any], expected: Expected) -> None:
    if _text(claims, "iss") not in expected.issuers:
        raise ForeignTokenError("iss")
    client_id = _perhaps_text(claims, "client_id")
    if client_id is not None and client_id != expected.client_id:
        raise ForeignTokenError("client_id")
    audience = claims.get("aud")
    if audience is None:
        if expected.audience is not None:
            raise WorkOSClaimError("aud")
        return
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list):
        raise WorkOSClaimError("aud")
    # A token that says whom it is for is for nobody else (RFC 7519 section 4.1.3).
    if (expected.audience or expected.client_id) not in named:
        raise ForeignTokenError("aud")


def _check_times(claims: Mapping[str, Any], *, now: float, leeway_s: float) -> float:
    expires_at = _seconds(claims, "exp")
    starts_at = max(_seconds(claims, "iat"), _seconds(claims, "nbf") if "nbf" in claims else 0.0)
    if now >= expires_at + leeway_s:
        raise WorkOSExpiredError
    if now < starts_at - leeway_s:
        raise WorkOSEarlyError
    return expires_at


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    # Brackets without end exhaust the parser.
    except (ValueError, RecursionError) as error:
        raise WorkOSMalformedError from error
    if not isinstance(found, dict):
        raise WorkOSMalformedError
    return found


def _text(claims: Mapping[str, Any], claim: str) -> str:
    value = claims.get(claim)
    if not isinstance(value, str) or not value:
        raise WorkOSClaimError(claim)
    return value


def _perhaps_text(claims: Mapping[str, Any], claim: str) -> str | None:
    return None if claims.get(claim) is None else _text(claims, claim)


def _permissions(claims: Mapping[str, Any]) -> frozenset[str]:
    value = claims.get("permissions")
    if value is None:
        return frozenset()
    if not isinstance(value, list) or not all(isinstance(permission, str) for permission in value):
        raise WorkOSClaimError("permissions")
    return frozenset(value)


def _seconds(claims: Mapping[str, Any], claim: str) -> float:
    value = claims.get(claim)
    if value is None or not is_time(value):
        raise WorkOSClaimError(claim)
    return float(value)
