"""The shell of `td query --interactive`: one statement or command after the other.

Always true: what fails is told and the next one is taken; nothing but `.exit` and the end of the input ends the shell.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from sqlite3 import complete_statement
from typing import Final

from cli.errors import CliError, FileError, UsageError
from cli.exits import report
from cli.formats import Format, print_rows
from cli.invocation import Invocation
from cli.sql_help import add_names
from cli.sql_writing import Consent, write_sql
from tracker import QueryError, ReplicaError, Tracker, TrackerError, WriteRefusedError

HELP: Final = (
    (".tables", "the tables"),
    (".schema [TABLE]", "the columns of all tables, or of one"),
    (".format [NAME]", "how rows are written: " + ", ".join(Format)),
    (".read FILE", "run what is in a file"),
    (".help", "this"),
    (".exit", "leave, as Ctrl-D does"),
)
"""The commands of the shell, and what each does."""


class _End(Exception):  # noqa: N818 - no error: it ends the loop
    """Somebody wants to leave."""


@dataclass(slots=True)
class Shell:
    """Runs statements and commands. writes: how SQL that writes is consented to; None: it is refused."""

    call: Invocation
    tracker: Tracker
    form: Format
    writes: Consent | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    def tables(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table."""
        return {name: table.columns for name, table in self.tracker.replica.tables.items()}

    def once(self, text: str) -> None:
        """Run one statement or command, and no more. Raises as `run` does."""
        typed = text.strip()
        if not typed.startswith("."):
            self.statement(typed)
            return
        if typed.startswith(".read"):
            raise UsageError(".read goes with --interactive", "one statement is read with --file")
        with suppress(_End):
            self.run(typed)

    def loop(self, take: Callable[[], str], *, for_person: bool) -> int:
        """Run what `take` gives until it raises EOFError. Returns the exit code of the first failure, or 0.

        for_person: Ctrl-C ends what is being typed or run, and no more.
        """
        first_failure = 0
        while True:
            try:
                for text in statements(take().splitlines(keepends=True)):
                    self.run(text)
            except (EOFError, _End):
                return first_failure
            except KeyboardInterrupt:
                if not for_person:
                    raise
            except (CliError, TrackerError, ReplicaError) as error:
                code = report(error, as_json=False)
                first_failure = first_failure or code

    def run(self, text: str) -> None:
        """Run one statement, or one command. Raises CliError, TrackerError or ReplicaError."""
        typed = text.strip()
        if typed.startswith("."):
            self._command(*typed.split(maxsplit=1))
        elif typed.rstrip(";").strip():
            self.statement(typed)

    def statement(self, sql: str) -> None:
        """Run SQL, and print what it answers. Raises ReplicaError, whose hint names what there is, and TrackerError."""
        try:
            self._read_or_write(sql)
        except QueryError as error:
            add_names(error, sql, self.tables())
            raise

    def _read_or_write(self, sql: str) -> None:
        try:
            rows = self.tracker.replica.query(sql, self.params)
        except WriteRefusedError as error:
            if self.writes is None:
                error.hint = "rows are changed with --write, after a look with --dry-run; nothing else can be with SQL"
                raise
        else:
            print_rows(rows.columns, rows.rows, self.form, name="query")
            return
        call = replace(self.call, as_json=self.form is Format.JSON)
        write_sql(call, self.tracker, sql, self.params, self.writes)

    def _command(self, name: str, argument: str = "") -> None:
        argument = argument.strip().rstrip(";")
        match name.rstrip(";").lower():
            case ".tables":
                self._print(("table", "columns"), [(name, ", ".join(names)) for name, names in self.tables().items()])
            case ".schema":
                self._schema(argument)
            case ".format" if argument:
                self.form = _format_named(argument)
            case ".format":
                self._print(("format",), [(self.form.value,)])
            case ".read":
                self._read(argument)
            case ".help":
                self._print(("command", "what it does"), HELP)
            case ".exit" | ".quit":
                raise _End
            case _:
                raise UsageError(f"there is no command {name}", ".help shows what there is")

    def _schema(self, wanted: str) -> None:
        tables = self.tracker.replica.tables
        if wanted and wanted not in tables:
            raise UsageError(f"there is no table {wanted}", "the tables are " + ", ".join(tables))
        rows = [
            (table.name, column, declared, None if default == "NULL" else default)
            for table in tables.values()
            if wanted in ("", table.name)
            for column, declared, default in zip(table.columns, table.types, table.defaults, strict=True)
        ]
        self._print(("table", "column", "type", "default"), rows)

    def _print(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        print_rows(columns, rows, self.form, name="shell")

    def _read(self, name: str) -> None:
        if not name:
            raise UsageError(".read needs a file", "as .read statements.sql")
        for text in statements(read_file(Path(name).expanduser()).splitlines(keepends=True)):
            if text.lstrip().startswith(".read"):
                raise UsageError("a file that is read cannot read another", "read them one after the other")
            self.run(text)


def _format_named(name: str) -> Format:
    try:
        return Format(name.lower())
    except ValueError:
        raise UsageError(f"there is no format {name}", "the formats are " + ", ".join(Format)) from None


def read_file(path: Path) -> str:
    """The text of a file. Raises FileError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(path, getattr(error, "strerror", None) or "it is not text in UTF-8") from error


def statements(lines: Iterable[str]) -> Iterator[str]:
    """Statements and commands, each whole, of the lines they were typed in; the last one needs no semicolon."""
    begun = ""
    for line in lines:
        begun += line
        if begun.lstrip().startswith("."):
            yield begun
            begun = ""
            continue
        start = 0
        for end in (place.end() for place in re.finditer(";", begun)):
            if complete_statement(begun[start:end]):
                yield begun[start:end]
                start = end
        begun = begun[start:] if begun[start:].strip() else ""
    if begun:
        yield begun


def is_whole(text: str) -> bool:
    """Whether what was typed is to be run: a command, an empty line, or SQL up to its semicolon."""
    typed = text.strip()
    return not typed or typed.startswith(".") or complete_statement(typed)
