"""Taking in a file: again, over what is here, in parts, and with what cannot be taken as it is."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.clock import Clock
from tests.tracker.transfer.content import rows_of
from tracker import Comment, Issue, IssueEdit, Status, Tracker, open_tracker
from tracker.records import Dependency, Note
from tracker.transfer import Outcome, import_file, intake
from tracker.transfer.intake import BYTES_MAX

AT = "2026-01-01T00:00:00.000000Z"


def issue(number: int, **values: object) -> dict[str, object]:
    """The JSON of an issue."""
    return {"id": f"td-{number:08d}", "title": f"Issue {number}", "created_at": AT, **values}


def written(folder: Path, **tables: list[Any]) -> Path:  # any JSON values
    """An export that holds the rows of some tables."""
    path = folder / "export.json"
    path.write_text(json.dumps({"format": "td-export", "version": 1, **tables}))
    return path


def test_what_was_changed_here_is_left_as_it_is_and_told(tracker: Tracker, tmp_path: Path) -> None:
    """Row by row, with the names of the fields."""
    path = written(tmp_path, issues=[issue(1), issue(2)])
    import_file(tracker, path)
    tracker.update("td-00000001", IssueEdit(title="Mine"))

    summary = import_file(tracker, path)

    assert tracker.get("td-00000001").title == "Mine"
    assert summary.counts["issues"] == {
        Outcome.NEW: 0, Outcome.CHANGED: 0, Outcome.UNCHANGED: 1, Outcome.CONFLICTING: 1, Outcome.SKIPPED: 0
    }  # fmt: skip
    assert [(one.table, one.row_id, one.fields) for one in summary.differences] == [
        ("issues", "td-00000001", ("title",))
    ]


def test_force_changes_what_the_file_states_and_nothing_else(tracker: Tracker, tmp_path: Path) -> None:
    """By an ordinary update, which can be taken back."""
    path = written(tmp_path, issues=[issue(1)])
    import_file(tracker, path)
    tracker.update("td-00000001", IssueEdit(title="Mine", description="kept, because the file says nothing of it"))

    summary = import_file(tracker, path, force=True)

    forced = tracker.get("td-00000001")
    assert (forced.title, forced.description[:4]) == ("Issue 1", "kept")
    assert (summary.total(Outcome.CHANGED), summary.mutations) == (1, 1)
    tracker.undo()
    assert tracker.get("td-00000001").title == "Mine"


def test_a_dry_run_tells_the_same_and_writes_nothing(tracker: Tracker, tmp_path: Path) -> None:
    """What is new, what conflicts, what is left out."""
    import_file(tracker, written(tmp_path, issues=[issue(1)]))
    path = written(tmp_path, issues=[issue(1, title="Other"), issue(2), {"title": "No id", "created_at": AT}])
    before = rows_of(tracker)

    dry = import_file(tracker, path, dry_run=True)

    assert rows_of(tracker) == before
    assert (dry.is_dry, dry.mutations) == (True, 0)
    assert dry.counts == import_file(tracker, path).counts


def test_moments_of_the_file_are_kept_and_the_stamp_is_new(tracker: Tracker, tmp_path: Path, clock: Clock) -> None:
    """An import is a write like any other."""
    clock.pass_seconds(60)

    import_file(tracker, written(tmp_path, issues=[issue(1, closed_at=AT, status="closed", updated_at=AT)]))

    found = tracker.get("td-00000001")
    assert found.created_at == found.closed_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert found.updated_at.startswith("2026-11-21T05:01:00")


def test_a_status_is_written_as_it_is(tracker: Tracker, tmp_path: Path) -> None:
    """An import is no transition: what the rules of moving forbid may be in a file of ours."""
    import_file(tracker, written(tmp_path, issues=[issue(1, status="closed"), issue(2, status="in_review")]))

    assert [row.status for row in rows_of(tracker) if isinstance(row, Issue)] == [Status.CLOSED, Status.IN_REVIEW]


BAD: list[tuple[Mapping[str, object], Mapping[str, object], str]] = [
    ({"title": "a\x1b[31mb\x00"}, {"title": "a [31mb"}, "title held characters that text cannot hold"),
    ({"title": "x" * 300}, {"title": "x" * 199 + "…"}, "title had more than 200 characters"),
    ({"title": "  "}, {"title": "untitled"}, "title was missing or not one that td knows"),
    ({"description": "a\ud800b"}, {"description": "a?b"}, "description held characters"),
    ({"type": "spike"}, {"type": "task"}, "type is not one that td knows"),
    ({"priority": 7}, {"priority": "P2"}, "priority is not one that td knows"),
    ({"points": 2**70}, {"points": None}, "points is not one that td knows"),
    ({"minor": "yes"}, {"minor": False}, "minor is not one that td knows"),
    ({"labels": ["a b", "+c", 7]}, {"labels": frozenset({"a-b", "c"})}, "a label had characters"),
    ({"labels": "a"}, {"labels": frozenset()}, "labels is not one that td knows"),
    ({"due_date": "soon"}, {"due_date": None}, "due_date is not one that td knows"),
    ({"created_at": "then"}, {"created_at": "1970-01-01T00:00:00+00:00"}, "created_at was missing or not one"),
    ({"parent_id": "td-ffffffff"}, {"parent_id": None}, "parent_id names one of the issues that is not there"),
]


@pytest.mark.parametrize(("values", "kept", "reason"), BAD, ids=[next(iter(values)) for values, _, _ in BAD])
def test_a_value_that_cannot_be_kept_is_mended_and_told(
    tracker: Tracker, tmp_path: Path, values: Mapping[str, object], kept: Mapping[str, object], reason: str
) -> None:
    """The rest of the row comes in, and a second time changes nothing."""
    path = written(tmp_path, issues=[issue(1, **values)])

    summary = import_file(tracker, path)

    found = tracker.get("td-00000001")
    shown = {name: getattr(found, name) for name in kept}
    assert {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in shown.items()} == kept
    assert any(remark.reason.startswith(reason) for remark in summary.repaired)
    assert import_file(tracker, path).mutations == 0


def test_a_row_that_cannot_be_taken_is_left_out_with_its_reason(tracker: Tracker, tmp_path: Path) -> None:
    """And those that can are taken."""
    said = {"issue_id": "td-00000001", "text": "hello", "created_at": AT}
    path = written(
        tmp_path,
        issues=[issue(1), issue(1), {**issue(2), "id": "TD 2"}, 7],
        comments=[
            {**said, "id": "c1"},
            {**said, "id": "c2", "text": " \x07"},
            {**said, "id": "c3", "issue_id": "td-9"},
        ],
        logs=[{"id": "l1", "message": "of nothing", "created_at": AT, "issue_id": "td-9"}],
        reviews=[{"id": "r1", "issue_id": "td-00000001", "decision": "perhaps", "created_at": AT}],
        notes=[{"id": "n1", "title": "t", "content": "é" * 1_200_000, "created_at": AT}],
    )

    summary = import_file(tracker, path)

    assert [type(row) for row in rows_of(tracker)] == [Issue, Comment]
    assert sorted((remark.table, remark.reason) for remark in summary.skipped) == [
        ("comments", "its issue_id is not there"),
        ("comments", "its text is empty"),
        ("issues", "it is no object"),
        ("issues", "its id cannot be used"),
        ("issues", "rows that are there twice"),
        ("logs", "its issue_id is not there"),
        ("notes", "it takes more than 1,900,000 bytes"),
        ("reviews", "its decision cannot be used"),
    ]
    assert summary.total(Outcome.SKIPPED) == 8


def test_a_row_may_name_what_is_here_and_not_in_the_file(tracker: Tracker, tmp_path: Path) -> None:
    """A comment on an issue that came another way."""
    made = tracker.create("Oat milk")
    path = written(tmp_path, comments=[{"id": "c1", "issue_id": made.id, "text": "or soy", "created_at": AT}])

    summary = import_file(tracker, path)

    assert summary.skipped == ()
    assert [row.text for row in rows_of(tracker) if isinstance(row, Comment)] == ["or soy"]


def test_fields_and_tables_that_td_does_not_have_are_counted(tracker: Tracker, tmp_path: Path) -> None:
    """As of an export that a newer td made."""
    summary = import_file(tracker, written(tmp_path, issues=[issue(1, mood="good")], moods=[1, 2]))

    assert {(remark.table, remark.reason) for remark in summary.homeless} == {
        ("issues", "field mood"),
        ("moods", "all of it"),
    }


def test_much_is_written_in_parts_that_keep_together_what_belongs_together(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each a mutation: an issue comes with its comments, and what is of no issue by itself."""
    monkeypatch.setattr(intake, "ROWS_MAX", 30)
    count = 10
    path = written(
        tmp_path,
        comments=[
            {"id": f"c{number}-{part}", "issue_id": f"td-{number:08d}", "text": "hello", "created_at": AT}
            for number in range(count)
            for part in range(4)
        ],
        issues=[issue(number) for number in range(count)],
        notes=[{"id": "n1", "title": "Plan", "created_at": AT}],
    )

    summary = import_file(tracker, path)

    sql = "SELECT mutation, table_name, row_id, fields FROM _replica_changes"
    of: dict[str, set[str]] = {}
    for mutation, table, row_id, fields in tracker.replica.query(sql).rows:
        owner = str(row_id) if table == "issues" else json.loads(str(fields)).get("issue_id", [None, "none"])[1]
        of.setdefault(str(owner), set()).add(str(mutation))
    assert all(len(mutations) == 1 for mutations in of.values())
    assert summary.mutations == len({mutation for mutations in of.values() for mutation in mutations}) == 3


