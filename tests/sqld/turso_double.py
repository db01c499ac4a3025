"""A double of Turso's Platform API, over real HTTP: what its documentation says, and faults on demand.

Source: the OpenAPI document of Turso's documentation, as of June 2026: paths, status codes, names of fields, texts of
errors. Always true: what it answers without a fault, that document allows; what is done is done before a fault hides
it.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

ORGANISATION: Final = "team"
PLATFORM_TOKEN: Final = "platform-s3cret"
_EXPIRATION: Final = re.compile(r"(?=.)(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request.

    status: answered with, in place of what it asks for. body: of that answer. retry_after, location: headers of it.
    is_done: whether the request is carried out all the same. hang_s: how long nothing is answered; without a status,
    the connection ends then.
    """

    status: int | None = None
    body: bytes = b'{"error": "try again"}'
    retry_after: str | None = None
    is_done: bool = False
    hang_s: float = 0.0
    location: str | None = None


@dataclass(slots=True)
class State:
    """What Turso knows of one organisation."""

    databases: dict[str, dict[str, object]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=lambda: {"default": "aws-us-east-1"})
    tokens: list[tuple[str, str, str]] = field(default_factory=list)
    """Database, expiration and authorization of each that was made."""
    invalidated: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


class _Refusal(Exception):  # noqa: N818 - no error: an answer
    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status, self.text = status, text


class TursoDouble:
    """Listens on a free port of this machine while the `with` block runs."""

    def __init__(self) -> None:
        self.state = State()
        self._listener = _Listener(self.state)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """In the place of https://api.turso.tech."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def fail(self, *faults: Fault) -> None:
        """Let the next requests meet these, one each."""
        self.state.faults += faults

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.is_over.set()
        self._listener.shutdown()
        self._thread.join(5)
        self._listener.server_close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, state: State) -> None:
        self.state, self.is_over = state, threading.Event()
        super().__init__(("127.0.0.1", 0), _Exchange)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def _answer(self) -> None:
        state = self.server.state
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        state.requests.append((self.command, self.path))
        state.headers.append(dict(self.headers.items()))
        fault = state.faults.pop(0) if state.faults else None
        status, body = 200, b""
        if fault is None or fault.is_done:
            try:
                done = self._carry_out(state, content)
                body = b"" if done is None else json.dumps(done).encode()
            except _Refusal as refusal:
                status, body = refusal.status, json.dumps({"error": refusal.text}).encode()
        if fault is None:
            self._send(status, body)
            return
        self.server.is_over.wait(fault.hang_s)
        if fault.status is None:
            self.close_connection = True
            return
        self._send(fault.status, fault.body, fault)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - named so by the base class

    def _send(self, status: int, body: bytes, fault: Fault | None = None) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if fault is not None and fault.retry_after is not None:
            self.send_header("retry-after", fault.retry_after)
        if fault is not None and fault.location is not None:
            self.send_header("location", fault.location)
        self.end_headers()
        self.wfile.write(body)

    def _carry_out(self, state: State, content: bytes) -> Any:  # noqa: PLR0911 - a JSON document, one for each path
        if self.headers.get("authorization") != f"Bearer {PLATFORM_TOKEN}":
            raise _Refusal(401, "invalid or expired auth token")
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        match [self.command, *parts.path.strip("/").split("/")]:
            case [_, "v1", "organizations", organisation, *_] if organisation != ORGANISATION:
                raise _Refusal(404, "could not find organization")
            case ["GET", _, _, _, "databases"]:
                group = query.get("group")
                return {"databases": [each for each in state.databases.values() if group in (None, each["group"])]}
            case ["POST", _, _, _, "databases"]:
                return _create(state, json.loads(content))
            case ["GET", _, _, _, "databases", name]:
                return {"database": _known(state, name)}
            case ["DELETE", _, _, _, "databases", name]:
                _known(state, name)
                del state.databases[name]
                return {"database": name}
            case ["POST", _, _, _, "databases", name, "auth", "tokens"]:
                return _mint(state, name, query)
            case ["POST", _, _, _, "databases", name, "auth", "rotate"]:
                _known(state, name)
                state.invalidated.append(name)
                return None
            case ["GET", _, _, _, "groups"]:
                return {"groups": [{"name": name, "primary": where} for name, where in state.groups.items()]}
        raise _Refusal(404, "not found")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
        """Say nothing: what matters is in `requests`."""


def _create(state: State, wanted: dict[str, str]) -> object:
    name, group = wanted["name"], wanted["group"]
    if group not in state.groups:
        raise _Refusal(400, "group not found")
    if name in state.databases:
        raise _Refusal(409, f"database with name {name} already exists")
    made: dict[str, object] = {
        "Name": name,
        "DbId": "0eb771dd-6906-11ee-8553-eaa7715aeaf2",
        "Hostname": f"{name}-{ORGANISATION}.turso.io",
    }
    state.databases[name] = {
        **made,
        "block_reads": False,
        "block_writes": False,
        "group": group,
        "primaryRegion": state.groups[group],
        "delete_protection": False,
        "parent": None,
    }
    return {"database": made}


def _known(state: State, name: str) -> dict[str, object]:
    if name not in state.databases:
        raise _Refusal(404, f"could not find database with name {name}: record not found")
    return state.databases[name]


def _mint(state: State, name: str, query: dict[str, str]) -> object:
    _known(state, name)
    expiration = query.get("expiration", "never")
    if expiration != "never" and not _EXPIRATION.fullmatch(expiration):
        raise _Refusal(400, "Invalid expiration format")
    state.tokens.append((name, expiration, query.get("authorization", "full-access")))
    return {"jwt": f"token-{len(state.tokens)}-of-{name}"}
