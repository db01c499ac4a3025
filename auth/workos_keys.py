"""The keys with which WorkOS signs the tokens of one application, as it publishes them (RFC 7517).

Always true:
- WorkOS is asked for them at most once in `retry_s`, whatever tokens name, so that nobody can make us ask;
- a key that WorkOS no longer publishes is used for `fresh_s` more at the longest, while WorkOS answers;
- when it does not, the keys that were there hold on, `old_s` after they came at the longest;
- only RSA keys of 2048 bits and more, published for RS256 signatures, are keys here.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from auth._exchange import exchange
from auth.sign_in import Application
from auth.sign_in_errors import WorkOSUnansweredError, WorkOSUnreachableError
from auth.workos_token_errors import WorkOSUnknownKeyError

if TYPE_CHECKING:
    from jwt import PyJWK

# RFC 7518 section 3.3.
_KEY_BITS_MIN: Final = 2048
_KEYS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """How often WorkOS is asked for its keys. All in seconds.

    fresh_s: for so long keys are used without asking. retry_s: so much is between two questions.
    old_s: so old they may become while WorkOS cannot be reached.
    """

    fresh_s: float = 600.0
    retry_s: float = 30.0
    old_s: float = 86_400.0


class Step(StrEnum):
    """What to do about a token that names a key."""

    USE = "use"
    ASK = "ask"
    REFUSE = "refuse"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of WorkOS' keys. Times: seconds of the caller's clock, None for never.

    came_at: when these keys came. asked_at: when WorkOS was asked last, with or without success.
    """

    keys: "Mapping[str, PyJWK]" = field(default_factory=dict)
    came_at: float | None = None
    asked_at: float | None = None


def may_ask(known: Known, pace: Pace, *, now: float) -> bool:
    """Whether enough time went by since the last question."""
    return known.asked_at is None or now - known.asked_at >= pace.retry_s


def next_step(known: Known, key_id: str, pace: Pace, *, now: float, can_ask: bool) -> Step:
    """Decide about a token that names `key_id`: use the key, ask WorkOS, refuse the token, or wait for WorkOS."""
    age_s = None if known.came_at is None else now - known.came_at
    if age_s is None or age_s > pace.old_s:
        return Step.ASK if can_ask else Step.WAIT
    if key_id in known.keys:
        return Step.ASK if age_s > pace.fresh_s and can_ask else Step.USE
    if can_ask:
        return Step.ASK
    # The last question was answered, and the key was not among them. Or else nobody can tell.
    return Step.REFUSE if known.asked_at == known.came_at else Step.WAIT


class WorkOSKeys:
    """The keys of one application, asked for when they are needed. It may be used by many threads at once."""

    def __init__(
        self, application: Application, *, pace: Pace | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is asked yet. clock: seconds that never go back."""
        self._url = f"{application.url.rstrip('/')}/sso/jwks/{application.client_id}"
        self._timeout_s = application.timeout_s
        self._pace = pace or Pace()
        self._clock = clock
        self._known = Known()
        self._asking = threading.Lock()

    def find(self, key_id: str) -> "PyJWK":
        """The key of that name.

        Raises:
            WorkOSUnknownKeyError: WorkOS publishes none of that name.
            WorkOSUnreachableError: WorkOS cannot be asked whether it does.
        """
        known = self._known
        if self._step(known, key_id) is Step.ASK:
            known = self._asked(key_id)
        match next_step(known, key_id, self._pace, now=self._clock(), can_ask=False):
            case Step.REFUSE:
                raise WorkOSUnknownKeyError
            case Step.WAIT:
                raise WorkOSUnreachableError("its keys cannot be had")
            case _:
                return known.keys[key_id]

    def _step(self, known: Known, key_id: str) -> Step:
        now = self._clock()
        return next_step(known, key_id, self._pace, now=now, can_ask=may_ask(known, self._pace, now=now))

    def _asked(self, key_id: str) -> Known:
        """What is known after WorkOS was asked, by this thread or by another."""
        is_enough = next_step(self._known, key_id, self._pace, now=self._clock(), can_ask=False) is Step.USE
        # Whoever can do with what is known need not wait for another's question.
        if not self._asking.acquire(blocking=not is_enough):
            return self._known
        try:
            if self._step(self._known, key_id) is Step.ASK:
                self._known = self._ask(self._known, now=self._clock())
            return self._known
        finally:
            self._asking.release()

    def _ask(self, known: Known, *, now: float) -> Known:
        try:
            keys = published_keys(self._url, timeout_s=self._timeout_s)
        except WorkOSUnreachableError:
            return Known(known.keys, known.came_at, now)
        return Known(keys, now, now)


def published_keys(url: str, *, timeout_s: float) -> "dict[str, PyJWK]":
    """The keys that are published at `url`, by their names; what cannot be used is left out.

    Raises:
        WorkOSUnreachableError: nobody answers there.
        WorkOSUnansweredError: the answer is no set of keys, or holds none that can be used.
    """
    answer = exchange("GET", url, headers={"Accept": "application/json"}, timeout_s=timeout_s)
    if answer.status != 200:
        raise WorkOSUnansweredError(f"it does not give its keys ({answer.status})")
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise WorkOSUnansweredError("its keys cannot be read") from error
    entries = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise WorkOSUnansweredError("its keys cannot be read")
    usable = [key for entry in entries[:_KEYS_MAX] if (key := _key(entry)) is not None]
    keys = {key.key_id: key for key in usable if key.key_id}
    if not keys:
        raise WorkOSUnansweredError("it publishes no key that can be used")
    return keys


def _key(entry: object) -> "PyJWK | None":
    import jwt  # noqa: PLC0415 - only who checks a token pays for it
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 - the same

    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return None
    if entry.get("alg", "RS256") != "RS256" or entry.get("use", "sig") != "sig":
        return None
    if not isinstance(entry.get("kid"), str):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    is_strong = isinstance(key.key, RSAPublicKey) and key.key.key_size >= _KEY_BITS_MIN
    return key if is_strong else None
