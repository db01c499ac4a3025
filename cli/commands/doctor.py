"""`td doctor`: look at every part and say what to do; with --repair, do it."""

import os
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from cli.errors import CliError, FailedChecksError, NotInitialisedError, UsageError
from cli.exits import error_document
from cli.invocation import Invocation, command
from cli.place import Place
from cli.progress import working
from cli.syncing import changes_told
from cli.text import GREEN, RED, aligned, paint
from cli.tokens import token_origin
from cli.unopened import unopened_checks
from cli.wording import in_words_of_td
from tracker import Check, DamagedError, Mode, PullUnavailableError, ReplicaError, Salvaged, salvage_outbox, search

app = typer.Typer()

_PULLER = "libsql-experimental"
_PACKAGES = ("replica-toolkit", _PULLER)


@command(app, "doctor")
def doctor(
    call: Invocation,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended, and compare with the primary.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="With --repair: compare every row, not a sample.")] = False,
) -> None:
    """Look at every part, and say what to do.

    Without --repair nothing is changed. With it, a copy of what is pending is made before anything else.
    """
    if full and not repair:
        raise UsageError("--full belongs to --repair", "td doctor --repair --full")
    checks = [_in_words_of_td(check) for check in (_repaired(call, full=full) if repair else _checks(call))]
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


def _in_words_of_td(check: Check) -> Check:
    return replace(check, detail=in_words_of_td(check.detail), hint=in_words_of_td(check.hint))


def _checks(call: Invocation) -> list[Check]:
    try:
        place = call.place()
    except NotInitialisedError:
        raise
    except CliError as error:
        return [packages(Mode.LOCAL), Check("config", ok=False, detail=str(error), hint=error.hint)]
    first = [packages(place.config.mode), _setup(place)]
    with working("asking the primary", quiet=call.as_json):
        try:
            with place.open() as tracker:
                return [*first, *tracker.replica.checks(), *search.check_index(tracker.replica.directory)]
        except ReplicaError as error:
            # What keeps td from opening is what was to be found; the rest can be looked at without it.
            return [*first, _not_opened(place, error), *unopened_checks(place)]


def _repaired(call: Invocation, *, full: bool) -> list[Check]:
    place = call.place()
    with working("repairing", quiet=call.as_json):
        try:
            with place.open() as tracker:
                return [
                    *tracker.replica.recovery.repair(full=full),
                    *search.check_index(tracker.replica.directory),
                ]
        except DamagedError:
            if place.config.mode is Mode.LOCAL:
                raise
            return [_salvaged(salvage_outbox(place.directory)), *unopened_checks(place)]


def _salvaged(salvaged: Salvaged) -> Check:
    pending = salvaged.pending
    read = f"{changes_told(len(pending.mutations))} that waited {'was' if len(pending.mutations) == 1 else 'were'} read"
    lacking = f", {len(pending.incomplete)} only in part" if pending.incomplete else ""
    detail = f"damaged, and kept as {salvaged.kept.name}; {read} from it{lacking}"
    is_any = pending.mutations or pending.lost
    hint = f"td import --pending {salvaged.file} takes them back" if is_any else "td sync fetches what the primary has"
    return Check("local.db", ok=False, detail=detail, hint=hint)


def _not_opened(place: Place, error: ReplicaError) -> Check:
    if place.config.mode is Mode.REMOTE:
        return Check("primary", ok=False, detail=str(error), hint=error.hint)
    is_local = place.config.mode is Mode.LOCAL
    hint = error_document(error)["hint"]
    if "td doctor" in hint:
        hint = "keep a copy of .todos before anything else; then " + (
            "put a backup of data.db in its place, or try sqlite3 data.db .recover"
            if is_local
            else "td doctor --repair takes out what was pending"
        )
    return Check("data.db" if is_local else "local.db", ok=False, detail=str(error), hint=hint)


def _setup(place: Place) -> Check:
    where = f"mode {place.config.mode}"
    if place.config.mode is not Mode.LOCAL:
        token = token_origin(os.environ, place.config)
        where += f", {place.config.url}, token from the {token}" if token else f", {place.config.url}, no token"
    return Check("config", ok=True, detail=f"{place.directory}: {where}")


def packages(mode: Mode) -> Check:
    """Which versions are installed, and whether what `mode` needs is among them."""
    found = {name: _version(name) for name in _PACKAGES}
    told = ", ".join(f"{name} {number}" if number else f"no {name}" for name, number in found.items())
    is_enough = found[_PULLER] is not None or mode not in (Mode.LIBSQL, Mode.TURSO)
    return Check("packages", ok=is_enough, detail=told, hint="" if is_enough else PullUnavailableError.hint)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _lines(checks: list[Check]) -> list[str]:
    rows = [("ok" if check.ok else "NO", check.name, check.detail) for check in checks]
    lines = []
    for check, line in zip(checks, aligned(rows), strict=True):
        lines.append(paint(line[:2], GREEN if check.ok else RED) + line[2:])
        if check.hint and not check.ok:
            lines.append(f"    {check.hint}")
    return lines
