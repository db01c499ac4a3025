"""WorkOS for tests: its real endpoints over HTTP, with the faults that a network and a service have.

It speaks what WorkOS documents and what its library sends: `POST /user_management/authorize/device`,
`POST /user_management/authenticate` with the grants of the device flow and of a refresh token, and
`GET /sso/jwks/CLIENT_ID`. A refresh token is good for one use, a device code too, and who asks too often is told to
slow down. Its clock is the test's.
"""

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID: Final = "client_01HZBC6N1EB1ZY7KG32X"
ORGANIZATION_ID: Final = "org_01HRDMC6CM357W30QMHMQ96Q0S"
USER_ID: Final = "user_01HBEQKA6K4QJAS93VPE39W1JT"
PERSON: Final = {
    "object": "user",
    "id": USER_ID,
    "email": "ada@example.com",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "email_verified": True,
    "profile_picture_url": "https://workoscdn.example/ada.png",
    "external_id": "7",
    "last_sign_in_at": "2026-06-25T19:07:33.155Z",
    "created_at": "2026-06-25T19:07:33.155Z",
    "updated_at": "2026-06-25T19:07:33.155Z",
}


class Fault(StrEnum):
    """What becomes of one request."""

    TROUBLE = "answered 503 by something in front, in HTML"
    BROKEN = "answered 500 by WorkOS"
    PATIENCE = "answered 429, with a time to wait"
    WALL = "refused 403 by something in between, in HTML"
    REDIRECT = "sent elsewhere"
    LOST = "done, and the connection closed without an answer"
    CUT = "done, and half of the answer sent"
    GARBAGE = "done, and answered 200 with what is no JSON"
    NONSENSE = "done, and answered 200 with JSON of another shape"
    LIST = "done, and answered 200 with a list"
    HANG = "accepted and never answered"
    STUCK = "done, and never answered"
    FLOOD = "answered 200, without end"
    TRICKLE = "answered 200, a little at a time, without end"


# After these it is known that WorkOS did nothing.
NOT_DONE: Final = frozenset({Fault.PATIENCE, Fault.WALL, Fault.REDIRECT})


def may_have_happened(fault: Fault) -> bool:
    """Whether the client cannot tell what became of what it asked for."""
    return fault not in NOT_DONE


