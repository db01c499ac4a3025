"""Tokens against a real sqld that asks for one: what a refused one stops, and what it does not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from replica import NotAllowedError, Replica, Stage, SyncReport
from replica.pull import pull
from sqld import Server
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
    """Not being allowed to write is no conflict: nothing is parked."""
    wallet.token = _READ_ONLY
    assert laptop.sync().error is None
    add(laptop, "Bread")

    report = laptop.sync()

    assert isinstance(report.error, NotAllowedError)
    assert (report.pushed, report.parked, report.pending) == (0, 0, 1)
    wallet.token = _GOOD
    assert synced(laptop).pushed == 1


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


def _with_token(token: str) -> Callable[..., None]:
    def pull_with_it(directory: Path, url: str, _token: str | None, **options: Any) -> None:  # passed on as they came
        pull(directory, url, token, **options)

    return pull_with_it
