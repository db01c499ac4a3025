"""`td init`: start tracking issues in a directory."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.config import Config, is_config_in, make_config, parse_mode, save_config
from cli.credentials import TOKEN_VARIABLE, keep_token, read_token_line
from cli.documents import sync_document
from cli.errors import AlreadyInitialisedError, InvalidValueError
from cli.exits import error_document
from cli.invocation import Invocation, command
from cli.output import print_json, print_lines
from cli.place import make_directory, open_place, target_directory
from cli.progress import working
from tracker import Mode, ReplicaError, SyncReport, refuse_open_token

app = typer.Typer()


@command(app, "init")
def init(
    call: Invocation,
    mode: Annotated[
        str | None,
        typer.Option(
            "--mode", help="local, libsql, turso or remote. Default: local, or what fits the URL.", metavar="MODE"
        ),
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help="Where the primary is.", metavar="URL")] = None,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read the primary's token from stdin and keep it in the keyring.")
    ] = False,
) -> None:
    """Start tracking issues in a directory."""
    directory = target_directory(call.work_dir)
    if is_config_in(directory):
        raise AlreadyInitialisedError(directory)
    config = make_config(None if mode is None else parse_mode(mode), url)
    if config.mode is Mode.LOCAL and (url is not None or token_stdin):
        raise InvalidValueError("mode local has no primary", "leave out --mode, or name libsql, turso or remote")
    config = _with_token(config, read_token_line(sys.stdin) if token_stdin else None)
    make_directory(directory)
    report, trouble = _open_first(call, directory, config)
    _tell(call, directory, config, report, trouble)


def _with_token(config: Config, token: str | None) -> Config:
    if config.url is not None:
        refuse_open_token(config.url, token or os.environ.get(TOKEN_VARIABLE))
    return config if token is None else make_config(config.mode, config.url, keep_token(token))


def _open_first(call: Invocation, directory: Path, config: Config) -> tuple[SyncReport | None, ReplicaError | None]:
    """Make the files, then write the config: what is not whole does not count as initialised."""
    if config.mode is Mode.REMOTE:
        # Opening asks the primary, which may not be there yet; that is no reason not to write down where it is.
        save_config(directory, config)
        try:
            open_place(directory, config).replica.close()
        except ReplicaError as error:
            return None, error
        return None, None
    with open_place(directory, config) as tracker:
        save_config(directory, config)
        if config.mode is Mode.LOCAL:
            return None, None
        with working(f"fetching from {config.url}", quiet=call.as_json):
            report = tracker.replica.sync()
    return report, report.error


def _tell(
    call: Invocation, directory: Path, config: Config, report: SyncReport | None, trouble: ReplicaError | None
) -> None:
    if call.as_json:
        print_json(
            {
                "action": "initialised",
                "directory": str(directory),
                **config.document(),
                "sync": None if report is None else sync_document(report),
                "error": None if trouble is None else error_document(trouble),
            }
        )
        return
    print_lines([f"INITIALISED {directory} (mode {config.mode})"])
    if trouble is not None:
        told = error_document(trouble)
        call.say(f"td: the first sync did not work: {told['message']}; write as you like, and run td sync later")
