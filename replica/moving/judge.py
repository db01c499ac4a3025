"""Judge one row that two databases have in two versions, by the history that each has of it. Pure.

Always true: a version is only put in the place of another that its own history leads back to, so that no change is
overwritten whose author had not been seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from replica.identity import new_uuid7
from replica.mutation import Change, Kind, Mutation, Row, StoredValue
from replica.push import NetChange, has_effect


@dataclass(frozen=True, slots=True)
class Link:
    """One change of a row in a history, and its mutation without the changes of other rows."""

    mutation: Mutation

    @property
    def change(self) -> Change:
        """The change."""
        return self.mutation.changes[0]


class Verdict(StrEnum):
    """How my version stands to theirs."""

    AHEAD = "ahead"
    """Mine was made of theirs: it may take its place."""

    BEHIND = "behind"
    """Theirs was made of mine: it stays."""

    APART = "apart"
    """Both were made of another, or of nothing in common: what I changed since is to be merged, or decided about."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict. mine: where apart, what I changed since we parted."""

    verdict: Verdict
    mine: Mutation | None = None


def judge(
    key: tuple[str, str], mine: Row | None, theirs: Row | None, my_links: Sequence[Link], their_links: Sequence[Link],
    author: Mutation,
) -> Judgement:  # fmt: skip
    """Judge a row that differs; None: it is not there. author: whose a row without a history is; its changes are empty.

    key: of the row, its table and its id. The links are of this row alone, oldest first.
    """
    my_state, their_state = _state(mine, my_links), _state(theirs, their_links)
    trail, ancestors = _trail(my_state, my_links)
    _, their_ancestors = _trail(their_state, their_links)
    if my_state != their_state:
        if their_state in ancestors:
            return Judgement(Verdict.AHEAD)
        if my_state in their_ancestors:
            return Judgement(Verdict.BEHIND)
    # Of two rows under one stamp nobody can tell what was changed, so they have nothing in common.
    older = ancestors[1:] if my_state != their_state else []
    shared = next((stamp for stamp in older if stamp and stamp in their_ancestors), "")
    since = trail[: ancestors.index(shared)] if shared else trail
    change = _change_since(key, mine, shared, [link.change for link in reversed(since)])
    if change is None:
        return Judgement(Verdict.BEHIND)
    return Judgement(Verdict.APART, _as_mutation(change, trail[0].mutation if trail else author))


def replacement(mine: Row | None, theirs: Row | None) -> NetChange:
    """What puts my version in the place of theirs, if that is still there; one of the two is there."""
    seen = "" if theirs is None else str(theirs["updated_at"])
    if mine is None:
        return NetChange(Kind.DELETE, seen, "", {})
    values = {name: value for name, value in mine.items() if name not in ("id", "updated_at")}
    return NetChange(Kind.INSERT if theirs is None else Kind.UPDATE, seen, str(mine["updated_at"]), values)


def _state(row: Row | None, links: Sequence[Link]) -> str:
    """Under which stamp a row is what it is, or was deleted; "" if it never was."""
    if row is not None:
        return str(row["updated_at"])
    last = next((link.change for link in reversed(links) if has_effect(link.change)), None)
    return last.stamp if last is not None and last.kind is Kind.DELETE else ""


def _trail(state: str, links: Sequence[Link]) -> tuple[list[Link], list[str]]:
    """The changes that led to a state, newest first, and the stamps on the way; "" at their end is the row's birth."""
    with_effect = [link for link in links if has_effect(link.change)]
    at = {link.change.stamp: position for position, link in enumerate(with_effect)}
    trail: list[Link] = []
    stamps = [state]
    while (position := at.pop(stamps[-1], None)) is not None:
        trail.append(with_effect[position])
        stamps.append(_before(with_effect, position))
    return trail, stamps


def _before(links: Sequence[Link], position: int) -> str:
    """The stamp that a change was made on; for a row that came back, that of its delete."""
    change = links[position].change
    if change.kind is not Kind.INSERT:
        return change.seen
    earlier = links[position - 1].change if position else None
    return earlier.stamp if earlier is not None and earlier.kind is Kind.DELETE else ""


def _change_since(key: tuple[str, str], mine: Row | None, shared: str, changes: Sequence[Change]) -> Change | None:
    """What changes, oldest first, made of the version that both have; None if that is nothing."""
    if mine is None:
        deletes = [change for change in changes if change.kind is Kind.DELETE]
        # A row that they never had from me is not mine to delete.
        return Change(*key, Kind.DELETE, shared, deletes[-1].stamp, deletes[-1].fields) if shared and deletes else None
    stamp = str(mine["updated_at"])
    if not shared or any(change.kind is not Kind.UPDATE for change in changes):
        values = {name: value for name, value in mine.items() if name not in ("id", "updated_at")}
        return Change(*key, Kind.INSERT, "", stamp, {name: (None, value) for name, value in values.items()})
    net: dict[str, tuple[StoredValue, StoredValue]] = {}
    for change in changes:
        for name, (before, new) in change.fields.items():
            net[name] = (net[name][0] if name in net else before, new)
    fields = {name: pair for name, pair in net.items() if pair[0] != pair[1] and name in mine}
    if not fields:
        return None
    return Change(*key, Kind.UPDATE, shared, stamp, fields, yields=all(change.yields for change in changes))


def _as_mutation(change: Change, author: Mutation) -> Mutation:
    """A mutation of its own, under an id that is made of what it does: made again, it is the same one."""
    told = [change.table, change.row_id, change.kind.value, change.seen, change.stamp, change.fields_text()]
    digest = hashlib.sha256("\0".join(told).encode()).digest()
    mutation_id = new_uuid7(_nanoseconds(author.made_at), lambda length: digest[:length])
    return Mutation(mutation_id, author.session, author.machine, author.made_at, author.schema_version, (change,))


def _nanoseconds(stamp: str) -> int:
    try:
        moment = datetime.fromisoformat(stamp.removesuffix("Z")).replace(tzinfo=UTC)
    except ValueError:
        return 0
    return int(moment.timestamp() * 1_000_000) * 1_000


def author_of(row: Mapping[str, StoredValue], *, session: str, machine: str, version: int) -> Mutation:
    """Who is taken for the author of a row that has no history: whoever moves it, at the time of its stamp."""
    return Mutation("", session, machine, str(row.get("updated_at", "")), version, ())
