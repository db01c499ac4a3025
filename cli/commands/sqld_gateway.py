"""`td sqld gateway` and `td sqld up`: let the people of each tenant in, and nobody else."""

import os
import time
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from auth.sign_in import is_safe_url
from cli.errors import ForeignError, UsageError
from cli.invocation import Invocation
from cli.output import print_json, print_lines
from cli.serving import Serving, StateDir, ending, serving
from sqld import Server, SqldError, find_sqld
from sqld.tenants import Tenancy

if TYPE_CHECKING:
    from sqld.nginx import Nginx
    from sqld.proxy import ProxySettings

_LOOK_EVERY_S: Final = 1.0
_SETTLE_EVERY_S: Final = 60.0


def gateway(
    call: Invocation,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.", metavar="ADDRESS")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Where to listen. Default: as set up.", show_default=False, metavar="N"
        ),
    ] = None,
    show_admin_key: Annotated[
        bool, typer.Option("--show-admin-key", help="Print what /admin and /metrics want, and end.")
    ] = False,
    state: StateDir = None,
) -> None:
    """Say for an nginx whose each token is, until Ctrl-C.

    Its sqld is on this machine, or in a container with the same network: a token goes over plain http to nobody else.
    Lines of JSON on stderr tell of each request.
    """
    with serving(state) as here, ending("the gateway is stopped"):
        settings = here.state.settings()
        if show_admin_key:
            _show_admin_key(call, here)
            return
        _need_the_extra()
        # Only who serves pays for these.
        from cli.letting_in import parts_of  # noqa: PLC0415 - see above
        from sqld.gateway import make_app, serve  # noqa: PLC0415 - see above

        primary_url = f"http://127.0.0.1:{settings.http_port}"
        port = port or settings.gateway_port
        app = make_app(parts_of(here, primary_url))
        document: dict[str, object] = {
            "url": _url(host, port),
            "pid": os.getpid(),
            "primary": primary_url,
            "state": str(here.state.directory),
        }
        serve(app, host=host, port=port, ready=lambda: _tell_gateway(call, document))
        raise KeyboardInterrupt


def up(
    call: Invocation,
    listen: Annotated[
        str, typer.Option("--listen", help="The public address.", metavar="ADDRESS:PORT")
    ] = "127.0.0.1:8083",
    certificate: Annotated[
        Path | None,
        typer.Option("--certificate", help="Speak TLS with this (PEM).", show_default=False, metavar="FILE"),
    ] = None,
    certificate_key: Annotated[
        Path | None, typer.Option("--certificate-key", help="Its key (PEM).", show_default=False, metavar="FILE")
    ] = None,
    state: StateDir = None,
) -> None:
    """Run all of a server with tenants until Ctrl-C: sqld, the gateway and nginx.

    Its people connect to the public address, with a token each.
    """
    with serving(state) as here, ending("sqld, the gateway and nginx are stopped, the data are kept"):
        _need_the_extra()
        _check_address(listen)
        # Only who serves pays for these.
        from cli.letting_in import parts_of  # noqa: PLC0415 - see above
        from sqld.deployment import proxy_settings  # noqa: PLC0415 - see above
        from sqld.gateway import answering, log_to_stderr, make_app  # noqa: PLC0415 - see above
        from sqld.nginx import Nginx  # noqa: PLC0415 - see above

        settings = here.state.settings()
        with ExitStack() as stack:
            server = stack.enter_context(here.state.server(find_sqld(), here.vault, environ=os.environ))
            tenancy = here.tenancy()
            for name in tenancy.settle():
                call.say(f"sqld has no database for the tenant {name}: restore a backup of it")
            log_to_stderr()
            app = make_app(parts_of(here, server.url))
            stack.enter_context(answering(app, port=settings.gateway_port))
            proxy = proxy_settings(
                settings,
                # nginx reads a path that is not whole from its own directory.
                here.state.directory.absolute() / "nginx",
                listen=listen,
                certificate=certificate,
                certificate_key=certificate_key,
            )
            nginx = stack.enter_context(Nginx(proxy))
            _tell_all(call, here, proxy, server)
            _watch(call, tenancy, server, nginx)


def _watch(call: Invocation, tenancy: Tenancy, server: Server, nginx: "Nginx") -> None:
    """Look after all of them until one ends. Raises ForeignError then."""
    settle_at = time.monotonic() + _SETTLE_EVERY_S
    while True:
        if (ended := server.wait(_LOOK_EVERY_S)) is not None:
            raise ForeignError("sqld_ended", f"sqld ended by itself with exit code {ended}", f"see {server.log_path}")
        if (ended := nginx.wait(0)) is not None:
            raise ForeignError("sqld_ended", f"nginx ended by itself with exit code {ended}", f"see {nginx.errors_log}")
        if time.monotonic() > settle_at:
            settle_at = time.monotonic() + _SETTLE_EVERY_S
            try:
                tenancy.close_old_keys()
            except SqldError as error:
                call.say(f"old keys are not closed yet: {error}")


def _tell_gateway(call: Invocation, document: dict[str, object]) -> None:
    if call.as_json:
        print_json(document)
        return
    print_lines([f"the gateway answers at {document['url']}", f"sqld is at {document['primary']}"])
    call.say("put an nginx before it, as td sqld up does    stop it: Ctrl-C")


def _tell_all(call: Invocation, here: Serving, proxy: "ProxySettings", server: Server) -> None:
    scheme = "http" if proxy.certificate is None else "https"
    url = here.state.settings().public_url or f"{scheme}://{proxy.listen}"
    if call.as_json:
        print_json(
            {
                "url": url,
                "pid": os.getpid(),
                "gateway": f"http://{proxy.gateway}",
                "primary": server.url,
                "state": str(here.state.directory),
                "log": str(proxy.directory / "nginx-requests.log"),
            }
        )
        return
    print_lines([f"tenants are let in at {url}", f"data and logs in {here.state.directory}"])
    if proxy.certificate is None and not is_safe_url(f"http://{proxy.listen}"):
        call.say(f"{proxy.listen} speaks plain http, where td shows no token: put what speaks TLS before it")
    call.say("let somebody in: td sqld token mint    stop it: Ctrl-C")


def _show_admin_key(call: Invocation, here: Serving) -> None:
    from sqld.state import GATEWAY_ADMIN_KEY, read_key  # noqa: PLC0415 - only this needs it

    key = read_key(here.vault, GATEWAY_ADMIN_KEY)
    call.emit(lambda: {"admin_key": key}, lambda: [key])


def _check_address(listen: str) -> None:
    host, colon, port = listen.rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(
            f"{listen[:60]!a} is not an address to listen on", "for example 127.0.0.1:8083, or 0.0.0.0:443"
        )


def _need_the_extra() -> None:
    if any(find_spec(name) is None for name in ("starlette", "uvicorn", "prometheus_client")):
        raise ForeignError(
            "sqld_no_gateway",
            "the gateway is not installed",
            "pip install 'replica-toolkit[gateway]' and call it again",
        )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
