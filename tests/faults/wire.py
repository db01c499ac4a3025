"""HTTP/1.1 framing on bare sockets: where a message begins and ends, and nothing more.

Bytes pass through as they came; nothing is decoded, so what the proxy forwards is what was sent. Enough for Hrana
over HTTP and for the replication of embedded replicas (gRPC-web over HTTP/1.1); HTTP/2 and upgrades are not spoken.

Always true: a message is taken for whole only when its length says so (RFC 9112, section 6).
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

_READ_BYTES: Final = 1 << 16
_LINGER_NONE: Final = struct.pack("ii", 1, 0)


class EndOfStreamError(Exception):
    """The other side closed its end."""


@dataclass(frozen=True, slots=True)
class Head:
    """The start line and the fields of a message, and the bytes they came in."""

    raw: bytes

    @property
    def start_line(self) -> str:
        """As `POST /v3/pipeline HTTP/1.1` or `HTTP/1.1 200 OK`."""
        return self.raw.split(b"\r\n", 1)[0].decode("latin-1")

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.start_line.split()[1])

    def field(self, name: str) -> str:
        """The value of a field, lower case, or nothing."""
        for line in self.raw.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip().lower()
        return ""


class Wire:
    """One end of a connection: buffered reading, whole writing, and two ways to end it."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 -- the name of the method says what
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._buffer = b""

    async def fill(self) -> None:
        """Wait for more bytes. Raises EndOfStreamError when there will be none."""
        data = await asyncio.get_running_loop().sock_recv(self._socket, _READ_BYTES)
        if not data:
            raise EndOfStreamError
        self._buffer += data

    async def read_head(self) -> Head:
        """Read up to the empty line that ends the fields."""
        return Head(await self._read_through(b"\r\n\r\n"))

    async def read_body(self, head: Head, *, bodiless: bool = False) -> AsyncIterator[bytes]:
        """The bytes of the body as they come, framing included."""
        if bodiless:
            return
        if head.field("transfer-encoding").endswith("chunked"):
            async for piece in self._read_chunks():
                yield piece
        elif head.field("content-length"):
            async for piece in self._read_exactly(int(head.field("content-length"))):
                yield piece
        elif head.start_line.startswith("HTTP/"):
            # An answer without a length ends with the connection.
            async for piece in self._read_to_end():
                yield piece

    async def write(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    def close(self) -> None:
        """End it as a program does that has said all: what was written still arrives."""
        self._socket.close()

    def reset(self) -> None:
        """End it as a network does that broke: the other side sees a reset at once."""
        if self._socket.fileno() != -1:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._socket.close()

    async def _read_through(self, end: bytes) -> bytes:
        while end not in self._buffer:
            await self.fill()
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    async def _read_exactly(self, size: int) -> AsyncIterator[bytes]:
        while size > 0:
            if not self._buffer:
                await self.fill()
            piece, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(piece)
            yield piece

    async def _read_chunks(self) -> AsyncIterator[bytes]:
        size = -1
        while size != 0:
            line = await self._read_through(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            if size:
                async for piece in self._read_exactly(size + 2):
                    yield piece
        line = b""
        while line != b"\r\n":
            line = await self._read_through(b"\r\n")
            yield line

    async def _read_to_end(self) -> AsyncIterator[bytes]:
        while True:
            if not self._buffer:
                try:
                    await self.fill()
                except EndOfStreamError:
                    return
            piece, self._buffer = self._buffer, b""
            yield piece
