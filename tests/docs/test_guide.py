"""The examples of the guide run as they stand, in the order they are told.

In a `console` block, `$ td …` is a command in the directory of the first steps; `laptop$` and `desktop$` are two
directories that share a primary; a line that begins with `#` is what happens to it (`_EVENTS`); every other line is
what is printed. Ids, sessions and moments differ at each run: the same one in the text stands for the same one in the
output.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from sqld import Server
from tests.cli.program import Program
from tests.replica.backups import back_up, restore

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
_URL = "http://127.0.0.1:8080"
_PROMPT = re.compile(r"^(\w*)\$ td (.*)$")
_VARYING = re.compile(
    r"(?:td|bd|nt)-[0-9a-z]{8}\b"
    r"|ses_\w{8}_\w{6}"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{8}T\d{6}"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|\d{4}-\d\d-\d\d \d\d:\d\d"
    r"|(?<=on )[0-9a-z]{8}\b"
)


def _damage(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(b"\x55" * 100 + data[100:])


def _write_page(home: Path, text: str) -> None:
    (home / "project" / "login.html").write_text(text)


_EVENTS: dict[str, Callable[[Server, Path], None]] = {
    "the primary is gone": lambda server, _: server.stop(),
    "the primary is back": lambda server, _: server.start(),
    "somebody makes a backup of the primary": lambda server, home: back_up(server, home / "backup"),
    "the primary is restored from that backup": lambda server, home: restore(server, home / "backup"),
    "login.html is written": lambda _, home: _write_page(home, "<form>"),
    "login.html is changed": lambda _, home: _write_page(home, "<form><button>"),
    "the disk damages local.db": lambda _, home: _damage(home / "laptop" / ".todos" / "local.db"),
}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d")


class Told:
    """One command of the guide and what is printed after it."""

    def __init__(self, who: str, command: str) -> None:
        self.who, self.command = who, command
        self.lines: list[str] = []


def script() -> Iterator[Told | str]:
    """What the guide does, in order: commands, and what happens to the primary."""
    told: Told | None = None
    for block in re.findall(r"```console\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL):
        for line in block.splitlines():
            if line.startswith("# "):
                yield line.removeprefix("# ")
            elif match := _PROMPT.match(line):
                told = Told(match[1] or "project", match[2])
                yield told
            else:
                assert told is not None
                told.lines.append(line)


class Reader:
    """Somebody who types what the guide says, and knows which of their ids stands for which of the guide's."""

    def __init__(self, directory: Path, primary: Server) -> None:
        self._primary = primary
        self._programs = {name: Program(directory / name) for name in ("project", "laptop", "desktop")}
        self._mine: dict[str, str] = {}

    def follow(self, told: Told) -> None:
        """Type one command and compare what is printed."""
        program = self._programs[told.who]
        answer = program(*shlex.split(self._typed(told.command)))
        told_here = (answer.out + answer.err).replace(self._primary.url, _URL)
        printed = told_here.replace(str(program.directory.parent), "~").splitlines()
        expected = told.lines
        if expected[-1:] == ["..."]:
            printed, expected = printed[: len(expected) - 1], expected[:-1]
        assert len(printed) == len(expected), f"td {told.command}\n{answer.out}{answer.err}"
        for ours, theirs in zip(printed, expected, strict=True):
            assert self._same(ours, theirs), f"td {told.command}\n printed: {ours}\n the guide: {theirs}"

    def _typed(self, command: str) -> str:
        for theirs, ours in self._mine.items():
            command = command.replace(theirs, ours).replace(f" {theirs[3:7]} ", f" {ours[3:7]} ")
            command = re.sub(rf" {theirs[3:7]}$", f" {ours[3:7]}", command)
        return command.replace(_URL, self._primary.url)

    def _same(self, ours: str, theirs: str) -> bool:
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


def test_the_guide_can_be_followed_to_the_letter(tmp_path: Path, primary_server: Server) -> None:
    """Whoever types what it says sees what it says."""
    reader = Reader(tmp_path, primary_server)
    steps = list(script())
    assert len(steps) > 30

    for step in steps:
        if isinstance(step, Told):
            reader.follow(step)
        else:
            _EVENTS[step](primary_server, tmp_path)


def test_every_link_of_the_guide_leads_somewhere() -> None:
    """To another page here."""
    links = re.findall(r"\]\(([^)#]+)\)", GUIDE.read_text(encoding="utf-8"))

    assert [link for link in links if not (GUIDE.parent / link).exists()] == []
