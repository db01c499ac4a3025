"""A server that turns every request away as a primary with too much to do: 429, and a note of who came when."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class _Listener(ThreadingHTTPServer):
    # A queue of 5 would turn clients away by itself, before they are counted.
    request_queue_size = 128
    daemon_threads = True

    def __init__(self) -> None:
        self.arrivals: dict[str, list[float]] = {}
        self.noting = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Exchange)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def _turn_away(self) -> None:
        arrived = time.monotonic()
        self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.server.noting:
            self.server.arrivals.setdefault(self.headers.get("authorization") or "", []).append(arrived)
        self.send_response(429)
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = _turn_away  # noqa: N815 - named so by the base class
    do_POST = _turn_away  # noqa: N815 - the same

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named so by the base class
        """Say nothing: what matters is in `arrivals`."""


class BusyServer:
    """Listens on a free port of this machine while the `with` block runs."""

    def __init__(self) -> None:
        self._listener = _Listener()
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def arrivals(self) -> dict[str, list[float]]:
        """When each client came, in seconds of the monotonic clock, by its `Authorization` header."""
        with self._listener.noting:
            return {who: list(times) for who, times in self._listener.arrivals.items()}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._thread.join(5)
        self._listener.server_close()
