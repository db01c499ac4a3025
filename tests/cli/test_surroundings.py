"""Who calls, and from where."""

import subprocess
from pathlib import Path

import pytest

from cli.surroundings import CONTEXT_VARIABLE, SESSION_VARIABLE, look_around
from tests.cli.program import Program


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit on the branch `topic/milk`."""
    path = tmp_path / "repository"
    _git(tmp_path, "init", "-q", "-b", "topic/milk", str(path))
    (path / "milk").write_text("oat\n")
    _git(path, "add", "milk")
    _git(path, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "Buy milk")
    return path


def _git(directory: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=directory, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_the_branch_is_the_one_that_is_checked_out(repository: Path) -> None:
    """From any directory below, in a work tree of its own, and where none is."""
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    _git(repository, "worktree", "add", "-q", "-b", "other", str(repository.parent / "tree"))

    assert look_around(below, {}).branch == "topic/milk"
    assert look_around(repository.parent / "tree", {}).branch == "other"
    _git(repository, "checkout", "-q", "--detach")
    assert look_around(repository, {}).branch == f"detached-{_git(repository, 'rev-parse', 'HEAD')[:8]}"
    assert look_around(repository.parent, {}).branch == "default"


def test_a_caller_may_say_who_it_is(tmp_path: Path) -> None:
    """In plain characters; contexts are told apart too."""
    named = look_around(tmp_path, {SESSION_VARIABLE: "agent 7/x"})

    assert named.agent == "explicit_agent_7_x"
    assert look_around(tmp_path, {CONTEXT_VARIABLE: "a"}).key != look_around(tmp_path, {CONTEXT_VARIABLE: "b"}).key


def test_each_agent_has_a_session_of_its_own(td: Program) -> None:
    """And the same one again when it comes again."""
    asked = [
        td.done("whoami", "--json", environ={SESSION_VARIABLE: name}).document()["session"]
        for name in ("one", "two", "one")
    ]

    assert asked[0] == asked[2] != asked[1]


def test_the_commit_is_kept_with_a_start(repository: Path) -> None:
    """And how many files differ from it."""
    td = Program(repository)
    td.done("init")
    (repository / "milk").write_text("soy\n")
    issue_id = td.create("Oat milk")

    td.done("start", issue_id)

    (snapshot,) = td.done("show", issue_id, "--json").document()["snapshots"]
    assert snapshot["commit_sha"] == _git(repository, "rev-parse", "HEAD")
    assert (snapshot["branch"], snapshot["dirty_files"]) == ("topic/milk", 1)
