"""`td sqld`: run a primary of your own."""

from pathlib import Path
from typing import Annotated

import typer

from cli.errors import ForeignError, InterruptedByPersonError
from cli.invocation import Invocation, command, shared_options
from cli.output import print_json, print_lines
from sqld import PortTakenError, Server, SqldError, StartError, find_sqld

app = typer.Typer(name="sqld", help="Run a primary of your own.")


shared_options(app)


@command(app, "run")
def run(
    call: Invocation,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0: any free port.", metavar="N")
    ] = 8080,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            help="Where the data is. Default: a directory of your user.",
            show_default=False,
            metavar="DIR",
        ),
    ] = None,
) -> None:
    """Run sqld on this machine until Ctrl-C."""
    try:
        with Server(find_sqld(), port=port or None, data_dir=data_dir or _default_data_dir()) as server:
            _tell(call, server)
            ended = server.wait()
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
    raise ForeignError("sqld_ended", f"sqld ended by itself with exit code {ended}", f"see {server.log_path}")


def _default_data_dir() -> Path:
    # Only this command pays for it.
    from platformdirs import user_data_path  # noqa: PLC0415 - see above

    return user_data_path("replica-toolkit", appauthor=False) / "sqld"


def _tell(call: Invocation, server: Server) -> None:
    if call.as_json:
        print_json(
            {
                "url": server.url,
                "pid": server.pid,
                "version": server.version(),
                "data_dir": str(server.data_dir),
                "log": str(server.log_path),
            }
        )
        return
    print_lines([f"sqld {server.version()} answers at {server.url}", f"data and log in {server.data_dir}"])
    call.say(f"use it: td init --url {server.url}    stop it: Ctrl-C")
