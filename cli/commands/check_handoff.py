"""`td check-handoff`: whether this session leaves anything lying."""

from typing import Annotated

import typer

from cli.errors import LeftLyingError
from cli.exits import FAILED
from cli.invocation import Invocation, command
from tracker import sessions, work_sessions

app = typer.Typer()


@command(app, "check-handoff")
def check_handoff(
    call: Invocation,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; the exit code tells.")] = False,
) -> None:
    """Fail if this session leaves work lying.

    That is an issue in progress, or a work session that goes on.
    """
    with call.reading() as tracker:
        claims = list(sessions.own(tracker).claims)
        work = work_sessions.current(tracker)
    if claims or work is not None:
        if quiet:
            raise typer.Exit(FAILED)
        raise LeftLyingError(tuple(claims), None if work is None else work.id)
    if not quiet:
        call.emit(lambda: {"claims": [], "work_session": None}, lambda: ["nothing is left lying"])
