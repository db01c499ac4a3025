"""The Platform API of Turso Cloud: its databases, their tokens, and the groups that they lie in.

Source: the OpenAPI document of Turso's documentation (api-reference/openapi.json), as of June 2026. Tried against a
double that speaks it, and not against the service. Always true:
- the platform token is in the `Authorization` header and nowhere else, over TLS or to this machine only;
- no token is made that does not end;
- every wait ends in bounded time; what may be asked twice is asked again when an answer is lost, and nothing else is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from sqld.turso_errors import (
    TursoAnswerError,
    TursoError,
    TursoExistsError,
    TursoNotFoundError,
    TursoRefusedError,
    TursoSetupError,
    TursoTokenError,
    TursoUnknownOutcomeError,
    TursoUnreachableError,
)

API_URL: Final = "https://api.turso.tech"
TIMEOUT_S: Final = 10.0
PATIENCE_S: Final = 30.0
_ANSWER_BYTES_MAX: Final = 10_000_000
_TOLD_LENGTH_MAX: Final = 200
_FIRST_WAIT_S: Final = 0.5
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
# The rule of the documentation; an organisation is named as its owner likes, as far as a path allows it.
_NAME: Final = re.compile(r"[a-z0-9-]{1,64}")
_ORGANISATION: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")

Json = Any  # a JSON document of Turso's, checked as it is taken apart


@dataclass(frozen=True, slots=True)
class Database:
    """A database at Turso Cloud. region: where its primary is. is_protected: whether it cannot be deleted."""

    name: str
    hostname: str
    group: str | None = None
    region: str | None = None
    is_protected: bool = False

    @property
    def url(self) -> str:
        """What clients connect to."""
        return f"libsql://{self.hostname}"


@dataclass(frozen=True, slots=True)
class Group:
    """Where databases lie together. region: where that is."""

    name: str
    region: str | None = None


class TursoPlatform:
    """One organisation at Turso Cloud, as its Platform API has it.

    Each method raises TursoTokenError, TursoRefusedError, TursoNotFoundError, TursoUnreachableError and
    TursoAnswerError, besides what it tells of itself.
    """

    def __init__(
        self, organisation: str, token: str, *, base_url: str = API_URL, timeout_s: float = TIMEOUT_S,
        patience_s: float = PATIENCE_S, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        """Ask nothing yet.

        Args:
            organisation: its slug, as in the address of its page.
            token: of the platform, not of a database.
            base_url: of the API; https, unless it is this machine's.
            timeout_s: for each wait for bytes.
            patience_s: for all attempts of one call together.
            sleep: waits for so many seconds.

        Raises:
            TursoSetupError: the organisation or the address cannot be used.
            TursoTokenError: what is given cannot be a token.
        """
        if not _ORGANISATION.fullmatch(organisation):
            raise TursoSetupError(
                "this is not the name of an organisation", "give its slug, as td turso list --org NAME"
            )
        # Checked here, because the HTTP client would quote the token in its error.
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            raise TursoTokenError("there is no platform token")
        self._token, self._timeout_s, self._patience_s, self._sleep = token, timeout_s, patience_s, sleep
        self._client = httpx.Client(
            base_url=f"{_checked(base_url)}/v1/organizations/{organisation}",
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout_s, trust_env=False, follow_redirects=False,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def databases(self, *, group: str | None = None) -> list[Database]:
        """All databases, or those of a group, in the order of their names."""
        answer = self._ask("GET", "/databases", query={} if group is None else {"group": _named(group)}, is_safe=True)
        with _understanding():
            return sorted((_database(each) for each in _list(answer, "databases")), key=lambda each: each.name)

    def database(self, name: str) -> Database:
        """One database."""
        answer = self._ask("GET", f"/databases/{_named(name)}", is_safe=True)
        with _understanding():
            return _database(answer["database"])

    def groups(self) -> list[Group]:
        """All groups, in the order of their names."""
        answer = self._ask("GET", "/groups", is_safe=True)
        with _understanding():
            found = [Group(_text(each, "name"), _text_or_none(each, "primary")) for each in _list(answer, "groups")]
            return sorted(found, key=lambda each: each.name)

    def create(self, name: str, *, group: str) -> Database:
        """Make an empty database in a group that is there. Raises TursoExistsError, TursoUnknownOutcomeError."""
        try:
            answer = self._ask("POST", "/databases", body={"name": _named(name), "group": _named(group)})
        except TursoUnknownOutcomeError as error:
            error.hint = "look whether td turso list shows it, before you create it again"
            raise
        with _understanding():
            made = _database(answer["database"])
        return Database(made.name, made.hostname, group, made.region, made.is_protected)

    def delete(self, name: str) -> None:
        """Delete a database with all that it holds, for everybody."""
        self._ask("DELETE", f"/databases/{_named(name)}", is_safe=True)

    def mint_token(self, name: str, *, ttl: timedelta, read_only: bool = False) -> str:
        """A token for one database. Raises TursoUnknownOutcomeError: it may have been made, and ends by itself."""
        query = {"expiration": expiration_of(ttl), "authorization": "read-only" if read_only else "full-access"}
        try:
            answer = self._ask("POST", f"/databases/{_named(name)}/auth/tokens", query=query)
        except TursoUnknownOutcomeError as error:
            error.hint = "ask for another; one that nobody has seen ends by itself"
            raise
        with _understanding():
            return _text(answer, "jwt")

    def invalidate_tokens(self, name: str) -> None:
        """End every token of a database at once, for everybody. Raises TursoUnknownOutcomeError."""
        try:
            self._ask("POST", f"/databases/{_named(name)}/auth/rotate")
        except TursoUnknownOutcomeError as error:
            error.hint = "run it again; tokens that were made since then would end too"
            raise

    # -- asking

    def _ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Json = None, is_safe: bool = False
    ) -> Json:
        """The answer to one call. `is_safe`: it may be asked again though it may have been done."""
        deadline = time.monotonic() + self._patience_s
        for attempt in count():
            asked_s: float | None = None
            try:
                response = self._send(method, path, query, body, deadline)
                if method == "DELETE" and attempt > 0 and response.status_code == 404:
                    # The answer to an earlier attempt was lost, and that one did it.
                    return None
                if response.status_code != 429 and response.status_code < 500:
                    return self._result(response)
                trouble = f"Turso has too much to do or fails (HTTP {response.status_code})"
                asked_s = _retry_after_s(response)
                is_done_perhaps = response.status_code != 429
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise TursoUnreachableError(f"Turso cannot be reached: {_reason(error)}") from error
            except httpx.HTTPError as error:
                trouble = f"Turso did not answer: {_reason(error)}"
                is_done_perhaps = True
            if is_done_perhaps and not is_safe:
                raise TursoUnknownOutcomeError(f"{trouble}; it is not known whether it was done")
            wait_s = max(_FIRST_WAIT_S * 2**attempt, asked_s or 0.0)
            if time.monotonic() + wait_s > deadline:
                raise TursoUnreachableError(trouble, _hint(asked_s))
            self._sleep(wait_s)
        raise AssertionError("the attempts do not end by themselves")

    def _send(
        self, method: str, path: str, query: dict[str, str] | None, body: Json, deadline: float
    ) -> httpx.Response:
        left_s = max(0.1, min(self._timeout_s, deadline - time.monotonic()))
        with self._client.stream(method, path, params=query or None, json=body, timeout=left_s) as response:
            content = b""
            for piece in response.iter_bytes():
                content += piece
                if len(content) > _ANSWER_BYTES_MAX:
                    raise TursoAnswerError("Turso sends more than anybody asked for")
                if time.monotonic() > deadline + self._timeout_s:
                    raise httpx.ReadTimeout("the answer does not end")
        return httpx.Response(response.status_code, headers=_kept(response.headers), content=content)

    def _result(self, response: httpx.Response) -> Json:
        if response.status_code == 200:
            if not response.content:
                return None
            with _understanding():
                return response.json()
        told = self._told(response)
        match response.status_code:
            case 401:
                raise TursoTokenError(f"Turso refuses the platform token{told}")
            case 404:
                raise TursoNotFoundError(f"Turso does not find it{told}")
            case 409:
                raise TursoExistsError(f"Turso has it already{told}")
            case 402:
                raise TursoRefusedError(
                    f"Turso wants a subscription for that{told}", "look at the plan in Turso's console"
                )
            case 403:
                raise TursoRefusedError(f"the platform token may not do that{told}", "use a token of somebody who may")
            case status if 400 <= status < 500:
                raise TursoRefusedError(f"Turso refuses it (HTTP {status}){told}")
            case status:
                raise TursoAnswerError(f"Turso answers with HTTP {status}, which it does not document")

    def _told(self, response: httpx.Response) -> str:
        """What Turso says of an error, in one line; "" where it says nothing that can be read."""
        try:
            told = response.json()["error"]
        except (ValueError, LookupError, TypeError, RecursionError):
            return ""
        if isinstance(told, dict):
            told = told.get("message")
        if not isinstance(told, str) or not told.strip():
            return ""
        line = " ".join("".join(each if each.isprintable() else " " for each in told).split())
        return f": {line.replace(self._token, '…')[:_TOLD_LENGTH_MAX]}"


def expiration_of(ttl: timedelta) -> str:
    """A length of time as the API has it: `2w1d30m`, without weeks. Raises TursoSetupError for less than a minute."""
    minutes = int(ttl.total_seconds()) // 60
    if minutes < 1:
        raise TursoSetupError("a token must hold for a minute at least", "give a longer time, as 30d")
    days, rest = divmod(minutes, 24 * 60)
    parts = ((days, "d"), (rest // 60, "h"), (rest % 60, "m"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)


def _checked(base_url: str) -> str:
    try:
        parts = urlsplit(base_url.strip())
        is_usable = bool(parts.hostname) and not (parts.username or parts.password or parts.query or parts.fragment)
        _ = parts.port  # a port that is no number shows only when asked for
    except ValueError:
        is_usable = False
    else:
        is_open = parts.scheme == "http" and parts.hostname in _LOOPBACK
        is_usable = is_usable and (parts.scheme == "https" or is_open)
    if not is_usable:
        # Not repeated: it may hold a password.
        raise TursoSetupError("the address of the Platform API cannot be used", f"use one with https, as {API_URL}")
    return base_url.strip().rstrip("/")


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise TursoSetupError(
            f"{name[:40]!a} cannot be a name at Turso", "use lower-case letters, digits and dashes, 64 at most"
        )
    return name


@contextmanager
def _understanding() -> Iterator[None]:
    """Take an answer apart. Raises TursoAnswerError where it is not of the documented shape."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise TursoAnswerError("Turso does not answer as its documentation says") from error


