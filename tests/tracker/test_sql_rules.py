"""What SQL writes keeps the rules of td."""

import pytest

from replica import InputError, NotFoundError
from tests.tracker.clock import Clock
from tracker import (
    Comment,
    InvalidFieldError,
    Issue,
    IssueDeletedError,
    IssueEdit,
    Mutation,
    Priority,
    Status,
    Tracker,
)
from tracker.dependencies import add
from tracker.errors import CycleError, DeletedError, SelfApprovalError
from tracker.moves import block, close, start
from tracker.records import RECORDS, Decision, Handoff, Log, Note, Review, Session
from tracker.sql_rules import _OPEN


def execute(tracker: Tracker, sql: str) -> Mutation | None:
    """Run SQL that writes, under td's rules."""
    return tracker.replica.sql.execute(sql, rules=tracker.sql_rules)[1]


def test_a_new_issue_says_who_made_it_and_when(tracker: Tracker) -> None:
    """As one of td create does."""
    execute(tracker, "INSERT INTO issues (title, labels) VALUES (' Oat milk ', '[\"b\",\"a\"]')")

    (issue,) = tracker.replica.select(Issue)
    made = tracker.create("Oat milk", labels=frozenset({"a", "b"}))
    assert issue == made.model_copy(update={"id": issue.id, "updated_at": issue.updated_at})
    assert issue.id.startswith("td-")


def test_closing_and_reopening_keep_closed_at_in_step(tracker: Tracker, clock: Clock) -> None:
    """As td close and td reopen do."""
    issue = tracker.create("Oat milk")
    clock.pass_seconds(60)

    execute(tracker, "UPDATE issues SET status = 'closed'")
    closed = tracker.get(issue.id)
    execute(tracker, "UPDATE issues SET status = 'open'")

    assert (closed.status, closed.closed_at) == (Status.CLOSED, tracker.now())
    assert tracker.get(issue.id).closed_at is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE issues SET closed_at = '2026-11-21T05:00:00Z'",
        "UPDATE issues SET status = 'closed', closed_at = NULL WHERE status = 'closed'",
        "INSERT INTO issues (title, closed_at) VALUES ('x', '2026-11-21T05:00:00Z')",
    ],
)
def test_closed_at_out_of_step_with_the_status_is_refused(tracker: Tracker, sql: str) -> None:
    """It would be shown as open and counted as closed."""
    tracker.create("Oat milk")
    if "WHERE" in sql:
        close(tracker, [tracker.create("Bread").id])

    with pytest.raises(InvalidFieldError, match="closed_at"):
        execute(tracker, sql)


def test_a_moment_of_closing_that_is_given_is_kept(tracker: Tracker) -> None:
    """As of an issue that comes from elsewhere."""
    execute(tracker, "INSERT INTO issues (title, status, closed_at) VALUES ('x', 'closed', '2020-01-01T00:00:00Z')")

    (issue,) = tracker.replica.select(Issue)
    assert issue.closed_at is not None
    assert issue.closed_at.year == 2020


def test_delete_marks_and_can_be_restored_and_undone(tracker: Tracker, clock: Clock) -> None:
    """As td delete does; what is deleted already is left alone."""
    milk, bread = tracker.create("Milk"), tracker.create("Bread")
    tracker.delete([bread.id])
    clock.pass_seconds(60)

    mutation = execute(tracker, "DELETE FROM issues")

    assert mutation is not None
    assert [(change.kind.value, change.row_id) for change in mutation.changes] == [("update", milk.id)]
    assert tracker.get(milk.id).deleted_at == tracker.now()
    tracker.undo()
    assert tracker.get(milk.id).deleted_at is None


def test_a_deleted_issue_is_only_restored(tracker: Tracker) -> None:
    """And a statement that means it by mistake learns how to leave it out."""
    issue = tracker.create("Milk")
    tracker.delete([issue.id])

    with pytest.raises(IssueDeletedError) as raised:
        execute(tracker, "UPDATE issues SET title = 'x'")
    execute(tracker, "UPDATE issues SET deleted_at = NULL")

    assert "AND deleted_at IS NULL" in raised.value.hint
    assert tracker.get(issue.id).deleted_at is None


def test_notes_are_marked_and_what_was_said_goes(tracker: Tracker) -> None:
    """What td can show as deleted is kept; and undo brings either back."""
    issue = tracker.create("Milk")
    execute(tracker, "INSERT INTO notes (title) VALUES ('Plan')")
    tracker.comment(issue.id, "hello")

    execute(tracker, "DELETE FROM notes")
    execute(tracker, "DELETE FROM comments")

    assert [note.deleted_at for note in tracker.replica.select(Note)] == [tracker.now()]
    assert tracker.replica.select(Comment) == []
    tracker.replica.undo()
    assert [comment.text for comment in tracker.replica.select(Comment)] == ["hello"]


