"""Who calls td, and from where: the branch of the repository, the agent or terminal, and what they say of themselves.

Always true: no process is started and no network asked for it, so that a short command stays short; and what cannot be
found out is "".
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SESSION_VARIABLE: Final = "TD_SESSION_ID"
CONTEXT_VARIABLE: Final = "TD_CONTEXT_ID"
_AGENTS: Final = ("claude", "cursor", "codex", "windsurf", "zed", "aider", "copilot", "gemini", "opencode")
_AGENT_VARIABLES: Final = {"CURSOR_AGENT": "cursor", "CLAUDECODE": "claude", "CODEX_SANDBOX": "codex"}
_ANCESTORS_MAX: Final = 15
_NAME_LENGTH_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Surroundings:
    """branch: of the repository. agent: what calls, as `claude_1234`, or `terminal`. context: what the caller names.

    repository: the directory of the work tree; None outside of one.
    """

    branch: str
    agent: str
    context: str = ""
    repository: Path | None = None

    @property
    def key(self) -> str:
        """What tells one session of a machine from another."""
        return "|".join((self.branch, self.agent, self.context, str(self.repository or "")))


def look_around(directory: Path, environ: Mapping[str, str]) -> Surroundings:
    """The surroundings of a call that works on the `.todos` in `directory`."""
    repository = _work_tree(directory)
    branch = "default" if repository is None else _branch(repository)
    return Surroundings(branch, _agent(environ), _plain(environ.get(CONTEXT_VARIABLE, "")), repository)


def _work_tree(directory: Path) -> Path | None:
    for parent in (directory, *directory.parents):
        if (parent / ".git").exists():
            return parent
    return None


def _branch(repository: Path) -> str:
    """The branch that is checked out, `detached-` and 8 digits where none is."""
    try:
        git = repository / ".git"
        if git.is_file():
            # A work tree of its own, or a submodule, names where its files are.
            git = repository / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return "default"
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else f"detached-{head[:8]}"


def _agent(environ: Mapping[str, str]) -> str:
    if told := _plain(environ.get(SESSION_VARIABLE, "")):
        return f"explicit_{told}"
    for process, name in _ancestors():
        for agent in _AGENTS:
            if re.search(rf"\b{agent}\b", name):
                return f"{agent}_{process}"
    for variable, agent in _AGENT_VARIABLES.items():
        if environ.get(variable):
            return agent
    return "terminal"


def _plain(told: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", told)[:_NAME_LENGTH_MAX]


def _ancestors() -> Iterator[tuple[int, str]]:
    """The processes above this one, nearest first, with their names; none where the system does not show them."""
    process = os.getppid()
    for _ in range(_ANCESTORS_MAX):
        try:
            told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        name, _, rest = told.partition("(")[2].rpartition(")")
        yield process, name.lower()
        process = int(rest.split()[1])
        if process <= 1:
            return
