"""History is pruned by age, on the primary, and never within the time that a client may be offline."""

import time
from pathlib import Path

from replica.primary import HISTORY_DAYS_KEPT
from sqld import Server
from tests.hrana_client import HranaClient
from tests.replica.notebook import Note, open_notes, settle

DAY_S = 86_400


def _three_notes(directory: Path, server: Server) -> None:
    with open_notes(directory, "libsql", server.url) as notes:
        for title in ("first", "second", "third"):
            with notes.transaction() as tx:
                tx.insert(Note(title=title))
        settle(notes)


def _sync_tomorrow(directory: Path, server: Server) -> list[str]:
    """Sync once more, a day later by the client's clock; the titles that it then has."""
    with open_notes(directory, "libsql", server.url, clock=lambda: time.time() + DAY_S) as notes:
        settle(notes)
        return [note.title for note in notes.select(Note, "ORDER BY title")]


def test_history_older_than_a_client_may_be_offline_goes_and_the_rows_stay(
    primary_server: Server, tmp_path: Path
) -> None:
    """The newest entry stays in any case: by it a client knows its primary again."""
    _three_notes(tmp_path, primary_server)
    with HranaClient(primary_server.port) as primary:
        primary.run(f"UPDATE _replica_changes SET received_at = unixepoch() - {(HISTORY_DAYS_KEPT + 1) * DAY_S}")

        titles = _sync_tomorrow(tmp_path, primary_server)

        assert titles == ["first", "second", "third"]
        assert primary.run("SELECT count(*), max(seq) FROM _replica_changes") == [["1", "3"]]


def test_history_within_that_time_stays_whatever_a_clients_clock_says(primary_server: Server, tmp_path: Path) -> None:
    """A client whose clock is a year ahead prunes nothing: the primary's clock decides."""
    _three_notes(tmp_path, primary_server)
    with HranaClient(primary_server.port) as primary:
        primary.run(f"UPDATE _replica_changes SET received_at = unixepoch() - {(HISTORY_DAYS_KEPT - 1) * DAY_S}")

        with open_notes(tmp_path, "libsql", primary_server.url, clock=lambda: time.time() + 365 * DAY_S) as notes:
            settle(notes)

        assert primary.run("SELECT count(*) FROM _replica_changes") == [["3"]]
