"""Run one sqld as a child process.

Always true:
- at most one sqld of ours runs on a data directory: a second would take the replication log for damaged, give it
  a new id, and make every client download everything again;
- it is stopped with SIGINT and given time, for the same reason; SIGKILL is the last resort and is warned of;
- Ctrl-C in a terminal reaches only this process, which then stops its child; when this process dies in any other
  way, the guard stops it.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from filelock import FileLock, Timeout

from auth.environment import without_secrets
from sqld._guard import Guard
from sqld._health import is_healthy
from sqld.errors import DataDirInUseError, DataDirUnusableError, PortTakenError, SqldUnusableError, StartError
from sqld.find import find_sqld
from sqld.ports import free_port, is_free
from sqld.version import sqld_version

_LOG: Final = logging.getLogger(__name__)
_LISTENING: Final = "listening for incoming user HTTP connection"
_LOG_TAIL_LINES: Final = 10
_POLL_S: Final = 0.003
_PORT_TRIES: Final = 10
# A client that connected and sent no whole request keeps sqld from ending for ever, after it has closed its data.
_LINGER_S: Final = 0.25
# A SIGINT that comes in the first moments after the start is logged by sqld and then forgotten (about one in twenty,
# measured): nothing waits for it yet. Sending it again does no harm, so we do until the data are closed.
_ASK_AGAIN_S: Final = 0.1


class Server:
    """One sqld on one data directory and one port; both stay the same when it is started again.

    As a context manager it is started on entry, and on exit stopped, with its data removed if no `data_dir` was given.
    """

    def __init__(  # noqa: PLR0913 - each is one setting of a process
        self,
        binary: Path,
        *,
        port: int | None = None,
        data_dir: Path | None = None,
        host: str = "127.0.0.1",
        flags: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        start_deadline_s: float = 10.0,
        stop_deadline_s: float = 10.0,
    ) -> None:
        """Nothing is started yet.

        Args:
            binary: the sqld, from `find_sqld`.
            port: where to listen; None has a free one chosen at the first start.
            data_dir: where the database lives; None makes a temporary one.
            host: the address to listen on; only this machine by default.
            flags: more arguments for sqld, as `["--auth-jwt-key-file", path]`. Never a secret: arguments are public.
            environ: the environment of sqld, which reads settings from it; by default that of this process. The
                secrets of td are left out.
            start_deadline_s: how long it may take to answer `GET /health`.
            stop_deadline_s: how long it may take to end after SIGINT, before SIGKILL.
        """
        self.host = host
        self._binary = binary
        self._port = port
        self._data_dir = data_dir.absolute() if data_dir is not None else None
        self._is_temporary = data_dir is None
        self._flags = tuple(flags)
        self._environ = environ
        self._start_deadline_s = start_deadline_s
        self._stop_deadline_s = stop_deadline_s
        self._process: subprocess.Popen[bytes] | None = None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove_temporary_data()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._remove_temporary_data()

    @property
    def port(self) -> int:
        """The port, once chosen: from the first start on."""
        assert self._port is not None, "not started yet"
        return self._port

    @property
    def url(self) -> str:
        """What clients connect to, as `http://127.0.0.1:8080`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the running sqld."""
        assert self._process is not None, "not running"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def data_dir(self) -> Path:
        """Where the database lives, once it is known: from the first start on."""
        assert self._data_dir is not None, "not started yet"
        return self._data_dir

    @property
    def log_path(self) -> Path:
        """What sqld wrote, of all starts, the newest last."""
        return self.data_dir / "sqld.log"

    def version(self) -> str:
        """The build, as `0.24.32 (40c272de 2026-05-10)`."""
        return sqld_version(self._binary)

    def start(self) -> None:
        """Start it, and return when it answers. Does nothing when it runs already.

        Raises:
            PortTakenError: the port asked for is taken.
            DataDirInUseError: another sqld started by us runs on this directory.
            DataDirUnusableError: the directory cannot be made or written.
            StartError: it ended, or did not answer before the deadline; with the end of its log.
            SqldUnusableError: the binary cannot be run.
        """
        if self.is_running:
            return
        self._forget()
        self._refuse_taken_port()
        try:
            self._hold_data_dir()
            self._start_on_some_port()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Stop it cleanly and wait until it has ended. Does nothing when it does not run."""
        try:
            if self._process is not None and self._process.poll() is None:
                self._interrupt_until_ended(self._process)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would. Clients will have to download everything again."""
        if self._process is not None:
            _kill(self._process)
        self._forget()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Block until it ends by itself; its exit code, or None if it still runs after `timeout_s`."""
        assert self._process is not None, "not running"
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def _refuse_taken_port(self) -> None:
        """Raise PortTakenError before a directory is made that nothing would ever be in."""
        is_made = self._data_dir is not None and self._data_dir.exists()
        if self._port is not None and not is_made and not is_free(self.host, self._port):
            raise PortTakenError(self.host, self._port)

    def _hold_data_dir(self) -> None:
        if self._data_dir is None:
            self._data_dir = Path(tempfile.mkdtemp(prefix="sqld-"))
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self._data_dir / "sqld.lock", timeout=0, thread_local=False, mode=0o600)
            self._held.enter_context(lock)
        except Timeout as error:
            raise DataDirInUseError(self._data_dir) from error
        except OSError as error:
            raise DataDirUnusableError(self._data_dir, error.strerror or str(error)) from error

    def _start_on_some_port(self) -> None:
        if self._port is not None:
            self._start_on(self._port)
            return
        for attempt in range(_PORT_TRIES):
            port = free_port(self.host)
            try:
                self._start_on(port)
            except PortTakenError:
                # Somebody was faster between the choice and the start.
                if attempt == _PORT_TRIES - 1:
                    raise
            else:
                self._port = port
                return

    def _start_on(self, port: int) -> None:
        if not is_free(self.host, port):
            raise PortTakenError(self.host, port)
        log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        process = self._spawn(port)
        deadline = time.monotonic() + self._start_deadline_s
        while not self._answers(port, log_start):
            if process.poll() is not None:
                self._explain_end(process.returncode, port, log_start)
            if time.monotonic() > deadline:
                _kill(process)
                raise self._start_error(f"no answer within {self._start_deadline_s:g} seconds", log_start)
            time.sleep(_POLL_S)

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        address = f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"
        command = [str(self._binary), "--db-path", str(self.data_dir), "--http-listen-addr", address, "--no-welcome"]
        # What it logs at this level is how we know that it is this sqld which listens.
        given = os.environ if self._environ is None else self._environ
        environ = {**without_secrets(given), "RUST_LOG": "info", "NO_COLOR": "1"}
        guard = self._held.enter_context(Guard())
        # Also in a directory that others may look into, what is made is for its owner alone.
        with open(self.log_path, "ab", opener=_for_owner) as log:
            try:
                process = subprocess.Popen(
                    [*command, *self._flags],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environ,
                    start_new_session=True,
                    umask=0o077,
                )
            except OSError as error:
                raise SqldUnusableError(self._binary, error.strerror or str(error)) from error
        self._process = process
        guard.watch(process.pid)
        return process

    def _answers(self, port: int, log_start: int) -> bool:
        # The log first: something else may answer on this port while ours fails to get it.
        return _LISTENING in self._log_since(log_start) and is_healthy(self._dial_host(), port)

    def _dial_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 -- compared, not bound

    def _explain_end(self, exit_code: int, port: int, log_start: int) -> None:
        if "Address already in use" in self._log_since(log_start):
            raise PortTakenError(self.host, port)
        raise self._start_error(f"it ended with exit code {exit_code}", log_start)

    def _start_error(self, reason: str, log_start: int) -> StartError:
        lines = self._log_since(log_start).splitlines()
        return StartError(reason, log_path=self.log_path, log_tail="\n".join(lines[-_LOG_TAIL_LINES:]))

    def _log_since(self, start: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    def _interrupt_until_ended(self, process: subprocess.Popen[bytes]) -> None:
        now = time.monotonic()
        deadline = now + self._stop_deadline_s
        ask_at = now
        closed_at: float | None = None
        # Without a namespace open from the start (in a read replica, say) there is no telling when all is closed.
        is_telling = not self._has_closed_its_data()
        while process.poll() is None:
            now = time.monotonic()
            if closed_at is None and is_telling and self._has_closed_its_data():
                closed_at = now
            if closed_at is None and now >= ask_at:
                process.send_signal(signal.SIGINT)
                ask_at = now + _ASK_AGAIN_S
            if closed_at is not None and now > closed_at + _LINGER_S:
                _LOG.info("sqld (pid %d) closed its data, but clients kept it from ending: killed", process.pid)
                break
            if now > deadline:
                _LOG.warning(
                    "sqld (pid %d) did not end within %g seconds of SIGINT and was killed; "
                    "clients will download everything again",
                    process.pid,
                    self._stop_deadline_s,
                )
                break
            time.sleep(_POLL_S)
        _kill(process)

    def _has_closed_its_data(self) -> bool:
        # sqld itself goes by these files: one that is there at the start means that the log was not closed.
        return not any(self.data_dir.glob("dbs/*/.sentinel"))

    def _forget(self) -> None:
        """Let go of a process that has ended, of its guard and of the lock."""
        self._process = None
        self._held.close()

    def _remove_temporary_data(self) -> None:
        if self._is_temporary and self._data_dir is not None:
            shutil.rmtree(self._data_dir, ignore_errors=True)
            self._data_dir = None


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The whole group: the binary may be somebody's script around the real one.
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def run_sqld(
    *,
    binary: Path | None = None,
    port: int | None = None,
    data_dir: Path | None = None,
    flags: Sequence[str] = (),
) -> Iterator[Server]:
    """Find an sqld, run it for the length of a `with` block, and stop it.

    Args:
        binary: as the `explicit` of `find_sqld`.
        port: as of `Server`.
        data_dir: as of `Server`.
        flags: as of `Server`.

    Raises:
        SqldError: as `find_sqld` and `Server.start` do.
    """
    with Server(find_sqld(binary), port=port, data_dir=data_dir, flags=flags) as server:
        yield server
