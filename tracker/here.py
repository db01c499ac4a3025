"""What is of this machine alone: which session works here, on what, and how far the tracker was looked at.

Owns the directory `here` beside the databases. Always true:
- nothing of it is ever synced, and losing it costs nothing but the focus and a new session;
- a session is one file, written whole or not at all, so that two processes of one session never tear it;
- who asks twice with the same key gets the same session, also two processes that ask at once.
"""

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

_FOLDER: Final = "here"
_KEY_DIGITS: Final = 16
_RECONCILED: Final = "reconciled"
_TAKEN_BACK: Final = "taken-back"
_TAKEN_BACK_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Desk:
    """What one session has before it here.

    key: whose it is: branch, agent and context. started_at, active_at: stamps. focus: an issue. work: a work session.
    previous: the session that was here before.
    """

    session: str
    key: str
    branch: str = ""
    agent: str = ""
    started_at: str = ""
    active_at: str = ""
    focus: str | None = None
    work: str | None = None
    previous: str | None = None


class Here:
    """The desks in one `.todos`. `directory`: where its databases are."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / _FOLDER

    def desk(self, key: str, make: Callable[[], Desk]) -> Desk:
        """The desk that `key` stands for; where there is none, `make` says what it is to be, and it is kept.

        Where nothing can be written, each call has a desk of its own.
        """
        found = self._read(self._path(key))
        if found is not None:
            return found
        made = make()
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._link(self._path(key), made)
        except FileExistsError:
            return self._read(self._path(key)) or made
        except OSError:
            return made
        return made

    def keep(self, desk: Desk) -> None:
        """Put a desk in the place of what its key stood for. Nothing happens where nothing can be written."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._write(_text(desk)).replace(self._path(desk.key))

    def desks(self) -> list[Desk]:
        """All that are here, the one that was active last first."""
        found = [self._read(path) for path in self._folder.glob("*.json")]
        return sorted((desk for desk in found if desk is not None), key=lambda desk: desk.active_at, reverse=True)

    def forget(self, desk: Desk) -> None:
        """Let a desk go; its key gets a new session when it comes again."""
        with suppress(OSError):
            self._path(desk.key).unlink()

    def reconciled(self) -> str | None:
        """The change of the primary up to which all were looked at; None if none ever was."""
        try:
            return (self._folder / _RECONCILED).read_text(encoding="ascii") or None
        except (OSError, UnicodeDecodeError):
            return None

    def set_reconciled(self, last: str) -> None:
        """Remember up to which change they were looked at."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._write(last).replace(self._folder / _RECONCILED)

    def taken_back(self) -> dict[str, str]:
        """Mutations that took another one back, and which, by their ids, oldest first."""
        try:
            told = json.loads((self._folder / _TAKEN_BACK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(by): str(what) for by, what in told.items()} if isinstance(told, dict) else {}

    def set_taken_back(self, told: dict[str, str]) -> None:
        """Remember them, the last thousand."""
        kept = dict(list(told.items())[-_TAKEN_BACK_MAX:])
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._write(json.dumps(kept)).replace(self._folder / _TAKEN_BACK)

    def _path(self, key: str) -> Path:
        return self._folder / f"{sha256(key.encode()).hexdigest()[:_KEY_DIGITS]}.json"

    def _write(self, text: str) -> Path:
        # mkstemp makes it 0600.
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        return Path(name)

    def _link(self, path: Path, desk: Desk) -> None:
        """Put a whole file in a place that is free. Raises FileExistsError."""
        temporary = self._write(_text(desk))
        try:
            os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> Desk | None:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return Desk(**told)
        except (OSError, ValueError, TypeError):
            return None


def _text(desk: Desk) -> str:
    return json.dumps(asdict(desk))


def seen_at(desk: Desk, stamp: str) -> Desk:
    """The desk as it is after it was used at `stamp`; the same where that was within the same minute."""
    return desk if desk.active_at[:16] == stamp[:16] else replace(desk, active_at=stamp)
