"""Tokens against a real sqld that asks for one: what a refused one stops, and what it does not."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest

from replica import NotAllowedError, Replica, Stage, SyncReport, TokenRefusedError
from replica.bearer import Bearer
from replica.hrana import Hrana, Statement
from replica.pull import pull
from sqld import Server
from tests.replica.garbage_server import GarbageServer
from tests.replica.team import Item, add, open_member, synced

# A key pair made for these tests; its other half was thrown away. All three tokens are signed with it.
_PUBLIC_KEY: Final = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA2Hwr6f99BH99s05Sm4coD9A7OvH7O6M1ML1XdMNQ+Es=
-----END PUBLIC KEY-----
"""
_HEAD: Final = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9"
_GOOD: Final = (
    f"{_HEAD}.eyJhIjoicnciLCJpZCI6ImRlZmF1bHQiLCJleHAiOjQxMDI0NDQ4MDB9."
    "F1J6UYkApxADe8uJF6zC0QqaM65vcmfKQhNYJnj1Xcsz_4AMUTxIph3uHXiq65qTQ9eRhLL2tYHmNLaMuZ51AQ"
)
_EXPIRED: Final = (
    f"{_HEAD}.eyJhIjoicnciLCJpZCI6ImRlZmF1bHQiLCJleHAiOjE1MDAwMDAwMDB9."
    "1r9C3Vdr8Cnvw5N7XTyXFORKGmHf7ILWwiIpV-2bQUGzeRjFnrLqDaRRZaNZO35bTc9lsoYtaJU1w3C9r8O3Bg"
)
_READ_ONLY: Final = (
    f"{_HEAD}.eyJhIjoicm8iLCJpZCI6ImRlZmF1bHQiLCJleHAiOjQxMDI0NDQ4MDB9."
    "-LoLJ6ZIv7ZK7IEckLhphUojQBPZW4r_mh6Vzz_Fzj32c5SiPc6GHJ6UqgPTnEIcyYVlLb1nyrLVQASXK5RUAA"
)


@pytest.fixture
def guarded(sqld_binary: Path, tmp_path: Path) -> Iterator[Server]:
    """An sqld that lets nobody in without a token."""
    key = tmp_path / "key.pem"
    key.write_text(_PUBLIC_KEY)
    with Server(sqld_binary, flags=["--auth-jwt-key-file", str(key)]) as server:
        yield server


class _Wallet:
    """The token of the day."""

    token: str | None = _GOOD


@pytest.fixture
def wallet() -> _Wallet:
    """A good token, until a test puts in another."""
    return _Wallet()


@pytest.fixture
def laptop(guarded: Server, wallet: _Wallet, tmp_path: Path) -> Iterator[Replica]:
    """A replica that has synced one item."""
    with open_member(tmp_path / "laptop", guarded.url, token=lambda: wallet.token) as member:
        add(member, "Milk")
        synced(member)
        yield member


def _holds_nothing_of(report: SyncReport, token: str | None) -> bool:
    return token is None or (token not in repr(report) and token[-40:] not in repr(report))


@pytest.mark.parametrize("token", [None, _EXPIRED, _GOOD[:-4] + "AAAA", "no-token-at-all"])
def test_a_token_that_is_refused_stops_the_sync_and_nothing_else(
    laptop: Replica, wallet: _Wallet, token: str | None
) -> None:
    """Reads and writes go on; the report says so without the token; with a good one all goes up."""
    wallet.token = token
    add(laptop, "Bread")

    report = laptop.sync()

    assert isinstance(report.error, NotAllowedError)
    assert _holds_nothing_of(report, token)
    assert report.pending == 1
    assert len(laptop.select(Item)) == 2
    wallet.token = _GOOD
    assert synced(laptop).pushed == 1


def test_a_token_that_may_only_read_fetches_and_keeps_what_is_to_be_pushed(laptop: Replica, wallet: _Wallet) -> None:
    """Not being allowed to write is no conflict, so that nothing is parked; and the token holds, so that it says so."""
    wallet.token = _READ_ONLY
    assert laptop.sync().error is None
    add(laptop, "Bread")

    report = laptop.sync()

    assert isinstance(report.error, NotAllowedError)
    assert "may read and not write" in str(report.error)
    assert (report.pushed, report.parked, report.pending) == (0, 0, 1)
    wallet.token = _GOOD
    assert synced(laptop).pushed == 1


