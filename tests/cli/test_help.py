"""Help: every command says what it does, by each of its names."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from cli.app import make_app
from cli.names import ALIASES, GROUPS, heading_of
from tests.cli.in_process import call, done
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
    answer = done(fresh, *path, "--help")

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
    assert [line for line in done(fresh, "--help").out.splitlines()[12:] if line.endswith("...")] == []


def test_every_command_stands_under_a_heading(fresh: Program) -> None:
    """And no heading names one that is not there."""
    there = {path[0] for path in ALL if len(path) == 1}

    assert {name for name in there if heading_of(name) not in GROUPS} == set()
    listed = re.findall(r"^  ([a-z][a-z-]*)  +[A-Z]", done(fresh, "--help").out, flags=re.MULTILINE)
    assert sorted(listed) == sorted(there)


def test_td_alone_shows_what_it_can_do(fresh: Program) -> None:
    """That is what a newcomer types first."""
    assert fresh.done().out.strip() == fresh.done("--help").out.strip()


@pytest.mark.parametrize("words", [["list"], ["conflicts", "show"], []], ids=" ".join)
def test_help_shows_the_help_of_a_command(fresh: Program, words: list[str]) -> None:
    """The same as --help after it."""
    assert done(fresh, "help", *words).out.strip() == done(fresh, *words, "--help").out.strip()


@pytest.mark.parametrize(("alias", "command"), ALIASES.items())
def test_an_alias_is_the_command_by_another_name(fresh: Program, alias: str, command: str) -> None:
    """Its help is that of the command, and tells of it; the list of commands does not."""
    told = done(fresh, alias, "--help").out

    assert told == done(fresh, command, "--help").out
    assert re.search(rf"Also called .*\b{alias}\b", told)
    assert not re.search(rf"^  {alias} ", done(fresh, "--help").out, flags=re.MULTILINE)
    assert alias not in {path[0] for path in ALL if path}


def test_the_names_that_people_bring_along_are_there() -> None:
    """From the trackers that they know."""
    known = "add new ls view get context edit begin stop done complete submit finish ir current info deps dependencies"

    assert set(known.split()) <= set(ALIASES)


@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        (["lst"], "No such command 'lst'. Did you mean 'list', 'last'?; see td --help"),
        (["creat"], "No such command 'creat'. Did you mean 'create'?; see td --help"),
        (["finsh", "x"], "No such command 'finsh'. Did you mean 'finish'?; see td --help"),
        (["conflicts", "lst"], "No such command 'lst'. Did you mean 'list'?; see td conflicts --help"),
        (["help", "lst"], "No such command 'lst'. Did you mean 'list', 'last'?; see td --help"),
        (["qqqqqq"], "No such command 'qqqqqq'; see td --help"),
        (["logs", "--limt", "3"], "No such option: --limt (Possible options: --limit); see td logs --help"),
    ],
)
def test_what_is_mistyped_is_guessed(fresh: Program, typed: list[str], guess: str) -> None:
    """In one line."""
    answer = call(fresh, *typed)

    assert (answer.code, answer.out) == (2, "")
    assert answer.err == f"td: {guess}\n"


def test_the_version_is_told(fresh: Program) -> None:
    """For those who report a defect."""
    assert re.fullmatch(r"td \d+\.\d+\.\d+\n", done(fresh, "--version").out)
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", done(fresh, "version", "--short").out)
    assert done(fresh, "version").out.startswith("td      ")
