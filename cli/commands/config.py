"""`td config`: how this directory is set up."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.commands.config_profiles import app as profiles_app
from cli.config import Config, make_config, parse_mode, save_config
from cli.errors import InvalidValueError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.moving import finish, move, moved_document, moved_lines, say_moved
from cli.origins import origins
from cli.place import Place, open_place
from cli.profiles import check_name, load_profiles
from cli.text import aligned
from tracker import IssueFilter, Mode, ReplicaError, check_ca_file, deeds

app = typer.Typer(name="config", help="See and change how this directory is set up.")
app.add_typer(profiles_app)

shared_options(app)

_KEYS: Final = ("mode", "url", "ca_file", "profile", deeds.POLICY_SETTING)

_Key = Annotated[
    str,
    typer.Argument(
        help=f"mode, url, ca_file, profile (also database.mode …), or the whole team's {deeds.POLICY_SETTING}.",
        metavar="KEY",
    ),
]


@command(app, "get")
def get(call: Invocation, key: _Key) -> None:
    """Print one setting."""
    name = _known(key)
    if name == deeds.POLICY_SETTING:
        with call.reading() as tracker:
            value: str | None = deeds.policy(tracker).value
    else:
        value = call.place().stored.document()[name]
    call.emit(lambda: {"key": name, "value": value}, lambda: [] if value is None else [value])


@command(app, "set")
def set_value(
    call: Invocation, key: _Key, value: Annotated[str, typer.Argument(help="The new value.", metavar="VALUE")]
) -> None:
    """Change one setting.

    Another place for the issues moves them there: from a file to a primary, or back.
    """
    name = _known(key)
    if name == deeds.POLICY_SETTING:
        _set_policy(call, value)
        return
    place = call.place()
    old = place.stored
    if name == "mode":
        mode = parse_mode(value)
        if mode is not Mode.LOCAL and old.url is None:
            raise InvalidValueError(f"mode {mode} needs a primary", "td config set url URL sets the mode that fits it")
        new = replace(old, mode=mode, url=None if mode is Mode.LOCAL else old.url)
    elif name == "ca_file":
        new = replace(old, ca_file=str(check_ca_file(Path(value))))
    elif name == "profile":
        new = replace(old, profile=_known_profile(value))
    else:
        # As for td init: without a mode that has a primary, the one that fits the URL.
        made = make_config(None if old.mode is Mode.LOCAL else old.mode, value)
        new = replace(old, mode=made.mode, url=made.url)
    if call.profile is not None and name != "profile":
        new = replace(new, profile=_known_profile(call.profile), credential=None)
    _change(call, place, name, new)


@command(app, "unset")
def unset(call: Invocation, key: _Key) -> None:
    """Go back to the default of one setting."""
    name = _known(key)
    if name == deeds.POLICY_SETTING:
        _set_policy(call, deeds.DEFAULT_POLICY)
        return
    place = call.place()
    if name == "url" and place.stored.mode is not Mode.LOCAL:
        raise InvalidValueError(f"mode {place.stored.mode} needs a primary", "td config unset mode takes both away")
    new = place.stored
    match name:
        case "ca_file":
            new = replace(new, ca_file=None)
        case "profile":
            new = replace(new, profile=None)
        case _:
            new = replace(new, mode=Mode.LOCAL, url=None)
    _change(call, place, name, new)


@command(app, "list")
def list_settings(
    call: Invocation,
    *,
    origin: Annotated[
        bool, typer.Option("--origin", help="What counts for this call, and where each value comes from.")
    ] = False,
) -> None:
    """Print all settings, as they are written down here."""
    place = call.place()
    if origin:
        found = origins(place, call.profile, os.environ)
        call.emit(
            lambda: {name: {"value": one.value, "origin": one.origin, "source": one.source} for name, one in found},
            lambda: aligned([(name, one.value or "-", one.told) for name, one in found]),
        )
        return
    document = place.stored.document()
    # What is the whole team's is in the tracker, and a primary that does not answer is no reason to say nothing.
    with suppress(ReplicaError), place.open() as tracker:
        document[deeds.POLICY_SETTING] = deeds.policy(tracker).value
    call.emit(lambda: document, lambda: [f"{name} = {value}" for name, value in document.items() if value is not None])


def _known_profile(typed: str) -> str:
    """The name of a profile that is there. Raises InvalidValueError."""
    name = check_name(typed)
    load_profiles(os.environ).get(name)
    return name


def _set_policy(call: Invocation, value: str) -> None:
    with call.tracker() as tracker:
        wanted = deeds.set_policy(tracker, value).value
    call.emit(
        lambda: {"action": "configured", "key": deeds.POLICY_SETTING, "value": wanted, "moved": None},
        lambda: [f"{deeds.POLICY_SETTING} = {wanted}"],
    )


def _known(key: str) -> str:
    name = key.strip().lower().removeprefix("database.")
    if name == "token":
        raise InvalidValueError(
            "a token is never kept in the config", "set TD_DATABASE_TOKEN, or keep it encrypted with td login"
        )
    if name not in _KEYS:
        raise InvalidValueError(f"there is no setting {key[:40]!a}", f"use one of {', '.join(_KEYS)}")
    return name


def _change(call: Invocation, place: Place, name: str, new: Config) -> None:
    moved = None
    if new == place.stored:
        finish(place)
    else:
        is_elsewhere = (new.mode, new.url) != (place.stored.mode, place.stored.url)
        moved = move(call, place, new) if is_elsewhere else None
        if moved is None:
            if is_elsewhere:
                _check_nothing_hidden(place, new)
            save_config(place.directory, new)
    old, settings = place.stored.document(), new.document()
    call.emit(
        lambda: {
            "action": "configured",
            "key": name,
            "value": settings[name],
            "moved": None if moved is None else moved_document(*moved),
        },
        lambda: [
            *([] if moved is None else moved_lines(moved[0])),
            *(
                f"{key} = {value}" if value is not None else f"{key} is not set"
                for key, value in settings.items()
                if key == name or value != old[key]
            ),
        ],
    )
    if moved is not None:
        say_moved(call, *moved)


def _check_nothing_hidden(place: Place, new: Config) -> None:
    """Refuse a change after which what is here would not be seen, or would go to another primary."""
    old = place.stored
    with open_place(place.directory, old) as tracker:
        if tracker.replica.pending():
            raise UsageError("there are changes here that the primary does not have yet", "run td sync first")
        if Mode.LOCAL not in (old.mode, new.mode) or old.mode is new.mode:
            return
        if tracker.find(IssueFilter(with_closed=True, with_deleted=True, with_deferred=True, limit=1)):
            # Of the two, only mode remote keeps nothing here that could be moved.
            first = "td config set url URL" if old.mode is Mode.LOCAL else "td config set mode libsql"
            raise UsageError(
                f"the issues here are kept in mode {old.mode} and would not be seen in mode {new.mode}",
                f"by way of mode libsql they can be moved: {first}, then td config set mode {new.mode}",
            )
