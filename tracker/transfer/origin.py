"""Where a row came from: the ids of rows that had none of ours, and what is written down of their origin.

Always true: an id is made of the row's name at its origin and nothing else, so that taking the same file in again, on
another machine too, makes the same rows.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from replica import new_short_id
from tracker.records import Issue

_DIGITS: Final = 16


def row_id(prefix: str, *parts: str) -> str:
    """The id of a row that is no issue, as `cm_` and 16 digits, made of what it is at its origin."""
    return f"{prefix}_{sha256(chr(0).join(parts).encode(errors='replace')).hexdigest()[:_DIGITS]}"


class IssueIds:
    """The ids of the issues of one origin, by their names there."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._ids: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """The id of the issue that has this name at its origin: `td-` and 8 characters."""
        found = self._ids.get(name)
        if found is None:
            attempt = 0
            while found is None or found in self._taken:
                # Two names may come to one id, about once in 250 files of 100,000 issues.
                found = _issue_id(self._origin, name, str(attempt))
                attempt += 1
            self._ids[name] = found
            self._taken.add(found)
        return found


def _issue_id(*parts: str) -> str:
    digest = sha256(chr(0).join(parts).encode(errors="replace")).digest()
    return new_short_id(Issue.replica_id_prefix, random=lambda count: digest[:count])


def with_origin(text: str, origin: str, details: Mapping[str, object]) -> str:
    """A description that ends in where the issue came from, and in what has no other place."""
    lines = [f"Imported from {origin}", *(f"{name}: {value}" for name, value in details.items() if value)]
    return f"{text.rstrip()}\n\n---\n{chr(10).join(lines)}\n".lstrip("\n")


def with_sections(text: str, sections: Iterable[tuple[str, object]]) -> str:
    """A text with further ones behind it, each under its name; what is no text, or empty, is not there."""
    parts = [text.rstrip()]
    parts += [
        f"## {name}\n\n{section.strip()}" for name, section in sections if isinstance(section, str) and section.strip()
    ]
    return "\n\n".join(part for part in parts if part)
