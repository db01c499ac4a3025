"""td among other programs: signals, pipes, full disks, and how little it loads."""

import ast
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.in_process import InProcess
from tests.cli.program import TD, Program
from tests.faults import FaultProxy
from tracker import Issue

_UNPRIVILEGED = Path(__file__).with_name("unprivileged.py")
_SMALL_FILES = Path(__file__).with_name("small_files.py")


def test_ctrl_c_in_the_middle_of_a_sync_ends_it(laptop: Program, network: FaultProxy) -> None:
    """Exit code 130, one line, no traceback; what waits still waits, and the next sync sends it."""
    issue_id = laptop.create("Oat milk")
    network.freeze()
    laptop.environ["TD_DATABASE_URL"] = network.url
    before = network.counts().connections
    process = laptop.start("sync")
    network.wait_for(lambda counts: counts.connections > before)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert err == b"td: interrupted; what td said was done stays done; run it again when you like\n"
    network.heal()
    assert laptop.done("sync", "--json").document()["pushed"] == 1
    assert laptop.done("show", issue_id, "--json").document()["pending"] is False


def test_a_reader_that_has_read_enough_is_no_error(td: Program) -> None:
    """`td list | head -1` is quiet."""
    with td.tracker() as tracker:
        for number in range(500):
            tracker.create(f"Issue {number} " + "x" * 180)
    for json_option in ([], ["--json"]):
        process = td.start("list", *json_option)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()

        assert process.stderr.read() == b""
        assert process.wait(timeout=20) == 0
        process.stderr.close()


def test_an_output_that_takes_nothing_more_is_told(td: Program) -> None:
    """As on a full disk; a redirected result is not lost in silence."""
    td.create("Oat milk")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [TD, "list"], cwd=td.directory, env=td.environ, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.returncode == 1
    assert done.stderr.startswith(b"td: cannot use stdout: No space left on device; ")
    assert len(done.stderr.splitlines()) == 1


def test_a_change_whose_result_cannot_be_shown_is_done_and_said_to_be(td: Program) -> None:
    """Or it would be made a second time."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [TD, "create", "once"], cwd=td.directory, env=td.environ, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.returncode == 1
    assert b"what td was asked to do is done" in done.stderr
    assert b"again" not in done.stderr
    assert [issue["title"] for issue in td.done("list", "--json").document()] == ["once"]


def test_a_closed_output_is_no_error(td: Program) -> None:
    """Nobody wants to read it."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" create quiet >&-', str(TD)],
        cwd=td.directory,
        env=td.environ,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert "quiet" in td.done("list").out


def test_a_read_only_directory_is_told(td: Program) -> None:
    """Exit code 1, and nothing is written."""
    td.create("Oat milk")
    places = [td.directory, td.directory / ".todos"]
    files = list(places[1].iterdir())
    for path in (*files, *places):
        path.chmod(0o500 if path.is_dir() else 0o400)

    answers = {args[0]: unprivileged(td, *args) for args in (["create", "x"], ["init", "-w", "home/../new"])}

    for path in (*places, *files):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for name in ("create", "init"):
        code, out, err = answers[name]
        assert (code, out, len(err.splitlines())) == (1, b"", 1), err
        assert err.startswith(b"td: ")
    assert len(td.done("list", "--json").document()) == 1


def unprivileged(program: Program, *args: str) -> tuple[int, bytes, bytes]:
    """Run td such that permissions count, also where root runs the tests."""
    process = program.start(*args, prefix=[sys.executable, _UNPRIVILEGED])
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.mark.parametrize("mode", ["td", "laptop"])
def test_a_full_disk_is_told_and_earlier_changes_stand(mode: str, request: pytest.FixtureRequest) -> None:
    """Exit code 1, one line, and the write is not there by half."""
    program: Program = request.getfixturevalue(mode)
    program.create("Oat milk")

    process = program.start("create", "x", "-d", "y" * 90_000, prefix=[sys.executable, _SMALL_FILES])
    out, err = process.communicate(timeout=20)

    assert (process.returncode, out, len(err.splitlines())) == (1, b"", 1), err
    assert err.startswith(b"td: ")
    assert b"free some space" in err
    assert [issue["title"] for issue in program.done("list", "--json").document()] == ["Oat milk"]


