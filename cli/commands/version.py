"""`td version`: what is installed."""

import platform
import sqlite3
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from cli.invocation import Invocation, command
from cli.text import aligned

app = typer.Typer()


@command(app, "version")
def version(
    call: Invocation, *, short: Annotated[bool, typer.Option("--short", help="Only the number.")] = False
) -> None:
    """Print the version of td, and of what it stands on."""
    found = {
        "td": version_of("replica-toolkit"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    call.emit(lambda: found, lambda: [found["td"]] if short else aligned(list(found.items())))
