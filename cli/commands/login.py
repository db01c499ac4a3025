"""`td login` and `td logout`: be known to the primary, and no more."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.credentials import keeper_of
from cli.invocation import Invocation, command
from cli.logins import Login, log_in_with_token, log_in_with_workos, log_out, plan_login, plan_logout
from cli.profiles import Auth, Profile

app = typer.Typer()


@command(app, "login")
def login(
    call: Invocation,
    *,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Keep the token on stdin, encrypted.")] = False,
    workos: Annotated[bool, typer.Option("--workos", help="Sign in with WorkOS, in a browser.")] = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", help="Where the primary is. Default: as the profile or the directory has it.", metavar="URL"
        ),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file", help="The certificate (PEM) of the authority that signed the primary's.", metavar="FILE"
        ),
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="The application at WorkOS, once.", metavar="ID")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option("--organisation", help="The organisation at WorkOS to be signed in to.", metavar="ID")
    ] = None,
    workos_url: Annotated[
        str | None, typer.Option("--workos-url", help="Where WorkOS is, if not at its own address.", metavar="URL")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Be known to the primary: keep a token, or sign in with WorkOS.

    What is kept is encrypted and belongs to a profile; a second login takes its place.
    """
    given = Profile(
        url=url,
        ca_file=None if ca_file is None else str(ca_file),
        workos_client_id=client_id,
        workos_url=workos_url,
        organisation=organisation,
    )
    plan = plan_login(call, given, is_token=token_stdin, is_workos=workos)
    if plan.profile.auth is Auth.WORKOS:
        done = log_in_with_workos(call, plan, may_open_browser=not no_browser)
    else:
        done = log_in_with_token(plan, sys.stdin if token_stdin else None)
    _tell(call, done)


@command(app, "logout")
def logout(call: Invocation) -> None:
    """Forget the token or the sign-in that is kept here."""
    done = log_out(plan_logout(call, os.environ))
    call.emit(
        lambda: {"action": "logged_out", "profile": done.profile, "was": done.was, "url": done.url},
        lambda: [f"LOGGED OUT of {done.url or done.profile or 'the primary'}"],
    )
    if done.session_url is not None:
        call.say(f"WorkOS itself ends the session at {done.session_url}")


def _tell(call: Invocation, done: Login) -> None:
    kept = keeper_of(done.credential)
    person = "" if done.email is None else f" as {done.email}"
    call.emit(
        lambda: {
            "action": "logged_in",
            "profile": done.name,
            "auth": done.profile.auth.value,
            "url": done.profile.url,
            "kept_in": kept,
            "user": done.user,
            "email": done.email,
            "organisation": done.organisation,
            "expires_at": done.expires_at,
        },
        lambda: [f"LOGGED IN to {done.profile.url}{person} (profile {done.name}; kept in the {kept})"],
    )
    for line in done.notes:
        call.say(line)
