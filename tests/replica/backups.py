"""Copies of a primary's data directory, taken and put back with the primary stopped."""

import shutil
from pathlib import Path

from sqld import Server


def back_up(server: Server, to: Path) -> None:
    """Keep a copy of all that a primary holds now."""
    server.stop()
    shutil.copytree(server.data_dir / "dbs", to)
    server.start()


def restore(server: Server, backup: Path) -> None:
    """Put an older copy in place, log id and all, as a careless restore does."""
    server.stop()
    shutil.rmtree(server.data_dir / "dbs")
    shutil.copytree(backup, server.data_dir / "dbs")
    server.start()
