"""Where the git repository of the caller stands.

Always true: git is only asked for what it alone knows, never for longer than a moment, and a directory without a
repository, or a machine without git, is no error.
"""

import os
import subprocess
from pathlib import Path
from typing import Final

from auth.environment import without_secrets
from tracker import Commit

_DEADLINE_S: Final = 5


def commit_of(directory: Path) -> Commit | None:
    """The commit that is checked out where `directory` is, and how many files differ from it; None outside of git."""
    sha = _ask(directory, "rev-parse", "HEAD")
    if sha is None:
        return None
    branch = _ask(directory, "rev-parse", "--abbrev-ref", "HEAD") or ""
    dirty = _ask(directory, "status", "--porcelain", "--untracked-files=no") or ""
    return Commit(sha, branch, len(dirty.splitlines()))


def _ask(directory: Path, *args: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", directory.parent, *args],
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
            env=without_secrets(os.environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
