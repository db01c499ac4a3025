"""The database of the td that is written in Go, in every schema that can be told apart."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.tracker.transfer.content import empty, rows_of
from tests.tracker.transfer.go_database import SCHEMAS, make_go_database
from tracker import Comment, Issue, IssueType, Priority, Status, Tracker
from tracker.records import (
    Board,
    BoardPosition,
    Decision,
    Deed,
    Dependency,
    FileLink,
    Handoff,
    Involvement,
    Log,
    LogType,
    Note,
    Review,
    Session,
    Snapshot,
    WorkSession,
    WorkSessionIssue,
)
from tracker.transfer import Outcome, Source, SourceError, import_file

CREATED = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)


@pytest.mark.parametrize("version", SCHEMAS)
def test_what_every_schema_has_is_taken_over(tracker: Tracker, tmp_path: Path, version: int) -> None:
    """With ids, moments in whatever form they were written, labels from commas, and relations."""
    path = make_go_database(tmp_path / "issues.db", version)

    summary = import_file(tracker, path)

    issues = {row.id: row for row in rows_of(tracker) if isinstance(row, Issue)}
    fixed = issues["td-00000b"]
    assert set(issues) == {"td-00000a", "td-00000b", "td-00000c"}
    assert (fixed.title, fixed.description, fixed.type, fixed.priority) == (
        "Fix it",
        "a\nb",
        IssueType.BUG,
        Priority.P0,
    )
    assert (fixed.status, fixed.points, fixed.parent_id) == (Status.CLOSED, 3, "td-00000a")
    assert fixed.labels == {"ui", "back-end", "x"}
    assert (fixed.created_at, fixed.closed_at) == (CREATED, datetime(2026, 1, 4, 5, 6, 7, tzinfo=UTC))
    assert issues["td-00000a"].labels == frozenset()
    assert issues["td-00000a"].implementer_session is None
    assert issues["td-00000c"].deleted_at is not None
    assert summary.source == Source.GO_TD
    assert (summary.total(Outcome.NEW), summary.skipped) == (9, ())


@pytest.mark.parametrize("version", SCHEMAS)
def test_what_was_said_and_linked_is_taken_over(tracker: Tracker, tmp_path: Path, version: int) -> None:
    """A number that was an id becomes one made of what the row holds; relations have the ids that both tds make."""
    import_file(tracker, make_go_database(tmp_path / "issues.db", version))

    by_kind = {type(row): row for row in rows_of(tracker)}
    comment, log, handoff = (by_kind[kind] for kind in (Comment, Log, Handoff))
    assert isinstance(comment, Comment)
    assert isinstance(log, Log)
    assert isinstance(handoff, Handoff)
    assert (comment.text, comment.session, comment.created_at) == ("looks good", "ses_aaaaaa", CREATED)
    assert (log.type, log.work_session_id) == (LogType.TRIED, None)
    assert (handoff.done, handoff.uncertain) == (("one",), ())
    assert (comment.id == "cm-12345678") is (version == 38)
    link, snapshot, dependency = (by_kind[kind] for kind in (FileLink, Snapshot, Dependency))
    assert isinstance(link, FileLink)
    assert isinstance(snapshot, Snapshot)
    assert isinstance(dependency, Dependency)
    assert (link.path, link.sha) == ("src/main.go", "def")
    assert (snapshot.event, snapshot.dirty_files) == ("start", 2)
    assert (dependency.issue_id, dependency.depends_on_id) == ("td-00000b", "td-00000a")
    assert dependency.created_at == CREATED


NEWEST = """
UPDATE issues SET defer_until = '2026-05-01', due_date = '2026-06-01T00:00:00Z', defer_count = 2, minor = 1,
    sprint = 's1', review_requested_by_session = 'ses_b', reviewed_at = '0001-01-01 00:00:00+00:00',
    created_branch = 'main' WHERE id = 'td-00000a';
INSERT INTO boards VALUES ('bd-all-issues', 'All Issues', NULL, '2026-01-01', '2026-01-01', '', 1, 'swimlanes'),
    ('bd-1', 'Mine', '2026-01-01', '2026-01-01', '2026-01-01', 'type = bug', 0, 'backlog');
