"""A notebook in each of the modes that tests hold to one behaviour."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from replica import Replica
from sqld import Server
from tests.faults import FaultProxy
from tests.replica.notebook import open_notes
from tests.replica.team import Team, Truth

OpenNotes = Callable[..., Replica]


@pytest.fixture(params=["local", "libsql", "remote"])
def mode(request: pytest.FixtureRequest) -> str:
    """Each way to hold the database: a file, a replica of a live primary, the live primary itself."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def primary_url(mode: str, request: pytest.FixtureRequest) -> str | None:
    """The primary of the mode, running; None where there is none."""
    if mode == "local":
        return None
    server: Server = request.getfixturevalue("primary_server")
    return server.url


@pytest.fixture
def open_again(mode: str, primary_url: str | None, tmp_path: Path) -> Iterator[OpenNotes]:
    """Open the one notebook of a test, as often as it likes; all are closed at its end."""
    with ExitStack() as opened:

        def open_it(**options: object) -> Replica:
            notes = open_notes(tmp_path / "notes", mode, primary_url, **options)  # type: ignore[arg-type] # passed on
            return opened.enter_context(notes)

        yield open_it


@pytest.fixture
def notes(open_again: OpenNotes) -> Replica:
    """The notebook of a test, empty."""
    return open_again()


@pytest.fixture
def team(network: FaultProxy, tmp_path: Path) -> Iterator[Team]:
    """Replicas of one live primary, which they reach through `network`."""
    with Team(tmp_path, network.url) as members:
        yield members


@pytest.fixture
def truth(primary_server: Server) -> Truth:
    """The live primary itself, asked past every replica and past `network`."""
    return Truth(primary_server.port)


@pytest.fixture
def laptop(team: Team) -> Replica:
    """Whose change was parked."""
    return team.join("laptop")


@pytest.fixture
def desktop(team: Team) -> Replica:
    """Who was faster."""
    return team.join("desktop")
