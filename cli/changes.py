"""How a change to issues is told.

Always true: one issue is one object, and several are a list of such objects, in the order they were named; what was so
already is told as `unchanged`.
"""

from collections.abc import Collection, Sequence

from cli.documents import change_document, record_document
from cli.invocation import Invocation
from cli.output import print_json, print_lines
from cli.render import change_line
from cli.text import printable
from tracker import FileLink, Issue, LinkChange, Moved, Tracker


def emit_change(
    call: Invocation,
    tracker: Tracker,
    action: str,
    issues: Sequence[Issue],
    *,
    many: bool,
    unchanged: Collection[str] = (),
) -> None:
    """Print what was done to `issues`; `many`: as a list, though it may have one member.

    unchanged: the ids of those that were so already.
    """
    pending = tracker.pending_ids()
    told = [("unchanged" if issue.id in unchanged else action, issue) for issue in issues]
    if call.as_json:
        documents = [change_document(word, issue, pending=issue.id in pending) for word, issue in told]
        print_json(documents if many else documents[0])
    else:
        print_lines(change_line(word, issue.id, pending=issue.id in pending) for word, issue in told)


def emit_moved(call: Invocation, tracker: Tracker, action: str, moved: Moved, *, many: bool) -> None:
    """Print what was done to issues, and what followed from it for others."""
    pending = tracker.pending_ids()
    told = [(action if issue.id in moved.changed else "unchanged", issue) for issue in moved.issues]
    if call.as_json:
        followed = [{"id": issue.id, "status": issue.status.value} for issue in moved.followed]
        documents = [
            {**change_document(word, issue, pending=issue.id in pending), "followed": followed if not number else []}
            for number, (word, issue) in enumerate(told)
        ]
        print_json(documents if many else documents[0])
        return
    lines = [change_line(word, issue.id, pending=issue.id in pending) for word, issue in told]
    lines += [f"  {issue.id} follows: {issue.status.value}" for issue in moved.followed]
    print_lines(lines)


def emit_linked(call: Invocation, tracker: Tracker, action: str, change: LinkChange) -> None:
    """Print what was done to files of an issue, a line for each of them."""
    issue, waiting = change.issue, tracker.replica.pending_rows(FileLink.replica_table)
    call.emit(
        lambda: {
            **change_document(action, issue, pending=issue.id in tracker.pending_ids()),
            "files": [{**record_document(link), "pending": link.id in waiting} for link in change.links],
        },
        lambda: [
            change_line(action, f"{issue.id} {printable(link.path)}", pending=link.id in waiting)
            for link in change.links
        ],
    )
