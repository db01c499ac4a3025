"""The puller: a process of its own that brings the base up to the primary, and nothing else.

Run as a script by `pull.py`, with one JSON document on stdin: {"path", "url", "token", "deadline_s", "parent"}; it
answers with one on stdout: {} or {"error"}. Always true:
- only here is `libsql_experimental` imported: it holds the GIL while it waits, and a second SQLite library in the
  reading process would break that one's file locks;
- the token comes by stdin, never as an argument or in the environment;
- it ends with its parent, where the system can see to that (Linux), and by itself at its deadline in any case, also
  where the client library hangs;
- killing it at any moment is safe (FACTS 5).
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends. Raises SystemExit if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            raise SystemExit


def main() -> int:
    """Sync once, as stdin says."""
    request = json.load(sys.stdin)
    end_with(request["parent"])
    # The default action of the alarm ends the process without asking Python, which may be waiting for the GIL.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, float(request["deadline_s"]))
    os.environ["RUST_LOG"] = "off"
    os.umask(0o077)
    try:
        import libsql_experimental  # noqa: PLC0415 - after the environment is set: it reads RUST_LOG as it is loaded
    except ImportError:
        sys.stdout.write(json.dumps({"error": "no libsql client"}) + "\n")
        return 0
    try:
        connection = libsql_experimental.connect(
            request["path"], sync_url=request["url"], auth_token=request["token"] or ""
        )
        connection.sync()
    except ValueError as error:  # the only error this library raises
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
        return 0
    sys.stdout.write("{}" + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
