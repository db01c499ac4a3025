"""What processes have used: CPU from /proc (Linux), and how busy the machine was before."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int, *, with_children: bool = False) -> float:
    """CPU seconds a process has used, in user and system; `with_children`: and those it has waited for."""
    # The name, in brackets, may hold blanks. Source: proc(5), fields 14 to 17 of stat.
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return sum(map(int, stat[11 : 15 if with_children else 13])) / _TICKS


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def machine_cpu_s() -> float:
    """CPU seconds that all processes of the machine have used."""
    fields = Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, interrupt, soft = map(int, fields[:7])
    return (user + nice + system + interrupt + soft) / _TICKS
