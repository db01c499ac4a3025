"""Files of ours: opened by several at once, and nobody is turned away."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

from replica.sqlite_file import open_file


def test_all_who_open_a_new_file_at_one_moment_get_it(tmp_path: Path) -> None:
    """The first to come makes it one with a log of writes, and SQLite itself does not wait for that."""
    start = Barrier(8)

    def open_all(_: int) -> list[str]:
        modes = []
        for number in range(100):
            start.wait(timeout=10)
            with closing(open_file(tmp_path / f"{number}.db")) as connection:
                modes.append(str(connection.execute("PRAGMA journal_mode").fetchone()[0]))
        return modes

    with ThreadPoolExecutor(8) as pool:
        modes = [mode for found in pool.map(open_all, range(8)) for mode in found]

    assert modes == ["wal"] * 800
