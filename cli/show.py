"""How one issue is shown, with all that there is about it.

Always true: what people wrote is shown without control characters, and a part that is empty is left out.
"""

from collections.abc import Callable, Mapping, Sequence

from cli.documents import conflict_document, issue_document, record_document
from cli.render import Reader, conflict_lines, issue_line
from cli.talk import comment_lines, handoff_lines, log_lines
from cli.text import BOLD, DIM, YELLOW, aligned, paint, printable, printable_lines, short_moment
from tracker import Issue, IssueView, Review, moment_text

Document = dict[str, object]


def show_document(view: IssueView, *, pending: bool) -> Document:
    """An issue as JSON, with all that is shown of it."""
    return {
        **issue_document(view.issue, pending=pending),
        "parents": [_named(issue) for issue in view.parents],
        "children": [_named(issue) for issue in view.children],
        "depends_on": [_named(issue) for issue in view.needs],
        "blocks": [_named(issue) for issue in view.waiting],
        "comments": [record_document(comment) for comment in view.comments],
        "logs": [record_document(log) for log in view.logs],
        "handoff": None if view.handoff is None else record_document(view.handoff),
        "reviews": [record_document(review) for review in view.reviews],
        "files": [record_document(file) for file in view.files],
        "snapshots": [record_document(snapshot) for snapshot in view.snapshots],
        "conflicts": [conflict_document(conflict) for conflict in view.conflicts],
    }


def _named(issue: Issue) -> Document:
    return {"id": issue.id, "title": issue.title, "status": issue.status.value}


def show_lines(view: IssueView, reader: Reader, names: Mapping[str, str], *, pending: bool) -> list[str]:
    """An issue for a person. names: how sessions are called that have a name."""
    issue = view.issue
    lines = [f"{paint(printable(issue.id), BOLD)}  {printable(issue.title)}"]
    lines += [f"  {line}" for line in aligned(_facts(issue, names, pending=pending))]
    if issue.description:
        lines += ["", *_indented(issue.description)]
    parts: list[tuple[str, Sequence[object], Callable[[], list[str]]]] = [
        ("acceptance", issue.acceptance, lambda: _indented(issue.acceptance)),
        ("part of", view.parents, lambda: _issues(view.parents)),
        ("parts", view.children, lambda: _issues(view.children)),
        ("depends on", view.needs, lambda: _issues(view.needs)),
        ("blocks", view.waiting, lambda: _issues(view.waiting)),
        ("files", view.files, lambda: [f"  {printable(one.path)}  ({one.role.value})" for one in view.files]),
        ("handoff", [view.handoff] if view.handoff else [], lambda: _handoff(view)),
        ("logs", view.logs, lambda: [f"  {line}" for line in log_lines(view.logs)]),
        ("reviews", view.reviews, lambda: [_review(review) for review in view.reviews]),
    ]
    for name, there, told in parts:
        if there:
            lines += ["", paint(name, BOLD), *told()]
    for comment in view.comments:
        lines += ["", *comment_lines([comment])]
    for conflict in view.conflicts:
        lines += ["", paint("in conflict:", YELLOW), *conflict_lines(conflict, reader, names=names)]
    return lines


def _facts(issue: Issue, names: Mapping[str, str], *, pending: bool) -> list[tuple[str, str]]:
    status = issue.status.value + (" (pending)" if pending else "")
    optional = (
        ("points", issue.points),
        ("sprint", printable(issue.sprint)),
        ("deferred to", issue.defer_until),
        ("due", issue.due_date),
        ("claimed by", names.get(str(issue.implementer_session), issue.implementer_session)),
        ("reviewer", names.get(str(issue.reviewer_session), issue.reviewer_session)),
        ("minor", "yes" if issue.minor else None),
        ("branch", printable(issue.created_branch)),
    )
    moments = (("closed", issue.closed_at), ("deleted", issue.deleted_at))
    return [
        ("status", status),
        ("type", issue.type.value),
        ("priority", issue.priority.value),
        ("labels", " ".join(map(printable, sorted(issue.labels))) or "-"),
        *((name, printable(str(value))) for name, value in optional if value),
        ("created", f"{moment_text(issue.created_at)} by {printable(issue.creator_session)}"),
        ("updated", issue.updated_at),
        *((name, moment_text(moment)) for name, moment in moments if moment is not None),
    ]


def _issues(issues: Sequence[Issue]) -> list[str]:
    return [f"  {issue_line(issue)}" for issue in issues]


def _handoff(view: IssueView) -> list[str]:
    return [] if view.handoff is None else [f"  {line}" for line in handoff_lines(view.handoff)]


def _review(review: Review) -> str:
    who = f"{review.reviewer_session}, looked at by {review.reviewed_by}" if review.reviewed_by else None
    self_review = " (a review of one's own work)" if review.self_review else ""
    gone = "  does not count any more" if review.superseded_at is not None else ""
    told = f"  {printable(review.summary)}" if review.summary else ""
    at = short_moment(moment_text(review.created_at))
    decision = review.decision.value.replace("_", " ")
    return f"  {at}  {decision}{self_review} by {printable(who or review.reviewer_session)}{told}{paint(gone, DIM)}"


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in printable_lines(text).split("\n")]
