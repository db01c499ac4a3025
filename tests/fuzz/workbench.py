"""What the properties work with: directories, a primary, a server that lies. Made when asked for, closed together.

Always true: an input finds everything as every other input does, so that a failing one fails again alone.
"""

import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sqld import Server, find_sqld
from tests.fuzz.lying_server import LyingServer


class Workbench:
    """Everything lies under one directory, which is the caller's to remove."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened = ExitStack()
        self._liar: LyingServer | None = None
        self._servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def fresh(self, name: str) -> Path:
        """An empty directory; what an earlier input left in it is gone."""
        directory = self._root / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return directory

    def copy(self, template: Path, name: str) -> Path:
        """A copy of a directory, in place of the last one of this name."""
        directory = self._root / name
        shutil.rmtree(directory, ignore_errors=True)
        return Path(shutil.copytree(template, directory))

    def template(self, name: str) -> tuple[Path, bool]:
        """A directory that is kept, and whether it has yet to be filled."""
        directory = self._root / "templates" / name
        is_new = not directory.exists()
        directory.mkdir(parents=True, exist_ok=True)
        return directory, is_new

    def liar(self) -> LyingServer:
        """The server that lies; honest until it is told to lie."""
        if self._liar is None:
            self._liar = self._opened.enter_context(LyingServer())
        return self._liar

    def primary(self, name: str) -> Server:
        """A live primary that inputs share."""
        if name not in self._servers:
            self._servers[name] = self._opened.enter_context(Server(find_sqld()))
        return self._servers[name]
