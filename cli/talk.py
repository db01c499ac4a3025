"""How logs, comments and handoffs look to a person.

Always true: what people wrote is shown without control characters.
"""

from collections.abc import Iterable

from cli.text import BOLD, CYAN, DIM, RED, YELLOW, paint, printable, printable_lines, short_moment
from tracker import Comment, Handoff, Log, LogType, moment_text

_COLOURS = {LogType.BLOCKER: RED, LogType.DECISION: YELLOW, LogType.RESULT: CYAN}


def log_lines(logs: Iterable[Log]) -> list[str]:
    """Logs, each with its moment, its kind and its author before it."""
    lines = []
    for log in logs:
        kind = paint(log.type.value, _COLOURS.get(log.type, ""))
        first, *rest = printable_lines(log.message).split("\n")
        lines.append(f"{_moment(log)}  {kind}  {first}  {paint(printable(log.session), DIM)}")
        lines += [f"  {line}" for line in rest]
    return lines


def comment_lines(comments: Iterable[Comment]) -> list[str]:
    """Comments, each below its moment and its author."""
    lines = []
    for comment in comments:
        lines.append(paint(f"{_moment(comment)}  {printable(comment.session)}", DIM))
        lines += [f"  {line}" for line in printable_lines(comment.text).split("\n")]
    return lines


def handoff_lines(handoff: Handoff) -> list[str]:
    """A handoff: what it tells, part by part, those that are empty left out."""
    lines = [paint(f"{_moment(handoff)}  {printable(handoff.session)}", DIM)]
    for name in ("done", "remaining", "decisions", "uncertain"):
        told = getattr(handoff, name)
        if told:
            lines.append(f"  {paint(name, BOLD)}")
            lines += [f"    - {printable(line)}" for line in told]
    return lines if len(lines) > 1 else [*lines, "  nothing in particular"]


def _moment(said: Log | Comment | Handoff) -> str:
    return short_moment(moment_text(said.created_at))
