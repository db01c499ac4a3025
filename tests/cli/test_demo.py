"""`td demo`: the main job, told to whoever tries it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.program import Program


def leftovers(program: Program) -> list[str]:
    """Processes that still run with the environment of this test."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            environ = (directory / "environ").read_bytes()
        except OSError:
            continue  # it has ended, or belongs to somebody else
        if str(program.home).encode() in environ and int(directory.name) != os.getpid():
            found.append(directory.name)
    return found


def test_the_demo_tells_the_story_and_leaves_nothing_running(fresh: Program) -> None:
    """Both values of the conflict, who made them and from where; and the table at the end."""
    answer = fresh.done("demo")

    assert answer.err == ""
    for part in (
        "does not answer, 3 changes wait",
        "1 merged, 1 in conflict",
        "different fields are merged",
        "Launch in June",
        "Launch in July",
        "ses_laptop_",
        "ses_desktop_",
        "laptop, desktop and primary hold exactly these",
        "All of it came out so",
    ):
        assert part in answer.out, part
    assert leftovers(fresh) == []
    assert list(fresh.directory.iterdir()) == [fresh.home]


def test_the_demo_tells_programs_too(fresh: Program) -> None:
    """In one document, in well under a minute."""
    document = fresh.done("demo", "--json").document()

    assert document["ok"] is True
    assert document["seconds"] < 30
    assert len(document["issues"]) == 4


def test_the_demo_says_what_it_lacks(fresh: Program) -> None:
    """Without an sqld there is no story; the three ways to get one are told."""
    answer = fresh("demo", "--json", environ={"TD_SQLD": str(fresh.home / "nothing")})

    assert (answer.code, answer.out, answer.error()["code"]) == (1, "", "sqld_not_found")
    assert "pip install" in answer.error()["hint"]


def test_ctrl_c_ends_the_demo_and_its_primary(fresh: Program) -> None:
    """Exit code 130."""
    process = fresh.start("demo")
    assert process.stdout is not None
    first = process.stdout.readline() + process.stdout.readline()

    process.send_signal(2)

    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (first, out, err)
    assert leftovers(fresh) == []


def test_a_demo_that_does_not_come_out_so_fails(fresh: Program) -> None:
    """A story that is only told would always end well: here, both choose the same title."""
    broken = (
        "import sys; import cli.story as story; from cli.run import run\n"
        "story._EDITS['july'] = story._EDITS['june']\n"
        "sys.exit(run(['demo', '--json']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", broken], cwd=fresh.directory, env=fresh.environ, capture_output=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, b"")
    assert b"demo_failed" in done.stderr
