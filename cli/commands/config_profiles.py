"""`td config profiles`: to which primaries you go, and as whom."""

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from cli.config import make_config, parse_mode
from cli.credentials import keeper_of
from cli.errors import InvalidValueError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.logins import forget_secret
from cli.profiles import Auth, Profile, Profiles, asked_profile, change_profiles, check_name, load_profiles
from cli.text import aligned
from cli.tokens import is_same
from tracker import Mode, check_ca_file

app = typer.Typer(name="profiles", help="See and change to which primaries you go, and as whom.")

shared_options(app)

_Name = Annotated[str, typer.Argument(help="What the profile is called, as work.", metavar="NAME")]


@command(app, "list")
def list_profiles(call: Invocation) -> None:
    """List the profiles; * is before the one in use."""
    profiles = load_profiles(os.environ)
    documents = [_document(profiles, name) for name in sorted(profiles.by_name)]
    call.emit(
        lambda: documents,
        lambda: aligned(
            [
                ("*" if one["in_use"] else " ", str(one["name"]), str(one["auth"]), str(one["url"] or "-"))
                for one in documents
            ]
        ),
    )
    if not documents:
        call.say("there are no profiles; td login makes one")


@command(app, "show")
def show(
    call: Invocation,
    name: Annotated[
        str | None, typer.Argument(help="Which one. Default: the one in use.", metavar="[NAME]", show_default=False)
    ] = None,
) -> None:
    """Show one profile."""
    profiles = load_profiles(os.environ)
    wanted = name or asked_profile(call.profile, os.environ) or profiles.current
    if wanted is None:
        raise InvalidValueError("no profile is in use", "td config profiles list shows them, td login makes one")
    document = _document(profiles, check_name(wanted))
    call.emit(
        lambda: document,
        lambda: aligned([(key, _told(value)) for key, value in document.items()]),
    )


@command(app, "create")
def create(
    call: Invocation,
    name: _Name,
    *,
    url: Annotated[str | None, typer.Option("--url", help="Where the primary is.", metavar="URL")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", help="libsql, turso or remote. Default: what fits the URL.", metavar="MODE")
    ] = None,
    auth: Annotated[
        str | None, typer.Option("--auth", help="none, token or workos; td login sets it.", metavar="WAY")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="The authority that signed the primary's.", metavar="FILE")
    ] = None,
    client_id: Annotated[
        str | None, typer.Option("--client-id", help="The application at WorkOS.", metavar="ID")
    ] = None,
    organisation: Annotated[
        str | None, typer.Option("--organisation", help="The organisation at WorkOS.", metavar="ID")
    ] = None,
    workos_url: Annotated[
        str | None, typer.Option("--workos-url", help="Where WorkOS is, if not at its own address.", metavar="URL")
    ] = None,
    change: Annotated[bool, typer.Option("--change", help="Change one that is there already.")] = False,
) -> None:
    """Make a profile, or change one; the first one is in use at once."""
    check_name(name)
    checked = None if url is None else make_config(None, url).url
    given = {
        "url": checked,
        "mode": None if mode is None else _mode(mode),
        "auth": None if auth is None else _way(auth),
        "ca_file": None if ca_file is None else str(check_ca_file(ca_file)),
        "workos_client_id": client_id,
        "organisation": organisation,
        "workos_url": workos_url,
    }
    left: list[Profile] = []

    def changed(profiles: Profiles) -> Profiles:
        known = profiles.by_name.get(name)
        if known is not None and not change:
            raise UsageError(f"there is a profile {name} already", "change it with --change")
        if known is None and change:
            profiles.get(name)
        old = known or Profile()
        new = replace(old, **{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type] # each is of its field's type
        is_elsewhere = old.url is not None and new.url is not None and not is_same(old.url, new.url)
        if old.credential is not None and (is_elsewhere or new.auth is not old.auth):
            # A secret is for one primary, and of one kind.
            left.append(old)
            new = replace(new, credential=None)
        return profiles.with_profile(name, new)

    profiles = change_profiles(os.environ, changed)
    for one in left:
        forget_secret(one)
    _tell(call, profiles, name, "changed" if change else "created")
    if left:
        call.say(f"what it had is forgotten: td login --profile {name}")


@command(app, "use")
def use(call: Invocation, name: _Name) -> None:
    """Use a profile wherever no other one is asked for or remembered."""

    def changed(profiles: Profiles) -> Profiles:
        profiles.get(check_name(name))
        return replace(profiles, current=name)

    _tell(call, change_profiles(os.environ, changed), name, "in_use")


@command(app, "delete")
def delete(call: Invocation, name: _Name) -> None:
    """Delete a profile, and what the vault keeps for it."""
    profiles = load_profiles(os.environ)
    # A secret that nobody knows of any more would be kept for ever, so it goes first.
    forget_secret(profiles.get(check_name(name)))
    change_profiles(os.environ, lambda known: known.without(name))
    _tell(call, profiles, name, "deleted")


def _mode(typed: str) -> str:
    mode = parse_mode(typed)
    if mode is Mode.LOCAL:
        raise InvalidValueError("mode local has no primary", "a profile is for one: name libsql, turso or remote")
    return mode.value


def _way(typed: str) -> Auth:
    try:
        return Auth(typed.strip().lower())
    except ValueError as error:
        raise InvalidValueError("there is no such way to be let in", f"use one of {', '.join(Auth)}") from error


def _document(profiles: Profiles, name: str) -> dict[str, object]:
    profile = profiles.get(name)
    settings = asdict(profile)
    credential = settings.pop("credential")
    kept_in = None if credential is None else keeper_of(credential)
    return {"name": name, "in_use": profiles.current == name, **settings, "kept_in": kept_in}


def _tell(call: Invocation, profiles: Profiles, name: str, action: str) -> None:
    document = _document(profiles, name)
    told = {"created": "CREATED", "changed": "CHANGED", "in_use": "USING", "deleted": "DELETED"}[action]
    call.emit(lambda: {"action": action, **document}, lambda: [f"{told} profile {name}"])


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
