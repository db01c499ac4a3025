"""A server that answers every connection with the same bytes, whatever they are, and then hangs up or drips on."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class GarbageServer:
    """Listens on a free port of this machine while the `with` block runs."""

    def __init__(self, answer: bytes, *, drip: bytes = b"") -> None:
        """`answer` is sent at once; `drip`, if given, again and again until the client is gone."""
        self._answer, self._drip = answer, drip
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

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

    def _serve(self) -> None:
        while not self._is_over.is_set():
            connection, _ = self._listener.accept()
            with connection, suppress(OSError):
                if self._is_over.is_set():
                    return
                self._read_request(connection)
                connection.sendall(self._answer)
                while self._drip and not self._is_over.wait(0.05):
                    connection.sendall(self._drip)

    def _read_request(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
        length = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
        while len(body) < length:
            body += connection.recv(65536)
