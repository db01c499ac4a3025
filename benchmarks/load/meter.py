"""A meter on the wire: counts requests and bytes, and sends pulls to a read replica where there is one.

The toolkit knows one address. A connection whose first request is Hrana goes to the primary, any other (`/info`,
replication) to the read replica; a client never mixes them on one connection, because its puller is a process of its
own. Always true: bytes pass as they came; a request is counted by its start line, an answer by its status line.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import SynchronizedArray
from types import TracebackType
from typing import Final, Self

_HOST: Final = "127.0.0.1"
_HRANA: Final = b"POST /v3/pipeline"
_START_LINE: Final = b" HTTP/1.1\r\n"
_STATUS: Final = re.compile(rb"HTTP/1\.1 ([0-9]{3})")
_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What has passed: requests by kind, bytes up (to the servers) and down, and answers that were refusals."""

    hrana: int = 0
    pulls: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    turned_away: int = 0
    failed: int = 0

    def __sub__(self, earlier: Traffic) -> Traffic:
        """What has passed since `earlier`."""
        return Traffic(*(getattr(self, each.name) - getattr(earlier, each.name) for each in fields(self)))


class Meter:
    """The meter as a process of its own, so that its work is nobody else's; forwards while the `with` block runs."""

    def __init__(self, primary: int, pulls: int) -> None:
        """`primary` and `pulls`: the ports where Hrana and everything else go."""
        self._counts: SynchronizedArray[int] = _SPAWN.Array("q", len(fields(Traffic)))
        self._end, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_run, args=(theirs, self._counts, primary, pulls), daemon=True)
        self._port = 0

    def __enter__(self) -> Self:
        self._process.start()
        self._port = self._end.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://{_HOST}:{self._port}"

    @property
    def pid(self) -> int:
        """The process that forwards."""
        return self._process.pid or os.getpid()

    def traffic(self) -> Traffic:
        """What has passed so far."""
        with self._counts.get_lock():
            return Traffic(*self._counts[:])


def _run(end: Connection, counts: SynchronizedArray[int], primary: int, pulls: int) -> None:
    asyncio.run(_Forwarding(counts, primary, pulls).serve(end))


class _Forwarding:
    """The loop of the meter's process."""

    def __init__(self, counts: SynchronizedArray[int], primary: int, pulls: int) -> None:
        self._counts, self._primary, self._pulls = counts, primary, pulls
        self._names = [each.name for each in fields(Traffic)]

    async def serve(self, end: Connection) -> None:
        """Forward until the process is ended, or the one that started it has ended."""
        over = asyncio.Event()
        asyncio.get_running_loop().add_reader(end.fileno(), over.set)
        server = await asyncio.start_server(self._forward, _HOST, 0, backlog=1024)
        end.send(server.sockets[0].getsockname()[1])
        await over.wait()

    async def _forward(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            first = await client.read(65536)
            if not first:
                return
            is_hrana = first.startswith(_HRANA)
            port = self._primary if is_hrana else self._pulls
            replies, server = await asyncio.open_connection(_HOST, port)
            kind = "hrana" if is_hrana else "pulls"
            await asyncio.gather(
                _pump(client, server, first, lambda piece, new: self._count(kind, new.count(_START_LINE), up=piece)),
                _pump(replies, answers, b"", self._count_answers),
            )
        except OSError:
            # One side ended the connection: the other is told by the end of its own.
            return
        finally:
            answers.close()

    def _count(self, kind: str, requests: int, *, up: int) -> None:
        self._add(**{kind: requests, "bytes_up": up})

    def _count_answers(self, size: int, new: bytes) -> None:
        # The client library asks for `/info`, which sqld answers with 404, before every pull.
        codes = [int(code) for code in _STATUS.findall(new)]
        self._add(
            bytes_down=size,
            turned_away=codes.count(429),
            failed=sum(code >= 400 and code not in (404, 429) for code in codes),
        )

    def _add(self, **more: int) -> None:
        with self._counts.get_lock():
            for name, number in more.items():
                self._counts[self._names.index(name)] += number


async def _pump(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, first: bytes, count: Callable[[int, bytes], None]
) -> None:
    """Pass on what comes until it ends; `count` gets each piece's size, and the piece with the end of the one before.

    The end is shorter than what is looked for, so that nothing is counted twice.
    """
    tail, piece = b"", first or await source.read(65536)
    while piece:
        count(len(piece), tail + piece)
        tail = piece[-(len(_START_LINE) - 1) :]
        sink.write(piece)
        await sink.drain()
        piece = await source.read(65536)
    sink.close()
