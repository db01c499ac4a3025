"""Signing in with WorkOS: the device flow (RFC 8628), and renewing what it gave, by way of WorkOS' own library.

`start_device_login` gives a code for the person, `poll` waits until they confirmed it in a browser, `renew` trades a
refresh token for the next pair. Where a sign-in is kept, and when it is renewed, is `auth.signed_in`'s.

Always true:
- the device code and the tokens are shown to nobody: not in a `repr`, not in an error;
- nothing is sent twice behind a caller's back: a refresh token is good for one use;
- WorkOS is asked no more often than it allows;
- what a person chose to be called is printable text on one line.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from auth._workos_client import asking
from auth.sign_in import Application, SignIn, are_fields, claims_of, is_safe_url, token_times
from auth.sign_in_errors import (
    LoginDeniedError,
    LoginExpiredError,
    LoginSpentError,
    SignInEndedError,
    WorkOSRefusedError,
    WorkOSUnansweredError,
    WorkOSUnreachableError,
)

# RFC 8628 section 3.2: where the server names no interval.
_INTERVAL_S: Final = 5.0
# RFC 8628 section 3.5: by so much each `slow_down` lengthens it, for good.
_SLOWER_S: Final = 5.0
_INTERVAL_S_MAX: Final = 60.0
_LOGIN_S_MAX: Final = 3_600.0
# The library's own functions for it build a whole user, and fail when one field of it is new or gone: a refresh token
# would be lost for a birthday. So it is asked for the answer as it is.
_AUTHENTICATE: Final = ("user_management", "authenticate")
# What AuthKit's guide on "Session resilience" calls terminal.
_ENDS: Final = frozenset({"invalid_grant", "mfa_enrollment", "sso_required"})
_NAMES: Final = ("first_name", "last_name")
_IDS: Final = ("user_id", "organization_id", "session_id")


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A login that waits for a person. expires_at: seconds since 1970. interval_s: between two questions.

    Show `user_code` and `verification_uri`; a browser is best sent to `verification_uri_complete`, where WorkOS gave
    one. Both are https, and they and the code are plain printable text.
    """

    device_code: str = field(repr=False)
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    interval_s: float
    expires_at: float


