"""Read JSON a value at a time, from a file that may be larger than memory.

Always true: no more than one value and one piece of the file are held, and what is wrong is told with its line.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn, TextIO

from tracker.transfer.errors import SourceError

_PIECE_CHARACTERS: Final = 1 << 20
_VALUE_CHARACTERS_MAX: Final = 64 << 20
# No number, constant or escape that td writes is longer.
_LONGEST_WORD: Final = 400
_AFTER_VALUES: Final = " \t\r\n,]}"
_SPACE: Final = " \t\r\n"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


class JsonReader:
    """A cursor in a JSON text."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file, self._path = file, path
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)
        self._text, self._at, self._is_whole = "", 0, False
        self._line = 1

    @property
    def where(self) -> str:
        """The place that was reached: `line 3`."""
        return f"line {self._line}"

    def peek(self) -> str:
        """The next character that is no space; "" at the end."""
        while True:
            start = self._at
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            self._line += self._text.count("\n", start, self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_on():
                return ""

    def value(self) -> object:
        """The whole value that comes next. Raises SourceError."""
        if not self.peek():
            self.refuse("it ends in the middle of a value")
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not self._may_go_on(error) or not self._read_on():
                    if isinstance(error, json.JSONDecodeError):
                        self._line += self._text.count("\n", self._at, error.pos)
                    self.refuse(_told(error))
            else:
                if not self._is_cut(value, end) or not self._read_on():
                    self._line += self._text.count("\n", self._at, end)
                    self._at = end
                    return value

    def _may_go_on(self, error: Exception) -> bool:
        """Whether what is wrong may only be cut off here, and go on in the next piece."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated") or error.pos >= len(self._text) - _LONGEST_WORD

    def _is_cut(self, value: object, end: int) -> bool:
        """Whether a number may go on in the next piece, as `0.` or `1e` does."""
        if not isinstance(value, int | float) or end < len(self._text) - _LONGEST_WORD:
            return False
        return end == len(self._text) or self._text[end] not in _AFTER_VALUES

    def take(self, character: str) -> None:
        """Go past the character that must come next. Raises SourceError."""
        found = self.peek()
        if found != character:
            self.refuse(f"{character!r} is expected here, not {found!r}" if found else "it ends too early")
        self._at += 1

    def elements(self) -> Iterator[None]:
        """Go through the list that comes next: the cursor is on each element in turn, which the caller takes."""
        yield from self._members("[", "]")

    def names(self) -> Iterator[str]:
        """Go through the object that comes next: each name, with the cursor on its value, which the caller takes."""
        for _ in self._members("{", "}"):
            name = self.value()
            if not isinstance(name, str):
                self.refuse("a name is expected here")
            self.take(":")
            yield name

    def _members(self, opening: str, closing: str) -> Iterator[None]:
        self.take(opening)
        if self.peek() == closing:
            self.take(closing)
            return
        while True:
            yield
            if self.peek() == closing:
                self.take(closing)
                return
            self.take(",")

    def refuse(self, reason: str) -> NoReturn:
        """Raise SourceError for the place that was reached."""
        raise SourceError(self._path, reason, "nothing was written; mend the file, or make it anew", self.where)

    def _read_on(self) -> bool:
        """Read another piece, if there is one."""
        if self._is_whole:
            return False
        kept = self._text[self._at :]
        if len(kept) > _VALUE_CHARACTERS_MAX:
            self.refuse(f"a value of more than {_VALUE_CHARACTERS_MAX:,} characters is too much for td")
        try:
            # As much again as there is, so that a long value is not read over and over.
            piece = self._file.read(max(_PIECE_CHARACTERS, len(kept)))
        except UnicodeDecodeError:
            self.refuse("it is not text in UTF-8")
        except OSError as error:
            self.refuse(f"it cannot be read: {error.strerror}")
        self._text, self._at, self._is_whole = kept + piece, 0, not piece
        return bool(piece)


def _told(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON: {error.msg}"
    return "its values are nested too deeply" if isinstance(error, RecursionError) else f"it is not JSON: {error}"
