"""The commands of td, by name.

Always true: a command's module is imported only when that command is called or its help is asked for, so `td list` does
not pay for `td demo`.
"""

import sys
from collections.abc import Iterator, MutableMapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from cli.errors import UsageError
from cli.invocation import AsJson, Colour, NoPager, ProfileName, WorkDir, enter
from cli.names import ALIASES, aliases_of, grouped, heading_of
from cli.output import print_lines
from cli.parameters import spare_pydantic, tell_usage

_MODULES: Final = {
    "init": "init",
    "usage": "usage",
    "status": "status",
    "whoami": "status",
    "create": "create",
    "list": "list",
    "search": "search",
    "show": "show",
    "update": "update",
    "start": "moves",
    "unstart": "moves",
    "block": "moves",
    "unblock": "moves",
    "close": "moves",
    "reopen": "moves",
    "delete": "moves",
    "restore": "moves",
    "review": "review",
    "approve": "review",
    "reject": "review",
    "log": "log",
    "logs": "log",
    "handoff": "handoff",
    "comment": "comment",
    "comments": "comment",
    "dep": "dep",
    "depends-on": "dep",
    "blocked-by": "dep",
    "ready": "queues",
    "next": "queues",
    "blocked": "queues",
    "in-review": "queues",
    "reviewable": "queues",
    "deleted": "queues",
    "epic": "epic",
    "tree": "tree",
    "critical-path": "tree",
    "workflow": "workflow",
    "stats": "stats",
    "last": "stats",
    "defer": "dates",
    "due": "dates",
    "focus": "focus",
    "unfocus": "focus",
    "resume": "focus",
    "session": "session",
    "check-handoff": "check_handoff",
    "ws": "ws",
    "link": "files",
    "unlink": "files",
    "files": "files",
    "board": "board",
    "note": "note",
    "history": "history",
    "undo": "history",
    "login": "login",
    "logout": "login",
    "sync": "sync",
    "conflicts": "conflicts",
    "resolve": "resolve",
    "config": "config",
    "query": "query",
    "doctor": "doctor",
    "export": "export",
    "import": "import_",
    "demo": "demo",
    "auth": "auth",
    "sqld": "sqld",
    "turso": "turso",
    "help": "help",
    "man": "help",
    "completion": "help",
    "schema": "help",
    "version": "version",
}
"""The name of each command, in the order of the help, and the module of `cli.commands` that has it."""


# Below it, a guess is worth less than none: `creat` is a bit like `current`.
_LIKENESS_MIN: Final = 0.7


class _Commands(MutableMapping[str, Any]):  # typer keeps the class of its commands to itself
    """Commands by name, each imported when it is first asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}  # see above

    def __getitem__(self, name: str) -> Any:  # see above
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:  # see above
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)

    def __contains__(self, name: object) -> bool:
        return name in _MODULES


def _load(name: str) -> Any:  # see above
    group = typer.main.get_group(import_module(f"cli.commands.{_MODULES[name]}").app)
    group.rich_markup_mode = _markup()
    # A module has either a group that is called as the command is, or single commands.
    found: Any = group if group.name == name else group.commands[name]
    for command in _with_all_below(found):
        command.rich_markup_mode = _markup()
        spare_pydantic(command)
        tell_usage(command)
    aliases = aliases_of(name)
    found.epilog = f"Also called {', '.join(aliases)}." if aliases else None
    found.rich_help_panel = heading_of(name)
    return found


def _with_all_below(command: Any) -> Iterator[Any]:  # see above
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _with_all_below(below)


class _Group(TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # typer's own
        super().__init__(**attributes)
        self.commands = _Commands()

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # typer keeps these classes to itself
        """The command that is called, also by another of its names."""
        name, *rest = args
        try:
            return super().resolve_command(ctx, [ALIASES.get(name, name), *rest])
        except TyperException as error:
            # Only who mistypes pays for it.
            from difflib import get_close_matches  # noqa: PLC0415 - see above

            near = get_close_matches(name, [*_MODULES, *ALIASES], cutoff=_LIKENESS_MIN)
            # A command is offered by one of its names.
            guesses: dict[str, str] = {}
            for guess in near:
                guesses.setdefault(ALIASES.get(guess, guess), guess)
            if guesses:
                error.message = f"{error.message.rstrip('.')}. Did you mean {', '.join(map(repr, guesses.values()))}?"
            raise

    def list_commands(self, ctx: Any) -> list[str]:  # see above
        """The commands in the order of their headings."""
        del ctx
        return [name for names in grouped(_MODULES).values() for name in names]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # see above
        """List the commands under their headings."""
        del ctx
        for heading, there in grouped(_MODULES).items():
            with formatter.section(heading):
                # What is before a summary: an indent, the name, and as much again between the two.
                width = formatter.width - 4 - max(map(len, there))
                formatter.write_dl([(name, self.commands[name].get_short_help_str(width)) for name in there])


def make_app() -> Any:  # see above
    """The command `td`, ready to be called."""
    app = typer.Typer(
        name="td",
        cls=_Group,
        add_completion=False,
        # Its own guesses know nothing of aliases.
        suggest_commands=False,
        invoke_without_command=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=_markup(),
    )
    app.callback()(_root)
    command = typer.main.get_command(app)
    spare_pydantic(command)
    tell_usage(command)
    return command


def _print_version(wanted: bool) -> None:
    if wanted:
        # Only who asks pays for it.
        from importlib.metadata import version  # noqa: PLC0415 - see above

        print_lines([f"td {version('replica-toolkit')}"])
        raise typer.Exit


def _root(
    ctx: typer.Context,
    *,
    as_json: AsJson = False,
    work_dir: WorkDir = None,
    no_pager: NoPager = False,
    color: Colour = None,
    profile: ProfileName = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Track issues with or without a network, and share them."""
    del version  # its callback has answered
    call = enter(ctx, as_json=as_json, work_dir=work_dir, no_pager=no_pager, color=color, profile=profile)
    if ctx.invoked_subcommand is None:
        if call.as_json:
            raise UsageError("no command is named", "see td --help")
        show_help(ctx)


def find_command(words: Sequence[str]) -> typer.Context:
    """The command that these words call, without calling it. Raises typer's own errors, and UsageError."""
    found = typer.Context(make_app(), info_name="td")
    for word in words:
        if not hasattr(found.command, "resolve_command"):
            raise UsageError(f"{found.command_path} has no commands", f"see {found.command_path} --help")
        name, command, _ = found.command.resolve_command(found, [word])
        found = typer.Context(command, info_name=name, parent=found)
    return found


def show_help(ctx: Any) -> None:  # see above
    """Print the help of a command."""
    text = ctx.get_help()
    # On a terminal it is printed already.
    if text:
        print_lines([text])


def _markup() -> Any:  # typer's own literal type
    """Boxes and colours in help are for terminals."""
    return "rich" if sys.stdout is not None and sys.stdout.isatty() else None
