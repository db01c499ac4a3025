"""`td sqld read-replica`: a second sqld, which follows that of a server and serves reads of all tenants."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import ForeignError, UsageError
from cli.invocation import Invocation
from cli.output import print_json, print_lines
from cli.serving import StateDir, ending, serving
from sqld import Server, find_sqld


def read_replica(
    call: Invocation,
    *,
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Where it keeps its copy.", metavar="DIR")],
    primary: Annotated[
        str | None,
        typer.Option(
            "--primary",
            help="The replication address of the server. Default: as set up.",
            show_default=False,
            metavar="ADDRESS:PORT",
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Where to listen.", metavar="N")] = 8084,
    admin_port: Annotated[
        int, typer.Option("--admin-port", min=1, max=65535, help="Where td commands it.", metavar="N")
    ] = 8085,
    state: StateDir = None,
) -> None:
    """Run a read replica of a server with tenants until Ctrl-C.

    It serves reads with the same tokens, also while the server is down, and refuses writes.
    """
    # Only who serves pays for these.
    from sqld.deployment import LOOPBACK  # noqa: PLC0415 - see above
    from sqld.state import ADMIN_KEY, read_key, read_replica_flags, sqld_environ  # noqa: PLC0415 - see above

    with serving(state) as here:
        settings = here.state.settings()
        admin_key = read_key(here.vault, ADMIN_KEY)
    source = primary or settings.replication_address
    if source is None:
        raise UsageError(
            "the server has no replication address",
            "td sqld init --replication-address 127.0.0.1:8086, and start it again; or give --primary",
        )
    flags = read_replica_flags(admin_listen=f"{LOOPBACK}:{admin_port}", primary=source)
    server = Server(
        find_sqld(),
        port=port,
        data_dir=data_dir,
        flags=flags,
        environ=sqld_environ(settings, admin_key, os.environ),
    )
    with ending("the read replica is stopped, its copy is kept", other_ports="choose another with --port"), server:
        _tell(call, server, source)
        code = server.wait()
    raise ForeignError("sqld_ended", f"sqld ended by itself with exit code {code}", f"see {server.log_path}")


def _tell(call: Invocation, server: Server, source: str) -> None:
    if call.as_json:
        print_json(
            {
                "url": server.url,
                "pid": server.pid,
                "primary": source,
                "data_dir": str(server.data_dir),
                "log": str(server.log_path),
            }
        )
        return
    print_lines([f"a read replica of {source} answers at {server.url}", f"data and log in {server.data_dir}"])
    call.say("stop it: Ctrl-C")
