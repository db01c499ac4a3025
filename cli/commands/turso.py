"""`td turso`: databases at Turso Cloud, and tokens for them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.credentials import read_token_line, user_vault
from cli.errors import ForeignError, InvalidValueError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.text import aligned
from tracker import days

if TYPE_CHECKING:
    from auth.vault import Vault
    from sqld.turso import Database, TursoPlatform

app = typer.Typer(name="turso", help="Databases at Turso Cloud, and tokens for them.")

shared_options(app)

PLATFORM_TOKEN_VARIABLE: Final = "TURSO_API_TOKEN"  # noqa: S105 - the name of a variable, not a token
ORGANISATION_VARIABLE: Final = "TURSO_ORG"
BASE_URL_VARIABLE: Final = "TURSO_API_BASEURL"
"""All three as Turso's own programs have them."""

_KEPT_AS: Final = "turso/platform-token"

_Org = Annotated[
    str | None,
    typer.Option("--org", help=f"The organisation's slug. Default: {ORGANISATION_VARIABLE}.", metavar="NAME"),
]
_Name = Annotated[str, typer.Argument(help="The database.", metavar="DATABASE")]


@command(app, "login")
def login(
    call: Invocation,
    *,
    token_stdin: Annotated[bool, typer.Option("--token-stdin", help="Read it from stdin.")] = False,
) -> None:
    """Keep a platform token for td turso, where td keeps tokens."""
    if not token_stdin:
        raise UsageError("a token is never an argument", "pipe it in: td turso login --token-stdin < token.txt")
    given = read_token_line(sys.stdin, command="td turso login")
    with _told():
        vault = user_vault()
        vault.store(_KEPT_AS, given)
    call.emit(
        lambda: {"action": "kept", "where": _where(vault)}, lambda: [f"KEPT the platform token in the {_where(vault)}"]
    )


@command(app, "logout")
def logout(call: Invocation) -> None:
    """Forget the platform token that was kept. It goes on to hold at Turso."""
    with _told():
        vault = user_vault()
        vault.delete(_KEPT_AS)
    call.emit(lambda: {"action": "forgotten", "where": _where(vault)}, lambda: ["FORGOTTEN"])
    call.say("turso auth api-tokens revoke NAME ends it at Turso")


@command(app, "list")
def list_databases(
    call: Invocation,
    *,
    org: _Org = None,
    group: Annotated[str | None, typer.Option("--group", help="Only those of a group.", metavar="NAME")] = None,
) -> None:
    """List the databases of an organisation."""
    with _platform(org) as platform:
        found = platform.databases(group=group)
    call.emit(
        lambda: [_document(each) for each in found],
        lambda: aligned([(each.name, each.url, each.group or "", each.region or "") for each in found]),
    )


@command(app, "groups")
def groups(call: Invocation, *, org: _Org = None) -> None:
    """List the groups, in which databases lie together."""
    with _platform(org) as platform:
        found = platform.groups()
    call.emit(
        lambda: [{"name": each.name, "region": each.region} for each in found],
        lambda: aligned([(each.name, each.region or "") for each in found]),
    )


@command(app, "create")
def create(
    call: Invocation,
    name: _Name,
    *,
    org: _Org = None,
    group: Annotated[
        str, typer.Option("--group", help="The group it lies in, which is there already.", metavar="NAME")
    ] = "default",
) -> None:
    """Make an empty database."""
    with _platform(org) as platform:
        made = platform.create(name, group=group)
    call.emit(lambda: {"action": "created", **_document(made)}, lambda: [f"CREATED {made.name} at {made.url}"])
    call.say(f"use it: td turso token {made.name} | td init --mode turso --url {made.url} --token-stdin")


