"""What lies on the disk is for its owner alone, and what was in memory does not come to lie there."""

import os
import signal
import socket
import sys
from pathlib import Path

from sqld import Server
from tests.cli.program import Program

# As a shell in which somebody said `ulimit -c unlimited`.
_WITH_CORES = """
import os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_what_sqld_writes_is_for_its_owner_alone(sqld_binary: Path, tmp_path: Path) -> None:
    """Also in a directory that others may look into, and whatever the umask."""
    tmp_path.chmod(0o755)
    before = os.umask(0o022)
    try:
        with Server(sqld_binary, data_dir=tmp_path) as server:
            server.stop()
    finally:
        os.umask(before)

    open_to_others = [str(path) for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077]
    assert open_to_others == []
    assert (tmp_path / "dbs" / "default" / "data").exists()


def test_a_crash_leaves_no_picture_of_the_memory(tmp_path: Path) -> None:
    """Neither of td, which holds tokens, nor of the programs that it starts, whatever the shell allows."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        program = Program(tmp_path / "ann", {"TD_DATABASE_TOKEN": "token-of-ann"})
        program.done("init", "--url", url)
        listener.listen()
        listener.settimeout(30)
        process = program.start("sync", prefix=[sys.executable, "-c", _WITH_CORES])
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            # Ctrl-\ on a terminal.
            process.send_signal(signal.SIGQUIT)
            _, status = os.waitpid(process.pid, 0)
    # It was waited for already.
    process.returncode = -signal.SIGQUIT
    process.communicate()

    assert (os.WTERMSIG(status), os.WCOREDUMP(status)) == (signal.SIGQUIT, False)
