"""Every command that a page names can be typed, with the options that it has there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from cli.app import make_app
from tests.docs.console import ROOT

# Made from the program, and held to it by tests of their own.
_MADE = {"commands.md", "merge-rules.md", "reference.md"}
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")] if path.name not in {*_MADE, "CHANGELOG.md"}
)


def commands(page: Path) -> list[str]:
    """What a page says of td in code: within a line, or on a line of its own."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    # What stands in a `console` block is typed by another test.
    lines = [line for language, block in blocks if language != "console" for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    named = [*re.findall(r"`([^`\n]+)`", prose), *(code for line in lines for code in re.findall(r"`([^`]+)`", line))]
    typed = [part.strip() for told in [*lines, *named] for part in re.split(r" \| | && ", told)]
    return [told for told in typed if re.match(r"td [a-z]", told)]


def unknown(told: str) -> list[str]:
    """What of a command line is not there: a command, or an option of it."""
    command: Any = make_app()  # typer keeps its classes private
    words = shlex.split(told.split("#", maxsplit=1)[0])[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if words and hasattr(command, "commands") and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        return words[:1]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    typed = [word.partition("=")[0] for word in words if re.match(r"--?[a-zA-Z]", word)]
    return [word for word in typed if word not in {*options, "--json", "--help", "-w"}]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_can_be_typed(page: Path) -> None:
    """Whoever types it is not told that there is no such thing."""
    assert {told: wrong for told in commands(page) if (wrong := unknown(told))} == {}


def test_commands_are_found_on_the_pages() -> None:
    """Those of prose, of blocks and of what is to be pasted."""
    found = commands(ROOT / "docs" / "agents.md")

    assert {"td usage", "td next", "td start ID", "td start --online"} <= set(found)
    assert len(found) > 15
