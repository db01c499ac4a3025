"""A server in front of a primary that passes on what it is asked, and gives back what it is told to.

Always true:
- without a lie, every answer is the primary's own, byte for byte, replication included;
- a lie changes what is answered, never what is asked: what the primary did, it did.
"""

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

_QUESTION: Final = b"POST /v3/pipeline "
Lie = Callable[[bytes, bytes], bytes]
"""The request's body and the body of the true answer (b"" without a primary), to all bytes that are answered."""


class LyingServer:
    """Listens on a free port of this machine while the `with` block runs."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._target: int | None = None
        self._lie: Lie = honest
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def tell(self, lie: Lie, *, target: int | None = None) -> None:
        """Answer so from now on. target: the port of the primary that is asked first, if any."""
        self._lie, self._target = lie, target

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        # Closing a listener does not wake who accepts on it.
        with suppress(OSError), socket.create_connection(self._listener.getsockname(), timeout=1):
            pass
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, http.client.HTTPException, ValueError):
            connection.settimeout(10)
            data = connection.recv(65536)
            if data and not data.startswith(_QUESTION):
                self._splice(connection, data)
            elif data:
                body = _body(connection, data)
                connection.sendall(self._lie(body, self._true(body)))

    def _true(self, body: bytes) -> bytes:
        if self._target is None:
            return b""
        upstream = http.client.HTTPConnection("127.0.0.1", self._target, timeout=10)
        try:
            upstream.request("POST", "/v3/pipeline", body, {"Content-Type": "application/json"})
            return upstream.getresponse().read()
        finally:
            upstream.close()

    def _splice(self, connection: socket.socket, begun: bytes) -> None:
        """Pass bytes both ways: replication is not lied about, for it is not we who read it."""
        if self._target is None:
            return
        with socket.create_connection(("127.0.0.1", self._target), timeout=10) as upstream:
            upstream.sendall(begun)
            back = threading.Thread(target=_pass_on, args=(upstream, connection), daemon=True)
            back.start()
            _pass_on(connection, upstream)
            back.join(10)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _body(connection: socket.socket, data: bytes) -> bytes:
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return body


def reply(body: bytes, *, status: int = 200, headers: str = "") -> bytes:
    """A whole answer, after which the connection ends."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + body


def honest(_request: bytes, true: bytes) -> bytes:
    """What the primary said."""
    return reply(true)
