"""`td help`, `td man`, `td completion`, `td schema`: what td tells of itself.

What each of them prints is made from the commands or their documents; no other command imports what makes it.
"""

from typing import Annotated

import typer

from cli.completion import Shell, script_of
from cli.errors import InvalidValueError
from cli.invocation import Invocation, command
from cli.output import print_json

app = typer.Typer()

_Words = Annotated[
    list[str] | None,
    typer.Argument(help="A command, as in: td help conflicts show.", metavar="[COMMAND]", show_default=False),
]


@command(app, "help")
def help_(call: Invocation, words: _Words = None) -> None:
    """Show what a command does and takes."""
    # The app has this module among its own.
    from cli.app import find_command, show_help  # noqa: PLC0415 - see above
    from cli.manual.commands import describe  # noqa: PLC0415 - see above

    found = find_command(words or [])
    if call.as_json:
        print_json(describe(found.command, tuple(found.command_path.split(" ")[1:])).document())
    else:
        show_help(found)


@command(app, "man")
def man(call: Invocation) -> None:
    """Print the manual page of td, in roff.

    td man | man -l - shows it.
    """
    from cli.manual.roff import page  # noqa: PLC0415 - see above

    text = page()
    call.emit(lambda: {"page": text}, text.splitlines)


@command(app, "completion")
def completion(
    call: Invocation, shell: Annotated[str, typer.Argument(help="bash, zsh or fish.", metavar="SHELL")]
) -> None:
    """Print what lets a shell complete commands, options and ids.

    For bash and zsh, put eval "$(td completion bash)", or zsh, in the file that the shell reads when it starts, for zsh
    after compinit; for fish, td completion fish | source.
    """
    if shell not in list(Shell):
        raise InvalidValueError(f"there is no completion for {shell[:40]!a}", f"use one of {', '.join(Shell)}")
    script = script_of(Shell(shell))
    call.emit(lambda: {"shell": shell, "script": script}, script.splitlines)


@command(app, "schema")
def schema(call: Invocation, words: _Words = None) -> None:
    """Print the JSON Schema of what a command prints.

    That is with --json. Without a command: what there are schemas of.
    """
    from cli.schemas import names, schema_of  # noqa: PLC0415 - brings pydantic

    if not words:
        call.emit(names, names)
        return
    name = " ".join(words)
    if name not in names():
        raise InvalidValueError(f"there is no schema of {name[:40]!a}", "td schema lists what there are schemas of")
    print_json(schema_of(name))