def test_large_rows_go_into_as_many_mutations_as_they_need(tracker: Tracker, tmp_path: Path) -> None:
    """Also where --force has to hold what was before too."""
    text = '"\\' * 80_000
    issues = [issue(number, description=text) for number in range(10)]
    assert sum(map(len, map(json.dumps, issues))) > BYTES_MAX

    first = import_file(tracker, written(tmp_path, issues=issues))
    short = [{**one, "description": "short"} for one in issues]
    forced = import_file(tracker, written(tmp_path, issues=short), force=True)

    assert first.mutations > 1
    assert forced.mutations > 1
    assert (forced.total(Outcome.CHANGED), forced.skipped) == (10, ())


def test_an_import_that_was_stopped_is_simply_run_again(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of it stays, whole mutations of it; the rest follows."""
    monkeypatch.setattr(intake, "ROWS_MAX", 2)
    path = written(tmp_path, issues=[issue(number) for number in range(6)])

    def stop(doing: str, done: int, total: int) -> None:
        if (doing, done, total) == ("importing", 4, 6):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(tracker, path, progress=stop)
    stopped = len(rows_of(tracker))

    again = import_file(tracker, path)

    assert (stopped, again.total(Outcome.UNCHANGED), again.total(Outcome.NEW)) == (4, 4, 2)


def test_a_batch_can_be_taken_back(tracker: Tracker, tmp_path: Path) -> None:
    """Issues are deleted, as td delete does; what belongs to none is taken out."""
    import_file(tracker, written(tmp_path, issues=[issue(1)], notes=[{"id": "n1", "title": "Plan", "created_at": AT}]))

    tracker.undo()

    assert not any(isinstance(row, Note) for row in rows_of(tracker))
    assert tracker.get("td-00000001").deleted_at is None


def test_two_who_take_in_the_same_file_agree(tmp_path: Path, clock: Clock) -> None:
    """What their rows hold is the same, so that there is nothing to merge."""
    path = written(
        tmp_path,
        issues=[issue(1, title="\x07"), issue(2, created_at="?")],
        dependencies=[{"id": "d", "issue_id": "td-00000001", "depends_on_id": "td-00000002", "created_at": None}],
    )
    found = []
    for name in ("laptop", "desktop"):
        clock.pass_seconds(1_000)
        with open_tracker(tmp_path / name, session=f"ses_{name}", machine=name, clock=clock) as tracker:
            import_file(tracker, path)
            found.append(rows_of(tracker))

    assert found[0] == found[1]
    assert isinstance(found[0][-1], Dependency)
