"""What can be said of a server when it is set up (`td sqld init`)."""

from typing import Annotated

import typer


def _port(name: str, text: str) -> object:
    return typer.Option(name, min=1, max=65535, help=text, show_default=False, metavar="N")


PortOf = Annotated[int | None, _port("--port", "Where to listen.")]
AdminPort = Annotated[int | None, _port("--admin-port", "Where td commands it.")]
GatewayPort = Annotated[int | None, _port("--gateway-port", "Where the gateway listens.")]
PublicUrl = Annotated[
    str | None, typer.Option("--public-url", help="What clients are to connect to.", show_default=False, metavar="URL")
]
ReplicationAddress = Annotated[
    str | None,
    typer.Option(
        "--replication-address",
        help="Where read replicas fetch from, without a token: let nobody else reach it.",
        show_default=False,
        metavar="ADDRESS:PORT",
    ),
]
ReadReplicas = Annotated[
    list[str] | None,
    typer.Option(
        "--read-replica",
        help="Where td commands a read replica, for td sqld status; can be repeated.",
        show_default=False,
        metavar="ADDRESS:PORT",
    ),
]
RequestsPerMinute = Annotated[
    int | None,
    typer.Option("--requests-per-minute", min=1, help="How many a token may make.", show_default=False, metavar="N"),
]
WorkOSClientId = Annotated[
    str | None,
    typer.Option(
        "--workos-client-id", help="The application whose people may sign in.", show_default=False, metavar="ID"
    ),
]
WorkOSUrl = Annotated[
    str | None,
    typer.Option("--workos-url", help="Where WorkOS is, if elsewhere.", show_default=False, metavar="URL"),
]
WorkOSIssuer = Annotated[
    str | None,
    typer.Option("--workos-issuer", help="Whom its tokens name, if not WorkOS.", show_default=False, metavar="TEXT"),
]
WorkOSAudience = Annotated[
    str | None,
    typer.Option("--workos-audience", help="What its tokens must be for.", show_default=False, metavar="TEXT"),
]
CreatesTenants = Annotated[
    bool | None,
    typer.Option(
        "--create-tenants/--no-create-tenants",
        help="Make the tenant of an organisation when its first person comes.",
        show_default=False,
    ),
]
