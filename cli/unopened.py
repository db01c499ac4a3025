"""What can be looked at where the issues cannot be opened.

Always true: nothing in `.todos` is changed, not even made.
"""

import fcntl
import os
import tempfile
from pathlib import Path

from cli.place import COPY, Place
from cli.tokens import Tokens, trusted_file
from tracker import Check, Mode, ReplicaError, open_tracker

_LOCK = "sync.lock"


def unopened_checks(place: Place) -> list[Check]:
    """The parts beside the one that cannot be opened: the copy of the primary, the lock, the primary."""
    if place.config.mode not in (Mode.LIBSQL, Mode.TURSO):
        return []
    return [_copy(place), _lock(place.directory / _LOCK), *_primary(place)]


def _copy(place: Place) -> Check:
    if place.is_copy_missing():
        return Check(COPY, ok=False, detail="not here", hint="td sync fetches it once the rest is well")
    return Check(COPY, ok=True, detail="it is there")


def _lock(path: Path) -> Check:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Check(_LOCK, ok=True, detail="a sync is running")
    except FileNotFoundError:
        pass
    except OSError as error:
        return Check(_LOCK, ok=False, detail=error.strerror or str(error), hint="mend the permissions of .todos")
    return Check(_LOCK, ok=True, detail="free")


def _primary(place: Place) -> list[Check]:
    # A replica asks its primary; one that is not ours to keep asks it as well.
    config, tokens = place.config, Tokens(os.environ, place.config)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="td-doctor-") as directory,
            open_tracker(
                Path(directory),
                mode=config.mode,
                url=config.url,
                token=tokens.find,
                renew=tokens.renew,
                ca_file=trusted_file(os.environ, config),
            ) as tracker,
        ):
            return [check for check in tracker.replica.checks() if check.name in ("primary", "schema")]
    except (ReplicaError, OSError) as error:
        return [Check("primary", ok=False, detail=str(error), hint="mend the rest first")]
