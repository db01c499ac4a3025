"""Where td's files are: the nearest `.todos`, and what is in it.

Always true: what lies in `.todos` is for its owner only, and git never takes it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cli.config import Config, effective, is_config_in, is_there, load_config, write_private
from cli.errors import ConfigMissingError, FileError, ForeignError, NotInitialisedError
from cli.surroundings import look_around
from cli.tokens import Tokens, trusted_file
from tracker import (
    Desk,
    Here,
    Mode,
    Tracker,
    machine_id,
    moment_text,
    new_session_id,
    open_tracker,
    seen_at,
)

NAME: Final = ".todos"
WORK_DIR_VARIABLE: Final = "TD_WORK_DIR"
# The files of the toolkit, as docs/start.md tells them: with a primary, and without one.
LOCAL: Final = "local.db"
COPY: Final = "replica.db"
DATA: Final = "data.db"
# A copy of what a move brings from elsewhere, while it does.
MOVING: Final = "moving.db"


@dataclass(frozen=True, slots=True)
class Place:
    """directory: the `.todos`. stored: its config as it is written. config: as it counts for this call."""

    directory: Path
    stored: Config
    config: Config

    def open(self) -> Tracker:
        """The issues here. Raises ReplicaError, and ForeignError where they were moved a moment ago."""
        tracker = open_place(self.directory, self.config)
        # Asked once the files are open: from here on a move finds them in use, and they refuse what comes too late.
        if load_config(self.directory) != self.stored:
            tracker.replica.close()
            raise ForeignError("busy", "the issues were moved at this moment", "nothing was written; run it again")
        return tracker

    def is_copy_missing(self) -> bool:
        """Whether what the primary has was not fetched yet, or was deleted here."""
        return self.config.mode in (Mode.LIBSQL, Mode.TURSO) and not is_there(self.directory / COPY)


def find_place(work_dir: Path | None, environ: Mapping[str, str], profile: str | None = None) -> Place:
    """The `.todos` in `work_dir`, or else the nearest one from the current directory upward.

    profile: the one that an option asks for.

    Raises:
        NotInitialisedError: there is none.
        CliError: its config, or the environment, is not valid.
    """
    directory = find_directory(work_dir)
    stored = load_config(directory)
    return Place(directory, stored, effective(stored, environ, profile))


def find_directory(work_dir: Path | None) -> Path:
    """As `find_place`, the directory alone."""
    start = target_directory(work_dir).parent
    for parent in (start, *start.parents) if work_dir is None else (start,):
        if is_config_in(parent / NAME):
            return parent / NAME
        _refuse_lost_config(parent / NAME)
    raise NotInitialisedError(start, upward=work_dir is None)


def _refuse_lost_config(directory: Path) -> None:
    """Raise ConfigMissingError where there are issues and nothing says where they belong."""
    check_no_move(directory)
    for mode in (Mode.LIBSQL, Mode.LOCAL):
        check_in_sight(directory, mode)


def check_no_move(directory: Path) -> None:
    """Raise ConfigMissingError if a move into `directory`, which has no config, was broken off.

    What it began would be taken for all that there is.
    """
    if is_there(directory / MOVING):
        how = f"the same td init --migrate-from goes on with the move; or delete {MOVING}, a copy, and do without it"
        raise ConfigMissingError(directory, MOVING, how)
    if is_there(directory / DATA) and is_there(directory / LOCAL):
        how = f"bring along what the file has: td init --url URL --migrate-from {directory / DATA}"
        raise ConfigMissingError(directory, f"{DATA} beside its {LOCAL}", how)


def check_in_sight(directory: Path, mode: Mode) -> None:
    """Raise ConfigMissingError if what is in `directory`, which has no config, would not be seen in `mode`."""
    is_shared = mode in (Mode.LIBSQL, Mode.TURSO)
    if is_there(directory / LOCAL):
        if not is_shared:
            raise ConfigMissingError(directory, LOCAL, "write it anew with the primary's URL: td init --url URL")
    elif is_there(directory / DATA) and mode is not Mode.LOCAL:
        raise ConfigMissingError(directory, DATA, "write it anew: td init, without a URL")


def target_directory(work_dir: Path | None) -> Path:
    """The `.todos` that `work_dir`, or else the current directory, has or would have. Raises FileError."""
    try:
        start = (Path.cwd() if work_dir is None else work_dir.expanduser()).absolute()
    except (OSError, RuntimeError) as error:
        raise FileError(work_dir or Path(), getattr(error, "strerror", None) or str(error)) from error
    return start if start.name == NAME else start / NAME


def make_directory(directory: Path) -> None:
    """Make an empty `.todos` that git leaves alone. Raises FileError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Also where the umask or an earlier hand gave more.
        directory.chmod(0o700)
    except OSError as error:
        raise FileError(directory, error.strerror or str(error)) from error
    write_private(directory / ".gitignore", "*\n")


def open_place(directory: Path, config: Config) -> Tracker:
    """The issues in `directory`, for the session of this machine, branch and agent. Raises ReplicaError."""
    tokens = Tokens(os.environ, config)
    return open_tracker(
        directory,
        mode=config.mode,
        url=None if config.mode is Mode.LOCAL else config.url,
        token=tokens.find,
        renew=tokens.renew,
        ca_file=trusted_file(os.environ, config),
        desk=desk_in(directory),
    )


def desk_in(directory: Path) -> Desk:
    """What the caller has before them in `directory`, as it was left; a new session where they were never there."""
    around = look_around(directory.parent, os.environ)
    stamp = moment_text(datetime.now(UTC))

    def make() -> Desk:
        session = new_session_id(machine_id())
        branch = "" if around.repository is None else around.branch
        return Desk(session, around.key, branch, around.agent, started_at=stamp, active_at=stamp)

    here = Here(directory)
    found = here.desk(around.key, make)
    seen = seen_at(found, stamp)
    if seen is not found:
        here.keep(seen)
    return seen
