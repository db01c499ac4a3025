"""The pager and the colours, as git and gh have them."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Mapping
from os import terminal_size
from pathlib import Path

import pytest

from cli.pager import fits, page, pager_of
from tests.cli.in_process import call, done
from tests.cli.program import TD, Program

ROWS = 8
# A pager of which it is seen what went through it.
MARKED = "sed s/^/paged:/"


@pytest.fixture
def crowded(td: Program) -> Program:
    """A td with more issues than a screen of `ROWS` lines shows."""
    with td.tracker() as tracker:
        for number in range(20):
            tracker.create(f"Issue {number}")
    return td


def on_terminal(program: Program, *args: str, environ: Mapping[str, str] | None = None) -> str:
    """What td shows on a terminal of few lines."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, 100, 0, 0))
    env = {**program.environ, "TERM": "xterm", **(environ or {})}
    process = subprocess.Popen([TD, *args], cwd=program.directory, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:
        pass  # how Linux says that the other end of a terminal was closed
    os.close(ours)
    assert process.wait(timeout=20) == 0
    return shown.decode().replace("\r\n", "\n")


def paged(shown: str) -> int:
    """How many lines went through the pager."""
    return shown.count("paged:")


@pytest.mark.parametrize(
    ("args", "environ", "lines"),
    [
        (["list"], {"TD_PAGER": MARKED, "PAGER": "false"}, 20),
        (["query", "SELECT title FROM issues"], {"PAGER": MARKED}, 24),
        (["list", "-n", "3"], {"TD_PAGER": MARKED}, 0),
        (["list", "--json"], {"TD_PAGER": MARKED}, 0),
        (["list", "--format", "csv"], {"TD_PAGER": MARKED}, 0),
        (["--no-pager", "list"], {"TD_PAGER": MARKED}, 0),
        (["list", "--no-pager"], {"TD_PAGER": MARKED}, 0),
        (["list"], {"TD_PAGER": "", "PAGER": MARKED}, 0),
        (["list"], {"TD_PAGER": "cat", "PAGER": MARKED}, 0),
        (["list"], {"PAGER": "no-such-pager-here"}, 0),
    ],
)
def test_only_what_is_long_and_for_people_goes_through_the_pager(
    crowded: Program, args: list[str], environ: Mapping[str, str], lines: int
) -> None:
    """TD_PAGER comes before PAGER; cat, and nothing, mean none; what cannot be started is done without."""
    shown = on_terminal(crowded, *args, environ=environ)

    assert paged(shown) == lines
    assert "Issue" in shown


def test_less_shows_colours_and_ends_by_itself(crowded: Program) -> None:
    """What nobody has set is set for it, as git does; what somebody has set stands."""
    show = """sh -c 'cat >/dev/null; echo LESS=$LESS LV=$LV'"""

    assert "LESS=FRX LV=-c" in on_terminal(crowded, "list", environ={"TD_PAGER": show})
    assert "LESS=-S LV=-c" in on_terminal(crowded, "list", environ={"TD_PAGER": show, "LESS": "-S"})


def test_a_pager_that_has_read_enough_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    """Nor is one that reads nothing, however much there is."""
    before = signal.getsignal(signal.SIGINT)

    assert page("a line\n" * 100_000, ["head", "-1"], os.environ, encoding="utf-8")
    assert page("a line\n" * 100_000, ["true"], os.environ, encoding="utf-8")

    assert capfd.readouterr() == ("a line\n", "")
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({}, ["less"]),
        ({"PAGER": "more"}, ["more"]),
        ({"PAGER": "more", "TD_PAGER": "less -S"}, ["less", "-S"]),
        ({"PAGER": "more", "TD_PAGER": ""}, None),
        ({"PAGER": " cat "}, None),
        ({"PAGER": "less 'never closed"}, None),
    ],
)
def test_the_pager_is_named_by_the_environment(environ: Mapping[str, str], command: list[str] | None) -> None:
    """That of td before that of all programs."""
    assert pager_of(environ) == command


@pytest.mark.parametrize(
    ("text", "is_short"),
    [
        ("a\n" * 4, True),
        ("a\n" * 5, False),
        ("a" * 10 + "\n", True),
        ("a" * 41 + "\n", False),
        ("\x1b[1m" * 20 + "a\n", True),
        ("牛" * 21 + "\n", False),
        ("\n" * 4, True),
    ],
)
def test_a_text_fits_with_the_prompt_below_it(text: str, is_short: bool) -> None:  # noqa: FBT001 - one of two outcomes
    """Long lines take several of the screen's, wide characters two columns, colours none."""
    assert fits(text, terminal_size((10, 5))) is is_short


@pytest.mark.parametrize(
    ("args", "environ", "is_coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"FORCE_COLOR": "0", "CLICOLOR_FORCE": ""}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "auto"], {"FORCE_COLOR": "1"}, True),
    ],
)
def test_colours_are_as_the_environment_and_the_option_say(
    td: Program,
    args: list[str],
    environ: Mapping[str, str],
    is_coloured: bool,  # noqa: FBT001 - see above
) -> None:
    """The option before the environment, a no before a yes; before the command as after it."""
    done(td, "create", "Oat milk", "-p", "P0")
    asking = Program(td.directory, environ)

    for call_args in ([*args, "list"], ["list", *args]):
        assert ("\x1b[" in done(asking, *call_args).out) is is_coloured


def test_a_terminal_shows_colours_unless_somebody_says_no(td: Program) -> None:
    """CLICOLOR=0 is a no."""
    done(td, "create", "Oat milk")

    assert "\x1b[1m" in on_terminal(td, "list")
    for environ in ({"CLICOLOR": "0"}, {"TERM": "dumb"}):
        assert "\x1b[" not in on_terminal(td, "list", environ=environ)


def test_another_wish_for_colours_is_refused(td: Program) -> None:
    """With those that there are."""
    answer = call(td, "--color", "sometimes", "list")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "td: colours are not shown 'sometimes'; use --color auto, always or never\n"


def test_nothing_of_it_is_loaded_for_a_short_text(td: Program) -> None:
    """What asks for no pager does not pay for one."""
    script = "import sys; from cli.run import run; run(['list']); sys.exit('cli.pager' in sys.modules)"

    subprocess.run(
        [Path(TD).with_name("python"), "-c", script], cwd=td.directory, env=td.environ, check=True, capture_output=True
    )
