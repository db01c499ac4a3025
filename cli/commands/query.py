"""`td query`: SQL that reads, and with `--write` SQL that changes rows."""

import shlex
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import ForeignError, UsageError
from cli.formats import FormatOption, chosen_format
from cli.invocation import Invocation, command
from cli.sql_shell import Shell, read_file, statements
from cli.sql_writing import Consent
from tracker import FilterError, QueryError, Tracker, listing

app = typer.Typer()

_STDIN = "-"


@command(app, "query")
def query(
    call: Invocation,
    sql: Annotated[
        str | None,
        typer.Argument(
            help="One statement; - reads it from stdin. .tables and .schema show what there is.",
            metavar="SQL",
            show_default=False,
        ),
    ] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", help="Read the statement from a file.", metavar="FILE", show_default=False)
    ] = None,
    form: FormatOption = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param", "-P", help="A value for :NAME in the SQL; may be given several times.", metavar="NAME=VALUE"
        ),
    ] = None,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Take one statement after the other, until .exit.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Let INSERT, UPDATE and DELETE change rows.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --write: do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --write: show what would change, and change nothing.")
    ] = False,
) -> None:
    """Ask anything with SQL, and with --write change rows."""
    if (yes or dry_run) and not write:
        raise UsageError(f"{'--yes' if yes else '--dry-run'} goes with --write", "add --write, or leave it out")
    is_shell = _is_shell(call, sql, file, wanted=interactive)
    text = "" if is_shell else _text(sql, file)
    consent = Consent(yes=yes, dry_run=dry_run) if write else None
    chosen, params = chosen_format(form, as_json=call.as_json), dict(map(_named_value, param or ()))
    with call.reading() as tracker:
        shell = Shell(call, tracker, chosen, consent, params)
        if is_shell:
            raise typer.Exit(_interact(call, shell))
        if consent is not None and _has_person() and not call.as_json:
            shell.writes = replace(consent, ask=_ask)
        try:
            shell.once(text)
        except QueryError as error:
            if not _is_filter(tracker, text):
                raise
            hint = f"this is a filter, not SQL: td list --filter {shlex.quote(text.strip())}"
            raise ForeignError(error.code, str(error), hint) from error


def _is_filter(tracker: Tracker, text: str) -> bool:
    """Whether what does not run as SQL is of the filter language, which the Go td takes here."""
    # Words alone are a filter too, and just as well SQL that is mistyped.
    if not set("=~<>:(") & set(text):
        return False
    try:
        listing.check_filter(tracker, text)
    except FilterError:
        return False
    return True


def _is_shell(call: Invocation, sql: str | None, file: Path | None, *, wanted: bool) -> bool:
    """Whether statements are taken one after the other."""
    is_without_sql = sql is None and file is None
    if wanted and (call.as_json or not is_without_sql):
        raise UsageError("--interactive takes no SQL, no --file and no --json", "leave one of them out")
    return wanted or (is_without_sql and not call.as_json and _has_person())


def _has_person() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _ask(question: str) -> bool:
    """Whether the person says yes; a no stops td."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise typer.Abort
    return True


def _text(sql: str | None, file: Path | None) -> str:
    if sql is not None and file is not None:
        raise UsageError("SQL is given twice, as an argument and with --file", "leave one of them out")
    if file is not None:
        return read_file(file)
    if sql is None:
        raise UsageError("there is no SQL", "give it as an argument, with --file, as - from stdin, or --interactive")
    if sql != _STDIN:
        return sql
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise UsageError("what comes from stdin is not text in UTF-8", "send it as UTF-8") from error


def _named_value(typed: str) -> tuple[str, str]:
    name, equals, value = typed.partition("=")
    if not equals or not name:
        raise UsageError(f"--param {typed} is not NAME=VALUE", "as --param title=Milk for :title in the SQL")
    return name.removeprefix(":"), value


def _interact(call: Invocation, shell: Shell) -> int:
    """Run the shell on a terminal with a prompt, elsewhere without. Returns the exit code."""
    if not _has_person():
        given = statements(_lines())
        return shell.loop(lambda: _next(given), for_person=False)
    # Only who types at a terminal pays for it.
    from cli.sql_prompt import Prompt  # noqa: PLC0415 - see above

    prompt = Prompt(call.place().directory, shell.tables())
    if shell.writes is not None:
        shell.writes = replace(shell.writes, ask=prompt.ask)
    told = f"{len(shell.tables())} tables; statements end with a semicolon; .help shows what else there is"
    call.say(told)
    return shell.loop(prompt.take, for_person=True)


def _lines() -> Iterator[str]:
    # What is no text is told by the statement that it is in, and the next one is taken.
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "surrogateescape")


def _next(given: Iterator[str]) -> str:
    try:
        return next(given)
    except StopIteration:
        raise EOFError from None
