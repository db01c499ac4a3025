"""A history as the checker reads it: what was written, seen and lost, and how it all ended. Pure.

Always true: nothing here judges; what cannot be read out of the history is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.history import Event

Json = Any  # a JSON document of our own making
Key = tuple[str, str]

# After any other error of an online write, it is not known whether the primary has it.
_CERTAIN = frozenset(
    {"ConflictError", "InputError", "OfflineError", "SchemaTooNewError", "BusyError", "OtherPrimaryError"}
)
# A reader or a queued writer that had to wait so long waited for the network.
_WAIT_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Violation:
    """One promise that was not kept. `invariant` is its name in DESIGN 15, or that of a reader's guarantee."""

    invariant: str
    message: str
    at: int = -1

    def __str__(self) -> str:
        where = f" (line {self.at})" if self.at >= 0 else ""
        return f"{self.invariant}: {self.message}{where}"


@dataclass(frozen=True, slots=True)
class ToldChange:
    """One row's part of a mutation, as its author told it or as the primary holds it.

    ground: for a pending one, the row on the primary that a rebase laid it over. yields: whether it is a consequence,
    which gives way to others.
    """

    table: str
    row_id: str
    kind: str
    seen: str
    stamp: str
    fields: dict[str, list[Json]]
    ground: dict[str, Json] | None = None
    yields: bool = False

    @property
    def key(self) -> Key:
        """Which row."""
        return self.table, self.row_id


@dataclass(slots=True)
class Told:
    """A mutation as its author told it. kept_at: when it was acknowledged; refused: the error it was refused with."""

    id: str
    client: str
    how: str
    made_at: str
    changes: tuple[ToldChange, ...]
    began: int
    kept_at: int | None = None
    refused: str | None = None

    @property
    def is_certainly_refused(self) -> bool:
        """Whether its author was told that nothing was written."""
        return self.refused is not None and (self.how == "queued" or self.refused in _CERTAIN)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one process saw at once. tail: the last change of the base; pending: id → its changes."""

    n: int
    began: int
    process: str
    client: str
    version: int
    tail: tuple[int, str] | None
    pending: dict[str, list[ToldChange]]
    rows: dict[str, list[list[Json]]]


@dataclass(frozen=True, slots=True)
class Loss:
    """The primary went back to an older copy (or to nothing). kept: what the copy holds; pending: by client."""

    n: int
    kind: str
    dump: Json
    kept: frozenset[str]
    pending: dict[str, frozenset[str]]


@dataclass(slots=True)
class Story:
    """The whole history."""

    told: dict[str, Told] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    final: Event | None = None
    upgraded_at: int | None = None
    troubles: list[Violation] = field(default_factory=list)


def told_change(value: Json) -> ToldChange:
    """A change from its JSON form: table, row, kind, seen, stamp, fields, perhaps its ground, and whether it yields."""
    table, row_id, kind, seen, stamp, fields, *more = value
    return ToldChange(table, row_id, kind, seen, stamp, fields, *more)


def read_story(events: list[Event]) -> Story:
    """Read a history."""
    story = Story()
    calls: dict[int, Event] = {}
    full: set[str] = set()
    for event in events:
        kind = event["event"]
        if kind == "call":
            calls[event["n"]] = event
        elif kind in ("intent", "kept", "refused"):
            _note_told(event, story)
        elif kind == "loss":
            pending = {client: frozenset(ids) for client, ids in event["pending"].items()}
            story.losses.append(Loss(event["n"], event["kind"], event["dump"], frozenset(event["kept"]), pending))
        elif kind == "final":
            story.final = event
        elif kind == "fault":
            _note_fault(event, story, full)
        elif kind == "done":
            call = calls[event["call"]]
            if call["do"] == "read" and "saw" in event:
                story.seen.append(_seen(event, call))
            story.troubles += _troubles_of(event, call, full)
        else:
            story.troubles += _disasters(event)
    return story


def _note_told(event: Event, story: Story) -> None:
    mutation = event["mutation"]
    if event["event"] == "intent":
        changes = tuple(told_change(change) for change in event["changes"])
        story.told[mutation] = Told(mutation, event["client"], event["how"], event["made_at"], changes, event["call"])
    elif event["event"] == "kept":
        story.told[mutation].kept_at = event["n"]
    else:
        story.told[mutation].refused = event["error"]


def _note_fault(event: Event, story: Story, full: set[str]) -> None:
    if event["what"] == "upgrade" and story.upgraded_at is None:
        story.upgraded_at = event["n"]
    if event["what"] == "disk":
        (full.add if event["value"] >= 0 else full.discard)(event["client"])


def _seen(event: Event, call: Event) -> Seen:
    saw = event["saw"]
    pending: dict[str, list[ToldChange]] = {}
    for mutation, _state, *change in saw["pending"]:
        changes = pending.setdefault(mutation, [])
        if change[0] is not None:
            changes.append(told_change(change))
    tail = None if saw["tail"] is None else (int(saw["tail"][0]), str(saw["tail"][1]))
    return Seen(event["n"], call["n"], call["process"], call["client"], call["version"], tail, pending, saw["rows"])


def _troubles_of(event: Event, call: Event, full: set[str]) -> Iterator[Violation]:
    """Errors that nobody should ever meet."""
    took_s = event["at_s"] - call["at_s"]
    if call["do"] in ("read", "write", "undo", "resolve") and took_s > _WAIT_S_MAX:
        yield Violation("I8", f"{call['process']} took {took_s:.1f} s to {call['do']}", event["n"])
    code = event.get("error")
    if code is None:
        return
    if call["do"] in ("read", "whole") and call["client"] not in full:
        yield Violation("I8", f"{call['process']} could not read: {code}: {event['told']}", event["n"])
    allowed = {"conflict", "not_found", "invalid_input", "schema_too_new", "ambiguous_id", "busy"}
    if call["do"] == "online":
        allowed |= {"offline", "unknown_outcome", "primary", "unreachable", "other_primary"}
    if call["client"] in full:
        allowed |= {"storage"}
    if call["do"] not in ("read", "whole") and code not in allowed:
        yield Violation("I8", f"{call['process']} could not {call['do']}: {code}: {event['told']}", event["n"])


def _disasters(event: Event) -> Iterator[Violation]:
    if event["event"] == "crash":
        trace = (event["trace"] or "it died").strip().splitlines()
        yield Violation("crash", f"{event['process']}: {trace[-1]}", event["n"])
    elif event["event"] == "hang":
        yield Violation("I8", f"{event['process']} did not come back", event["n"])
    elif event["event"] == "stuck":
        yield Violation("I1", f"not all can sync in the end: {event['results']}", event["n"])
