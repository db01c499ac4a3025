"""Help: every command says what it does."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli.app import make_app
from tests.cli.program import Program


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:  # typer keeps its classes private
    """Every command there is, groups included."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


ALL = list(commands(make_app()))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help(fresh: Program, path: tuple[str, ...]) -> None:
    """With what it does, the options that all have, and a word for each option and argument."""
    answer = fresh.done(*path, "--help")

    assert answer.err == ""
    assert answer.out.startswith(f"Usage: {' '.join(('td', *path))} [OPTIONS]")
    assert re.search(r"^  [A-Z].*\.$", answer.out, flags=re.MULTILINE), "no sentence says what it does"
    assert "--json" in answer.out
    assert "-w, --work-dir DIR" in answer.out


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_and_argument_is_explained(path: tuple[str, ...]) -> None:
    """In a sentence."""
    command: Any = make_app()  # see above
    for name in path:
        command = command.commands[name]

    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", None)] == []


def test_no_summary_is_cut_short(fresh: Program) -> None:
    """The list of commands fits a terminal of 80 columns."""
    assert "..." not in fresh.done("--help").out.split("Commands:")[1]


def test_td_alone_shows_what_it_can_do(fresh: Program) -> None:
    """That is what a newcomer types first."""
    assert fresh.done().out == fresh.done("--help").out


def test_a_mistyped_command_is_guessed(fresh: Program) -> None:
    """In one line."""
    answer = fresh("lst")

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == "td: No such command 'lst'. Did you mean 'list'?; see td --help\n"


def test_the_version_is_told(fresh: Program) -> None:
    """For those who report a defect."""
    assert re.fullmatch(r"td \d+\.\d+\.\d+\n", fresh.done("--version").out)
