"""Write new issues and change those that are there, with their place among others, as one mutation.

Always true: what an edit makes of one issue it makes of all that are named, or of none; and an approval does not
outlive a change of what was approved.
"""

from collections.abc import Sequence

from replica import Transaction
from tracker.deeds import SUPERSEDING, supersede_approvals
from tracker.dependencies import add_in, remove_in, replace_in
from tracker.errors import NothingToChangeError
from tracker.moves import Moved, enter_checked, follow
from tracker.near import edges_on
from tracker.parents import check_parent
from tracker.records import Comment, Issue
from tracker.rules import IssueEdit, check_not_deleted, edit_issue
from tracker.tracker import Tracker
from tracker.values import check_comment, check_title


def create(tracker: Tracker, edit: IssueEdit, *, depends_on: Sequence[str] = (), blocks: Sequence[str] = ()) -> Issue:
    """Write a new issue with the fields of `edit`.

    depends_on: the beginnings of the ids that it waits for. blocks: of those that wait for it. A parent that was
    closed by the closing of its parts is open again. Raises InvalidFieldError, CycleError, and as `Tracker.get`.
    """
    checked = edit.checked()
    needed, waiting = [tracker.get(one) for one in depends_on], [tracker.get(one) for one in blocks]
    blank = Issue(
        title=check_title(checked.title or ""),
        created_at=tracker.now(),
        creator_session=tracker.session,
        created_branch=tracker.desk.branch,
    )
    fields = dict(edit_issue(blank, checked))
    with tracker.transaction() as tx:
        if checked.parent_id is not None:
            fields["parent_id"] = check_parent(tracker, None, checked.parent_id).id
        issue = tx.insert(blank.with_changes(fields))
        add_in(tracker, tx, issue, needed)
        for other in waiting:
            add_in(tracker, tx, other, [issue])
        if checked.status is not None:
            issue = enter_checked(tracker, tx, issue, checked.status)
        if issue.parent_id is not None:
            follow(tracker, tx, [issue])
        return tx.get(Issue, issue.id)


def change(
    tracker: Tracker,
    typed: Sequence[str],
    edit: IssueEdit,
    *,
    depends_on: Sequence[str] | None = None,
    blocks: Sequence[str] | None = None,
    comment: str | None = None,
    if_updated_at: str | None = None,
) -> Moved:
    """Change the fields of issues that `edit` names.

    Args:
        tracker: where they are.
        typed: the beginnings of their ids.
        edit: what to change.
        depends_on: what they wait for from now on, and nothing else; None leaves that as it is.
        blocks: what waits for them from now on, and nothing else; None leaves that as it is.
        comment: to be said about them as well.
        if_updated_at: the stamp under which the caller read the issue; None changes it whatever it is now.

    Raises:
        ConflictError: the issue was changed since `if_updated_at`.
        TrackerError: a value is not valid, an issue is deleted, or a rule is against it.
        ReplicaError: as `Tracker.get` does.
    """
    if edit.is_empty() and depends_on is None and blocks is None and comment is None:
        raise NothingToChangeError
    checked, said = edit.checked(), None if comment is None else check_comment(comment)
    ids = list(dict.fromkeys(tracker.get(one).id for one in typed))
    needed = None if depends_on is None else [tracker.get(one) for one in depends_on]
    waiting = None if blocks is None else [tracker.get(one) for one in blocks]
    changed, landed = [], []
    with tracker.transaction() as tx:
        for issue_id in ids:
            issue = tx.get(Issue, issue_id)
            check_not_deleted(issue)
            seen = issue if if_updated_at is None else issue.model_copy(update={"updated_at": if_updated_at})
            edited = _edit(tracker, tx, seen, checked)
            touched = [
                *(() if needed is None else replace_in(tracker, tx, edited, needed)),
                *(() if waiting is None else _let_wait(tracker, tx, edited, waiting)),
            ]
            if said is not None:
                now = tracker.now()
                tx.insert(Comment(issue_id=issue_id, text=said, session=tracker.session, created_at=now))
            if edited.updated_at != issue.updated_at or touched or said is not None:
                changed.append(issue_id)
            if edited.status is not issue.status or edited.parent_id != issue.parent_id:
                landed.append(edited)
        followed = follow(tracker, tx, landed)
        shown = [tx.get(Issue, issue_id) for issue_id in ids]
    others = [issue for issue in followed if issue.id not in set(ids)]
    return Moved(shown, frozenset(changed), others)


def _edit(tracker: Tracker, tx: Transaction, issue: Issue, edit: IssueEdit) -> Issue:
    changes = dict(edit_issue(issue, edit)) if not edit.is_empty() else {}
    if edit.parent_id is not None:
        changes["parent_id"] = check_parent(tracker, issue, edit.parent_id).id
    edited = tx.update(issue, **changes)
    if {name for name in changes if getattr(edited, name) != getattr(issue, name)} & SUPERSEDING:
        supersede_approvals(tracker, tx, issue.id)
    return edited if edit.status is None else enter_checked(tracker, tx, edited, edit.status)


def _let_wait(tracker: Tracker, tx: Transaction, issue: Issue, waiting: Sequence[Issue]) -> list[str]:
    """Let these wait for the issue, and nothing else. Returns the ids of those for which that is new."""
    wanted = {other.id for other in waiting}
    gone = [one.issue_id for one in edges_on(tracker, tx, issue.id) if one.issue_id not in wanted]
    ended = [other_id for other_id in gone if remove_in(tracker, tx, other_id, [issue.id])]
    return [*ended, *(other.id for other in waiting if add_in(tracker, tx, other, [issue]))]
