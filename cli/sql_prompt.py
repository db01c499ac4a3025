"""Where a person types SQL: completion, history, and lines until the semicolon.

Always true: the history is for its owner alone; only who types at a terminal pays for loading this.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter, merge_completers
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output

from cli.formats import Format
from cli.sql_completion import completions, last_word
from cli.sql_shell import HELP, is_whole

HISTORY = "query_history"


class Prompt:
    """A line editor for statements and commands, and for a yes or no."""

    def __init__(
        self,
        directory: Path,
        tables: Mapping[str, Sequence[str]],
        *,
        typed: Input | None = None,
        shown: Output | None = None,
    ) -> None:
        """directory: where the history is kept. typed, shown: the terminal, if it is not that of the process."""
        self._statements: PromptSession[str] = PromptSession(
            "td> ",
            multiline=True,
            prompt_continuation="...> ",
            completer=merge_completers([_SqlCompleter(tables), _FileCompleter()]),
            complete_while_typing=Condition(lambda: False),
            history=_history(directory / HISTORY),
            key_bindings=_keys(),
            enable_history_search=True,
            input=typed,
            output=shown,
        )
        self._answers: PromptSession[str] = PromptSession(history=InMemoryHistory(), input=typed, output=shown)

    def take(self) -> str:
        """The next statement or command, whole. Raises EOFError at Ctrl-D, KeyboardInterrupt at Ctrl-C."""
        return self._statements.prompt()

    def ask(self, question: str) -> bool:
        """Whether the person says yes."""
        try:
            return self._answers.prompt(f"{question} [y/N] ").strip().lower() in ("y", "yes")
        except (EOFError, KeyboardInterrupt):
            return False


def _history(path: Path) -> History:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_whole(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return keys


class _SqlCompleter(Completer):
    """Tables, columns, keywords, and the commands of the shell."""

    def __init__(self, tables: Mapping[str, Sequence[str]]) -> None:
        self._tables = tables

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - of the base
        before = document.text_before_cursor
        if before.startswith("."):
            typed, names = _command_part(before, self._tables)
        else:
            typed, names = last_word(before), completions(before, self._tables)
        for name in names:
            yield Completion(name, start_position=-len(typed))


def _command_part(before: str, tables: Mapping[str, Sequence[str]]) -> tuple[str, Sequence[str]]:
    """What is being typed of a command, and how it may go on."""
    name, space, argument = before.partition(" ")
    if not space:
        return name, [usage.split()[0] for usage, _ in HELP if usage.startswith(name)]
    arguments: dict[str, Sequence[str]] = {".schema": sorted(tables), ".format": list(Format)}
    return argument, [one for one in arguments.get(name, ()) if one.startswith(argument)]


class _FileCompleter(Completer):
    """The files that `.read` may read."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        name, space, typed = document.text_before_cursor.partition(" ")
        if name == ".read" and space:
            with contextlib.suppress(OSError):
                yield from PathCompleter(expanduser=True).get_completions(Document(typed), complete_event)
