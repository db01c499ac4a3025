"""What td prints of itself: how a directory is set up, what is in it, and whether all is well."""

from typing import Literal

from pydantic import Field, JsonValue

from cli.schemas.issues import IssueDocument
from cli.schemas.shapes import Document, at_times
from cli.schemas.sharing import Failure, Standing, SyncDocument
from sqld import Manifest
from tracker import IssueType, Mode, Priority, Status


class Settings(Document):
    """What people set of a directory."""

    mode: Mode
    url: str | None
    ca_file: str | None
    profile: str | None


class AllSettings(Settings):
    """All settings. review.policy: the whole team's; absent where the tracker cannot be read."""

    review_policy: str = Field(default_factory=str, serialization_alias="review.policy")


class OriginDocument(Document):
    """What counts for this call, and where it comes from. source: which variable, file or profile."""

    value: str | None
    origin: Literal["flag", "environment", "project", "profile", "default"]
    source: str | None


class Origins(Document):
    """Where each setting comes from, with --origin. token: where it is kept."""

    mode: OriginDocument
    url: OriginDocument
    ca_file: OriginDocument
    profile: OriginDocument
    token: OriginDocument


class SettingDocument(Document):
    """One setting."""

    key: str
    value: str | None


class MovedTable(Document):
    """What was moved of a table. rows: those that are the same on both sides; others: those in another version."""

    table: str
    rows: int
    sha256: str
    others: int


class MoveDocument(Document):
    """What was moved. kept: where the old file is. without_primary: why a last sync was not possible."""

    tables: list[MovedTable]
    merged: int
    parked: int
    kept: str | None
    without_primary: Failure | None


class Configured(SettingDocument):
    """A setting that was changed. moved: what went to another place with it."""

    action: Literal["configured"]
    moved: MoveDocument | None


class Initialised(Settings):
    """What td init did. sync, error: what came of asking the primary.

    sync, error and moved are absent where only a token was kept.
    """

    action: Literal["initialised", "token_kept"]
    directory: str
    sync: SyncDocument | None = at_times()
    error: Failure | None = at_times()
    moved: MoveDocument | None = at_times()


class Database(Document):
    """More of the database. files: the bytes of each."""

    schema_version: int
    base_frame: int | None
    files: dict[str, int]


class StatusDocument(Standing):
    """What is here. claims, issues: null where the copy of the primary is damaged. db: with --db."""

    directory: str
    session: str
    focus: str | None
    claims: list[str] | None
    issues: dict[Status, int] | None
    db: Database = at_times()


class Identity(Settings):
    """Who one is to others. token: where it comes from. user to expires_at: what it says of itself."""

    session: str
    name: str | None
    machine: str
    branch: str | None
    agent: str | None
    focus: str | None
    work_session: str | None
    token: str | None
    user: str | None
    email: str | None
    organisation: str | None
    expires_at: str | None


class Statistics(Document):
    """How much there is, and how it moves."""

    issues: int
    by_status: dict[Status, int]
    by_type: dict[IssueType, int]
    by_priority: dict[Priority, int]
    points_open: int
    points_closed: int
    created_in_7_days: int
    closed_in_7_days: int
    overdue: int
    deleted: int
    comments: int
    logs: int
    handoffs: int
    sessions: int
    changes: int


class CheckDocument(Document):
    """One thing that was looked at. hint: what to do where it is not well."""

    name: str
    ok: bool
    detail: str
    hint: str


class Checks(Document):
    """Whether all is well."""

    ok: bool
    checks: list[CheckDocument]


class Story(Document):
    """What td demo told and came to."""

    ok: bool
    seconds: float
    steps: list[dict[str, JsonValue]]
    issues: list[IssueDocument]


class RunningServer(Document):
    """A primary that runs. state: the directory of a server with tenants, null for one without."""

    url: str
    pid: int
    version: str
    data_dir: str
    log: str
    state: str | None


class BackedUp(Manifest):
    """A backup that was made, and what is in it."""

    folder: str


class Restored(Manifest):
    """A backup that was put in its place.

    state: the directory of the server, null where only the data were put back. set_aside: where that is kept which was
    there before. kept_revoked: how many tokens and API keys stay revoked that were not yet in the backup, null if
    that could not be read.
    """

    data_dir: str
    state: str | None
    kept_revoked: int | None
    set_aside: str | None


class Version(Document):
    """What is installed."""

    td: str
    python: str
    sqlite: str


class ParameterDocument(Document):
    """An argument or an option. names: how it is typed; empty for an argument. value: what stands for its value."""

    names: list[str]
    value: str
    help: str
    default: str | None
    required: bool
    repeated: bool


class CommandDocument(Document):
    """What a command does and takes."""

    command: str
    usage: str
    help: str
    aliases: list[str]
    arguments: list[ParameterDocument]
    options: list[ParameterDocument]
    commands: list[str]


class Page(Document):
    """The manual page, in roff."""

    page: str


class Script(Document):
    """What lets a shell complete the commands of td."""

    shell: Literal["bash", "zsh", "fish"]
    script: str
