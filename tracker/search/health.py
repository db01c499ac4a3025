"""How the index stands, for those who look at every part."""

import sqlite3
from contextlib import closing
from pathlib import Path

from replica import Check
from tracker.search import index
from tracker.search.keeping import FILE_NAME, alone, is_ours


def check_index(directory: Path | None) -> list[Check]:
    """Whether every word in the index is where the texts have it; nothing where there is no index.

    Raises BusyError while another process makes it for too long.
    """
    if directory is None or not (directory / FILE_NAME).exists():
        return []
    path = directory / FILE_NAME
    with alone(directory):
        try:
            told = _told(path)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            hint = f"delete {path}; the next search makes it anew"
            return [Check(FILE_NAME, ok=False, detail=f"damaged: {error}", hint=hint)]
    return [Check(FILE_NAME, ok=True, detail=told)]


def _told(path: Path) -> str:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)) as connection:
        if not is_ours(connection):
            return "of another format; the next search makes it anew"
        connection.execute("INSERT INTO text (text) VALUES ('integrity-check')")
        count = index.count(connection)
    return f"{count} issue{'' if count == 1 else 's'}, {path.stat().st_size / 1_000_000:.1f} MB"
