"""What a cold td imports: what a short command does not need takes longer than the command."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from cli.config import Config, save_config
from cli.place import make_directory
from tests.cli.program import Program
from tracker import Mode

NOT_NEEDED: Final = frozenset(
    {
        # Dear in themselves: what checks, draws, encrypts, or speaks to a network.
        *("pydantic", "rich", "httpx", "httpcore", "anyio", "asyncio", "ssl", "socket", "keyring", "platformdirs"),
        *("libsql_experimental", "merge3", "filelock", "sqld", "auth", "importlib.metadata", "importlib.resources"),
        *("email", "http", "logging", "concurrent.futures", "multiprocessing", "zipfile", "unicodedata"),
        # Ours, for who syncs, decides, or meets an error.
        *(
            "replica.sync",
            "replica.push",
            "replica.rebase",
            "replica.primary",
            "replica.hrana",
            "replica.merge",
            "replica.conflicts",
        ),
        *("replica.decide", "replica.report", "replica.validation", "replica.checks", "replica.recovery"),
        *("tracker.undo", "tracker.fields", "cli.wording", "cli.story", "cli.tables", "cli.syncing"),
    }
)


@pytest.mark.parametrize("mode", [Mode.LOCAL, Mode.LIBSQL])
@pytest.mark.parametrize(
    "command", [["list"], ["list", "--limit", "5", "--json"], ["create", "Oat milk", "-p", "P1", "--label", "shop"]]
)
def test_a_short_command_imports_only_what_it_needs(tmp_path: Path, mode: Mode, command: list[str]) -> None:
    """The budget of a cold process is 150 ms; most of that is imports."""
    place = tmp_path / ".todos"
    make_directory(place)
    save_config(place, Config(mode, None if mode is Mode.LOCAL else "http://127.0.0.1:9"))
    program = Program(tmp_path)
    program.tracker().replica.close()
    script = (
        "import atexit, sys; sys.argv[0] = 'td'; from cli.main import main; "
        "atexit.register(lambda: sys.stderr.write(' '.join(sorted(sys.modules)))); main()"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, *command],
        cwd=tmp_path, env=program.environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    imported = set(done.stderr.split())
    assert "cli.run" in imported
    assert imported & NOT_NEEDED == set()