@pytest.mark.parametrize(
    ("sql", "field"),
    [
        ("UPDATE issues SET title = '  '", "title"),
        ("UPDATE issues SET title = 'two' || char(10) || 'lines'", "title"),
        ("UPDATE issues SET title = printf('%.*c', 201, 'x')", "title"),
        ("UPDATE issues SET description = char(27)", "description"),
        ("UPDATE issues SET labels = '[\"a b\"]'", "label"),
        ("UPDATE issues SET points = 4", "points"),
        ("UPDATE issues SET sprint = char(10) || 'x' || char(10) || 'y'", "sprint"),
        ("UPDATE issues SET implementer_session = 'ses_other'", "implementer_session"),
        ("UPDATE issues SET status = 'closed', closed_by_session = 'ses_other'", "closed_by_session"),
        ("UPDATE issues SET creator_session = 'ses_other'", "creator_session"),
        ("INSERT INTO issues (title, reviewed_at) VALUES ('x', '2026-11-21T05:00:00Z')", "reviewed_at"),
        ("INSERT INTO issues (id, title) VALUES ('milk', 'x')", "id"),
        ("INSERT INTO issues (id, title) VALUES ('TD-ABC', 'x')", "id"),
        ("INSERT INTO issues (id, title) VALUES ('td-a' || char(27) || '[2J', 'x')", "id"),
        ("INSERT INTO notes (id, title) VALUES ('nt-A b', 'x')", "id"),
        ("INSERT INTO comments (id, issue_id, text) SELECT char(10), id, 'x' FROM issues", "id"),
        ("INSERT INTO comments (issue_id, text) SELECT id, ' ' FROM issues", "text"),
        ("INSERT INTO logs (issue_id, message) SELECT id, '' FROM issues", "text"),
    ],
)
def test_what_td_would_not_take_sql_cannot_write(tracker: Tracker, sql: str, field: str) -> None:
    """The same rules, and nothing is written."""
    issue = tracker.create("Milk")

    with pytest.raises(InvalidFieldError) as raised:
        execute(tracker, sql)

    assert raised.value.field == field
    assert tracker.get(issue.id) == issue


def test_the_first_change_of_a_session_tells_who_that_is(tracker: Tracker) -> None:
    """Also where SQL makes it."""
    execute(tracker, "INSERT INTO notes (title) VALUES ('Plan')")

    assert [session.id for session in tracker.replica.select(Session)] == [tracker.session]


def test_an_approval_does_not_outlive_a_change_of_what_was_approved(tracker: Tracker) -> None:
    """Nor does it with td update."""
    issue = tracker.create("Milk")
    review = Review(issue_id=issue.id, decision=Decision.APPROVED, created_at=tracker.now())
    with tracker.replica.transaction() as tx:
        tx.insert(review)

    execute(tracker, "UPDATE issues SET sprint = 'May'")
    kept = tracker.replica.select(Review)[0].superseded_at
    execute(tracker, "UPDATE issues SET title = 'Oat milk'")

    assert kept is None
    assert tracker.replica.select(Review)[0].superseded_at == tracker.now()


def test_putting_off_is_counted(tracker: Tracker) -> None:
    """As td defer counts it."""
    issue = tracker.create("Milk")

    execute(tracker, "UPDATE issues SET defer_until = '2026-12-24'")
    execute(tracker, "UPDATE issues SET defer_until = NULL")

    assert tracker.get(issue.id).defer_count == 1


def test_a_deleted_note_is_only_restored(tracker: Tracker) -> None:
    """As an issue is."""
    execute(tracker, "INSERT INTO notes (title) VALUES ('Plan')")
    execute(tracker, "DELETE FROM notes")

    with pytest.raises(DeletedError) as raised:
        execute(tracker, "UPDATE notes SET title = 'x'")
    execute(tracker, "UPDATE notes SET deleted_at = NULL")

    assert "AND deleted_at IS NULL" in raised.value.hint
    assert [note.title for note in tracker.replica.select(Note)] == ["Plan"]


def test_what_was_said_is_not_changed(tracker: Tracker) -> None:
    """So that it never conflicts."""
    tracker.comment(tracker.create("Milk").id, "hello")

    with pytest.raises(InvalidFieldError, match="not changed"):
        execute(tracker, "UPDATE comments SET text = 'x'")


def test_a_handoff_is_kept_as_td_would_keep_it(tracker: Tracker) -> None:
    """Empty lines are left out, and none of it has control characters."""
    issue = tracker.create("Milk")
    sql = "INSERT INTO handoffs (issue_id, done) SELECT id, json_array('half', ' ') FROM issues"

    execute(tracker, sql)
    with pytest.raises(InvalidFieldError):
        execute(tracker, sql.replace("'half'", "char(27)"))

    assert [(one.issue_id, one.done) for one in tracker.replica.select(Handoff)] == [(issue.id, ("half",))]


def test_a_priority_that_is_none_is_told_by_row_and_field(tracker: Tracker) -> None:
    """By the record class."""
    issue = tracker.create("Milk")

    with pytest.raises(InputError, match=f"issues {issue.id}: priority: "):
        execute(tracker, "UPDATE issues SET priority = 'P9'")


