"""Ask a file whether it is sqld, and which.

Always true: the answer comes from running it; a file that does not run is never taken for sqld.
"""

import os
import subprocess
from pathlib import Path

from auth.environment import without_secrets
from sqld.errors import SqldUnusableError


def sqld_version(binary: Path) -> str:
    """What `sqld --version` says, without the name: `0.24.32 (40c272de 2026-05-10)`.

    Raises:
        SqldUnusableError: it does not run, does not end within 10 seconds, or does not say that it is sqld.
    """
    try:
        answer = subprocess.run(
            [binary, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=True,
            stdin=subprocess.DEVNULL,
            env=without_secrets(os.environ),
        )
    except subprocess.TimeoutExpired as error:
        raise SqldUnusableError(binary, "no answer to --version within 10 seconds") from error
    except subprocess.CalledProcessError as error:
        raise SqldUnusableError(binary, f"--version ended with {error.returncode}") from error
    except OSError as error:
        raise SqldUnusableError(binary, error.strerror or str(error)) from error
    words = answer.stdout.split()
    if words[:1] != ["sqld"]:
        raise SqldUnusableError(binary, "--version does not name sqld")
    return " ".join(word for word in words if word != "sqld")
