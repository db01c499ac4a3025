"""What the commands of td are called besides their names, and how they are grouped where all of them are listed."""

from collections.abc import Iterable, Mapping
from typing import Final

COMPLETION_VARIABLE: Final = "_TD_COMPLETE"
COMPLETION_INSTRUCTIONS: Final = ("complete_bash", "complete_zsh", "complete_fish")
"""By which a shell asks td what can stand where the cursor is."""

ALIASES: Final[Mapping[str, str]] = {
    "add": "create",
    "new": "create",
    "ls": "list",
    "view": "show",
    "get": "show",
    "context": "show",
    "edit": "update",
    "begin": "start",
    "stop": "unstart",
    "done": "close",
    "complete": "close",
    "submit": "review",
    "finish": "review",
    "ir": "in-review",
    "current": "status",
    "info": "stats",
    "deps": "depends-on",
    "dependencies": "depends-on",
    "worksession": "ws",
}
"""Other names of commands: each does what the command does, and the help of that tells of it."""

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Begin": ("init", "usage", "status", "whoami", "demo"),
    "Issues": ("create", "list", "search", "show", "update", "comment", "comments", "delete", "restore", "deleted"),
    "Work": ("next", "ready", "start", "unstart", "block", "unblock", "log", "logs", "handoff", "close", "reopen"),
    "Focus and sessions": ("focus", "unfocus", "resume", "session", "ws", "check-handoff"),
    "Review": ("review", "in-review", "reviewable", "approve", "reject"),
    "Plan": (
        *("epic", "tree", "dep", "depends-on", "blocked-by", "blocked", "critical-path", "defer", "due"),
        *("board", "stats", "workflow"),
    ),
    "Files and notes": ("link", "unlink", "files", "note"),
    "History": ("history", "last", "undo"),
    "Team": ("login", "logout", "sync", "conflicts", "resolve", "auth", "sqld", "turso"),
    "Data": ("query", "export", "import", "config", "doctor"),
    "Help": ("help", "man", "completion", "schema", "version"),
}
"""Every command, in the order and under the headings of the help."""


_MORE: Final = "More"


def heading_of(command: str) -> str:
    """The heading that a command stands under."""
    return next((heading for heading, names in GROUPS.items() if command in names), _MORE)


def grouped(commands: Iterable[str]) -> dict[str, list[str]]:
    """These commands under their headings, in the order of both; those that have none come last."""
    there = list(commands)
    found = {heading: [name for name in names if name in there] for heading, names in GROUPS.items()}
    found[_MORE] = [name for name in there if heading_of(name) == _MORE]
    return {heading: names for heading, names in found.items() if names}


def aliases_of(command: str) -> list[str]:
    """The other names of a command."""
    return [alias for alias, name in ALIASES.items() if name == command]
