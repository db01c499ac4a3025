"""See to it that a child ends when its parent does, however the parent ends.

A guard is a shell of a few lines that waits for the end of a pipe which only the parent holds open. The kernel
closes it when the parent dies, SIGKILL included. The alternative, Linux's PR_SET_PDEATHSIG, is tied to the thread that
started the child, and macOS lacks it.

Always true: a released guard signals nobody.
"""

import os
import signal
import subprocess
from types import TracebackType
from typing import Final, Self

# Reads whom to watch, then waits: a second line is the release, the end of the pipe is the parent's death.
# SIGINT is repeated because an sqld that has just started may forget the first.
_SCRIPT: Final = """
read -r target || exit 0
read -r released && exit 0
for second in 1 2 3 4 5 6 7 8 9 10; do
    kill -s INT -- "$target" || exit 0
    sleep 1
done
kill -s KILL -- "$target"
"""


class Guard:
    """One shell that waits to end one child or one process group."""

    def __init__(self) -> None:
        # A session of its own: Ctrl-C in the terminal must not end the guard before the child.
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # It needs no more to find kill and sleep; what else is there may be secret.
            env={"PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def watch(self, target: int) -> None:
        """End `target` (a process id, or a process group as a negative number) if this process dies."""
        self._tell(f"{target}\n")

    def release(self) -> None:
        """The child has ended: there is nothing left to guard. May be called again."""
        self._tell("released\n")
        if self._shell.stdin is not None:
            self._shell.stdin.close()
        try:
            self._shell.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._shell.send_signal(signal.SIGKILL)
            self._shell.wait()

    def _tell(self, line: str) -> None:
        pipe = self._shell.stdin
        if pipe is None or pipe.closed:
            return
        try:
            pipe.write(line.encode())
            pipe.flush()
        except BrokenPipeError:
            # Somebody ended the shell: the child is without a guard, as it would be without this module.
            return
