"""Which program wrote a file, told by what is in it.

Always true: the name of the file is not looked at; a file that no program here is known to write is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Final, cast

from tracker.transfer.errors import SourceError
from tracker.transfer.found import Found, Tally
from tracker.transfer.json_reader import JsonReader
from tracker.transfer.opened import SQLITE_HEADER, open_text, read_head
from tracker.transfer.report import TABLES

Reader = Callable[[Path, Tally], Iterator[Found]]


class Source(StrEnum):
    """What wrote a file: td itself, the td that is written in Go, beads, or GitHub."""

    TD = "td"
    GO_TD = "go-td"
    BEADS = "beads"
    GITHUB = "github"


# Each is imported where a file of its kind is read.
_READERS: Final[Mapping[Source, str]] = {
    Source.TD: "ours",
    Source.GO_TD: "go_td",
    Source.BEADS: "beads",
    Source.GITHUB: "github",
}
_OUR_NAMES: Final = frozenset({"format", "version", "complete", *TABLES})
_KNOWN: Final = "td takes its own exports, the issues.db of the Go td, the JSONL of beads and the issues JSON of GitHub"


def reader_of(source: Source) -> Reader:
    """What reads the files of a source."""
    return cast("Reader", import_module(f"tracker.transfer.{_READERS[source]}").read)


def detect(path: Path) -> Source:
    """What wrote a file. Raises SourceError for what nobody here is known to write."""
    head = read_head(path)
    if head.startswith(SQLITE_HEADER):
        return Source.GO_TD
    text = head.decode("utf-8-sig", errors="replace").lstrip()
    if text[:1] in ("{", "["):
        return _of_json(path)
    if is_sql(text):
        return Source.TD
    raise _unknown(path, "it is empty" if not head else "it is none of the files that td knows")


def is_sql(head: str) -> bool:
    """Whether a text begins as an export in SQL does."""
    return head.lstrip("\ufeff \t\r\n").startswith(("-- td-export ", "BEGIN ", "CREATE TABLE "))


def _of_json(path: Path) -> Source:
    with open_text(path) as file:
        reader = JsonReader(file, path)
        if reader.peek() == "[":
            for _ in reader.elements():
                return _of_element(path, reader.value())
            raise _unknown(path, "it is an empty list, which says not what of")
        for name in reader.names():
            if name in _OUR_NAMES:
                return Source.TD
            break
    # The first of many lines, or the one object of the file.
    with open_text(path) as file:
        return _of_element(path, JsonReader(file, path).value())


def _of_element(path: Path, element: object) -> Source:
    while isinstance(element, list) and element:
        element = element[0]
    if isinstance(element, dict):
        names = element.keys()
        if isinstance(element.get("issue"), dict) and "logs" in names:
            reason = "it is a JSON export of the Go td, which has not all of its issues' comments and boards"
            raise SourceError(path, reason, "take its database, which has everything: td import .todos/issues.db")
        if "number" in names and ("title" in names or "html_url" in names):
            return Source.GITHUB
        if "_type" in names or ("id" in names and "title" in names):
            return Source.BEADS
    raise _unknown(path, "it is JSON of a kind that td does not know")


def _unknown(path: Path, reason: str) -> SourceError:
    return SourceError(path, reason, f"{_KNOWN}; --from says which it is")
