"""`td sqld`: run a primary of your own, back it up and restore it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import ForeignError, InterruptedByPersonError
from cli.invocation import Invocation, command, shared_options
from cli.output import print_json, print_lines
from cli.progress import measured
from cli.text import aligned
from sqld import Manifest, PortTakenError, Server, SqldError, StartError, back_up, find_sqld, restore_backup

app = typer.Typer(name="sqld", help="Run a primary of your own; back it up, restore it.")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where the data is. Default: a directory of your user.",
        show_default=False,
        metavar="DIR",
    ),
]


shared_options(app)


@command(app, "run")
def run(
    call: Invocation,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0: any free port.", metavar="N")
    ] = 8080,
    data_dir: DataDir = None,
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