def test_who_may_only_read_goes_on_to_see_what_others_write(
    laptop: Replica, wallet: _Wallet, guarded: Server, tmp_path: Path
) -> None:
    """A write that cannot be sent waits, and holds nothing up; what it is about is shown with it, as ever."""
    with open_member(tmp_path / "desktop", guarded.url, token=lambda: _GOOD) as desktop:
        synced(desktop)
        wallet.token = _READ_ONLY
        add(laptop, "Bread")
        add(desktop, "Butter")
        synced(desktop)

        reports = [laptop.sync() for _ in range(2)]

    assert [(report.stage, report.pulled, report.pending) for report in reports] == [
        (Stage.DONE, 1, 1),
        (Stage.DONE, 0, 1),
    ]
    assert all(isinstance(report.error, NotAllowedError) for report in reports)
    assert sorted(item.title for item in laptop.select(Item)) == ["Bread", "Butter", "Milk"]


def test_a_token_that_expires_between_push_and_pull_leaves_what_was_pushed_acknowledged(
    laptop: Replica, wallet: _Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replication only says that the handshake failed; the next sync pulls and has nothing to push."""
    add(laptop, "Bread")
    with monkeypatch.context() as patched:
        patched.setattr("replica.base.pull", _with_token(_EXPIRED))
        report = laptop.sync()

    assert report.stage is Stage.PULL
    assert (report.pushed, report.pending) == (1, 0)
    assert synced(laptop).pushed == 0


def test_a_refused_token_is_renewed_once_and_the_sync_goes_on(guarded: Server, wallet: _Wallet, tmp_path: Path) -> None:
    """The primary decides what a token is worth, whatever the clock here says."""
    asked: list[str] = []
    wallet.token = _EXPIRED

    def renew(refused: str) -> str:
        asked.append(refused)
        wallet.token = _GOOD
        return _GOOD

    with open_member(tmp_path / "laptop", guarded.url, token=lambda: wallet.token, renew=renew) as member:
        add(member, "Milk")

        assert synced(member).pushed == 1
        assert len(member.select(Item)) == 1
    assert asked == [_EXPIRED]


class _Refusing(BaseHTTPRequestHandler):
    """Answers as sqld does to an expired token, and notes over which connection each request came."""

    protocol_version = "HTTP/1.1"
    ports: ClassVar[list[int]] = []

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""

    def do_POST(self) -> None:
        """Refuse it, and keep the connection."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.ports.append(self.client_address[1])
        self.send_response(401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def test_a_renewed_token_goes_over_a_connection_of_its_own() -> None:
    """Now and then sqld hangs up after it refused one, without saying so: what came next there was never heard."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"

        with (
            closing(Hrana(url, Bearer(lambda: _EXPIRED, lambda _refused: _GOOD))) as hrana,
            pytest.raises(TokenRefusedError),
        ):
            hrana.execute(Statement("SELECT 1"))

        server.shutdown()
    assert len(set(_Refusing.ports)) == len(_Refusing.ports) == 2


def test_a_pull_tells_a_token_that_does_not_hold_from_a_primary_that_is_away(tmp_path: Path) -> None:
    """As the gateway answers it, by which it is known that another token may do."""
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"
    lock_file = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    try:
        with GarbageServer(refusal) as server, pytest.raises(TokenRefusedError):
            pull(tmp_path, server.url, _GOOD, deadline=time.monotonic() + 20, lock_file=lock_file, sleep=time.sleep)
    finally:
        os.close(lock_file)


@pytest.mark.parametrize("another", [None, _EXPIRED, _GOOD[:-4] + "AAAA"])
def test_where_there_is_no_better_token_the_refusal_stands(
    guarded: Server, tmp_path: Path, another: str | None
) -> None:
    """None at all, the same, or one that is refused too: asked for once, and then it is as without."""
    asked: list[str] = []

    def renew(refused: str) -> str | None:
        asked.append(refused)
        return another

    with open_member(tmp_path / "laptop", guarded.url, token=lambda: _EXPIRED, renew=renew) as member:
        report = member.sync()

    assert isinstance(report.error, NotAllowedError)
    assert asked == [_EXPIRED]


def test_mode_remote_renews_a_refused_token_too(guarded: Server, tmp_path: Path) -> None:
    """It asks for each read and each write."""
    with (
        open_member(tmp_path / "one", guarded.url, token=lambda: _GOOD) as member,
        open_member(
            tmp_path / "two", guarded.url, token=lambda: _EXPIRED, renew=lambda _refused: _GOOD, mode="remote"
        ) as remote,
    ):
        add(remote, "Milk")
        synced(member)

        assert [item.id for item in member.select(Item)] == [item.id for item in remote.select(Item)]


def _with_token(token: str) -> Callable[..., None]:
    def pull_with_it(directory: Path, url: str, _token: str | None, **options: Any) -> None:  # passed on as they came
        pull(directory, url, token, **options)

    return pull_with_it
