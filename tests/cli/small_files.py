"""Run a program for which no file may grow beyond what it is now: a disk that is full, as far as it can tell.

The limit is on each file (setrlimit(2)); Python, like any program that asks, gets an error and not a signal.
Used as: python small_files.py [BYTES] PROGRAM ARGS...
"""

import os
import resource
import sys

_BYTES = 16 * 1024

if __name__ == "__main__":
    is_told = sys.argv[1].isdigit()
    limit, command = (int(sys.argv[1]), sys.argv[2:]) if is_told else (_BYTES, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    # Python would keep modules that it compiled in halves, for whoever comes next.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.execv(command[0], command)  # noqa: S606 - the program under test, with no shell
