"""`td auth`: as whom you are known, where your secrets are kept, and what opens that."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from auth.errors import AuthError
from auth.vault import FILE_NAME
from auth.vault_key import KEY_VARIABLE, PASSPHRASE_VARIABLE, Opener, Passphrase, VaultKey, find_opener
from cli.credentials import vault_directory
from cli.errors import ForeignError, OutputError, UsageError
from cli.invocation import Invocation, command, shared_options
from cli.logins import find_standing
from cli.output import discard_output
from cli.passphrase import asking
from cli.text import aligned

app = typer.Typer(name="auth", help="See as whom you are known, and keep the key of the vault.")

_LINE_LENGTH_MAX = 4096


shared_options(app)


@command(app, "status")
def status(call: Invocation) -> None:
    """Show as whom the primary knows you, where that is kept, and until when it holds.

    Nobody is asked; no secret is shown.
    """
    name, url, found = find_standing(call)
    document = {"profile": name, "url": url, **found.document()}
    call.emit(
        lambda: document,
        lambda: aligned([(key, _told(value)) for key, value in document.items()]),
    )


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


@command(app, "new-vault-key")
def new_vault_key(call: Invocation) -> None:
    """Make a key for a vault, and print it once: it is kept nowhere."""
    key = VaultKey.generate()
    call.emit(lambda: {"key": key.text}, lambda: [key.text])
    call.say(f"keep it where you keep passwords, and set {KEY_VARIABLE} to it: without it, nothing opens the vault")


@command(app, "rotate-vault-key")
def rotate_vault_key(
    call: Invocation,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="Which vault. Default: that of your user.", show_default=False, metavar="FILE"),
    ] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="The new key is on stdin. Default: a new one, printed.")
    ] = False,
    passphrase_stdin: Annotated[
        bool, typer.Option("--passphrase-stdin", help="A passphrase on stdin takes the place of the key.")
    ] = False,
) -> None:
    """Encrypt the vault with another key.

    What opens it now is given in TD_VAULT_KEY or TD_VAULT_PASSPHRASE, or typed on the terminal.
    """
    if key_stdin and passphrase_stdin:
        raise UsageError("the vault gets one new key", "give --key-stdin or --passphrase-stdin")
    # Only this command pays for it.
    from auth.file_vault import FileVault  # noqa: PLC0415 - see above

    path = file or vault_directory() / FILE_NAME
    is_given = key_stdin or passphrase_stdin
    try:
        new = _new_opener(is_passphrase=passphrase_stdin) if is_given else VaultKey.generate()
        shown = None if isinstance(new, Passphrase) or is_given else new.text
        vault = FileVault(path, lambda: _current(path))
        vault.rotate(new, announce=None if shown is None else lambda: _show(call, path, shown))
    except AuthError as error:
        raise ForeignError(error.code, str(error), error.hint) from error
    if shown is None:
        _show(call, path, None)
    name = PASSPHRASE_VARIABLE if passphrase_stdin else KEY_VARIABLE
    call.say(f"set {name} to the new one wherever {path} is used: the old one opens it no more")


def _show(call: Invocation, path: Path, key: str | None) -> None:
    try:
        call.emit(
            lambda: {"action": "vault_key_rotated", "vault": str(path), "key": key},
            lambda: [f"ROTATED the key of {path}" if key is None else key],
        )
    except (OutputError, BrokenPipeError) as error:
        if key is None:
            raise
        discard_output()
        raise ForeignError(
            "storage", "the new key could not be shown", "nothing was changed: the old key opens the vault"
        ) from error


def _new_opener(*, is_passphrase: bool) -> Opener:
    try:
        line = sys.stdin.readline(_LINE_LENGTH_MAX).strip("\r\n")
    except UnicodeDecodeError:
        line = ""
    return Passphrase(line, "what is on stdin") if is_passphrase else VaultKey.parse(line, source="what is on stdin")


def _current(path: Path) -> Opener:
    return find_opener(os.environ, asking(path))
