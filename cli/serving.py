"""The directory of a server with tenants, as the commands of td sqld open it.

Always true: the vault is opened only by what needs a secret, and a person is asked for its passphrase at most once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auth.errors import AuthError
from cli.errors import ForeignError, InterruptedByPersonError
from cli.passphrase import asking
from sqld.errors import PortTakenError, SqldError, StartError
from sqld.registry import Registry
from sqld.state import STATE_VARIABLE, State, default_directory
from tracker import days, moment_text

if TYPE_CHECKING:
    from auth.vault import Vault
    from sqld.tenants import Tenancy

OTHER_PORTS: Final = "stop what listens there, or choose others: td sqld init --port N --admin-port N --gateway-port N"
"""What to do where a port of a server is taken."""

StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="The directory of the server. Default: TD_SQLD_STATE, or a place of your user.",
        show_default=False,
        metavar="DIR",
    ),
]

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the data is. Default: a directory of your user.",
        show_default=False,
        metavar="DIR",
    ),
]


class Serving:
    """A server's directory while a command works on it."""

    def __init__(self, state: State, registry: Registry) -> None:
        self.state, self.registry = state, registry
        self.vault = vault_of(state)

    def tenancy(self) -> "Tenancy":
        """Its tenants. Raises SqldError, AuthError."""
        return self.state.tenancy(self.registry, self.vault)


def state_at(directory: Path | None) -> State:
    """The server's directory that is meant."""
    return State(default_directory(os.environ) if directory is None else directory)


def has_state() -> bool:
    """Whether a server with tenants is meant where nothing is said: one is named by the environment, or set up."""
    # What is typed may be too long for a name: then there is none.
    return bool(os.environ.get(STATE_VARIABLE)) or os.path.exists(state_at(None).settings_path)  # noqa: PTH110 - see above


def default_data_dir() -> Path:
    """Where the data of sqld are, if nobody says otherwise."""
    place = state_at(None)
    return place.data_dir if has_state() else place.directory


def vault_of(state: State) -> "Vault":
    """Its vault, which finds out what opens it when it is first needed."""
    # Only who serves pays for these.
    from auth.file_vault import FileVault  # noqa: PLC0415 - see above
    from auth.vault_key import find_opener  # noqa: PLC0415 - see above

    return FileVault(state.vault_path, partial(find_opener, os.environ, asking(state.vault_path)))


@contextmanager
def serving(directory: Path | None) -> Iterator[Serving]:
    """A server's directory, opened for one command. Raises ForeignError for all that goes wrong with it."""
    state = state_at(directory)
    with told(), state.registry() as registry:
        yield Serving(state, registry)


@contextmanager
def told() -> Iterator[None]:
    """Tell errors of the server as td does. Raises ForeignError."""
    try:
        yield
    except (SqldError, AuthError) as error:
        raise ForeignError(error.code, str(error), error.hint) from error


def span_s(option: str, typed: str) -> int:
    """A length of time that was typed, as 12h or 30d, in seconds. Raises InvalidFieldError."""
    return int(days.parse_span(option, typed).total_seconds())


def stamp(seconds: float) -> str:
    """A moment of the registry, as td writes moments."""
    return moment_text(datetime.fromtimestamp(seconds, UTC))


def stamp_or_none(seconds: float | None) -> str | None:
    """The same of one that may not have come."""
    return None if seconds is None else stamp(seconds)


@contextmanager
def ending(stopped: str, *, other_ports: str = OTHER_PORTS) -> Iterator[None]:
    """Tell how what runs until somebody stops it ended. stopped: what to say of a Ctrl-C.

    Raises ForeignError, InterruptedByPersonError.
    """
    try:
        yield
    except PortTakenError as error:
        raise ForeignError(error.code, str(error), other_ports) from error
    except StartError as error:
        raise ForeignError(
            error.code, f"sqld did not start: {error.reason}", f"the end of {error.log_path} tells why"
        ) from error
    except SqldError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    except KeyboardInterrupt:
        raise InterruptedByPersonError(stopped) from None
