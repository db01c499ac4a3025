"""Run the nginx before a primary, as any user, in a directory of its own.

Always true:
- it is stopped when this process ends, however that ends;
- no secret of the environment reaches it;
- its configuration is written anew at each start, so that what runs is what the settings say.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sqld._guard import Guard
from sqld.deployment import nginx_command
from sqld.proxy import ProxySettings, render_nginx
from sqld.proxy_errors import NginxNotFoundError, NginxStartError

_START_DEADLINE_S: Final = 10.0
_STOP_DEADLINE_S: Final = 5.0
_POLL_S: Final = 0.01
_ENVIRONMENT: Final = frozenset({"PATH", "LANG", "LC_ALL", "TZ"})
# Where systems put it that keep it from the PATH of most users.
_ELSEWHERE: Final = "/usr/sbin:/usr/local/sbin"


def find_nginx(path: str | None = None) -> Path:
    """An nginx of this machine. path: as PATH, in place of that and of the usual places. Raises NginxNotFoundError."""
    found = shutil.which("nginx", path=path) or (shutil.which("nginx", path=_ELSEWHERE) if path is None else None)
    if found is None:
        raise NginxNotFoundError
    return Path(found)


class Nginx:
    """One nginx; as a context manager it is started on entry and stopped on exit."""

    def __init__(self, settings: ProxySettings, *, binary: Path | None = None) -> None:
        """Nothing is started yet. binary: the nginx; by default the one `find_nginx` finds."""
        self.settings = settings
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def requests_log(self) -> Path:
        """Its log of requests, one JSON object a line."""
        return self.settings.directory / "nginx-requests.log"

    @property
    def errors_log(self) -> Path:
        """Where it says what went wrong."""
        return self.settings.directory / "nginx-error.log"

    def start(self) -> None:
        """Start it, and return when it takes connections.

        Raises:
            ProxySettingsError: as `render_nginx`.
            NginxNotFoundError: there is none.
            NginxStartError: it ended, or took no connection in time.
        """
        directory = self.settings.directory
        config = render_nginx(self.settings)
        binary = self._binary or find_nginx()
        log_path, config_path = self.errors_log, directory / "nginx.conf"
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            config_path.write_text(config)
            self._spawn(nginx_command(binary, directory, config=config_path, error_log=log_path))
            self._wait_until_it_listens(log_path)
        except OSError as error:
            self.stop()
            raise NginxStartError(error.strerror or str(error), log_path) from error
        except BaseException:
            self.stop()
            raise

    def _spawn(self, command: Sequence[str]) -> None:
        guard = self._held.enter_context(Guard())
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # Of the environment it needs nothing, and there may be secrets in it.
            env={name: value for name, value in os.environ.items() if name in _ENVIRONMENT},
            start_new_session=True,
        )
        guard.watch(-self._process.pid)

    def stop(self) -> None:
        """Stop it and wait until it has ended. Does nothing when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.returncode:
                _end_what_it_left(process.pid)
            if process.stderr is not None:
                process.stderr.close()
        self._held.close()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Block until it ends by itself; its exit code, or None if it still runs after `timeout_s`."""
        assert self._process is not None, "not running"
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def _wait_until_it_listens(self, log_path: Path) -> None:
        process = self._process
        assert process is not None, "it was started a moment ago"
        host, _, port = self.settings.listen.rpartition(":")
        dial = "127.0.0.1" if host in ("", "0.0.0.0", "*") else host.strip("[]")  # noqa: S104 -- compared, not bound
        deadline = time.monotonic() + _START_DEADLINE_S
        # The file first: something else may listen on this port while ours fails to get it.
        while not (self._has_written_its_id(process.pid) and _listens(dial, int(port))):
            if process.poll() is not None:
                said = process.stderr.read().decode(errors="replace") if process.stderr is not None else ""
                raise NginxStartError(said.strip().splitlines()[0] if said.strip() else "it ended", log_path)
            if time.monotonic() > deadline:
                raise NginxStartError(f"no answer within {_START_DEADLINE_S:g} seconds", log_path)
            time.sleep(_POLL_S)

    def _has_written_its_id(self, pid: int) -> bool:
        try:
            return (self.settings.directory / "nginx.pid").read_text().strip() == str(pid)
        except FileNotFoundError:
            return False


def _end_what_it_left(group: int) -> None:
    """End the workers of a master that was killed: they go on, and hold the port."""
    # A Mac refuses it where nothing but what has ended already is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False
