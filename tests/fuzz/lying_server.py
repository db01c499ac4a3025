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
from typing import Final

from tests.faults.listening import Listening, read_body

_QUESTION: Final = b"POST /v3/pipeline "
Lie = Callable[[bytes, bytes], bytes]
"""The request's body and the body of the true answer (b"" without a primary), to all bytes that are answered."""


class LyingServer(Listening):
    """Listens on a free port of this machine while the `with` block runs."""

    def __init__(self) -> None:
        super().__init__()
        self._target: int | None = None
        self._lie: Lie = honest

    def tell(self, lie: Lie, *, target: int | None = None) -> None:
        """Answer so from now on. target: the port of the primary that is asked first, if any."""
        self._lie, self._target = lie, target

    def serve(self, connection: socket.socket) -> None:
        """Answer one request, or pass on whatever is none of a client's questions."""
        data = connection.recv(65536)
        if data and not data.startswith(_QUESTION):
            self._splice(connection, data)
        elif data:
            body = read_body(connection, data)
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


def reply(body: bytes, *, status: int = 200, headers: str = "") -> bytes:
    """A whole answer, after which the connection ends."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
    return head.encode() + body


def honest(_request: bytes, true: bytes) -> bytes:
    """What the primary said."""
    return reply(true)
