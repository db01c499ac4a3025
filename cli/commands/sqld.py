"""`td sqld`: run a primary of your own, with tenants or without, back it up and restore it."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.commands.sqld_backup import backup, restore
from cli.commands.sqld_gateway import gateway, up
from cli.commands.sqld_proxy import proxy_config
from cli.commands.sqld_read_replica import read_replica
from cli.commands.sqld_status import status
from cli.commands.sqld_tenants import app as tenants
from cli.commands.sqld_tokens import keys, tokens
from cli.errors import ForeignError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.output import print_json, print_lines
from cli.server_options import (
    AdminPort,
    CreatesTenants,
    GatewayPort,
    PortOf,
    PublicUrl,
    ReadReplicas,
    ReplicationAddress,
    RequestsPerMinute,
    WorkOSAudience,
    WorkOSClientId,
    WorkOSIssuer,
    WorkOSUrl,
)
from cli.serving import (
    DataDir,
    Serving,
    StateDir,
    default_data_dir,
    ending,
    has_state,
    serving,
    state_at,
    told,
    vault_of,
)
from cli.text import aligned
from sqld import Server, SqldError, find_sqld
from sqld.state import set_up

_STOPPED: Final = "sqld is stopped, its data are kept; td sqld run starts it again"
_OTHER_PORT: Final = "choose another with --port, or any free one with --port 0"

app = typer.Typer(name="sqld", help="Run a primary of your own, keep teams apart, back it up.")

_PORT = 8080
# How often keys whose time is over are looked for.
_SETTLE_EVERY_S = 60.0

shared_options(app)
command(app, "gateway")(gateway)
command(app, "up")(up)
command(app, "status")(status)
command(app, "backup")(backup)
command(app, "restore")(restore)
command(app, "read-replica")(read_replica)
command(app, "proxy-config")(proxy_config)
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
    replication_address: ReplicationAddress = None,
    read_replicas: ReadReplicas = None,
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
        "replication_address": replication_address,
        "read_replicas": read_replicas,
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
    document = {"state": str(made.directory), **settings.model_dump(mode="json", exclude={"version", "closed_key"})}
    call.emit(
        lambda: document,
        lambda: [
            f"SET UP {made.directory}",
            *aligned([(f"  {name}", _shown(value)) for name, value in document.items() if value and name != "state"]),
        ],
    )
    call.say(f"start it: td sqld up --state {made.directory}, or td sqld run --state {made.directory} for sqld alone")
    call.say("keep copies of it and of its vault key apart")


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
    with ending(_STOPPED, other_ports=_OTHER_PORT):
        if state is not None or (data_dir is None and has_state()):
            with serving(state) as here:
                _run_with_tenants(call, here, port)
        else:
            port = _PORT if port is None else port
            with Server(find_sqld(), port=port or None, data_dir=data_dir or default_data_dir()) as server:
                _tell(call, server)
                _ended(server, server.wait())


def _run_with_tenants(call: Invocation, here: Serving, port: int | None) -> None:
    with ending(_STOPPED), here.state.server(find_sqld(), here.vault, port=port, environ=os.environ) as server:
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
    call.say("it asks nobody for a token: other users of this machine, and web pages in your browser, may open it too")
    call.say("td sqld init sets up one that asks")
    call.say(f"use it: td init --url {server.url}    stop it: Ctrl-C")
