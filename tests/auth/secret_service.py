"""A real Secret Service, as a desktop has one: gnome-keyring on a session bus of its own, unlocked and empty."""

import os
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.debian_packages import PROGRAMS

IS_THERE: Final = all(shutil.which(name) for name in PROGRAMS["the Secret Service"])
"""Whether this machine has what it takes; `make test` installs it where it may, and says so where it may not."""

_NAME: Final = "org.freedesktop.secrets"
_DEADLINE_S: Final = 20.0


class Desktop:
    """Runs while the block does. environ: what a program needs to find it."""

    def __init__(self) -> None:
        self.environ: dict[str, str] = {}
        self._exits = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as exits:
            # A socket's path has at most 107 characters, which the directories of pytest may exceed.
            self.home = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="td-", ignore_cleanup_errors=True)))
            run = self.home / "run"
            run.mkdir(mode=0o700)
            self.environ |= {
                "HOME": str(self.home),
                "XDG_RUNTIME_DIR": str(run),
                "XDG_DATA_HOME": str(self.home / "data"),
            }
            bus = self._start(
                exits, "dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:dir={run}"
            )
            assert bus.stdout is not None
            self.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
            self._start_keyring(exits)
            self._exits = exits.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def files(self) -> list[Path]:
        """What the keyring keeps on the disk."""
        return [path for path in (self.home / "data").rglob("*") if path.is_file()]

    def _start_keyring(self, exits: ExitStack) -> None:
        """Return when it answers on the bus: before that, a client would have the bus start another one, locked."""
        # Only Linux has it.
        from jeepney import MatchRule, message_bus  # noqa: PLC0415 - see above
        from jeepney.io.blocking import Proxy, open_dbus_connection  # noqa: PLC0415 - see above

        rule = MatchRule(type="signal", interface="org.freedesktop.DBus", member="NameOwnerChanged")
        rule.add_arg_condition(0, _NAME)
        with closing(open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"])) as connection:
            Proxy(message_bus, connection, timeout=_DEADLINE_S).AddMatch(rule)
            with connection.filter(rule) as owners:
                keyring = self._start(exits, "gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
                assert keyring.stdin is not None
                keyring.stdin.write(b"the password of the login")
                keyring.stdin.close()
                connection.recv_until_filtered(owners, timeout=_DEADLINE_S)

    def _start(self, exits: ExitStack, *command: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command,
            # Without a screen nobody can be asked, so what is locked stays locked.
            env={name: value for name, value in os.environ.items() if "DISPLAY" not in name} | self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        exits.callback(_end, process)
        return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait(_DEADLINE_S)
