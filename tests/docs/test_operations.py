"""The page for hosts names what is there."""

import re
from pathlib import Path
from typing import Any

from cli.app import make_app

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_command_of_it_can_be_typed() -> None:
    """With the options it has there."""
    lines = re.findall(r"^td (.*)$", TEXT, flags=re.MULTILINE)

    assert len(lines) >= 4
    for line in lines:
        command: Any = make_app()  # typer keeps its classes private
        words = line.split()
        while hasattr(command, "commands"):
            command = command.commands[words.pop(0)]
        known = {opt for parameter in command.params for opt in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, line


def test_every_link_of_it_leads_somewhere() -> None:
    """To another page here."""
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)

    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
