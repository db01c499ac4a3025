"""`td init`: start tracking issues in a directory."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.config import Config, is_config_in, is_there, load_config, make_config, parse_mode, save_config
from cli.credentials import TOKEN_VARIABLE, keep_token, keeper_of, read_token_line
from cli.documents import sync_document
from cli.errors import AlreadyInitialisedError, InterruptedByPersonError, InvalidValueError
from cli.exits import error_document
from cli.invocation import Invocation, command
from cli.moving import moved_document, moved_lines, say_moved, source_of, take_in
from cli.output import print_json, print_lines
from cli.place import NAME, check_in_sight, check_no_move, make_directory, open_place, target_directory
from cli.profiles import asked_profile, load_profiles
from cli.progress import working
from cli.tokens import is_same
from tracker import Mode, ReplicaError, SyncReport, check_ca_file, make_way, refuse_open_token

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
        bool,
        typer.Option("--token-stdin", help="Keep the token on stdin, encrypted; without --url: a new one."),
    ] = False,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--ca-file", help="The certificate (PEM) of the authority that signed the primary's.", metavar="FILE"
        ),
    ] = None,
    migrate_from: Annotated[
        Path | None,
        typer.Option(
            "--migrate-from", help="Bring what is in a data.db, or in another .todos, to the primary.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Start tracking issues in a directory."""
    directory = target_directory(call.work_dir)
    if is_config_in(directory):
        if migrate_from is not None:
            raise AlreadyInitialisedError(directory, "td config set url URL moves what is in it to a primary")
        if not token_stdin or mode is not None or url is not None or ca_file is not None:
            raise AlreadyInitialisedError(directory)
        _renew_token(call, directory)
        return
    config = _with_profile(
        call,
        None if mode is None else parse_mode(mode),
        url,
        None if ca_file is None else str(check_ca_file(ca_file)),
    )
    if config.mode is Mode.LOCAL and (url is not None or token_stdin or ca_file is not None):
        raise InvalidValueError("mode local has no primary", "leave out --mode, or name libsql, turso or remote")
    source = None if migrate_from is None else _source(migrate_from, config)
    if source is None or source.parent.resolve() != directory.resolve():
        check_in_sight(directory, config.mode)
    if source is None:
        check_no_move(directory)
    config = _with_token(config, read_token_line(sys.stdin, command="td init") if token_stdin else None)
    if source is not None:
        _migrate(call, directory, config, source)
        return
    with _undone_unless_whole(directory):
        make_directory(directory)
        trouble = _open_first(directory, config)
    report = _first_sync(call, directory, config)
    _tell(call, directory, config, report, trouble if report is None else report.error)


def _with_profile(call: Invocation, mode: Mode | None, url: str | None, ca_file: str | None) -> Config:
    """What is typed, and where it says nothing, what the profile says that is asked for or in use."""
    asked = asked_profile(call.profile, os.environ)
    if mode is Mode.LOCAL and asked is None:
        return make_config(mode, url, ca_file=ca_file)
    profiles = load_profiles(os.environ)
    name = asked or profiles.current
    profile = None if name is None else profiles.get(name)
    if profile is None or mode is Mode.LOCAL or (url is None and profile.url is None):
        return make_config(mode, url, ca_file=ca_file)
    if url is None:
        mode = mode or (None if profile.mode is None else parse_mode(profile.mode))
        config = make_config(mode, profile.url, ca_file=ca_file, profile=name)
        call.say(f"td: profile {name} is for {config.url}")
        return config
    config = make_config(mode, url, ca_file=ca_file)
    if profile.url is not None and is_same(config.url or "", profile.url):
        return replace(config, profile=name)
    if asked is not None:
        raise InvalidValueError(
            f"profile {name} is for {profile.url or 'no primary yet'}, and not for {config.url}",
            f"leave out --url, or make another profile: td login --profile NAME --url {config.url}",
        )
    return config


