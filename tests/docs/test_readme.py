"""The README's examples run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert found is not None, f"the README has no {language} block"
    return found[1]


def test_the_readmes_program_runs_as_it_stands(tmp_path: Path) -> None:
    """A reader who copies the two files gets the row back, and a sync that has nothing to do."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_notes.sql").write_text(_block("sql"), encoding="utf-8")
    (tmp_path / "notes.py").write_text(_block("python"), encoding="utf-8")

    done = subprocess.run([sys.executable, "notes.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert "title='Oat milk'" in done.stdout
    assert "error=None" in done.stdout


def test_the_readmes_program_is_about_ten_lines() -> None:
    """The promise is ten lines, imports and the class aside as they are part of it."""
    lines = [line for line in _block("python").splitlines() if line.strip()]

    assert len(lines) <= 12


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """A newcomer follows the table at the end."""
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8"))

    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
