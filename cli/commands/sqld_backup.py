"""`td sqld backup` and `restore`: a copy of all that a primary holds, and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from auth.errors import AuthError
from cli.errors import ForeignError, InterruptedByPersonError, UsageError
from cli.invocation import Invocation
from cli.progress import measured
from cli.serving import DataDir, StateDir, default_data_dir, has_state, state_at, vault_of
from cli.text import aligned
from sqld import Manifest, SqldError, back_up, find_sqld, restore_backup


def backup(
    call: Invocation,
    directory: Annotated[
        Path, typer.Argument(help="Where backups are kept; each gets a folder of its own.", metavar="DIR")
    ],
    data_dir: DataDir = None,
    state: StateDir = None,
) -> None:
    """Copy all that a primary holds, while it runs or not.

    Of a server with tenants that is its directory, too; what opens its vault is not in the copy.
    """
    _refuse_two_places(data_dir, state)
    with _told(), measured(quiet=call.as_json) as progress:
        if data_dir is None and (state is not None or has_state()):
            # Only who serves pays for it.
            from sqld.server_backup import back_up_server  # noqa: PLC0415 - see above

            made = back_up_server(state_at(state), directory, binary=find_sqld(), progress=progress)
        else:
            made = back_up(data_dir or default_data_dir(), directory, binary=find_sqld(), progress=progress)
    call.emit(
        lambda: {"folder": str(made.folder), **made.manifest.model_dump()},
        lambda: [f"BACKED UP to {made.folder}", *_namespace_lines(made.manifest)],
    )
    if made.manifest.server:
        call.say("keep the key of the vault apart from it: each is useless without the other")


def restore(
    call: Invocation,
    folder: Annotated[Path, typer.Argument(help="What td sqld backup made.", metavar="BACKUP")],
    data_dir: DataDir = None,
    state: StateDir = None,
    replace: Annotated[bool, typer.Option("--replace", help="Set aside what is there; it is kept.")] = False,
) -> None:
    """Put a backup in the place of a primary that is stopped.

    With --data-dir only the databases are put back, and a server keeps its tenants, keys and tokens as they are now.
    """
    _refuse_two_places(data_dir, state)
    if data_dir is None and (state is not None or has_state()):
        _restore_server(call, folder, state, replace=replace)
        return
    target = data_dir or default_data_dir()
    with _told(), measured(quiet=call.as_json) as progress:
        done = restore_backup(folder, target, binary=find_sqld(), replace=replace, progress=progress)
    aside = None if done.set_aside is None else str(done.set_aside)
    _emit(call, done.data_dir, done.data_dir, done.manifest, aside=aside, state=None, kept_revoked=0)


def _restore_server(call: Invocation, folder: Path, state: Path | None, *, replace: bool) -> None:
    # Only who serves pays for it.
    from sqld.server_backup import restore_server  # noqa: PLC0415 - see above

    place = state_at(state)
    with _told(), measured(quiet=call.as_json) as progress:
        done = restore_server(folder, place, vault_of, binary=find_sqld(), replace=replace, progress=progress)
    aside = None if done.set_aside is None else str(done.set_aside)
    _emit(
        call,
        done.directory,
        place.data_dir,
        done.manifest,
        aside=aside,
        state=str(done.directory),
        kept_revoked=done.revoked,
    )
    if done.revoked is None:
        call.say("what was revoked after this backup could not be read, and holds again: revoke it anew")
    call.say("tokens that were made after this backup are not known any more: mint new ones")


def _emit(
    call: Invocation,
    place: Path,
    data_dir: Path,
    manifest: Manifest,
    *,
    aside: str | None,
    state: str | None,
    kept_revoked: int | None,
) -> None:
    call.emit(
        lambda: {
            "data_dir": str(data_dir),
            "state": state,
            "set_aside": aside,
            "kept_revoked": kept_revoked,
            **manifest.model_dump(),
        },
        lambda: [
            f"RESTORED {place} as it was at {manifest.made_at}",
            *_namespace_lines(manifest),
            *([f"what was revoked since stays revoked: {kept_revoked}"] if kept_revoked else []),
            *([f"what was there is kept in {aside}"] if aside is not None else []),
        ],
    )
    call.say(
        "start it as before; at its next sync each client fetches it anew, sends what waits, and tells what is gone"
    )


def _refuse_two_places(data_dir: Path | None, state: Path | None) -> None:
    if data_dir is not None and state is not None:
        raise UsageError("--data-dir and --state name two places", "give --state for a server with tenants")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (SqldError, AuthError) as error:
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
