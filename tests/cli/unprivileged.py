"""Run a program such that file permissions count for it, also when root starts it.

Root may write where nobody may, by two of its capabilities (capabilities(7)); without them it is held to the modes of
files as everybody is. Used as: python unprivileged.py PROGRAM ARGS...
"""

import ctypes
import os
import sys

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2

if __name__ == "__main__":
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                sys.exit(f"cannot drop a capability: {os.strerror(ctypes.get_errno())}")
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 - the program under test, with no shell
