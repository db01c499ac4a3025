"""What the pages are held against."""

from pathlib import Path

import pytest

from tests.cli.in_process import InProcess


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """A td in mode local within this process."""
    return InProcess(tmp_path / "here", monkeypatch)
