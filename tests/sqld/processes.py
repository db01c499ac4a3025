"""Look at the processes of this machine, to see that none was left behind."""

import subprocess
from pathlib import Path


def processes_naming(path: Path) -> list[str]:
    """The command lines of living processes in which `path` occurs."""
    listed = subprocess.run(["ps", "-eo", "stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 1) for line in listed.splitlines())
    return [row[1] for row in rows if len(row) == 2 and str(path) in row[1] and not row[0].startswith("Z")]


def is_alive(pid: int) -> bool:
    """Whether it runs; a process that ended and was not yet collected does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(listed.strip()) and not listed.strip().startswith("Z")