@dataclass
class Asked:
    """One request that came."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class _Device:
    user_code: str
    expires_at: float
    asked_at: float
    state: str = "authorization_pending"
    organization_id: str | None = ORGANIZATION_ID


@dataclass
class _Refresh:
    organization_id: str | None
    next: dict[str, Any] | None = None
    used_at: float = 0


@dataclass
class WorkOSDouble:
    """Listens on a free port of this machine while the `with` block runs."""

    clock: Callable[[], float] = time.time
    interval_s: float | None = 5
    login_s: float = 300
    token_s: float = 300
    # For so long a used refresh token gets the same answer again; WorkOS does it for half a minute.
    same_answer_s: float = 0
    # The error with which a session ends that somebody has ended; None while it goes on.
    ends_with: str | None = None
    # What is laid over the next answers to a device login, and over the claims of the tokens.
    oddities: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    # What is laid over what is answered of the person; None leaves a field out.
    person: dict[str, Any] = field(default_factory=dict)
    # The person has decided before they are asked.
    decides: str | None = None
    faults: deque[Fault] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    # Called when a request is never answered, after it was done.
    on_stuck: Callable[[], object] = lambda: None
    keys: list[int] = field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        self._devices: dict[str, _Device] = {}
        self._refreshes: dict[str, _Refresh] = {}
        self._made = 0
        self._lock = threading.Lock()
        self.is_over = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def decide(self, state: str = "approved", *, organization_id: str | None = ORGANIZATION_ID) -> None:
        """What the person does in the browser, with every code there is: `approved`, or the name of an error."""
        for device in self._devices.values():
            device.state, device.organization_id = state, organization_id

    def count(self, grant: str) -> int:
        """How many requests came with that grant."""
        return sum(asked.body.get("grant_type") == grant for asked in self.asked)

    def token(
        self, *, key: int | None = None, headers: dict[str, Any] | None = None, **claims: Any
    ) -> str:  # claims are any JSON
        """An access token as AuthKit makes it; a claim given as None is left out."""
        now = int(self.clock())
        key = self.keys[-1] if key is None else key
        said = {
            "iss": f"{self.url}/user_management/{CLIENT_ID}",
            "sub": USER_ID,
            "sid": "session_01HQSXZGF8FHF7A9ZZFCW4387R",
            "jti": f"token_{now}",
            "org_id": ORGANIZATION_ID,
            "role": "member",
            "permissions": ["issues:read", "issues:write"],
            "iat": now,
            "exp": now + int(self.token_s),
        }
        said = {name: value for name, value in (said | self.claims | claims).items() if value is not None}
        return jwt.encode(said, rsa_key(key), algorithm="RS256", headers={"kid": key_id(key)} | (headers or {}))

    # What it answers.

    def answer(self, asked: Asked) -> tuple[int, Any]:  # a body is any JSON
        """Do what was asked; a status and a body."""
        with self._lock:
            if asked.path == "/user_management/authorize/device":
                return self._start(asked.body)
            if asked.path == "/user_management/authenticate":
                return self._authenticate(asked.body)
            if asked.path == f"/sso/jwks/{CLIENT_ID}":
                return 200, {"keys": [published(key) for key in self.keys]}
            return 404, {"message": "Not Found"}

    def _start(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("client_id") != CLIENT_ID:
            return 400, {"error": "invalid_client", "error_description": "Invalid client ID."}
        self._made += 1
        code, user_code = f"device-secret-{self._made}", f"RRGQ-BJV{self._made}"
        self._devices[code] = _Device(user_code, self.clock() + self.login_s, self.clock())
        if self.decides is not None:
            self._devices[code].state = self.decides
        answer = {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": f"{self.url}/device",
            "verification_uri_complete": f"{self.url}/device?user_code={user_code}",
            "expires_in": self.login_s,
            "interval": self.interval_s,
        }
        return 200, {name: value for name, value in (answer | self.oddities).items() if value is not None}

    def _authenticate(self, body: dict[str, Any]) -> tuple[int, Any]:
        if body.get("client_id") != CLIENT_ID or "client_secret" in body:
            return 400, {"error": "invalid_client", "error_description": "Invalid client ID."}
        if body.get("grant_type") == "urn:ietf:params:oauth:grant-type:device_code":
            return self._exchange_device(str(body.get("device_code")))
        if body.get("grant_type") == "refresh_token":
            return self._refresh(str(body.get("refresh_token")), body.get("organization_id"))
        return 400, {"error": "unsupported_grant_type"}

    def _exchange_device(self, code: str) -> tuple[int, Any]:
        device = self._devices.get(code)
        if device is None:
            return 400, {"error": "invalid_grant", "error_description": "Invalid device code."}
        since_s, device.asked_at = self.clock() - device.asked_at, self.clock()
        if self.clock() > device.expires_at:
            return 400, {"error": "expired_token", "error_description": "The device code has expired."}
        if since_s < (self.interval_s or 5):
            return 400, {"error": "slow_down", "error_description": "Polling too frequently."}
        if device.state != "approved":
            return 400, {"error": device.state, "error_description": "Not yet, or not at all."}
        del self._devices[code]
        return 200, self._signed_in(device.organization_id)

    def _refresh(self, token: str, organization_id: str | None) -> tuple[int, Any]:
        known = self._refreshes.get(token)
        if known is None:
            return 400, {"error": "invalid_grant", "error_description": "Invalid refresh token."}
        if self.ends_with is not None:
            return 400, {"error": self.ends_with, "error_description": "Session has already ended."}
        if known.next is not None:
            if self.clock() - known.used_at < self.same_answer_s:
                return 200, known.next
            return 400, {"error": "invalid_grant", "error_description": "Refresh token already exchanged."}
        known.next, known.used_at = self._signed_in(organization_id or known.organization_id), self.clock()
        return 200, known.next

    def _signed_in(self, organization_id: str | None) -> dict[str, Any]:
        self._made += 1
        refresh = f"refresh-secret-{self._made}"
        self._refreshes[refresh] = _Refresh(organization_id)
        return {
            "user": {name: value for name, value in (PERSON | self.person).items() if value is not None},
            "organization_id": organization_id,
            "access_token": self.token(org_id=organization_id, jti=f"token_{self._made}"),
            "refresh_token": refresh,
            "authentication_method": "Password",
        }


class _Server(ThreadingHTTPServer):
    def __init__(self, double: WorkOSDouble) -> None:
        self.double = double
        super().__init__(("127.0.0.1", 0), _Request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # both are socketserver's
        """A client that goes away is what some tests are about."""


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def do_GET(self) -> None:
        """The keys."""
        self._deal(Asked(self.path, {}, dict(self.headers)))

    def do_POST(self) -> None:
        """All else."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._deal(Asked(self.path, body, dict(self.headers)))

    def _deal(self, asked: Asked) -> None:
        double = self.server.double
        double.asked.append(asked)
        self.close_connection = True
        fault = double.faults.popleft() if double.faults else None
        match fault:
            case Fault.TROUBLE:
                self._send(503, b"<html>no upstream</html>", "text/html")
            case Fault.WALL:
                self._send(403, b"<html>not from here</html>", "text/html")
            case Fault.BROKEN:
                self._send_json(500, {"message": "Internal Server Error"})
            case Fault.PATIENCE:
                self._send_json(429, {"message": "Rate limited."}, {"Retry-After": "7"})
            case Fault.REDIRECT:
                self._send(307, b"", "text/html", {"Location": f"{double.url}/elsewhere"})
            case Fault.HANG:
                double.is_over.wait(30)
            case Fault.FLOOD:
                self._send_for_ever(b" " * 65_536, every_s=0)
            case Fault.TRICKLE:
                self._send_for_ever(b" ", every_s=0.02)
            case _:
                self._do(asked, fault)

    def _do(self, asked: Asked, fault: Fault | None) -> None:
        status, answer = self.server.double.answer(asked)
        body = json.dumps(answer).encode()
        match fault:
            case Fault.LOST:
                return
            case Fault.STUCK:
                self.server.double.on_stuck()
                self.server.double.is_over.wait(30)
            case Fault.CUT:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            case Fault.GARBAGE:
                self._send(200, b"<html>welcome to the hotel</html>", "text/html")
            case Fault.NONSENSE:
                self._send_json(200, {"hello": "world"})
            case Fault.LIST:
                self._send_json(200, [answer])
            case _:
                self._send_json(status, answer)

    def _send_for_ever(self, part: bytes, *, every_s: float) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while not self.server.double.is_over.wait(every_s):
                self.wfile.write(part)

    def _send_json(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(body).encode(), "application/json", {"X-Request-ID": "req_1"} | (headers or {}))

    def _send(self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@cache
def _rsa_key(number: int, bits: int) -> rsa.RSAPrivateKey:
    del number
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def rsa_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same number, for as long as the tests run."""
    return _rsa_key(number, bits)


def key_id(number: int) -> str:
    """What WorkOS calls it."""
    return f"sso_oidc_key_pair_{number}"


def published(number: int, bits: int = 2048) -> dict[str, Any]:
    """A key as WorkOS publishes it."""
    numbers = rsa_key(number, bits).public_key().public_numbers()
    return {
        "alg": "RS256",
        "kty": "RSA",
        "use": "sig",
        "x5c": ["MIIDQjCCAiqgAwIBAgIGATz"],
        "n": _base64(numbers.n),
        "e": _base64(numbers.e),
        "kid": key_id(number),
        "x5t#S256": "ZjQzYjI0OT",
    }


def _base64(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Clock:
    """A clock that stands still until somebody waits."""

    now: float = 1_790_000_000.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Seconds since 1970."""
        return self.now

    def wait(self, seconds: float) -> None:
        """Let that much time go by."""
        self.waits.append(seconds)
        self.now += seconds
