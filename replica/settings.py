"""How a replica is opened: the values of `open_replica`, checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from replica.bearer import Bearer
from replica.errors import InputError


class Mode(StrEnum):
    """Where the tables are, and where writes go (DESIGN 12)."""

    LOCAL = "local"
    LIBSQL = "libsql"
    TURSO = "turso"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a replica takes from outside."""

    directory: Path
    mode: Mode
    url: str | None
    bearer: Bearer
    session: str
    machine: str
    clock: Callable[[], float]
    ca_file: Path | None = None
    namespace: str | None = None


def check_mode(mode: str, url: str | None) -> Mode:
    """The mode by its name. Raises InputError for an unknown one, or for one that needs a URL and has none."""
    try:
        known = Mode(mode)
    except ValueError as error:
        raise InputError(f"there is no mode {mode!r}", f"choose one of {', '.join(Mode)}") from error
    if known is not Mode.LOCAL and not url:
        raise InputError(
            f"mode {known} needs the URL of a primary", "for example http://127.0.0.1:8080 or libsql://name.turso.io"
        )
    return known
