"""What servers of a test's own share: a free port, a thread for each connection, and a clean end."""

import http.client
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Listening:
    """Listens on a free port of this machine while the `with` block runs; subclasses `serve` a connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.is_over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self, connection: socket.socket) -> None:
        """Deal with one connection, which is closed afterwards; what the client does wrong may be raised."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_over.set()
        # Closing a listener does not wake who accepts on it.
        with suppress(OSError), socket.create_connection(self._listener.getsockname(), timeout=1):
            pass
        self._thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self.is_over.is_set():
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, http.client.HTTPException, ValueError):
            connection.settimeout(10)
            self.serve(connection)


def read_body(connection: socket.socket, begun: bytes = b"") -> bytes:
    """The body of the one request that comes, of which `begun` was read already; b"" if the client went away."""
    data = begun
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
    while len(body) < length:
        if not (more := connection.recv(65536)):
            return b""
        body += more
    return body