def test_nothing_is_said_about_a_deleted_issue(tracker: Tracker) -> None:
    """As td comment refuses it."""
    issue = tracker.create("Milk")
    tracker.delete([issue.id])

    with pytest.raises(IssueDeletedError):
        execute(tracker, f"INSERT INTO comments (issue_id, text) VALUES ('{issue.id}', 'x')")


def test_a_log_has_its_kind_and_its_author(tracker: Tracker) -> None:
    """Filled in where the statement does not say it."""
    issue = tracker.create("Milk")

    execute(tracker, f"INSERT INTO logs (issue_id, message, type) VALUES ('{issue.id}', 'stuck', 'blocker')")

    (log,) = tracker.replica.select(Log)
    assert (log.session, log.created_at, log.type.value) == (tracker.replica.session, tracker.now(), "blocker")


@pytest.mark.parametrize("table", [record.replica_table for record in RECORDS if record not in _OPEN])
def test_what_relates_rows_and_says_who_did_what_is_written_by_td_alone(tracker: Tracker, table: str) -> None:
    """Or a cycle, or an approval, would come in past its rules."""
    required = {column.name: "x" for column in next(r for r in RECORDS if r.replica_table == table).replica_columns}
    values = {
        **required, "created_at": "2026-11-21T05:00:00Z", "decision": "approved", "action": "started", "position": "1",
        "started_at": "2026-11-21T05:00:00Z", "superseded_at": None, "ended_at": None, "role": "test",
        "self_review": "0", "dirty_files": "0", "deleted_at": None, "view_mode": "backlog",
    }  # fmt: skip
    given = [name for name in values if name in required]
    listing = ", ".join("NULL" if values[name] is None else f"'{values[name]}'" for name in given)

    with pytest.raises(InvalidFieldError, match="written by td alone"):
        execute(tracker, f"INSERT INTO {table} ({', '.join(given)}) VALUES ({listing})")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE issues SET parent_id = 'td-nothing0'",
        "INSERT INTO comments (issue_id, text) VALUES ('td-nothing0', 'x')",
        "INSERT INTO issues (title, parent_id) VALUES ('x', 'td-nothing0')",
    ],
)
def test_an_issue_that_is_named_must_be_there(tracker: Tracker, sql: str) -> None:
    """As for td's commands."""
    tracker.create("Milk")

    with pytest.raises(NotFoundError):
        execute(tracker, sql)


def test_issues_do_not_become_parts_of_each_other(tracker: Tracker) -> None:
    """Not of themselves, and not in a circle that the rows of one statement make together."""
    first, second = tracker.create("Milk"), tracker.create("Bread")

    for sql in (
        "UPDATE issues SET parent_id = id",
        f"UPDATE issues SET parent_id = CASE id WHEN '{first.id}' THEN '{second.id}' ELSE '{first.id}' END",
    ):
        with pytest.raises(CycleError):
            execute(tracker, sql)

    assert {issue.parent_id for issue in tracker.replica.select(Issue)} == {None}


def test_one_s_own_work_is_not_closed_past_its_review(tracker: Tracker) -> None:
    """The ways of the statuses hold for SQL."""
    issue = tracker.create("Milk")
    start(tracker, [issue.id])

    with pytest.raises(SelfApprovalError):
        execute(tracker, "UPDATE issues SET status = 'closed'")

    assert tracker.get(issue.id).status is Status.IN_PROGRESS


def test_what_follows_from_a_status_follows_in_the_same_mutation(tracker: Tracker) -> None:
    """What was blocked is open once what it waits for is closed."""
    needed, waiting = tracker.create("Milk"), tracker.create("Porridge")
    add(tracker, waiting.id, [needed.id])
    block(tracker, [waiting.id])

    execute(tracker, f"UPDATE issues SET status = 'closed' WHERE id = '{needed.id}'")

    assert tracker.get(waiting.id).status is Status.OPEN
    tracker.undo()
    assert tracker.get(waiting.id).status is Status.BLOCKED


def test_an_update_that_td_would_make_is_the_same_mutation(tracker: Tracker, clock: Clock) -> None:
    """Field by field."""
    first, second = tracker.create("Milk"), tracker.create("Milk")
    clock.pass_seconds(1)

    made = execute(tracker, f"UPDATE issues SET status = 'closed', priority = 'P0' WHERE id = '{first.id}'")
    tracker.update(second.id, IssueEdit(status=Status.CLOSED, priority=Priority.P0))

    assert made is not None
    assert changes_of(made, first.id) == changes_of(tracker.replica.mutation(), second.id)


def changes_of(mutation: Mutation, issue_id: str) -> list[tuple[str, str, dict[str, object]]]:
    """What a mutation did, but for the ids in it."""
    return [
        (change.table, change.kind.value, {name: pair for name, pair in change.fields.items() if issue_id not in pair})
        for change in mutation.changes
    ]