def test_colours_and_boxes_are_for_terminals(td: Program) -> None:
    """And not for those that say no."""
    td.create("Oat milk")
    assert "\x1b" not in td.done("list").out

    shown = on_terminal(td, "list")
    plain = on_terminal(td, "list", environ={"NO_COLOR": "1"})
    table = on_terminal(td, "query", "SELECT title FROM issues")

    assert b"\x1b[1m" in shown
    assert b"Oat milk" in plain
    assert b"\x1b" not in plain
    assert "┏━━━".encode() in table
    assert b"title" in table


def on_terminal(program: Program, *args: str, environ: dict[str, str] | None = None) -> bytes:
    """What td shows on a terminal."""
    ours, theirs = pty.openpty()
    env = {**program.environ, "TERM": "xterm", **(environ or {})}
    process = subprocess.Popen([TD, *args], cwd=program.directory, env=env, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end of a terminal was closed
    os.close(ours)
    assert process.wait(timeout=20) == 0
    return shown


def test_a_title_cannot_move_the_cursor(td: Program) -> None:
    """Nor one that came from another program's hands."""
    with td.tracker() as tracker:
        issue = tracker.create("Oat milk")
        with tracker.replica.transaction() as tx:
            tx.update(issue, title="\x1b[2J\u202egone\nforged")

    shown = td.done("list").out

    assert "\\x1b[2J\\u202egone\\nforged" in shown
    assert len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    "args",
    ["list", "show td-a", "tree", "ready", "search milk", "update td-a -p P1", "depends-on td-a",
     "query --write --dry-run DELETE\u00a0FROM\u00a0issues", "board show all", "last", "critical-path"],
)  # fmt: skip
def test_an_id_cannot_move_the_cursor(here: InProcess, args: str) -> None:
    """A teammate's program may have written any text as an id."""
    with here.tracker() as tracker:
        now = tracker.now()
        with tracker.replica.transaction() as tx:
            tx.insert(Issue(id="td-a\x1b[2J\x9b2J\r\u202eb", title="Oat milk", created_at=now))
            tx.insert(Issue(id="td-b\x1b]0;x\x07", title="Soy milk", created_at=now))

    told = here.done(*(word.replace("\u00a0", " ") for word in args.split(" ")))

    assert "td-" in told.out + told.err
    assert not set("\x1b\x9b\x07\r\u202e") & set(told.out + told.err)


def test_an_id_cannot_forge_a_line(here: InProcess) -> None:
    """Nor can it make two issues of one."""
    with here.tracker() as tracker, tracker.replica.transaction() as tx:
        tx.insert(Issue(id="td-a\ntd-b  P0  open", title="Oat milk", created_at=tracker.now()))

    assert here.done("list").out == "td-a\\ntd-b  P0  open  P2  open  task  Oat milk\n"
    assert here.done("update", "td-a", "-p", "P1").out == "UPDATED td-a\\ntd-b  P0  open\n"


def test_a_list_loads_nothing_that_it_does_not_need(td: Program) -> None:
    """A cold `td list` has 150 ms, and rich alone takes 50 of them."""
    program = "import sys; from cli.run import run; code = run(['list']); print(sorted(sys.modules), file=sys.stderr)"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=td.directory, env=td.environ, capture_output=True, text=True, check=True
    )

    loaded = set(ast.literal_eval(done.stderr.splitlines()[-1]))
    heavy = {
        "rich",
        "httpx",
        "filelock",
        "keyring",
        "cryptography",
        "libsql_experimental",
        "sqld",
        "auth",
        "platformdirs",
        "prompt_toolkit",
    }
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("cli.commands.")} == {"cli.commands.list"}
