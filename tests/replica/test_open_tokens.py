"""A token in the open: whatever way leads to a primary, no token goes over plain http to another machine.

And none to anybody but the address that was given: not where an answer points, not to a proxy of the environment.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from replica import NotAllowedError, PrimaryError, Stage, UnreachableError, refuse_open_token
from replica.bearer import Bearer
from replica.hrana import Hrana, Statement
from replica.pull import pull
from sqld import Server
from tests.faults.listening import Listening, read_body
from tests.replica.garbage_server import GarbageServer
from tests.replica.team import Item, add, open_member, synced

_TOKEN: Final = "s3cret-token"
# Names and numbers that look like this machine, or lead to it by a way that somebody else may turn.
_ELSEWHERE: Final = (
    "http://localhost.evil.example",
    "http://localhost.",
    "http://127.0.0.1.evil.example",
    "http://evil.example.127.0.0.1",
    "http://[::ffff:127.0.0.1]:8080",
    "http://[::ffff:192.0.2.1]:8080",
    "http://0x7f000001:8080",
    "http://0x7f.1",
    "http://2130706433",
    "http://017700000001",
    "http://127.1",
    "http://127.0.0.1.",
    "http://0.0.0.0:8080",
    "http://[::]:8080",
    "ws://192.0.2.1:8080",
    "libsql://192.0.2.1:8080?tls=0",
)

_every_elsewhere = pytest.mark.parametrize("url", _ELSEWHERE)


class _Listener(Listening):
    """Keeps all that anybody sends to it."""

    def __init__(self) -> None:
        super().__init__()
        self.received = b""

    def serve(self, connection: socket.socket) -> None:
        """Read until the other side is tired of it."""
        while piece := connection.recv(65_536):
            self.received += piece


@pytest.fixture
def stranger() -> Iterator[_Listener]:
    """Somebody who should get nothing."""
    with _Listener() as listener:
        yield listener


@pytest.fixture
def lock_file(tmp_path: Path) -> Iterator[int]:
    """The descriptor that a pull passes on."""
    descriptor = os.open(tmp_path / "sync.lock", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was looked up or connected to; the network is not there to be asked."""
    tried: list[object] = []

    def refuse(*args: object, **_options: object) -> None:
        tried.append(args)
        raise OSError("no test asks for it")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


# -- each way to the primary


@_every_elsewhere
def test_no_way_to_a_primary_takes_a_token_over_plain_http(
    url: str, tmp_path: Path, lock_file: int, asked: list[object]
) -> None:
    """Sync, online writes, checks, mode remote and the pull by itself; nothing is even looked up."""
    with pytest.raises(NotAllowedError):
        refuse_open_token(url, _TOKEN)
    with open_member(tmp_path / "laptop", url, token=lambda: _TOKEN) as laptop:
        add(laptop, "Milk")

        report = laptop.sync()

        assert isinstance(report.error, NotAllowedError)
        assert (report.stage, report.pending) == (Stage.GREET, 1)
        with pytest.raises(NotAllowedError), laptop.transaction(writes="online") as tx:
            tx.insert(Item(title="Bread"))
        (check,) = [check for check in laptop.checks() if check.name == "primary"]
        assert "plain http" in check.detail
    with pytest.raises(NotAllowedError):
        open_member(tmp_path / "container", url, token=lambda: _TOKEN, mode="remote")
    with pytest.raises(NotAllowedError):
        pull(tmp_path, url, _TOKEN, deadline=time.monotonic() + 5, lock_file=lock_file, sleep=time.sleep)
    assert asked == []


def test_a_token_that_comes_only_for_the_pull_is_refused_there(
    primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pull does not lean on what the push before it was asked."""
    with open_member(tmp_path / "laptop", primary_server.url) as laptop:
        monkeypatch.setattr("replica.base.pull", _from_afar)
        add(laptop, "Milk")

        report = laptop.sync()

        assert isinstance(report.error, NotAllowedError)
        assert (report.stage, report.pushed) == (Stage.PULL, 1)


def _from_afar(directory: Path, _url: str, _token: str | None, *, lock_file: int, deadline: float,
               sleep: Callable[[float], None], is_fresh: bool, ca_file: Path | None) -> None:  # fmt: skip
    pull(directory, "http://192.0.2.1:8080", _TOKEN, deadline=deadline, lock_file=lock_file, sleep=sleep,
         is_fresh=is_fresh, ca_file=ca_file)  # fmt: skip


# -- to nobody but the address


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_primary_that_points_elsewhere_is_not_followed(status: int, stranger: _Listener) -> None:
    """Whoever answers in its place could point a token to himself."""
    answer = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {stranger.url}/v3/pipeline\r\nContent-Length: 0\r\n\r\n"
    with (
        GarbageServer(answer.encode()) as liar,
        closing(Hrana(liar.url, Bearer(lambda: _TOKEN))) as hrana,
        pytest.raises(PrimaryError, match=str(status)),
    ):
        hrana.execute(Statement("SELECT 1"))

    assert stranger.received == b""


@pytest.mark.parametrize("status", [301, 307])
def test_a_pull_that_is_pointed_elsewhere_does_not_go_there(
    status: int, stranger: _Listener, tmp_path: Path, lock_file: int
) -> None:
    """The client library follows nothing either."""
    with _Pointing(stranger.url, status) as liar, pytest.raises(UnreachableError):
        pull(tmp_path, liar.url, _TOKEN, deadline=time.monotonic() + 1.5, lock_file=lock_file, sleep=time.sleep)

    assert _TOKEN.encode() in liar.received
    assert stranger.received == b""


class _Pointing(Listening):
    """Points whoever asks to another address, under the path that was asked for."""

    def __init__(self, to: str, status: int) -> None:
        super().__init__()
        self._to, self._status = to, status
        self.received = b""

    def serve(self, connection: socket.socket) -> None:
        """Answer one request."""
        begun = connection.recv(65_536)
        if not begun:
            return
        self.received += begun
        path = begun.split(b" ")[1].decode()
        read_body(connection, begun)
        head = f"HTTP/1.1 {self._status} Elsewhere\r\nLocation: {self._to}{path}\r\nContent-Length: 0\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_gets_nothing(
    name: str, stranger: _Listener, primary_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would see the token of a primary on this machine; push and pull go straight."""
    monkeypatch.setenv(name, stranger.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with open_member(tmp_path / "laptop", primary_server.url, token=lambda: _TOKEN) as laptop:
        add(laptop, "Milk")
        assert synced(laptop).pushed == 1

    assert stranger.received == b""
