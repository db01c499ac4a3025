"""Hrana 3 over HTTP: statements to the primary, answers back (`POST /v3/pipeline`).

Source: the Hrana 3 specification of libsql, and FACTS 8. Always true:
- every request ends in bounded time, however slowly its answer comes;
- every stream is closed in the request that opened it;
- the token is in the `Authorization` header and nowhere else, and never goes over plain http to another machine;
- a request goes to the address that was given, by no proxy, and is not sent on to another (RFC 9110 15.4);
- a request that the primary turned away (429) is sent again until its deadline, after growing jittered waits;
- an answer of any other shape than the specified one is a `PrimaryError`, never a crash.
"""

from __future__ import annotations

import base64
import math
import random
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from replica.address import http_url, refuse_open_token
from replica.backoff import delays_until_s
from replica.bearer import NOBODY, Bearer
from replica.bounded_http import BoundedTransport, Until
from replica.errors import (
    AnswerTooLargeError,
    InputError,
    NotSentError,
    PrimaryBusyError,
    PrimaryError,
    QueryError,
    UnreachableError,
)
from replica.mutation import StoredValue
from replica.refusal import refusal
from replica.trust import refused_handshake, trusting, trusting_nobody

TIMEOUT_S: Final = 20.0
_ANSWER_S_MAX: Final = 40.0
_ANSWER_BYTES_MAX: Final = 100_000_000

Json = Any  # a JSON document of the primary, checked as it is taken apart


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement with its positional arguments."""

    sql: str
    args: tuple[StoredValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A statement of a batch. `after`: run only if that step went well; `unless`: only if that step did not."""

    statement: Statement
    after: int | None = None
    unless: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one statement returned."""

    columns: tuple[str, ...]
    rows: list[tuple[StoredValue, ...]]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one statement failed: SQLite's extended code as text where the primary gives it, and a message."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """One entry a step: an answer, a failure, or None for a step that was skipped."""

    steps: list[Answer | Failure | None] = field(default_factory=list)
    replication_index: int | None = None

    def answer(self, step: int) -> Answer:
        """The answer of a step that is expected to go well. Raises PrimaryError with what went wrong."""
        result = self.steps[step]
        if isinstance(result, Answer):
            return result
        raise PrimaryError(f"the primary refused a statement: {result.message if result else 'skipped'}")


@contextmanager
def understanding() -> Iterator[None]:
    """Take an answer apart. Raises PrimaryError where it is not of the shape that was asked for."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise PrimaryError("the primary does not answer as a primary does", "check the URL") from error


class Hrana:
    """A connection to one database of a primary; usable from several threads."""

    def __init__(
        self, url: str, bearer: Bearer = NOBODY, *, timeout_s: float = TIMEOUT_S,
        ca_file: Path | None = None, namespace: str | None = None,
    ) -> None:  # fmt: skip
        """`url` as for `http_url`; `bearer` is asked before each request; `timeout_s` bounds each wait for bytes.

        An answer that has begun has 40 seconds more to be whole. `ca_file` as for `open_replica`: what is wrong with it
        is told by the requests. `namespace`: which database of an sqld that serves several (FACTS 9).
        """
        self.url = http_url(url)
        self._bearer = bearer
        self._named = {} if namespace is None else {"x-namespace-bin": _in_base64(namespace.encode())}
        self._timeout_s = timeout_s
        self._deadline = math.inf
        self._until = Until()
        self._unusable: InputError | None = None
        context = trusting_nobody()
        if self.url.startswith("https:"):
            try:
                context = trusting(ca_file)
            except InputError as error:
                self._unusable = error
        self._client = httpx.Client(
            base_url=self.url, transport=BoundedTransport(self._until, context), trust_env=False, follow_redirects=False
        )

    def give_up_at(self, deadline: float) -> None:
        """From now on, end every request at `deadline` (monotonic seconds) at the latest."""
        self._deadline = deadline

    def batch(self, steps: Sequence[Step], *, timeout_s: float | None = None) -> BatchAnswer:
        """Run the steps in order in one request, on one connection of the primary.

        Raises UnreachableError (it may have run), UntrustedError (it has not), NotAllowedError, PrimaryError.
        """
        body = {"type": "batch", "batch": {"steps": [_encode_step(step) for step in steps]}}
        return _decode_batch(self._request(body, timeout_s), len(steps))

    def execute(self, statement: Statement) -> Answer:
        """Run one statement by itself."""
        return self.batch([Step(statement)]).answer(0)

    def is_read_only(self, sql: str) -> bool:
        """Whether the primary itself says that a statement only reads. Raises PrimaryError for bad SQL."""
        answer = self._request({"type": "describe", "sql": sql}, None)
        return (
            isinstance(answer, dict)
            and isinstance(answer.get("result"), dict)
            and answer["result"].get("is_readonly") is True
        )

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()

    def _request(self, request: Json, timeout_s: float | None) -> Json:
        if self._unusable is not None:
            raise self._unusable
        return self._bearer.used(lambda token: self._ask(request, timeout_s, token))

    def _ask(self, request: Json, timeout_s: float | None, token: str | None) -> Json:
        refuse_open_token(self.url, token)
        # Checked here, because the HTTP client would quote the token in its error.
        if token and not (token.isascii() and token.isprintable()):
            raise InputError("the token holds characters that cannot be in a header", "check how the token was pasted")
        headers = {**self._named, "Authorization": f"Bearer {token}"} if token else self._named
        body = {"baton": None, "requests": [request, {"type": "close"}]}
        timeout_s = timeout_s or self._timeout_s
        # Outside of a sync there is no deadline but the timeout.
        deadline = self._deadline if math.isfinite(self._deadline) else time.monotonic() + timeout_s
        delays = delays_until_s(deadline, random.random)
        while True:
            try:
                response = self._post(body, headers, timeout_s)
            except ssl.SSLError as error:
                raise refused_handshake(self.url, error) from error
            except httpx.HTTPError as error:
                raise UnreachableError(f"the primary at {self.url} did not answer: {_reason(error)}") from error
            if response.status_code != 429 or (delay := next(delays, None)) is None:
                return _first_result(response, self.url)
            # It was turned away before it ran, so that sending it again can do nothing twice.
            time.sleep(delay)

    def _post(self, body: Json, headers: dict[str, str], timeout_s: float) -> httpx.Response:
        left_s = min(timeout_s, self._deadline - time.monotonic())
        if left_s <= 0:
            raise NotSentError(f"the primary at {self.url} did not answer in time")
        self._until.moment = min(self._deadline, time.monotonic() + timeout_s + _ANSWER_S_MAX)
        timeout = httpx.Timeout(left_s, connect=min(left_s, 5.0))
        with self._client.stream("POST", "/v3/pipeline", json=body, headers=headers, timeout=timeout) as response:
            if response.status_code == 401:
                # sqld hangs up after it without saying so; what is not read to its end is not used again for another
                # request.
                return httpx.Response(401, content=_first_piece(response), request=response.request)
            pieces, size = [], 0
            for piece in response.iter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > _ANSWER_BYTES_MAX:
                    raise AnswerTooLargeError(f"the primary at {self.url} sends more than {_ANSWER_BYTES_MAX:,} bytes")
        return httpx.Response(response.status_code, content=b"".join(pieces), request=response.request)


