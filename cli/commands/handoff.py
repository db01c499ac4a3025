"""`td handoff`: tell how an issue stands, for whoever goes on with it."""

from dataclasses import fields
from typing import Annotated

import typer

from cli.documents import record_document
from cli.errors import UsageError
from cli.focus import named_or_focused
from cli.invocation import Invocation, command
from cli.options import Reason
from cli.repository import commit_of
from cli.typed_text import read_text
from tracker import Account, talk

app = typer.Typer()

Told = Annotated[
    list[str] | None,
    typer.Option(
        "--done", help="What is done; may be given several times. - reads stdin, @FILE a file.", metavar="TEXT"
    ),
]
Remaining = Annotated[list[str] | None, typer.Option("--remaining", help="What is left to do.", metavar="TEXT")]
Decided = Annotated[list[str] | None, typer.Option("--decision", help="What was decided.", metavar="TEXT")]
Uncertain = Annotated[list[str] | None, typer.Option("--uncertain", help="What is not known yet.", metavar="TEXT")]


@command(app, "handoff")
def handoff(
    call: Invocation,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="The issue, where it is not the one in focus, and a message.",
            metavar="[ID] [MESSAGE]",
            show_default=False,
        ),
    ] = None,
    done: Told = None,
    remaining: Remaining = None,
    decision: Decided = None,
    uncertain: Uncertain = None,
    message: Reason = "",
) -> None:
    """Tell how an issue stands, for whoever goes on with it."""
    typed, told = _split(words or [], message)
    account = account_of(done, remaining, decision, uncertain)
    if told == "-":
        account, told = _with(account, talk.account_from(read_text("message", "-").splitlines())), ""
    place = call.place()
    with place.open() as tracker:
        (issue_id,) = named_or_focused(tracker, [typed] if typed else None)
        made, parts = talk.hand_off(tracker, issue_id, account, message=told, commit=commit_of(place.directory))
    call.emit(
        lambda: {
            "action": "handoff_recorded",
            "id": made.issue_id,
            "handoff": record_document(made),
            "parts": [part.issue_id for part in parts],
        },
        lambda: [f"HANDOFF RECORDED {made.issue_id}", *(f"  {part.issue_id} with it" for part in parts)],
    )


def _split(words: list[str], message: str) -> tuple[str | None, str]:
    if len(words) > 2 or (len(words) == 2 and message):
        raise UsageError("a message is one argument", 'put it in quotes: td handoff ID "what is left"')
    return words[0] if words else None, message or (words[1] if len(words) == 2 else "")


def account_of(
    done: list[str] | None, remaining: list[str] | None, decision: list[str] | None, uncertain: list[str] | None
) -> Account:
    """What was told by the options. Raises as `read_text`."""
    told = (("--done", done), ("--remaining", remaining), ("--decision", decision), ("--uncertain", uncertain))
    return Account(*(_read(option, texts or []) for option, texts in told))


def _with(one: Account, other: Account) -> Account:
    return Account(*(getattr(one, field.name) + getattr(other, field.name) for field in fields(Account)))


def _read(option: str, texts: list[str]) -> tuple[str, ...]:
    """Each text, or the lines of what it names: `-` for stdin, `@FILE` for a file. Raises as `read_text`."""
    found: list[str] = []
    for text in texts:
        is_named = text == "-" or text.startswith("@")
        found += read_text(option, text).splitlines() if is_named else [text]
    return tuple(found)
