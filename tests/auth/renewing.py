"""A process of its own that asks for the access token: `python -m tests.auth.renewing DIRECTORY NOW`."""

import os
import sys
from pathlib import Path

from auth.signed_in import SignedIn
from auth.vault import open_vault


def main(directory: str, now: str) -> None:
    """Print the token when there is a line on stdin to begin by."""
    place = Path(directory)
    vault = open_vault(os.environ, place)
    signed_in = SignedIn(vault, "workos", lock=place / "sign-in.lock", clock=lambda: float(now))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    sys.stdout.write(f"{signed_in.access_token()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
