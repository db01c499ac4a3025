"""A client in a process of its own: what tests start several of, let go at one moment, and kill.

The child says `ready` once everything is imported and waits for a line, so that a test decides when it acts.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from replica import ReplicaError
from tests.replica.notebook import MIGRATIONS, Note, open_notes

_ROOT = Path(__file__).parents[2]


class ClientProcess:
    """One client; as a context manager it is killed on exit if it still runs."""

    def __init__(
        self, directory: Path, mode: str, url: str | None = None, *, migrations: Path = MIGRATIONS, writes: int = 0
    ) -> None:
        """Start it. It will open the replica, write some notes, each in a transaction of its own, and sync."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.replica.client_process"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        request = {
            "directory": str(directory),
            "mode": mode,
            "url": url,
            "migrations": str(migrations),
            "writes": writes,
        }
        self._send(json.dumps(request))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _receive(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def wait_until_ready(self) -> None:
        """Return when it has nothing left to do but what it was started for."""
        assert self._receive() == "ready"

    def go(self) -> None:
        """Let it act."""
        self._send("go")

    def outcome(self) -> dict[str, Any]:  # what a test finds in it, it checks
        """Wait until it has acted: {"error": a code or None, "titles": what it sees}."""
        answer: dict[str, Any] = json.loads(self._receive())
        return answer

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()


def _act(request: dict[str, Any]) -> dict[str, object]:
    try:
        with open_notes(
            Path(request["directory"]), request["mode"], request["url"], migrations=Path(request["migrations"])
        ) as notes:
            for number in range(request["writes"]):
                with notes.transaction() as tx:
                    tx.insert(Note(title=f"{notes.session} {number}"))
            report = notes.sync()
            if report.error is not None:
                raise report.error
            return {"error": None, "titles": sorted(note.title for note in notes.select(Note))}
    except ReplicaError as error:
        return {"error": error.code, "message": str(error)}


def main() -> None:
    """Act as stdin says, once it says so."""
    request = json.loads(sys.stdin.readline())
    if request["mode"] != "local":
        import replica.sync  # noqa: F401, PLC0415 - so that what is measured is not the import
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(json.dumps(_act(request)) + "\n")


if __name__ == "__main__":
    main()