INSERT INTO board_issue_positions VALUES ('bip_1', 'bd-1', 'td-00000a', 65536, '2026-01-01', NULL),
    ('bip_2', 'bd-1', 'td-00000b', 1, '2026-01-01', '2026-01-02');
INSERT INTO notes VALUES ('nt-1', 'Plan', 'text', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 1, 0, NULL);
INSERT INTO work_sessions VALUES ('ws-1', 'Friday', 'ses_a', 'wt', '/x', '/x', '2026-01-01 00:00:00', NULL, 'aa', '');
INSERT INTO work_session_issues VALUES ('wsi_1', 'ws-1', 'td-00000a', '2026-01-01 00:00:00');
INSERT INTO logs VALUES ('lg-2', '', 'ses_a', 'ws-1', 'for all', 'progress', '2026-01-01 00:00:00');
INSERT INTO sessions (id, name, branch, agent_type, agent_pid, previous_session_id, started_at)
    VALUES ('ses_a', 'n', 'main', 'claude', 7, '', '2026-01-01 00:00:00');
INSERT INTO issue_session_history VALUES ('1', 'td-00000a', 'ses_a', 'started', '2026-01-01 00:00:00'),
    ('2', 'td-00000a', 'ses_a', 'started', '2026-01-02 00:00:00'),
    ('3', 'td-00000a', 'ses_b', 'review_approved', '2026-01-03 00:00:00');
INSERT INTO issue_reviews VALUES ('rv-1', 'td-00000a', 'ses_b', 'approved_by_parent_cascade', '', 'ses_a',
    '2026-01-03 00:00:00', NULL, 1, 'Ann');
