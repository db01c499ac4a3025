"""`td search`: the issues in which something is said, what fits best first."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Final

import typer

from cli import selection
from cli.documents import issue_document
from cli.formats import Format
from cli.invocation import Invocation, command
from cli.progress import working
from cli.render import issue_lines
from cli.rows import emit_documents
from cli.selection import Selection
from cli.text import BOLD, CYAN, DIM, paint, printable
from tracker import IssueFilter, search

app = typer.Typer()

Form = Annotated[
    Format | None,
    typer.Option(
        "--format",
        help="How to write them: table, json, csv, ndjson, markdown, html or sql.",
        show_default=False,
        metavar="FORMAT",
    ),
]

_COLUMNS: Final = ("id", "title", "status", "type", "priority", "labels", "score", "match", "snippet", "pending")
_IN_THE_LINE: Final = (None, search.Where.ID, search.Where.TITLE, search.Where.LABEL)
"""What the line of an issue shows by itself."""


@command(app, "search")
def search_issues(
    call: Invocation,
    words: Annotated[
        list[str],
        typer.Argument(help='What to look for: words, "as they stand", -without, begin*.', metavar="WORD..."),
    ],
    *,
    filter: selection.Filter = None,  # noqa: A002 - the option is called so
    status: selection.Statuses = None,
    type: selection.Types = None,  # noqa: A002 - the option is called so
    label: selection.Labels = None,
    priority: selection.Priorities = None,
    with_closed: Annotated[bool, typer.Option("--all", "-a", help="The closed ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.", metavar="N")] = search.LIMIT,
    show_score: Annotated[bool, typer.Option("--show-score", help="How well each fits; more is better.")] = False,
    form: Form = None,
) -> None:
    """Find issues by what is said in them, what fits best first.

    Looks in titles, labels, descriptions, acceptance, comments, logs and handoffs.
    """
    asked = Selection(filter=filter, status=status, type=type, label=label, priority=priority)
    with call.reading() as tracker:
        wanted = asked.wanted(tracker, IssueFilter(with_closed=with_closed, with_deferred=True))
        # One more than is shown tells whether there are more.
        with working("searching", quiet=call.as_json):
            hits = search.find(tracker, " ".join(words), wanted, limit=limit + 1)
        pending = tracker.pending_ids()
    shown = hits[:limit]
    emit_documents(
        call,
        form,
        [_document(hit, pending) for hit in shown],
        lambda: _lines(shown, pending, show_score=show_score),
        name="found",
        columns=_COLUMNS,
    )
    if len(hits) > limit:
        call.say(f"the best {limit}; -n shows more")
    elif not hits:
        call.say(_nothing(" ".join(words), is_open_only=asked == Selection() and not with_closed))


def _nothing(typed: str, *, is_open_only: bool) -> str:
    if not any(map(str.isalnum, typed)):
        return "nothing to look for: only letters and digits are searched"
    return "no open issue says so; --all looks in the closed ones too" if is_open_only else "no issue says so"


def _document(hit: search.Hit, pending: AbstractSet[str]) -> dict[str, object]:
    return {
        **issue_document(hit.issue, pending=hit.issue.id in pending),
        "score": hit.score,
        "match": None if hit.match is None else hit.match.value,
        "snippet": hit.snippet.text,
    }


def _lines(hits: Sequence[search.Hit], pending: AbstractSet[str], *, show_score: bool) -> list[str]:
    lines = []
    for hit, line in zip(hits, issue_lines([hit.issue for hit in hits], pending), strict=True):
        lines.append(f"{paint(f'{hit.score:8.2f}', DIM)}  {line}" if show_score else line)
        if hit.match not in _IN_THE_LINE:
            lines.append(f"    {paint(hit.match.value, CYAN)}: {_marked(hit.snippet)}")
    return lines


def _marked(snippet: search.Snippet) -> str:
    """The snippet, with what matches in bold where that can be shown."""
    text, told = snippet.text, ""
    at = 0
    for start, end in snippet.marks:
        told += printable(text[at:start]) + paint(printable(text[start:end]), BOLD)
        at = end
    return told + printable(text[at:])
