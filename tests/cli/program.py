"""Run the installed `td` as a person or a program would."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.config import load_config
from cli.place import open_place
from tracker import Tracker

TD: Final = Path(sys.executable).with_name("td")
_DEADLINE_S: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call of td ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:  # any JSON document
        """Stdout as one JSON document."""
        return json.loads(self.out)

    def error(self) -> dict[str, str]:
        """Stderr as one line with an error in JSON."""
        (line,) = self.err.splitlines()
        error: dict[str, str] = json.loads(line)["error"]
        assert set(error) == {"code", "message", "hint"}
        return error


class Program:
    """`td`, run in a directory of its own, with no setting of the person who runs the tests."""

    def __init__(self, directory: Path, environ: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "TD_SQLD", "SYSTEMROOT")}
        self.environ: dict[str, str] = {
            **kept,
            "HOME": str(self.home),
            "PYTHONUTF8": "1",
            # No desktop's keyring is asked.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            **(environ or {}),
        }

    def __call__(
        self, *args: str, stdin: str = "", environ: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Answer:
        """Run `td` with `args` to its end."""
        done = subprocess.run(
            [TD, *args],
            cwd=cwd or self.directory,
            env={**self.environ, **(environ or {})},
            input=stdin.encode(),
            capture_output=True,
            timeout=_DEADLINE_S,
            check=False,
        )
        return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *args: str, prefix: Sequence[str | Path] = ()) -> "subprocess.Popen[bytes]":
        """Start `td`; the caller waits for it."""
        return subprocess.Popen(
            [*prefix, TD, *args],
            cwd=self.directory,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def done(self, *args: str, **options: Any) -> Answer:  # as of __call__
        """Run `td` and expect it to do what it is asked."""
        answer = self(*args, **options)
        assert answer.code == 0, answer
        return answer

    def tracker(self) -> Tracker:
        """The issues, in this process: quick, for what a test needs done before it begins."""
        place = self.directory / ".todos"
        return open_place(place, load_config(place))

    def create(self, title: str, *args: str) -> str:
        """Create an issue and return its id."""
        issue_id: str = self.done("create", title, *args, "--json").document()["id"]
        return issue_id
