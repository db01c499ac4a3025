"""Follow a page: type what its `console` blocks say, and compare what is printed with what stands there.

A line `$ td …` is typed in the directory `project`, `laptop$ td …` by somebody called laptop; a line that begins with
`#` is what happens meanwhile, which the test of the page knows; every other line is what is printed, and `...` is all
that follows, or the rest of a line. Ids, sessions and moments differ at each run: the same one in the text stands for
the same one in the output.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_PROMPT: Final = re.compile(r"^(\w*)\$ (?:td|stock) (.*)$")
_VARYING: Final = re.compile(
    r"\b(?:td|bd|nt|ws|it)-[0-9a-z]{8}\b"
    r"|\bses_\w{8}_\w{6}"
    r"|\b(?:tok|key)-[0-9a-z]{10}\b|(?<=is )[0-9a-f]{16}\b"
    r"|\b[a-z]+_[0-9a-f]{16}\b"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{8}T\d{6}"
    r"|\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|\d{4}-\d\d-\d\d \d\d:\d\d"
    r"|(?<=on )[0-9a-z]{8}\b|\[Errno \d+\]"
)
# The name of a backup is a moment too, and somebody types it.
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?!T\d\d-)")

Run = Callable[[Sequence[str]], str]
"""Runs what somebody typed, and returns what was printed."""


class Told:
    """One command of a page and what is printed after it."""

    def __init__(self, who: str, command: str) -> None:
        self.who, self.command = who, command
        self.lines: list[str] = []


def steps(page: Path) -> list[Told | str]:
    """What a page does, in order: commands, and what happens meanwhile."""
    found: list[Told | str] = []
    told = Told("", "")
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        for line in block.splitlines():
            if match := _PROMPT.match(line):
                told = Told(match[1] or "project", match[2])
                found.append(told)
            elif line.startswith("# "):
                found.append(line.removeprefix("# "))
            else:
                told.lines.append(line)
    return found


class Reader:
    """Somebody who types what a page says, and knows which of their ids stands for which of the page's."""

    def __init__(self, people: Mapping[str, Run], names: Mapping[str, str]) -> None:
        """`names`: what stands in the page for something that is called otherwise here, as an address."""
        self._people, self._names = people, names
        self._mine: dict[str, str] = {}

    def follow(self, page: Path, events: Mapping[str, Callable[[], object]]) -> None:
        """Do all that a page says, step by step."""
        for step in steps(page):
            if isinstance(step, Told):
                self.type(step)
            else:
                events[step]()

    def type(self, told: Told) -> None:
        """Type one command and compare what is printed."""
        output = self._people[told.who](shlex.split(self._typed(told.command)))
        for theirs, ours in self._names.items():
            output = output.replace(ours, theirs)
        printed, expected = output.splitlines(), told.lines
        if expected[-1:] == ["..."]:
            printed, expected = printed[: len(expected) - 1], expected[:-1]
        assert len(printed) == len(expected), f"{told.who}$ {told.command}\n{output}"
        for ours, theirs in zip(printed, expected, strict=True):
            assert self._same(ours, theirs), f"{told.who}$ {told.command}\n printed: {ours}\n the page: {theirs}"

    def _typed(self, command: str) -> str:
        for theirs, ours in self._mine.items():
            command = command.replace(theirs, ours)
            command = re.sub(rf"(^| ){theirs[3:7]}(?= |$)", rf"\g<1>{ours[3:7]}", command)
        for theirs, ours in self._names.items():
            command = command.replace(theirs, ours)
        return command

    def _same(self, ours: str, theirs: str) -> bool:
        if theirs.endswith(" ..."):
            theirs = theirs.removesuffix(" ...")
            ours = " ".join(ours.split()[: len(theirs.split())])
        mine, told = _VARYING.findall(ours), _VARYING.findall(theirs)
        if len(mine) != len(told) or _words(ours) != _words(theirs):
            return False
        for one, other in zip(mine, told, strict=True):
            if not _MOMENT.match(one) and self._mine.setdefault(other, one) != one:
                return False
        return True


def _words(line: str) -> list[str]:
    # Columns are as wide as what stands in them, and a session may be wider in one run than in another.
    return _VARYING.sub("…", line).split()
