"""Somebody who types a command within the process of the test, in a directory and surroundings of their own."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from cli.run import run as td
from examples.stock.__main__ import main as stock

# Who runs the tests may be an agent, in a repository, with settings of their own: none of that is of the page.
_KEPT = ("PATH", "TD_SQLD", "SYSTEMROOT", "TMPDIR")


class Typist:
    """A person. `environ`: what is set for them, as TD_SESSION_ID where several work in one directory."""

    def __init__(
        self,
        directory: Path,
        monkeypatch: pytest.MonkeyPatch,
        program: Callable[[Sequence[str]], int] = td,
        **environ: str,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._monkeypatch, self._program = directory, monkeypatch, program
        self._environ = {
            **{name: value for name, value in os.environ.items() if name in _KEPT},
            "HOME": str(directory / "home"),
            "NO_COLOR": "1",
            "TD_SESSION_ID": "person",
            **environ,
        }

    def __call__(self, args: Sequence[str]) -> str:
        """Run the program to its end; what it printed. As in a shell, its stdin is the file after `<`."""
        content = b""
        if "<" in args:
            args, (name,) = args[: args.index("<")], args[args.index("<") + 1 :]
            content = (self._directory / name).read_bytes()
        out, err, given = (io.TextIOWrapper(io.BytesIO(piece), encoding="utf-8") for piece in (b"", b"", content))
        with self._monkeypatch.context() as patched:
            patched.chdir(self._directory)
            for name in set(os.environ) - set(self._environ):
                patched.delenv(name)
            for name, value in self._environ.items():
                patched.setenv(name, value)
            for name, stream in (("stdout", out), ("stderr", err), ("stdin", given)):
                patched.setattr(sys, name, stream)
            self._program(args)
        return _written(out) + _written(err)


def stockkeeper(directory: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Typist:
    """Somebody who types `stock`, with a copy in `directory`."""
    return Typist(directory, monkeypatch, stock, STOCK_DIR=str(directory), STOCK_URL=url)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
