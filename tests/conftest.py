"""What every test may ask for: a real sqld, and a network in front of it that can fail."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sqld import Server, find_sqld
from tests.faults import FaultProxy
from tests.secrets.left_behind import left_behind


def pytest_configure() -> None:
    """Let Ctrl-C through: a run in the background starts with it ignored, and the processes of a test inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # How long an example takes is the machine's, and on a busy one says nothing of the code.
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _nothing_secret_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """When all tests of a process are done, nothing that they wrote holds a secret in the clear (about 2 s a GB)."""
    yield
    assert left_behind(tmp_path_factory.getbasetemp()) == []


@pytest.fixture(scope="session")
def sqld_binary() -> Path:
    """A real sqld; unpacked from the extra if there is no other."""
    return find_sqld()


@pytest.fixture
def primary_server(sqld_binary: Path) -> Iterator[Server]:
    """A running sqld with an empty database, for one test (about 20 ms)."""
    with Server(sqld_binary) as server:
        yield server


@pytest.fixture
def network(primary_server: Server) -> Iterator[FaultProxy]:
    """A network in front of `primary_server`; connect to `network.url` and make it fail."""
    with FaultProxy(primary_server.port) as proxy:
        yield proxy
