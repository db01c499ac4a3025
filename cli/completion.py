"""Complete what is typed in a shell: commands, options, and ids with the titles of their issues.

The scripts and the way they ask are typer's: the shell runs td with `_TD_COMPLETE` in the environment. Always true:
- no row is changed, no network is asked, and where something goes wrong nothing is offered;
- a title reaches the shell without any character that a shell could act on, and an id that has one is not offered.
"""

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cli.errors import CliError
from cli.exits import FAILED
from cli.formats import Format
from cli.names import COMPLETION_VARIABLE
from cli.place import find_place
from tracker import IssueType, Mode, Priority, ReplicaError, Status, TrackerError

_OFFERED_MAX: Final = 50
_UNSAFE: Final = re.compile(r"[^\w .,/+-]")
_SAFE_ID: Final = re.compile(r"[0-9A-Za-z_-]+")
_WORD: Final = re.compile(r"P0\.\.P4|[A-Z]{2,}")
Offer = tuple[str, str]
"""What can stand there, and what it is."""


class Shell(StrEnum):
    """What there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def script_of(shell: Shell) -> str:
    """What the shell reads once."""
    from typer._completion_shared import get_completion_script  # noqa: PLC0415 - typer has it nowhere else

    return get_completion_script(prog_name="td", complete_var=COMPLETION_VARIABLE, shell=shell.value)


def answer(app: Any, instruction: str) -> int:  # typer keeps its classes private
    """Print what can stand where the shell is, and return the exit code."""
    from typer._completion_classes import completion_init  # noqa: PLC0415 - see above
    from typer.completion import shell_complete  # noqa: PLC0415 - see above

    completion_init()
    plain_command = app.get_command

    def get_command(ctx: Any, name: str) -> Any:  # see above
        command = plain_command(ctx, name)
        for one in (command, *getattr(command, "commands", {}).values()) if command is not None else ():
            for parameter in one.params:
                # What typer takes for it by its own name, but for every parameter at once.
                parameter._custom_shell_complete = _complete  # noqa: SLF001 - see above
        return command

    app.get_command = get_command
    try:
        return shell_complete(app, {}, "td", COMPLETION_VARIABLE, instruction)
    except (KeyError, ValueError):
        # Whoever asks as no shell does is offered nothing.
        return FAILED


def _complete(ctx: Any, parameter: Any, typed: str) -> list[Any]:  # see above
    from typer._click.shell_completion import CompletionItem  # noqa: PLC0415 - see above

    try:
        offers = _offers(ctx, parameter.metavar or "", typed)
    except (CliError, TrackerError, ReplicaError):
        return []
    return [CompletionItem(value, help=told or None) for value, told in offers if value.startswith(typed)]


def _offers(ctx: Any, metavar: str, typed: str) -> list[Offer]:  # see above
    # As in `[add|rm] ID [NEEDED...]`: what stands for a value is in capitals.
    for word in _WORD.findall(metavar):
        if word in _VALUES:
            return [(value, "") for value in _VALUES[word]]
        if word == "COMMAND":
            commands = ctx.find_root().command.commands
            return [(name, commands[name].get_short_help_str()) for name in commands]
        kind = "notes" if word == "ID" and ctx.command_path.startswith("td note ") else _KINDS.get(word)
        if kind is not None:
            return _rows(ctx, kind, typed)
    return []


def _rows(ctx: Any, kind: str, typed: str) -> list[Offer]:  # see above
    named = ctx.params.get("work_dir") or ctx.find_root().params.get("work_dir")
    place = find_place(Path(named) if named else None, os.environ)
    if place.config.mode is Mode.REMOTE:
        return []
    sql = _SQL[kind].format(order="deleted_at IS NULL" if ctx.info_name == "restore" else "deleted_at IS NOT NULL")
    with place.open() as tracker:
        rows = tracker.replica.query(sql, (typed, typed, _OFFERED_MAX)).rows
    return [(str(value), _safe(str(told))) for value, told in rows if _SAFE_ID.fullmatch(str(value))]


def _safe(text: str) -> str:
    return " ".join(_UNSAFE.sub(" ", text).split())


_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "STATUS": tuple(Status),
    "TYPE": tuple(IssueType),
    "PRIORITY": tuple(Priority),
    "P0..P4": tuple(Priority),
    "FORMAT": tuple(Format),
    "MODE": tuple(Mode),
    "SHELL": tuple(Shell),
    "WHEN": ("auto", "always", "never"),
}
"""What a parameter takes, by what stands for its value."""

_KINDS: Final[Mapping[str, str]] = {"ID": "issues", "BOARD": "boards"}

# What is deleted comes last, and first where it can be restored; so do closed issues, which are asked for less.
_SQL: Final[Mapping[str, str]] = {
    "issues": """SELECT id, title FROM issues WHERE substr(id, 1, length(?)) = ?
        ORDER BY {order}, status = 'closed', updated_at DESC LIMIT ?""",
    "notes": """SELECT id, title FROM notes WHERE substr(id, 1, length(?)) = ?
        ORDER BY {order}, updated_at DESC LIMIT ?""",
    "boards": """SELECT id, name FROM boards WHERE substr(id, 1, length(?)) = ?
        ORDER BY {order}, updated_at DESC LIMIT ?""",
}
