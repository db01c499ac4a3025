"""What a sync or a move reports, what a replica says of itself, and what was salvaged of one. Values only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from replica.errors import ReplicaError
from replica.mutation import Change, Mutation


class Stage(StrEnum):
    """Where a sync is, or where it stopped."""

    IDLE = "idle"
    GREET = "greet"
    MIGRATE = "migrate"
    PUSH = "push"
    RESOLVE = "resolve"
    PULL = "pull"
    SETTLE = "settle"
    DONE = "done"


NEXT: Final = {
    Stage.IDLE: {Stage.GREET},
    Stage.GREET: {Stage.MIGRATE, Stage.PUSH, Stage.PULL, Stage.SETTLE},
    Stage.MIGRATE: {Stage.PUSH, Stage.PULL, Stage.SETTLE},
    Stage.PUSH: {Stage.RESOLVE, Stage.PUSH, Stage.PULL, Stage.SETTLE},
    Stage.RESOLVE: {Stage.PUSH},
    Stage.PULL: {Stage.SETTLE},
    Stage.SETTLE: {Stage.DONE},
    Stage.DONE: set(),
}
"""The stages that may follow each stage; any of them may also be where a sync stops with an error."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What one sync did, in mutations.

    pushed: acknowledged by the primary, with those merged and parked among them. pulled: made by others, arrived.
    pending: not on the primary, as far as is known here. lost: what the primary had
    and has no more, found out by this sync.
    error: why it stopped at `stage`; None once it is done.
    """

    pushed: int
    merged: int
    parked: int
    pulled: int
    pending: int
    stage: Stage
    error: ReplicaError | None = None
    lost: int = 0

    @property
    def waits_because(self) -> str | None:
        """Why changes wait here, in a sentence; None if nothing stopped the sync."""
        return None if self.error is None else str(self.error)


@dataclass(frozen=True, slots=True)
class Status:
    """How a replica stands. Times are stamps or None.

    state: local, idle, syncing, offline, waiting, or damaged (its base is; the next sync mends it). pending, conflicts:
    how many. lost: how many mutations the primary had and lost, as far as it is known here.
    """

    mode: str
    url: str | None
    state: str
    pending: int
    conflicts: int
    lost: int
    last_sync_at: str | None
    last_error: str | None
    waits_because: str | None
    offline_since: str | None
    base_frame: int | None
    schema_version: int
    directory: Path


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what to do if it is not well."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """What was salvaged: whole mutations in their order, and those that the primary had lost.

    incomplete: ids of mutations of which a part is gone. fragments: what is left of such, for a person to look at.
    primary: which primary the replica belonged to, "" if that is not known.
    """

    mutations: list[Mutation]
    lost: list[Mutation]
    incomplete: list[str]
    fragments: list[Change]
    primary: str


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What became of a damaged file. file: what was read of it. kept: where the damaged file is now."""

    file: Path
    kept: Path
    pending: Pending


Show = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


@dataclass(frozen=True, slots=True)
class TableMoved:
    """One table after a move. rows: how many are there as they were here. sha256: of their contents, on both sides.

    others: rows that are there in another version: changed there since, or merged or parked with what was here.
    """

    table: str
    rows: int
    sha256: str
    others: int = 0


@dataclass(frozen=True, slots=True)
class MoveReport:
    """What was moved. tables: each with its count and hash.

    merged, parked: rows that were changed on both sides. without_primary: why a last sync was not possible.
    """

    tables: tuple[TableMoved, ...]
    merged: int = 0
    parked: int = 0
    without_primary: ReplicaError | None = None
