"""HTTP whose every request ends by a deadline, however slowly the answer drips.

The client library bounds each wait for bytes; an answer of which a byte comes now and then would never end, in its
head even less than in its body. Always true: no wait goes on beyond the moment that `until` names in its thread.
"""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class Until(threading.local):
    """When the request of this thread has to end, in monotonic seconds."""

    moment: float = math.inf

    def left_s(self, timeout_s: float | None) -> float | None:
        """How long to wait for the next bytes. Raises httpcore.ReadTimeout when the time is over."""
        left_s = self.moment - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout
        if math.isinf(left_s):
            return timeout_s
        return left_s if timeout_s is None else min(left_s, timeout_s)


class BoundedTransport(httpx.HTTPTransport):
    """The transport of httpx, on connections that ask `until` before each wait."""

    def __init__(self, until: Until, context: ssl.SSLContext) -> None:
        """`context` says which certificates are believed. Raises ssl.SSLError where a handshake fails."""
        super().__init__(verify=context, trust_env=False)
        # The library has no other way in; `tests/fuzz/test_found.py` fails if this one closes.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0,
            network_backend=_Backend(until),
        )  # fmt: skip


class _Backend(httpcore.NetworkBackend):
    def __init__(self, until: Until) -> None:
        self._until, self._backend = until, httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # as the library has it
    ) -> httpcore.NetworkStream:  # fmt: skip
        stream = self._backend.connect_tcp(host, port, self._until.left_s(timeout), local_address, socket_options)
        return _Stream(stream, self._until)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, until: Until) -> None:
        self._stream, self._until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._until.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._until.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, self._until.left_s(timeout))
        except httpcore.ConnectError as error:
            # The library keeps only the text of what it was.
            if isinstance(error.__cause__, ssl.SSLError):
                raise error.__cause__ from error
            raise
        return _Stream(stream, self._until)

    def get_extra_info(self, info: str) -> Any:  # as the library has it
        return self._stream.get_extra_info(info)
