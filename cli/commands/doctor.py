"""`td doctor`: look at every part, change nothing, and say what to do."""

import os
from importlib.metadata import PackageNotFoundError, version

import typer

from cli.credentials import token_origin
from cli.errors import CliError, FailedChecksError, NotInitialisedError
from cli.exits import error_document
from cli.invocation import Invocation, command
from cli.place import Place
from cli.progress import working
from cli.text import GREEN, RED, aligned, paint, printable
from tracker import Check, Mode, ReplicaError

app = typer.Typer()

_PACKAGES = ("replica-toolkit", "libsql-experimental")


@command(app, "doctor")
def doctor(call: Invocation) -> None:
    """Look at every part, and say what to do."""
    checks = [_versions(), *_checks(call)]
    bad = [check for check in checks if not check.ok]
    call.emit(
        lambda: {
            "ok": not bad,
            "checks": [
                {"name": check.name, "ok": check.ok, "detail": check.detail, "hint": check.hint} for check in checks
            ],
        },
        lambda: _lines(checks),
    )
    if bad:
        raise FailedChecksError(tuple(check.name for check in bad), bad[0].hint)


def _checks(call: Invocation) -> list[Check]:
    try:
        place = call.place()
        with place.open() as tracker, working("asking the primary", quiet=call.as_json):
            return [_setup(place), *tracker.replica.checks()]
    except NotInitialisedError:
        raise
    except (CliError, ReplicaError) as error:
        # What keeps td from opening is what was to be found.
        told = error_document(error)
        return [Check("open", ok=False, detail=told["message"], hint=told["hint"])]


def _setup(place: Place) -> Check:
    where = f"mode {place.config.mode}"
    if place.config.mode is not Mode.LOCAL:
        token = token_origin(os.environ, place.config.credential)
        where += f", {place.config.url}, token from the {token}" if token else f", {place.config.url}, no token"
    return Check("config", ok=True, detail=f"{place.directory}: {where}")


def _versions() -> Check:
    told = []
    for name in _PACKAGES:
        try:
            told.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            told.append(f"no {name}")
    return Check("packages", ok=True, detail=", ".join(told))


def _lines(checks: list[Check]) -> list[str]:
    rows = [("ok" if check.ok else "NO", check.name, printable(check.detail)) for check in checks]
    lines = []
    for check, line in zip(checks, aligned(rows), strict=True):
        lines.append(paint(line[:2], GREEN if check.ok else RED) + line[2:])
        if check.hint and not check.ok:
            lines.append(f"    {printable(check.hint)}")
    return lines
