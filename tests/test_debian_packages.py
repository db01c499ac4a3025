"""What `make test` does before the tests."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_what_cannot_be_installed_is_said_in_one_line(tmp_path: Path) -> None:
    """And the tests go on without it: this machine seems to have nothing, and no way to get it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.debian_packages"],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    lines = done.stderr.splitlines()
    assert [line for line in lines if not line.startswith("left out: the tests of ")] == []
    assert "gnome-keyring" in done.stderr
    assert done.stdout == ""
