"""A TCP proxy whose network fails on demand, between clients and one sqld.

```python
with run_sqld() as server, FaultProxy(server.port) as network:
    client = connect(network.url)
    network.lose_next_reply()
```

Lasting faults, until `heal()`: `cut()`, `freeze()`, `delay(seconds)`. Faults of one request, in the order they were
asked for: `lose_next_reply()`, `cut_reply_after(n)`, `duplicate_next_request()`; with `matching=` the next request
whose text has that in it, and others pass.

Always true:
- without a fault, bytes arrive as they were sent, in both directions;
- the methods return when the fault is in force: what is asked afterwards meets it;
- when the block ends, no connection, thread or port of the proxy is left.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from sqld import free_port
from tests.faults.wire import EndOfStreamError, Head, Wire

_HOST: Final = "127.0.0.1"
_DEADLINE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Counts:
    """What has come through so far."""

    connections: int = 0
    """Accepted from clients."""
    requests: int = 0
    """Read whole from clients, whatever became of them."""
    forwarded: int = 0
    """Requests sent whole to the primary; a duplicated one counts twice."""
    held: int = 0
    """Requests and answers being held now by `freeze` or `delay`."""
    lost_replies: int = 0
    """Answers that came whole from the primary and were dropped."""
    bytes_to_primary: int = 0
    bytes_to_client: int = 0


class _Kind(StrEnum):
    LOSE = "lose"
    CUT_REPLY = "cut_reply"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class _Fault:
    kind: _Kind
    matching: bytes
    after_bytes: int = 0


class _BrokenError(Exception):
    """A fault ended this connection."""


@dataclass(slots=True)
class _Network:
    """What is wrong with the network now. Touched only by the thread of the loop."""

    whole: asyncio.Event = field(default_factory=asyncio.Event)
    delay_s: float = 0.0
    armed: list[_Fault] = field(default_factory=list)

    def take_fault(self, request: bytes) -> _Fault | None:
        for fault in self.armed:
            if fault.matching in request:
                self.armed.remove(fault)
                return fault
        return None


class FaultProxy:
    """Listens on a port of its own and forwards to `target_port`, until told to fail."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._port = free_port(_HOST)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._network = _Network()
        self._listener: socket.socket | None = None
        self._is_refusing = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._defects: list[BaseException] = []
        self._counts = Counts()
        self._log: list[str] = []
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_DEADLINE_S)
        self._loop.close()
        if self._defects and error is None:
            raise self._defects[0]

    @property
    def port(self) -> int:
        """Where clients connect; the same in all weathers."""
        return self._port

    @property
    def url(self) -> str:
        """As `http://127.0.0.1:25000`."""
        return f"http://{_HOST}:{self._port}"

    def cut(self) -> None:
        """End all connections and refuse new ones, as if nothing ran there."""
        self._run(self._cut())

    def freeze(self) -> None:
        """Accept connections and requests, forward and answer nothing; what is held is lost when it heals."""
        self._run(self._freeze())

    def delay(self, seconds: float) -> None:
        """Forward each request `seconds` after it came, also if the client has given up by then."""
        self._run(self._delay(seconds))

    def heal(self) -> None:
        """End all lasting faults, and forget those of one request that have not happened."""
        self._run(self._heal())

    def lose_next_reply(self, *, matching: str = "") -> None:
        """The primary gets the next request and acts on it; its whole answer is dropped and the connection reset."""
        self._run(self._arm(_Fault(_Kind.LOSE, matching.encode())))

    def cut_reply_after(self, n_bytes: int, *, matching: str = "") -> None:
        """Of the next answer, head included, the client gets the first `n_bytes`, then the end of the connection."""
        self._run(self._arm(_Fault(_Kind.CUT_REPLY, matching.encode(), n_bytes)))

    def duplicate_next_request(self, *, matching: str = "") -> None:
        """The primary gets the next request twice, one after the other; the client gets the second answer."""
        self._run(self._arm(_Fault(_Kind.DUPLICATE, matching.encode())))

    def counts(self) -> Counts:
        """What has come through so far."""
        with self._changed:
            return self._counts

    def requests(self) -> list[str]:
        """The requests that came, oldest first, each as `POST /v3/pipeline`."""
        with self._changed:
            return list(self._log)

    def wait_for(self, reached: Callable[[Counts], bool], *, timeout_s: float = _DEADLINE_S) -> Counts:
        """Block until the counts satisfy `reached`, as `lambda counts: counts.held == 1`.

        Raises:
            TimeoutError: they did not within `timeout_s`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: reached(self._counts), timeout_s):
                msg = f"not reached within {timeout_s:g} seconds: {self._counts}"
                raise TimeoutError(msg)
            return self._counts

    def _run(self, work: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_DEADLINE_S)

    # From here on everything runs in the thread of the loop.

    async def _open(self) -> None:
        self._network.whole.set()
        self._listen()

    async def _close(self) -> None:
        await self._refuse()
        await self._loop.shutdown_asyncgens()

    async def _cut(self) -> None:
        await self._refuse()
        # Bound and not listening: the port stays ours, and the kernel refuses.
        self._listener = self._bind()

    async def _refuse(self) -> None:
        """Accept no more, end every connection, and wait until all have ended."""
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._is_refusing = True

    async def _freeze(self) -> None:
        self._network.whole.clear()
        self._listen()

    async def _delay(self, seconds: float) -> None:
        self._network.delay_s = seconds

    async def _heal(self) -> None:
        self._network.whole.set()
        self._network.delay_s = 0.0
        self._network.armed.clear()
        self._listen()

    async def _arm(self, fault: _Fault) -> None:
        self._network.armed.append(fault)

    def _bind(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, self._port))
        listener.setblocking(False)  # noqa: FBT003 -- the name of the method says what
        return listener

    def _listen(self) -> None:
        if not self._is_refusing:
            return
        self._is_refusing = False
        if self._listener is None:
            self._listener = self._bind()
        self._listener.listen()
        self._loop.add_reader(self._listener, self._accept, self._listener)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._defects.append(error)

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            # The client was gone before its turn came.
            return
        client = Wire(connection)
        task = self._loop.create_task(self._serve(client))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        # Not left to the task: one that is cancelled before its first step never runs.
        task.add_done_callback(lambda _: client.reset())
        self._count(connections=1)

    async def _serve(self, client: Wire) -> None:
        """One connection of a client, and one to the primary from the first request on."""
        with contextlib.ExitStack() as open_wires:
            primary: Wire | None = None
            try:
                while True:
                    head = await self._next_head(client, primary)
                    request = head.raw + b"".join([piece async for piece in client.read_body(head)])
                    self._note(head)
                    fault = self._network.take_fault(request)
                    await self._hold()
                    if primary is None:
                        primary = await self._dial()
                        open_wires.callback(primary.close)
                    await self._exchange(client, primary, head, request, fault)
            except EndOfStreamError:
                client.close()
            except (OSError, _BrokenError):
                # What ends without a close ends with a reset.
                return

    async def _next_head(self, client: Wire, primary: Wire | None) -> Head:
        """The next request of the client; raises if the primary ends its connection first."""
        reading = asyncio.ensure_future(client.read_head())
        ending = asyncio.ensure_future(primary.fill() if primary is not None else asyncio.Event().wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            raise EndOfStreamError
        finally:
            reading.cancel()
            ending.cancel()
            await asyncio.gather(reading, ending, return_exceptions=True)

    async def _dial(self) -> Wire:
        primary = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        primary.setblocking(False)  # noqa: FBT003 -- the name of the method says what
        try:
            await self._loop.sock_connect(primary, (_HOST, self._target_port))
        except BaseException:
            primary.close()
            raise
        return Wire(primary)

    async def _hold(self) -> None:
        """Keep a request as long as the network says; raises if it was frozen, once that heals."""
        await self._hold_if_frozen()
        if self._network.delay_s:
            self._count(held=1)
            try:
                await asyncio.sleep(self._network.delay_s)
            finally:
                self._count(held=-1)
            await self._hold_if_frozen()

    async def _hold_if_frozen(self) -> None:
        if self._network.whole.is_set():
            return
        self._count(held=1)
        try:
            await self._network.whole.wait()
        finally:
            self._count(held=-1)
        raise _BrokenError

    async def _exchange(self, client: Wire, primary: Wire, head: Head, request: bytes, fault: _Fault | None) -> None:
        """One request and its answer, with what goes wrong with it."""
        kind = None if fault is None else fault.kind
        await self._forward(primary, request)
        if kind is _Kind.DUPLICATE:
            await self._answer(None, primary, head)
            await self._forward(primary, request)
        if kind is _Kind.LOSE:
            await self._answer(None, primary, head)
            self._count(lost_replies=1)
            raise _BrokenError
        limit = fault.after_bytes if fault is not None and kind is _Kind.CUT_REPLY else None
        await self._answer(client, primary, head, limit=limit)

    async def _forward(self, primary: Wire, request: bytes) -> None:
        await primary.write(request)
        self._count(forwarded=1, bytes_to_primary=len(request))

    async def _answer(self, client: Wire | None, primary: Wire, request: Head, *, limit: int | None = None) -> None:
        """Pass one answer on as it comes, or read it whole and drop it if there is no client."""
        status = 100
        while status < 200:
            head = await primary.read_head()
            status = head.status
            limit = await self._pass_on(client, head.raw, limit)
            bodiless = request.start_line.startswith("HEAD ") or status in (204, 304) or status < 200
            async for piece in primary.read_body(head, bodiless=bodiless):
                limit = await self._pass_on(client, piece, limit)

    async def _pass_on(self, client: Wire | None, data: bytes, limit: int | None) -> int | None:
        """Send it on; what may still be sent. Raises EndOfStreamError when the limit is reached."""
        if client is None:
            return limit
        await self._hold_if_frozen()
        sent = data if limit is None else data[:limit]
        await client.write(sent)
        self._count(bytes_to_client=len(sent))
        if limit is None:
            return None
        if limit <= len(data):
            raise EndOfStreamError
        return limit - len(data)

    def _note(self, head: Head) -> None:
        with self._changed:
            self._log.append(" ".join(head.start_line.split()[:2]))
        self._count(requests=1)

    def _count(self, **more: int) -> None:
        with self._changed:
            now = self._counts
            self._counts = replace(now, **{name: getattr(now, name) + add for name, add in more.items()})
            self._changed.notify_all()