def _first_piece(response: httpx.Response) -> bytes:
    try:
        return next(response.iter_raw(), b"")
    except httpx.HTTPError:
        return b""


def _in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "timed out"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _first_result(response: httpx.Response, url: str) -> Json:
    if response.status_code in (401, 403):
        raise refusal(response, url)
    if response.status_code == 429:
        raise PrimaryBusyError(f"the primary at {url} has too much to do (HTTP 429)")
    if response.status_code in (408, 425) or response.status_code >= 500:
        raise UnreachableError(f"the primary at {url} is busy or failing (HTTP {response.status_code})")
    if response.status_code != 200:
        raise PrimaryError(f"{url} is not a primary of ours (HTTP {response.status_code})", "check the URL")
    try:
        result = response.json()["results"][0]
        kind = result["type"]
        answer = result["response"] if kind == "ok" else _words(result["error"]["message"])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise PrimaryError(f"{url} does not answer as a primary does", "check the URL") from error
    if kind != "ok" and str(result["error"].get("code")).startswith("SQL_"):
        raise QueryError(f"SQL does not run: {answer}", "one statement at a time; check its syntax and its names")
    if kind != "ok" and "too large" in str(answer):
        raise AnswerTooLargeError(f"the primary does not send so much at once: {answer}")
    if kind != "ok":
        raise PrimaryError(f"the primary refused a request: {answer}")
    return answer


def _words(told: Json) -> str:
    """What a primary says as text that can be kept and shown."""
    return str(told).encode(errors="backslashreplace").decode()


def _encode_step(step: Step) -> Json:
    encoded: dict[str, Json] = {
        "stmt": {
            "sql": step.statement.sql,
            "args": [_encode(value) for value in step.statement.args],
            "want_rows": True,
        }
    }
    if step.after is not None:
        encoded["condition"] = {"type": "ok", "step": step.after}
    if step.unless is not None:
        encoded["condition"] = {"type": "not", "cond": {"type": "ok", "step": step.unless}}
    return encoded


def _encode(value: StoredValue) -> Json:
    if value is None:
        return {"type": "null"}
    if isinstance(value, int):
        return {"type": "integer", "value": str(int(value))}
    if isinstance(value, float):
        if math.isinf(value):
            raise InputError("JSON has no infinity to send to the primary", "write 9e999 or -9e999 in the SQL itself")
        return {"type": "float", "value": value}
    if isinstance(value, bytes):
        return {"type": "blob", "base64": base64.b64encode(value).decode()}
    return {"type": "text", "value": value}


def _decode_batch(answer: Json, expected: int) -> BatchAnswer:
    with understanding():
        result = answer["result"]
        pairs = zip(result["step_results"], result["step_errors"], strict=True)
        steps = [_decode_step(good, bad) for good, bad in pairs]
        index = result.get("replication_index")
        number = None if index is None else int(index)
    if len(steps) != expected:
        raise PrimaryError("the primary answered another number of statements than it was asked", "check the URL")
    return BatchAnswer(steps, number)


def _decode_step(good: Json, bad: Json) -> Answer | Failure | None:
    if bad is not None:
        return Failure(_words(bad.get("code") or ""), _words(bad["message"]))
    if good is None:
        return None
    columns = tuple(_words(column["name"]) for column in good["cols"])
    return Answer(columns, [tuple(_decode(value) for value in row) for row in good["rows"]])


def _decode(value: Json) -> StoredValue:
    kind = value["type"]
    if kind == "null":
        return None
    if kind == "integer":
        number = int(value["value"])
        if not -(2**63) <= number < 2**63:
            raise ValueError("no integer of SQLite")
        return number
    if kind == "float":
        # An infinity: `infinities.py` asks which.
        return math.nan if value["value"] is None else float(value["value"])
    if kind == "blob":
        text = value["base64"]
        return base64.b64decode(text + "=" * (-len(text) % 4))
    if kind == "text" and isinstance(value["value"], str):
        value["value"].encode()  # JSON can say half a surrogate pair, which no text is
        return str(value["value"])
    raise ValueError(f"unknown type of value: {kind}")
