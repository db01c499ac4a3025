"""`td` in a directory of its own: empty, initialised, or with a primary."""

import shutil
from pathlib import Path

import pytest

from cli.config import Config, save_config
from cli.place import make_directory
from sqld import Server
from tests.cli.in_process import InProcess
from tests.cli.program import Program
from tracker import Mode


@pytest.fixture
def fresh(tmp_path: Path) -> Program:
    """A td where nothing is initialised."""
    return Program(tmp_path / "work")


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `.todos` in mode local as `td init` leaves it."""
    program = Program(tmp_path_factory.mktemp("initialised"))
    program.done("init")
    return program.directory / ".todos"


@pytest.fixture
def td(fresh: Program, initialised: Path) -> Program:
    """A td in mode local, with no issue yet."""
    shutil.copytree(initialised, fresh.directory / ".todos")
    return fresh


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """A td in mode local within this process."""
    return InProcess(tmp_path / "here", monkeypatch)


@pytest.fixture
def laptop(tmp_path: Path, primary_server: Server) -> Program:
    """A td with a primary that answers."""
    return shared(tmp_path / "laptop", primary_server.url)


@pytest.fixture
def desktop(tmp_path: Path, primary_server: Server) -> Program:
    """A second td with the same primary."""
    return shared(tmp_path / "desktop", primary_server.url)


def shared(directory: Path, url: str) -> Program:
    """A td with a primary, as `td init` leaves it, without starting a process for it."""
    program = Program(directory)
    place = directory / ".todos"
    make_directory(place)
    save_config(place, Config(Mode.LIBSQL, url))
    with program.tracker() as tracker:
        assert tracker.replica.sync().error is None
    return program