@command(app, "delete")
def delete(
    call: Invocation,
    name: _Name,
    *,
    org: _Org = None,
    force: Annotated[bool, typer.Option("--force", help="Do it; nothing brings it back.")] = False,
) -> None:
    """Delete a database with all that it holds, for everybody."""
    with _platform(org) as platform:
        found = platform.database(name)
        if not force:
            told = f"{found.name} at {found.url} would be gone, for everybody and for good"
            raise UsageError(told, "if that is meant, add --force")
        platform.delete(name)
    call.emit(lambda: {"action": "deleted", **_document(found)}, lambda: [f"DELETED {found.name}"])


@command(app, "token")
def token(
    call: Invocation,
    name: _Name,
    *,
    org: _Org = None,
    ttl: Annotated[str, typer.Option("--ttl", help="How long it holds, as 30d or 8h.", metavar="TIME")] = "30d",
    read_only: Annotated[bool, typer.Option("--read-only", help="It may not write.")] = False,
) -> None:
    """Make a token for a database, and print it: this once, and nowhere else."""
    span = days.parse_span("--ttl", ttl)
    with _platform(org) as platform:
        made = platform.mint_token(name, ttl=span, read_only=read_only)
    role = "ro" if read_only else "rw"
    call.emit(
        lambda: {"action": "minted", "database": name, "role": role, "ttl_s": int(span.total_seconds()), "token": made},
        lambda: [made],
    )


@command(app, "invalidate")
def invalidate(
    call: Invocation,
    name: _Name,
    *,
    org: _Org = None,
    force: Annotated[bool, typer.Option("--force", help="Do it; everybody needs a new token then.")] = False,
) -> None:
    """End all tokens of a database at once, for everybody."""
    if not force:
        raise UsageError(f"everybody who uses {name} would need a new token", "if that is meant, add --force")
    with _platform(org) as platform:
        platform.invalidate_tokens(name)
    call.emit(
        lambda: {"action": "invalidated", "database": name},
        lambda: [f"INVALIDATED all tokens of {name}"],
    )
    call.say(f"td turso token {name} makes a new one")


def _document(database: "Database") -> dict[str, object]:
    return {
        "name": database.name,
        "url": database.url,
        "group": database.group,
        "region": database.region,
        "protected": database.is_protected,
    }


@contextmanager
def _platform(org: str | None) -> "Iterator[TursoPlatform]":
    # Only who asks Turso pays for it.
    from sqld.turso import API_URL, TursoPlatform  # noqa: PLC0415 - see above

    organisation = (org or os.environ.get(ORGANISATION_VARIABLE, "")).strip()
    if not organisation:
        raise InvalidValueError("no organisation is named", f"name it with --org, or in {ORGANISATION_VARIABLE}")
    base_url = os.environ.get(BASE_URL_VARIABLE, "").strip() or API_URL
    with _told(), TursoPlatform(organisation, _platform_token(), base_url=base_url) as platform:
        yield platform


def _platform_token() -> str:
    """That of the environment, or else the one that is kept. Raises AuthError or TursoTokenError."""
    from auth.errors import NoKeyringError  # noqa: PLC0415 - see above
    from sqld.turso_errors import TursoTokenError  # noqa: PLC0415 - see above

    given = os.environ.get(PLATFORM_TOKEN_VARIABLE, "").strip() or None
    # A machine that can keep nothing has kept nothing.
    with suppress(NoKeyringError):
        given = given or user_vault().read(_KEPT_AS)
    if given is None:
        raise TursoTokenError(
            "there is no platform token",
            "make one with turso auth api-tokens mint NAME; give it in TURSO_API_TOKEN, or to td turso login",
        )
    return given


def _where(vault: "Vault") -> str:
    return "vault" if vault.kind == "file" else "keyring"


@contextmanager
def _told() -> "Iterator[None]":
    # Only who asks Turso pays for these.
    from auth.errors import AuthError  # noqa: PLC0415 - see above
    from sqld.turso_errors import TursoError  # noqa: PLC0415 - see above

    try:
        yield
    except (AuthError, TursoError) as error:
        raise ForeignError(error.code, str(error), error.hint) from error
