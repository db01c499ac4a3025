"""Serve the gateway with uvicorn, in this process, until it is told to stop.

Always true:
- what is logged is JSON lines on stderr, and no line of uvicorn's own access log, which holds whole addresses;
- answers say nothing of the program that makes them.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from sqld.errors import PortTakenError
from sqld.gateway.request_log import LOGGER, JsonLines

_KEEP_ALIVE_S: Final = 65
_END_S: Final = 10
_END_DEADLINE_S: Final = 15.0


def serve(app: ASGIApp, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """Answer requests until SIGINT or SIGTERM. ready: called when it listens. Raises PortTakenError."""
    log_to_stderr()
    with _listening(host, port) as listener:
        ready()
        _server(app).run(sockets=[listener])


@contextmanager
def answering(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Answer requests beside what the block does; yields the port, a free one for 0. Raises as `serve` does."""
    with _listening(host, port) as listener:
        server = _server(app)
        # Only the main thread of a process may take signals.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="gateway", daemon=True)
        thread.start()
        try:
            # What connects before the loop runs waits in the queue of the socket, so nobody has to wait here.
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(_END_DEADLINE_S)


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        # Longer than nginx keeps a connection that rests: else it would send into one that is being closed.
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_END_S,
        h11_max_incomplete_event_size=65_536,
        lifespan="off",
        ws="none",
        # Whom a request comes from decides nothing here.
        proxy_headers=False,
    )
    return uvicorn.Server(config)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named to be TCP, because asyncio sends at once only on what is: else each answer waits 40 ms for the next ACK.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise PortTakenError(host, port) from error
        listener.listen(512)
        yield listener


def log_to_stderr() -> None:
    """Tell of each request, and of what goes wrong, as JSON lines."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(logging.WARNING)
    logging.getLogger(LOGGER).setLevel(logging.INFO)