INSERT INTO action_log (id, session_id) VALUES ('al-1', 'ses_a'), ('al-2', 'ses_a');
"""


def test_the_newest_schema_is_taken_over_whole(tracker: Tracker, tmp_path: Path) -> None:
    """Boards, notes, work sessions, sessions, deeds and reviews too."""
    import_file(tracker, make_go_database(tmp_path / "issues.db", 38, NEWEST))

    rows = {row.id: row for row in rows_of(tracker)}
    epic = rows["td-00000a"]
    assert isinstance(epic, Issue)
    assert (epic.defer_until, epic.due_date, epic.defer_count) == (date(2026, 5, 1), date(2026, 6, 1), 2)
    assert (epic.minor, epic.sprint, epic.review_requested_by, epic.reviewed_at) == (True, "s1", "ses_b", None)
    kinds = [type(row) for row in rows.values()]
    assert {kind: kinds.count(kind) for kind in (Board, BoardPosition, Note, WorkSession, WorkSessionIssue, Log)} == {
        Board: 1, BoardPosition: 1, Note: 1, WorkSession: 1, WorkSessionIssue: 1, Log: 2
    }  # fmt: skip
    review, session = rows["rv-1"], rows["ses_a"]
    assert isinstance(review, Review)
    assert isinstance(session, Session)
    assert (review.decision, review.self_review, review.reviewed_by) == (Decision.APPROVED, True, "Ann")
    assert (session.agent, session.previous_session) == ("claude", None)
    deeds = {row.action: row.created_at.day for row in rows.values() if isinstance(row, Involvement)}
    assert deeds == {Deed.STARTED: 1, Deed.REVIEWED: 3}


def test_what_has_no_place_is_counted(tracker: Tracker, tmp_path: Path) -> None:
    """Tables, columns that hold something, and rows."""
    summary = import_file(tracker, make_go_database(tmp_path / "issues.db", 38, NEWEST))

    assert {(remark.table, remark.reason): remark.count for remark in summary.homeless} == {
        ("go-td", "table action_log"): 2,
        ("boards", "the board of all issues, which td has by itself"): 1,
        ("boards", "column last_viewed_at"): 1,
        ("board_issue_positions", "positions that were taken back"): 1,
        ("board_issue_positions", "column added_at"): 1,
        ("involvements", "rows that are there twice"): 1,
        ("sessions", "column agent_pid"): 1,
        ("work_sessions", "column worktree_id"): 1,
        ("work_sessions", "column worktree_root"): 1,
        ("work_sessions", "column repo_root"): 1,
    }


def test_a_filter_of_another_language_is_told(tracker: Tracker, tmp_path: Path) -> None:
    """The board is taken as it is, and who asks for it is told what is wrong; so they are told now."""
    query = "note.title ~ plan"
    insert = f"INSERT INTO boards (id, name, query) VALUES ('bd-1', 'Logs', '{query}'), ('bd-2', 'Bugs', 'type = bug');"

    summary = import_file(tracker, make_go_database(tmp_path / "issues.db", 38, insert))

    told = [remark for remark in summary.homeless if "filters" in remark.reason]
    assert [(remark.table, remark.count) for remark in told] == [("boards", 1)]
    assert query in told[0].example
    assert {row.name: row.query for row in rows_of(tracker) if isinstance(row, Board)}["Logs"] == query


@pytest.mark.parametrize("version", SCHEMAS)
def test_a_second_time_changes_nothing(tracker: Tracker, tmp_path: Path, version: int) -> None:
    """Nor would another machine make other rows of the same file."""
    path = make_go_database(tmp_path / "issues.db", version, NEWEST if version == 38 else "")
    import_file(tracker, path)
    before = rows_of(tracker)

    again = import_file(tracker, path)

    assert (again.mutations, again.total(Outcome.CONFLICTING)) == (0, 0)
    import_file(empty(tracker), path)
    assert rows_of(tracker) == before


@pytest.mark.parametrize("journal", ["TRUNCATE", "WAL"])
def test_what_a_crash_left_in_its_journal_is_read_and_the_files_are_not_touched(
    tracker: Tracker, tmp_path: Path, journal: str
) -> None:
    """As SQLite would: a log is applied, a half transaction is taken back; in a copy."""
    live = make_go_database(tmp_path / "live.db", 38, journal=journal)
    crashed = tmp_path / "crashed" / "issues.db"
    crashed.parent.mkdir()
    with closing(sqlite3.connect(live, isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("UPDATE issues SET title = hex(zeroblob(500000))")
        if journal == "WAL":
            connection.execute("UPDATE issues SET title = 'in the log'")
            connection.execute("COMMIT")
        for path in tmp_path.glob("live.db*"):
            shutil.copyfile(path, crashed.with_name(path.name.replace("live", "issues")))
    files = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in crashed.parent.iterdir()}
    assert len(files) > 1

    import_file(tracker, crashed)

    titles = {row.title for row in rows_of(tracker) if isinstance(row, Issue)}
    assert titles == ({"in the log"} if journal == "WAL" else {"Epic", "Fix it", "Gone"})
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in crashed.parent.iterdir()} == files


def test_rows_that_name_what_is_not_there_are_told(tracker: Tracker, tmp_path: Path) -> None:
    """A comment without its issue is left out; an issue without its parent has none."""
    statements = """
        INSERT INTO comments VALUES ('cm-2', 'td-ffffff', 'ses_a', 'lost', '2026-01-01');
        UPDATE issues SET parent_id = 'td-eeeeee', status = 'odd', closed_at = NULL WHERE id = 'td-00000b';
        UPDATE issues SET status = 'closed' WHERE id = 'td-00000a';
    """

    summary = import_file(tracker, make_go_database(tmp_path / "issues.db", 38, statements))

    assert [(one.table, one.reason) for one in summary.skipped] == [("comments", "its issue_id is not there")]
    repaired = {one.reason for one in summary.repaired if one.table == "issues"}
    assert "parent_id names one of the issues that is not there, and is left out" in repaired
    assert "status is not one that td knows, and is left out" in repaired
    assert "it is closed and does not say when: taken as when it was last changed" in repaired
    assert tracker.get("td-00000a").closed_at == datetime(2026, 1, 3, 2, 5, 6, 500000, tzinfo=UTC)


def test_other_databases_are_refused(tracker: Tracker, tmp_path: Path) -> None:
    """One of another program, and one of this td."""
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE pages (id TEXT)")
    tracker.create("Oat milk")
    ours = tmp_path / "laptop" / "data.db"

    for path, word in ((other, "not one of the Go td"), (ours, "a database of this td")):
        with pytest.raises(SourceError, match=word):
            import_file(tracker, path)
