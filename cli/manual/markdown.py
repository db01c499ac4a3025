"""docs/commands.md: every command, as it is."""

import inspect
import types
from collections.abc import Iterator
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from cli.manual.commands import Command, Parameter, all_commands, shared_options
from cli.schemas import file_name
from cli.schemas.commands import DOCUMENTS

_HEAD: Final = """\
# Commands of td

Made from the program by `python -m cli.manual`. `td help COMMAND` tells the same of one command, and `td man` of all of
them.

An id may be typed by its first characters, without `td-`, in any case. An argument that begins with a dash comes after
`--`. [The reference](reference.md) tells of exit codes, errors and settings; the link at each command leads to the JSON
Schema of what it prints with `--json`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD
    groups = all_commands()
    for heading, commands in groups.items():
        names = ", ".join(
            f"[{command.words[0]}](#{_anchor(command)})" for command in commands if len(command.words) == 1
        )
        yield f"- {heading}: {names}"
    yield from ("", "## Options of every command", "", "Before its name or after it; and `--help`.", "")
    yield from _table(shared_options())
    for heading, commands in groups.items():
        yield from (f"## {heading}", "")
        for command in commands:
            yield from _command(command)


def _anchor(command: Command) -> str:
    return command.name.replace(" ", "-")


def _command(command: Command) -> Iterator[str]:
    yield from (f"### {command.name}", "", "```text", command.usage, "```", "")
    for paragraph in command.help.split("\n\n"):
        yield from (_escaped(paragraph.replace("\n", " ")), "")
    if command.aliases:
        yield from (f"Also called {', '.join(f'`{alias}`' for alias in command.aliases)}.", "")
    yield from _table([*command.arguments, *command.options])
    if command.runs_alone:
        words = " ".join(command.words)
        yield from (f"[JSON](schemas/{file_name(words)}): {_escaped(_told(DOCUMENTS[words]))}", "")


def _table(parameters: list[Parameter]) -> Iterator[str]:
    if parameters:
        yield from ("| | |", "|---|---|", *map(_row, parameters), "")


def _row(parameter: Parameter) -> str:
    typed = ", ".join(parameter.names) + (f" {parameter.value}" if parameter.names and parameter.value else "")
    told = parameter.help + (f" Default: {parameter.default}." if parameter.default else "")
    return f"| `{(typed or parameter.value).replace('|', chr(92) + '|')}` | {_escaped(told)} |"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    for sign in ("\\", "*", "_", "<", "|"):
        text = text.replace(sign, f"\\{sign}")
    return text


def _told(document: Any) -> str:  # a type, or a union of types
    """In a few words, what a document is."""
    origin = get_origin(document)
    if origin in (Union, types.UnionType):
        return "; or ".join(_told(one).rstrip(".") for one in get_args(document)) + "."
    if origin is list:
        (member,) = get_args(document)
        return f"a list; each member: {_told(member)}"
    if inspect.isclass(document) and issubclass(document, BaseModel):
        told = inspect.getdoc(document) or ""
        return told.replace("\n", " ")
    return "an object." if origin is dict else "text."
