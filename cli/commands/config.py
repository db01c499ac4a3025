"""`td config`: how this directory is set up."""

from dataclasses import replace
from typing import Annotated, Final

import typer

from cli.config import Config, make_config, parse_mode, save_config
from cli.errors import InvalidValueError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.place import Place, open_place
from tracker import IssueFilter, Mode

app = typer.Typer(name="config", help="See and change how this directory is set up.")

shared_options(app)

_KEYS: Final = ("mode", "url")

_Key = Annotated[str, typer.Argument(help="mode or url.", metavar="KEY")]


@command(app, "get")
def get(call: Invocation, key: _Key) -> None:
    """Print one setting."""
    name = _known(key)
    value = call.place().stored.document()[name]
    call.emit(lambda: {"key": name, "value": value}, lambda: [] if value is None else [value])


@command(app, "set")
def set_value(
    call: Invocation, key: _Key, value: Annotated[str, typer.Argument(help="The new value.", metavar="VALUE")]
) -> None:
    """Change one setting."""
    name = _known(key)
    place = call.place()
    old = place.stored
    if name == "mode":
        new = make_config(parse_mode(value), old.url, old.credential)
    else:
        new = make_config(old.mode, value, old.credential)
    _change(call, place, name, new)


@command(app, "unset")
def unset(call: Invocation, key: _Key) -> None:
    """Go back to the default of one setting."""
    name = _known(key)
    place = call.place()
    new = replace(place.stored, mode=Mode.LOCAL) if name == "mode" else make_config(place.stored.mode, None)
    _change(call, place, name, new)


@command(app, "list")
def list_settings(call: Invocation) -> None:
    """Print all settings."""
    document = call.place().stored.document()
    call.emit(lambda: document, lambda: [f"{name} = {value}" for name, value in document.items() if value is not None])


def _known(key: str) -> str:
    name = key.strip().lower()
    if name == "token":
        raise InvalidValueError(
            "a token is never kept in the config", "set TD_DATABASE_TOKEN, or keep it with td init --token-stdin"
        )
    if name not in _KEYS:
        raise InvalidValueError(f"there is no setting {key[:40]!a}", f"use one of {', '.join(_KEYS)}")
    return name


def _change(call: Invocation, place: Place, name: str, new: Config) -> None:
    if new != place.stored:
        _check_nothing_hidden(place, new)
        save_config(place.directory, new)
    value = new.document()[name]
    call.emit(
        lambda: {"action": "configured", "key": name, "value": value},
        lambda: [f"{name} = {value}" if value is not None else f"{name} is not set"],
    )


def _check_nothing_hidden(place: Place, new: Config) -> None:
    """Refuse a change after which what is here would not be seen, or would go to another primary."""
    old = place.stored
    with open_place(place.directory, old) as tracker:
        if tracker.replica.pending():
            raise UsageError("there are changes here that the primary does not have yet", "run td sync first")
        if Mode.LOCAL not in (old.mode, new.mode) or old.mode is new.mode:
            return
        if tracker.find(IssueFilter(with_closed=True, with_deleted=True, limit=1)):
            raise UsageError(
                f"the issues here are kept in mode {old.mode} and would not be seen in mode {new.mode}",
                "run td init --mode … --url … in another directory",
            )