def _source(typed: Path, config: Config) -> Path:
    if config.mode not in (Mode.LIBSQL, Mode.TURSO):
        raise InvalidValueError(
            f"mode {config.mode} has no replica to move issues into", "name the primary with --url, without --mode"
        )
    return source_of(typed)


def _migrate(call: Invocation, directory: Path, config: Config, source: Path) -> None:
    """Make the directory, bring what is in `source` to the primary, and only then write the config."""
    with _undone_unless_whole(directory):
        make_directory(directory)
        make_way(directory, config.url or "")
        moved, kept = take_in(call, directory, config, source)
    call.emit(
        lambda: {
            "action": "initialised",
            "directory": str(directory),
            **config.document(),
            "sync": None,
            "error": None,
            "moved": moved_document(moved, kept),
        },
        lambda: [f"INITIALISED {directory} (mode {config.mode})", *moved_lines(moved)],
    )
    say_moved(call, moved, kept)


def _renew_token(call: Invocation, directory: Path) -> None:
    """Keep another token for the primary that is set up already: tokens end, and are revoked."""
    config = load_config(directory)
    if config.mode is Mode.LOCAL:
        raise InvalidValueError("mode local has no primary", "there is nobody to show a token to")
    config = _with_token(config, read_token_line(sys.stdin, command="td init"))
    save_config(directory, config)
    call.emit(
        lambda: {"action": "token_kept", "directory": str(directory), **config.document()},
        lambda: [f"KEPT the token for {config.url} in the {keeper_of(config.credential or '')}"],
    )


def _with_token(config: Config, token: str | None) -> Config:
    if config.url is not None:
        refuse_open_token(config.url, token or os.environ.get(TOKEN_VARIABLE))
    return config if token is None else replace(config, credential=keep_token(token, config.credential))


@contextmanager
def _undone_unless_whole(directory: Path) -> Iterator[None]:
    """Take away the directories that were made for an init that did not come to its end."""
    made = [path for path in (directory, *directory.parents) if not is_there(path)]
    try:
        yield
    except BaseException:
        if directory in made:
            shutil.rmtree(directory, ignore_errors=True)
        for parent in made:
            # It may have got something else in it meanwhile.
            with suppress(OSError):
                parent.rmdir()
        raise


def _open_first(directory: Path, config: Config) -> ReplicaError | None:
    """Make the files, then write the config: what is not whole does not count as initialised."""
    if config.mode is not Mode.REMOTE:
        open_place(directory, config).replica.close()
        save_config(directory, config)
        return None
    # Opening asks the primary, which may not be there yet; that is no reason not to write down where it is.
    save_config(directory, config)
    try:
        open_place(directory, config).replica.close()
    except ReplicaError as error:
        return error
    return None


def _first_sync(call: Invocation, directory: Path, config: Config) -> SyncReport | None:
    """Fetch what the primary has. The directory is whole by now, whatever comes of this."""
    if config.mode not in (Mode.LIBSQL, Mode.TURSO):
        return None
    try:
        with open_place(directory, config) as tracker, working(f"fetching from {config.url}", quiet=call.as_json):
            return tracker.replica.sync()
    except KeyboardInterrupt:
        raise InterruptedByPersonError(f"{directory} is initialised; td sync fetches what the primary has") from None


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
                "moved": None,
            }
        )
        return
    print_lines([f"INITIALISED {directory} (mode {config.mode})"])
    above = next((parent / NAME for parent in directory.parent.parents if is_there(parent / NAME)), None)
    if above is not None:
        call.say(f"td: {above} goes on by itself; in {directory.parent} and below, td uses the new one from now on")
    if trouble is not None:
        call.say(_told_trouble(config, trouble))


def _told_trouble(config: Config, trouble: ReplicaError) -> str:
    told = error_document(trouble)
    if config.mode is Mode.REMOTE:
        return f"td: the primary cannot be used yet, and nothing is kept here: {told['message']}; {told['hint']}"
    after = "write as you like, and run td sync later" if trouble.code == "unreachable" else told["hint"]
    return f"td: the first sync did not work: {told['message']}; {after}"
