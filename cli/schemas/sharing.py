"""What td prints of changes, of conflicts, and of how a directory stands with its primary."""

from typing import Literal

from pydantic import JsonValue

from cli.schemas.shapes import Document
from tracker import Mode, Stage

Kind = Literal["insert", "update", "delete"]


class Failure(Document):
    """An error. code: stable, and meant for programs; hint: what to do next."""

    code: str
    message: str
    hint: str


class ErrorLine(Document):
    """The line on stderr that a command ends with where it fails."""

    error: Failure


class AuthorDocument(Document):
    """Who made a change, where and when."""

    session: str
    machine: str
    at: str


class Step(Document):
    """What a change did to a field."""

    before: JsonValue
    new: JsonValue


class Sides(Document):
    """What each side wants of a field, and what it was."""

    before: JsonValue
    mine: JsonValue
    theirs: JsonValue


class ConflictDocument(Document):
    """A change that waits for a decision. other_fields: what of it comes in whichever side is taken."""

    id: str
    table: str
    row_id: str
    reason: str
    fields: dict[str, Sides]
    other_fields: dict[str, Step]
    mutation_id: str
    mine_by: AuthorDocument
    theirs_by: AuthorDocument | None


class HistoryEntryDocument(Document):
    """One change of one row."""

    mutation_id: str
    kind: Kind
    at: str
    session: str
    machine: str
    pending: bool
    fields: dict[str, Step]


class ChangeOfRow(Document):
    """One row's part of a mutation."""

    table: str
    row_id: str
    kind: Kind
    fields: dict[str, Step]


class MutationDocument(Document):
    """What was changed at one go."""

    mutation_id: str
    at: str
    session: str
    machine: str
    changes: list[ChangeOfRow]


class Mutations(Document):
    """Mutations that something was done with."""

    action: str
    count: int
    mutations: list[MutationDocument]


class SyncDocument(Document):
    """What a sync did, counted in mutations. stage: `done`, or where it stopped. error: why it stopped."""

    pushed: int
    merged: int
    parked: int
    pulled: int
    pending: int
    lost: int
    stage: Stage
    error: Failure | None


class MendedDocument(Document):
    """What td mended because two people's changes did not go together."""

    id: str
    told: str


class SyncedDocument(SyncDocument):
    """What a sync did, and what was mended after it."""

    mended: list[MendedDocument]


class Standing(Document):
    """How a directory stands with its primary, without asking it."""

    mode: Mode
    url: str | None
    state: Literal["local", "idle", "syncing", "offline", "waiting"]
    pending: int
    conflicts: int
    lost: int
    last_sync_at: str | None
    last_error: str | None
    waits_because: str | None
    offline_since: str | None
