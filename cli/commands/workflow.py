"""`td workflow`: the states of an issue, and what must hold to go from one to the next."""

from typing import Annotated

import typer

from cli.errors import UsageError
from cli.invocation import Invocation, command
from cli.text import aligned
from tracker import NEXT, Status

app = typer.Typer()


@command(app, "workflow")
def workflow(
    call: Invocation,
    *,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid diagram.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="As a Graphviz diagram.")] = False,
) -> None:
    """Show the statuses of an issue, and the ways between them."""
    if mermaid and dot:
        raise UsageError("--mermaid and --dot are two forms", "ask for one of them")
    ways = [(one, other, guards) for one, ends in NEXT.items() for other, guards in ends.items()]
    told = [(one.value, other.value, "; ".join(guards)) for one, other, guards in ways]
    call.emit(
        lambda: [{"from": one, "to": other, "guards": list(guards)} for one, other, guards in ways],
        lambda: _mermaid(told) if mermaid else _dot(told) if dot else aligned([(a, "->", b, c) for a, b, c in told]),
    )


def _mermaid(ways: list[tuple[str, str, str]]) -> list[str]:
    lines = ["stateDiagram-v2", f"    [*] --> {Status.OPEN}"]
    # A colon begins a label, and a semicolon ends a statement.
    labels = [(one, other, rule.replace(";", ",")) for one, other, rule in ways]
    lines += [f"    {one} --> {other}{': ' + rule if rule else ''}" for one, other, rule in labels]
    return [*lines, f"    {Status.CLOSED} --> [*]"]


def _dot(ways: list[tuple[str, str, str]]) -> list[str]:
    labels = [(one, other, f' [label="{rule}"]' if rule else "") for one, other, rule in ways]
    edges = [f"    {one} -> {other}{label};" for one, other, label in labels]
    return ["digraph workflow {", *edges, "}"]
