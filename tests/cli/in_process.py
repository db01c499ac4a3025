"""Run `td` within the process of the test: many times as quick, for what needs no process of its own."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.config import Config, save_config
from cli.place import make_directory, open_place
from cli.run import run
from tests.cli.program import Answer, Program
from tracker import Tracker


class InProcess:
    """`td` in a directory of its own, in mode local, with no setting of the person who runs the tests."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self._monkeypatch = monkeypatch
        directory.mkdir(parents=True, exist_ok=True)
        make_directory(directory / ".todos")
        save_config(directory / ".todos", Config())
        monkeypatch.chdir(directory)
        monkeypatch.setenv("NO_COLOR", "1")
        for name in ("TD_WORK_DIR", "TD_DATABASE_URL", "TD_DATABASE_TOKEN"):
            monkeypatch.delenv(name, raising=False)

    def __call__(self, *args: str, stdin: str | bytes | None = "") -> Answer:
        """Run `td` with `args` to its end; stdin None: it has none."""
        content = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        given = None if content is None else io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")
        with self._monkeypatch.context() as patched:
            for name, stream in (("stdout", out), ("stderr", err), ("stdin", given)):
                patched.setattr(sys, name, stream)
            code = run(args)
        return Answer(code, _written(out), _written(err))

    def done(self, *args: str, stdin: str = "") -> Answer:
        """Run `td` and expect it to do what it is asked."""
        answer = self(*args, stdin=stdin)
        assert answer.code == 0, answer
        return answer

    def document(self, *args: str, stdin: str = "") -> Any:  # any JSON document
        """What `td` prints with `--json`, and nothing on stderr."""
        answer = self.done(*args, "--json", stdin=stdin)
        assert answer.err == ""
        return answer.document()

    def tracker(self) -> Tracker:
        """The issues."""
        return open_place(self.directory / ".todos", Config())


def call(program: Program, *args: str, stdin: str = "") -> Answer:
    """Run `td` with `args` where `program` would run it, and with its environment."""
    out, err, given = (
        io.TextIOWrapper(io.BytesIO(content), encoding="utf-8") for content in (b"", b"", stdin.encode())
    )
    streams = (sys.stdin, sys.stdout, sys.stderr)
    with _environ(program.environ), contextlib.chdir(program.directory):
        sys.stdin, sys.stdout, sys.stderr = given, out, err
        try:
            code = run(args)
        finally:
            sys.stdin, sys.stdout, sys.stderr = streams
    return Answer(code, _written(out), _written(err))


def done(program: Program, *args: str, stdin: str = "") -> Answer:
    """The same, and expect td to do what it is asked."""
    answer = call(program, *args, stdin=stdin)
    assert answer.code == 0, (args, answer)
    return answer


@contextlib.contextmanager
def _environ(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
