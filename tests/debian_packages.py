"""Install the Debian packages that some tests need beside Python's.

`python -m tests.debian_packages` installs what is missing where it may: as root, where there is apt-get. Where it may
not, it says in one line which tests are left out; they are not collected then.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "the Secret Service": ("dbus-daemon", "gnome-keyring-daemon"),
    "the gateway": ("nginx",),
    "deployment": ("docker-compose", "systemd-analyze"),
}
"""What some tests are about, and the programs they start."""

_PACKAGES: Final[Mapping[str, str]] = {
    "dbus-daemon": "dbus-daemon",
    "docker-compose": "docker-compose",
    "gnome-keyring-daemon": "gnome-keyring",
    "nginx": "nginx",
    "systemd-analyze": "systemd",
}
_DEADLINE_S: Final = 300


def missing() -> dict[str, list[str]]:
    """The packages that are not installed, by what they are for."""
    found = {
        about: [_PACKAGES[name] for name in names if shutil.which(name) is None] for about, names in PROGRAMS.items()
    }
    return {about: packages for about, packages in found.items() if packages}


def install(packages: list[str]) -> None:
    """Install them, with a look at what there is only if it must be."""
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    if not _run(command):
        _run(["apt-get", "update", "--quiet"])
        _run(command)


def _run(command: list[str]) -> bool:
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, timeout=_DEADLINE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def main() -> None:
    """Install what is missing, and say what stays so."""
    wanted = missing()
    if wanted and os.geteuid() == 0 and shutil.which("apt-get"):
        install(sorted({package for packages in wanted.values() for package in packages}))
    for about, packages in missing().items():
        sys.stderr.write(f"left out: the tests of {about}, which need the Debian packages {' '.join(packages)}\n")


if __name__ == "__main__":
    main()
