"""The README's examples run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.__main__ import at_a_glance

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


def test_the_figures_of_the_readme_are_those_that_were_measured() -> None:
    """With their day."""
    told, measured = (
        path.read_text(encoding="utf-8").split("<!-- figures: start -->\n")[1].split("\n<!-- figures: end -->")[0]
        for path in (README, README.parent / "docs" / "performance.md")
    )

    assert told == at_a_glance(measured)
    assert told.count("\n") >= 6


def test_the_readme_is_one_page() -> None:
    """What is longer is in docs."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 100
