"""A TLS end in front of an sqld, with whatever certificate a test wants: nginx' part, without nginx.

Always true:
- what comes out of it is what went in, in both directions;
- when the block ends, no connection, thread or port of it is left.
"""

import asyncio
import contextlib
import ssl
import threading
from types import TracebackType
from typing import Final, Self

import trustme

_HOST: Final = "127.0.0.1"
_DEADLINE_S: Final = 10.0
_PIECE_BYTES: Final = 65_536


class TlsEnd:
    """Takes TLS connections on a free port of this machine, and passes them on, without TLS, to `port`."""

    def __init__(self, port: int, certificate: trustme.LeafCert | ssl.SSLContext) -> None:
        self._target = port
        if isinstance(certificate, ssl.SSLContext):
            self._context = certificate
        else:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(self._context)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        """How many handshakes went well."""

    def url(self, host: str = _HOST, scheme: str = "https") -> str:
        """Where it takes connections."""
        return f"{scheme}://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        # The loop tells of each handshake that a client broke off; that they do is what tests are about.
        self._loop.set_exception_handler(lambda _loop, _told: None)
        starting = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, _HOST, 0, ssl=self._context), self._loop
        )
        self._server = starting.result(_DEADLINE_S)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(_DEADLINE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_DEADLINE_S)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            from_primary, to_primary = await asyncio.open_connection(_HOST, self._target)
            await asyncio.gather(_pass_on(reader, to_primary), _pass_on(from_primary, writer))
        self._tasks.discard(task)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()