class Told(StrEnum):
    """What WorkOS says while the person has not decided (RFC 8628 section 3.5), or we of a WorkOS that says nothing."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    NOTHING = "nothing"


def next_interval_s(interval_s: float, told: Told) -> float:
    """How long to wait before the next question, in seconds, after one that was asked at `interval_s`.

    RFC 8628 section 3.5: `slow_down` adds 5 seconds for good; a connection that fails doubles it, here up to a minute.
    """
    if told is Told.SLOW_DOWN:
        return interval_s + _SLOWER_S
    if told is Told.NOTHING:
        return max(interval_s, min(interval_s * 2, _INTERVAL_S_MAX))
    return interval_s


def start_device_login(application: Application, *, clock: Callable[[], float] = time.time) -> DeviceLogin:
    """Ask WorkOS for a code that a person can confirm in a browser (RFC 8628 section 3.1).

    Args:
        application: to which the person will be signed in.
        clock: seconds since 1970.

    Raises:
        WorkOSRefusedError: WorkOS knows no such application, or does not let it do this.
        WorkOSUnreachableError: WorkOS was not reached, or did not answer; a code nobody knows of runs out by itself.
        WorkOSMissingError: its library is not installed.
    """
    with asking(application) as client:
        started = client.user_management.create_device(client_id=application.client_id)
    interval_s = _INTERVAL_S if started.interval is None else started.interval
    if not (
        _is_plain(started.device_code)
        and _is_plain(started.user_code)
        and _is_link(started.verification_uri)
        and (started.verification_uri_complete is None or _is_link(started.verification_uri_complete))
        and _is_seconds(interval_s, _INTERVAL_S_MAX)
        and _is_seconds(started.expires_in, _LOGIN_S_MAX)
    ):
        raise WorkOSUnansweredError("it holds no code, or no address to confirm it at")
    return DeviceLogin(
        device_code=started.device_code,
        user_code=started.user_code,
        verification_uri=started.verification_uri,
        verification_uri_complete=started.verification_uri_complete,
        interval_s=interval_s,
        expires_at=clock() + started.expires_in,
    )


def poll(
    application: Application,
    login: DeviceLogin,
    *,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> SignIn:
    """Wait until the person confirmed the login, and return their sign-in. It can be broken off at any moment.

    A WorkOS that cannot be reached meanwhile is asked again, more and more slowly, for as long as the code holds.

    Args:
        application: the one that `login` was started for.
        login: from `start_device_login`.
        clock: seconds since 1970.
        wait: called with the seconds to wait before each question.

    Raises:
        LoginDeniedError: the person declined.
        LoginExpiredError: nobody confirmed the code in time.
        LoginSpentError: the code was used: the answer to its use was lost.
        WorkOSRefusedError: WorkOS refuses for another reason.
        WorkOSUnreachableError: the code ran out while WorkOS could not be reached.
        WorkOSMissingError: its library is not installed.
    """
    interval_s = login.interval_s
    unreached: WorkOSUnreachableError | None = None
    while clock() + interval_s <= login.expires_at:
        wait(interval_s)
        try:
            answer = ask(application, login, clock=clock)
        except WorkOSUnreachableError as error:
            unreached = error
            interval_s = max(next_interval_s(interval_s, Told.NOTHING), error.retry_after_s or 0)
            continue
        if isinstance(answer, SignIn):
            return answer
        unreached = None
        interval_s = next_interval_s(interval_s, answer)
    raise LoginExpiredError if unreached is None else unreached


def ask(application: Application, login: DeviceLogin, *, clock: Callable[[], float] = time.time) -> SignIn | Told:
    """Ask once whether the person has decided (RFC 8628 section 3.4): their sign-in, or what WorkOS says of waiting.

    Raises as `poll` does, and WorkOSUnreachableError whenever WorkOS cannot be reached.
    """
    try:
        with asking(application) as client:
            answer = client.request_raw("POST", _AUTHENTICATE, body=_device_grant(application, login))
    except WorkOSRefusedError as error:
        match error.reason:
            case Told.PENDING | Told.SLOW_DOWN:
                return Told(error.reason)
            case "access_denied":
                raise LoginDeniedError from error
            case "expired_token":
                raise LoginExpiredError from error
            case "invalid_grant":
                raise LoginSpentError from error
            case _:
                raise
    return _sign_in(application, answer, now=clock())


def renew(sign_in: SignIn, *, clock: Callable[[], float] = time.time, application: Application | None = None) -> SignIn:
    """Trade the refresh token for the next pair of tokens (RFC 6749 section 6). The old one is used up by it.

    An answer that was lost may be asked for again, at once or never: for a short while WorkOS gives the same pair to
    the same token.

    Args:
        sign_in: the one to renew; its organisation stays.
        clock: seconds since 1970.
        application: where to ask, if not where the sign-in says.

    Raises:
        SignInEndedError: WorkOS takes this refresh token no more, or the organisation asks for more by now.
        WorkOSRefusedError: WorkOS refuses for another reason.
        WorkOSUnreachableError: WorkOS was not reached, or had no time: the refresh token is as good as before.
        WorkOSUnansweredError: it was asked; the refresh token may be used up.
        WorkOSMissingError: its library is not installed.
    """
    application = application or sign_in.application
    try:
        with asking(application) as client:
            answer = client.request_raw(
                "POST",
                _AUTHENTICATE,
                body=_refresh_grant(application, sign_in),
                idempotency_key=hashlib.sha256(sign_in.refresh_token.encode()).hexdigest(),
            )
    except WorkOSRefusedError as error:
        if error.reason in _ENDS:
            raise SignInEndedError from error
        raise
    return _sign_in(application, answer, now=clock())


def logout_url(sign_in: SignIn) -> str | None:
    """Where a browser ends the session at WorkOS itself, or None if the sign-in names none. Nothing is asked.

    Raises:
        WorkOSMissingError: its library is not installed.
    """
    if sign_in.session_id is None:
        return None
    with asking(sign_in.application) as client:
        return client.user_management.get_logout_url(session_id=sign_in.session_id)


def _device_grant(application: Application, login: DeviceLogin) -> dict[str, Any]:
    """RFC 8628 section 3.4."""
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": application.client_id,
        "device_code": login.device_code,
    }


def _refresh_grant(application: Application, sign_in: SignIn) -> dict[str, Any]:
    """RFC 6749 section 6, and WorkOS' own `organization_id`."""
    grant = {
        "grant_type": "refresh_token",
        "client_id": application.client_id,
        "refresh_token": sign_in.refresh_token,
    }
    return grant if sign_in.organization_id is None else grant | {"organization_id": sign_in.organization_id}


def _sign_in(application: Application, answer: Mapping[str, Any], *, now: float) -> SignIn:
    """The sign-in that an answer holds: it is read for what we need, so that what we do not need may change."""
    user, claims = answer.get("user"), claims_of(answer.get("access_token"))
    times = token_times(claims, now=now)
    if times is None or not isinstance(user, dict):
        raise WorkOSUnansweredError("it holds no sign-in that ends")
    fields: dict[str, Any] = {  # they are checked below
        "client_id": application.client_id,
        "url": application.url,
        "access_token": answer.get("access_token"),
        "refresh_token": answer.get("refresh_token"),
        "renew_at": times[0],
        "expires_at": times[1],
        "user_id": user.get("id"),
        "email": _shown(user.get("email")),
        "name": " ".join(part for key in _NAMES if (part := _shown(user.get(key)))) or None,
        "organization_id": answer.get("organization_id") or claims.get("org_id"),
        "session_id": claims.get("sid"),
    }
    if not are_fields(fields) or not all(fields[name] is None or _is_plain(fields[name]) for name in _IDS):
        raise WorkOSUnansweredError("it holds no sign-in")
    return SignIn(**fields)


def _shown(text: object) -> str | None:
    """What people chose to be called, without what would steer a terminal; None if it is no text."""
    return "".join(filter(str.isprintable, text)).strip() if isinstance(text, str) else None


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 512 and text.isascii() and text.isprintable()


def _is_link(text: object) -> bool:
    return isinstance(text, str) and len(text) <= 2_048 and is_safe_url(text)


def _is_seconds(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most
