"""`td sqld proxy-config`: the configuration of an nginx that td does not start itself."""

from pathlib import Path
from typing import Annotated

import typer

from cli.invocation import Invocation
from cli.serving import StateDir, state_at, told

Listen = Annotated[str, typer.Option("--listen", help="The public address, as 0.0.0.0:443.", metavar="ADDRESS")]


def proxy_config(
    call: Invocation,
    *,
    listen: Listen,
    directory: Annotated[Path, typer.Option("--directory", help="Where nginx may write.", metavar="DIR")],
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="A PEM file, with its chain.", show_default=False, metavar="FILE"),
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", help="Its key.", show_default=False, metavar="FILE")
    ] = None,
    log: Annotated[
        str | None,
        typer.Option(
            "--log",
            help="Where nginx logs: a file, or syslog:server=...; default: in its directory.",
            show_default=False,
            metavar="WHERE",
        ),
    ] = None,
    state: StateDir = None,
) -> None:
    """Print the nginx.conf of a server, for an nginx that td does not start."""
    # Only who serves pays for these.
    from sqld.deployment import proxy_settings  # noqa: PLC0415 - see above
    from sqld.proxy import render_nginx  # noqa: PLC0415 - see above

    with told():
        made = proxy_settings(
            state_at(state).settings(),
            # nginx reads a path that is not whole from its own directory.
            directory.absolute(),
            listen=listen,
            certificate=None if certificate is None else certificate.absolute(),
            certificate_key=None if certificate_key is None else certificate_key.absolute(),
            log=log,
        )
        text = render_nginx(made)
    call.emit(lambda: {"config": text}, text.splitlines)