def _database(found: Json) -> Database:
    return Database(
        _text(found, "Name"), _hostname(found), _text_or_none(found, "group"), _text_or_none(found, "primaryRegion"),
        found.get("delete_protection") is True,
    )  # fmt: skip


def _hostname(found: Json) -> str:
    # It becomes a part of a URL that a token is sent to.
    hostname = _text(found, "Hostname")
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}", hostname):
        raise ValueError("no host name")
    return hostname


def _list(found: Json, name: str) -> list[Json]:
    value = found[name]
    if not isinstance(value, list):
        raise TypeError(name)
    return value


def _text(found: Json, name: str) -> str:
    value = found[name]
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise TypeError(name)
    return value


def _text_or_none(found: Json, name: str) -> str | None:
    return _text(found, name) if found.get(name) else None


def _kept(headers: httpx.Headers) -> dict[str, str]:
    # What tells how the content was packed is over: it is unpacked.
    return {name: value for name, value in headers.items() if name.lower() in ("retry-after", "content-type")}


def _retry_after_s(response: httpx.Response) -> float | None:
    """How long Turso asks to wait (RFC 9110 10.2.3); its form as a date is left to our own waits."""
    told = response.headers.get("retry-after", "").strip()
    return float(told) if re.fullmatch(r"\d{1,6}", told) else None


def _hint(asked_s: float | None) -> str | None:
    return None if asked_s is None else f"nothing was done; Turso asks to wait for {asked_s:.0f} s: try again then"


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "timed out"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


__all__ = [
    "API_URL",
    "Database",
    "Group",
    "TursoError",
    "TursoPlatform",
    "expiration_of",
]
