"""`td sqld`: run a primary of your own, with tenants or without, back it up and restore it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.sqld_gateway import gateway, up
from cli.commands.sqld_tenants import app as tenants
from cli.commands.sqld_tokens import keys, tokens
from cli.errors import ForeignError, InterruptedByPersonError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.output import print_json, print_lines
from cli.progress import measured
from cli.server_options import (
    AdminPort,
    CreatesTenants,
    GatewayPort,
    PortOf,
    PublicUrl,
    RequestsPerMinute,
    WorkOSAudience,
    WorkOSClientId,
    WorkOSIssuer,
    WorkOSUrl,
)
from cli.serving import Serving, StateDir, serving, state_at, told, vault_of
from cli.text import aligned
from sqld import Manifest, PortTakenError, Server, SqldError, StartError, back_up, find_sqld, restore_backup
from sqld.state import STATE_VARIABLE, set_up

app = typer.Typer(name="sqld", help="Run a primary of your own, keep teams apart, back it up.")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the data is. Default: a directory of your user.",
        show_default=False,
        metavar="DIR",
    ),
]


_PORT = 8080
# How often keys whose time is over are looked for.
_SETTLE_EVERY_S = 60.0

shared_options(app)
command(app, "gateway")(gateway)
command(app, "up")(up)
app.add_typer(tenants)
app.add_typer(tokens)
app.add_typer(keys)


@command(app, "init")
def init(
    call: Invocation,
    *,
    state: StateDir = None,
    port: PortOf = None,
    admin_port: AdminPort = None,
    gateway_port: GatewayPort = None,
    public_url: PublicUrl = None,
    requests_per_minute: RequestsPerMinute = None,
    workos_client_id: WorkOSClientId = None,
    workos_url: WorkOSUrl = None,
    workos_issuer: WorkOSIssuer = None,
    workos_audience: WorkOSAudience = None,
    creates_tenants: CreatesTenants = None,
) -> None:
    """Set up a primary with tenants, or what is missing of one.

    Its secrets are in an encrypted file; TD_VAULT_KEY or TD_VAULT_PASSPHRASE opens it, or what you type. What is there
    already is kept, and only what is given is changed.
    """
    given = {
        "http_port": port,
        "admin_port": admin_port,
        "gateway_port": gateway_port,
        "public_url": public_url,
        "requests_per_minute": requests_per_minute,
        "workos_client_id": workos_client_id,
        "workos_url": workos_url,
        "workos_issuer": workos_issuer,
        "workos_audience": workos_audience,
        "creates_tenants": creates_tenants,
    }
    place = state_at(state)
    with told():
        made = set_up(
            place.directory, vault_of(place), **{name: value for name, value in given.items() if value is not None}
        )
        settings = made.settings()
    document = {"state": str(made.directory), **settings.model_dump(exclude={"version", "closed_key"})}
    call.emit(
        lambda: document,
        lambda: [
            f"SET UP {made.directory}",
            *aligned([(f"  {name}", str(value)) for name, value in document.items() if value and name != "state"]),
        ],
    )
    call.say(f"start it: td sqld run --state {made.directory}; keep copies of it and of its vault key apart")


@command(app, "run")
def run(
    call: Invocation,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            min=0,
            max=65535,
            help="Where to listen; 0: any free port. Default: 8080, or as set up.",
            show_default=False,
            metavar="N",
        ),
    ] = None,
    data_dir: DataDir = None,
    state: StateDir = None,
) -> None:
    """Run sqld on this machine until Ctrl-C.

    With --state, or where td sqld init was called, it has tenants; else, and with --data-dir, it has one database that
    anybody may open who can reach it.
    """
    if data_dir is not None and state is not None:
        raise UsageError("--data-dir and --state name two places", "give --state for a server with tenants")
    with _explained():
        if state is not None or (data_dir is None and _has_state()):
            with serving(state) as here:
                _run_with_tenants(call, here, port)
        else:
            port = _PORT if port is None else port
            with Server(find_sqld(), port=port or None, data_dir=data_dir or _default_data_dir()) as server:
                _tell(call, server)
                _ended(server, server.wait())


def _run_with_tenants(call: Invocation, here: Serving, port: int | None) -> None:
    with _explained(), here.state.server(find_sqld(), here.vault, port=port, environ=os.environ) as server:
        tenancy = here.tenancy()
        missing = tenancy.settle()
        _tell(call, server, state=here.state.directory)
        if (here.state.directory / "dbs").is_dir():
            call.say(f"what sqld kept before in {here.state.directory} is not served; --data-dir names it")
        for name in missing:
            call.say(f"sqld has no database for the tenant {name}: restore a backup of it")
        while (ended := server.wait(_SETTLE_EVERY_S)) is None:
            try:
                tenancy.close_old_keys()
            except SqldError as error:
                call.say(f"old keys are not closed yet: {error}")
        _ended(server, ended)


def _ended(server: Server, code: int | None) -> None:
    raise ForeignError("sqld_ended", f"sqld ended by itself with exit code {code}", f"see {server.log_path}")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except PortTakenError as error:
        raise ForeignError(
            error.code, str(error), "choose another with --port, or any free one with --port 0"
        ) from error
    except StartError as error:
        raise ForeignError(
            error.code, f"sqld did not start: {error.reason}", f"the end of {error.log_path} tells why"
        ) from error
    except SqldError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    except KeyboardInterrupt:
        raise InterruptedByPersonError("sqld is stopped, its data are kept; td sqld run starts it again") from None


@command(app, "backup")
def backup(
    call: Invocation,
    directory: Annotated[
        Path, typer.Argument(help="Where backups are kept; each gets a folder of its own.", metavar="DIR")
    ],
    data_dir: DataDir = None,
) -> None:
    """Copy all that a primary holds, while it runs or not."""
    with _told(), measured(quiet=call.as_json) as progress:
        made = back_up(data_dir or _default_data_dir(), directory, binary=find_sqld(), progress=progress)
    call.emit(
        lambda: {"folder": str(made.folder), **made.manifest.model_dump()},
        lambda: [f"BACKED UP to {made.folder}", *_namespace_lines(made.manifest)],
    )


@command(app, "restore")
def restore(
    call: Invocation,
    folder: Annotated[Path, typer.Argument(help="What td sqld backup made.", metavar="BACKUP")],
    data_dir: DataDir = None,
    replace: Annotated[bool, typer.Option("--replace", help="Set aside what is there; it is kept.")] = False,
) -> None:
    """Put a backup in the place of a primary that is stopped."""
    target = data_dir or _default_data_dir()
    with _told(), measured(quiet=call.as_json) as progress:
        done = restore_backup(folder, target, binary=find_sqld(), replace=replace, progress=progress)
    aside = str(done.set_aside) if done.set_aside is not None else None
    call.emit(
        lambda: {"data_dir": str(done.data_dir), "set_aside": aside, **done.manifest.model_dump()},
        lambda: [
            f"RESTORED {done.data_dir} as it was at {done.manifest.made_at}",
            *_namespace_lines(done.manifest),
            *([f"what was there is kept in {aside}"] if aside is not None else []),
        ],
    )
    call.say(
        "start it as before; at its next sync each client fetches it anew, sends what waits, and tells what is gone"
    )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except SqldError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    except KeyboardInterrupt:
        raise InterruptedByPersonError("nothing was changed, and what was begun is removed") from None


def _namespace_lines(manifest: Manifest) -> list[str]:
    return aligned(
        [
            (f"  {copy.name}", f"tables {len(copy.tables)}", f"rows {sum(copy.tables.values())}", f"bytes {copy.bytes}")
            for copy in manifest.namespaces
        ]
    )


def _has_state() -> bool:
    return bool(os.environ.get(STATE_VARIABLE)) or os.path.exists(state_at(None).settings_path)  # noqa: PTH110 - a name may be too long


def _default_data_dir() -> Path:
    place = state_at(None)
    return place.data_dir if _has_state() else place.directory


def _tell(call: Invocation, server: Server, *, state: Path | None = None) -> None:
    if call.as_json:
        print_json(
            {
                "url": server.url,
                "pid": server.pid,
                "version": server.version(),
                "data_dir": str(server.data_dir),
                "log": str(server.log_path),
                "state": None if state is None else str(state),
            }
        )
        return
    print_lines([f"sqld {server.version()} answers at {server.url}", f"data and log in {server.data_dir}"])
    if state is not None:
        call.say(f"make a tenant: td sqld tenant create NAME --state {state}    stop it: Ctrl-C")
        return
    call.say(f"use it: td init --url {server.url}    stop it: Ctrl-C")
