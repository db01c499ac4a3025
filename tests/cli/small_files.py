"""Run a program for which no file may grow beyond what it is now: a disk that is full, as far as it can tell.

The limit is on each file (setrlimit(2)); Python, like any program that asks, gets an error and not a signal.
Used as: python small_files.py PROGRAM ARGS...
"""

import os
import resource
import sys

_BYTES = 16 * 1024

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_FSIZE, (_BYTES, _BYTES))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program under test, with no shell
