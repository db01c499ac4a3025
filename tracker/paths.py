"""Paths of files within a repository, and patterns of them: pure, nothing is looked up.

Always true:
- a path is relative to the root of the repository and has `/` between its names, on every machine;
- a pattern fits what a shell would take for it: `*` and `?` within one name, `**` for any number of directories, and
  none of them for a name that begins with a dot.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final

_WILD: Final = frozenset("*?[")
_DIRECTORIES: Final = "**"


def is_pattern(typed: str) -> bool:
    """Whether it may stand for several files."""
    return not _WILD.isdisjoint(typed)


def split_pattern(typed: str) -> tuple[str, str]:
    """The directory that a pattern begins with, and the rest: `../src/*.py` is `../src` and `*.py`."""
    names = typed.split("/")
    plain = next((number for number, name in enumerate(names) if is_pattern(name)), len(names))
    directory = "/".join(names[:plain])
    # What begins at the root of the disk begins with an empty name.
    return directory or ("/" if plain else "."), "/".join(names[plain:])


def is_below(path: str, directory: str) -> bool:
    """Whether a path is in a directory, or below it; the root is the empty one."""
    return not directory or path.startswith(f"{directory}/")


def below(path: str, directory: str) -> str:
    """The path of a file as seen from a directory that it is below."""
    return path[len(directory) + 1 :] if directory else path


def matches(path: str, pattern: str) -> bool:
    """Whether a path fits a pattern, name by name."""
    parts = pattern.split("/")
    if parts[-1] == _DIRECTORIES:
        parts.append("*")  # at the end it stands for all files that are below
    # As many places of the pattern as the names so far can have led to: no pattern takes long, however it is made.
    places = _with_skipped({0}, parts)
    for name in path.split("/"):
        reached = {
            place if parts[place] == _DIRECTORIES else place + 1
            for place in places
            if place < len(parts) and _fits(name, parts[place])
        }
        places = _with_skipped(reached, parts)
    return len(parts) in places


def _with_skipped(places: set[int], parts: Sequence[str]) -> set[int]:
    """`**` stands for no directory, too."""
    found = set(places)
    for place in range(len(parts)):
        if place in found and parts[place] == _DIRECTORIES:
            found.add(place + 1)
    return found


def _fits(name: str, part: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return part == _DIRECTORIES or fnmatchcase(name, part)
