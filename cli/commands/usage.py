"""`td usage`: what an agent needs to know before it begins, in one call."""

from typing import Annotated, Final

import typer

from cli.documents import record_document
from cli.invocation import Invocation, command
from cli.render import issue_line
from cli.talk import handoff_lines
from cli.text import BOLD, paint, printable
from tracker import Issue, Usage, find_usage, sessions

app = typer.Typer()

_HOW: Final = """\
td next                      what to take next; td ready lists all that can begin
td start ID                  claim it (refused with a name if somebody else has it); td focus ID makes it the default
td log "what happened"       keep a step; --decision, --blocker, --tried, --result say of which kind
td handoff ID --done … --remaining … --decision … --uncertain …   before you stop, or before your context ends
td review ID                 ask for a review; another session says td approve ID, or td reject ID -m why
td show ID                   everything about an issue; td search WORDS and td list --filter EXPR find others
td create "title" -t bug -p P1 --parent ID --depends-on ID        what you find on the way
td sync                      trade changes with your team; td conflicts lists what needs a decision
Every command takes --json. Exit codes: 2 mistyped, 3 somebody was faster, 4 no network (what you wrote is kept)."""


@command(app, "usage")
def usage_(
    call: Invocation,
    *,
    compact: Annotated[bool, typer.Option("--compact", "-q", help="Leave out how td is used.")] = False,
    new_session: Annotated[bool, typer.Option("--new-session", help="Begin a new session first.")] = False,
) -> None:
    """Tell an agent all it needs to begin."""
    place = call.place()
    if new_session:
        with place.open() as tracker:
            sessions.renew(tracker)
    with place.open() as tracker:
        found = find_usage(tracker)
    call.emit(lambda: _document(found), lambda: _lines(found, is_compact=compact))


def _document(found: Usage) -> dict[str, object]:
    return {
        "session": found.session.id,
        "focus": None if found.focus is None else _named(found.focus),
        "handoff": None if found.handoff is None else record_document(found.handoff),
        "claims": [_named(issue) for issue in found.claims],
        "ready": {"count": found.ready_count, "first": [_named(issue) for issue in found.ready]},
        "reviewable": {"count": found.reviewable_count, "first": [_named(issue) for issue in found.reviewable]},
        "blocked": found.blocked,
        "in_review": found.in_review,
        "conflicts": found.conflicts,
        "pending": found.pending,
        "work_session": None if found.work is None else found.work.id,
    }


def _named(issue: Issue) -> dict[str, object]:
    return {
        "id": issue.id,
        "title": issue.title,
        "priority": issue.priority.value,
        "type": issue.type.value,
        "status": issue.status.value,
    }


def _lines(found: Usage, *, is_compact: bool) -> list[str]:
    who = f"{found.session.id} on {found.session.branch or 'no branch'}, {found.session.agent or 'no agent'}"
    lines = [f"{paint('session', BOLD)}  {printable(who)}"]
    if found.work is not None:
        lines.append(f"work session {found.work.id}  {printable(found.work.name)}")
    if found.focus is not None:
        lines += ["", paint("in focus", BOLD), f"  {issue_line(found.focus)}"]
        if found.handoff is not None:
            lines += [f"  {line}" for line in handoff_lines(found.handoff)]
    for name, issues, count in (
        ("you have started", found.claims, len(found.session.claims)),
        ("can begin now", found.ready, found.ready_count),
        ("you may approve", found.reviewable, found.reviewable_count),
    ):
        if issues:
            lines += ["", paint(f"{name} ({count})", BOLD), *(f"  {issue_line(issue)}" for issue in issues)]
    counts = (("blocked", found.blocked), ("in review", found.in_review), ("not on the primary yet", found.pending))
    told = ", ".join(f"{count} {name}" for name, count in counts if count)
    lines += ["", told] if told else []
    if found.conflicts:
        lines.append(f"{found.conflicts} in conflict: td conflicts")
    return lines if is_compact else [*lines, "", paint("how to work", BOLD), *_HOW.split("\n")]
