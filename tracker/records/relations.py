"""What an issue is related to: other issues, files, and states of a repository.

Always true: a dependency and a link have an id made of what they relate (`tracker.ids.relation_id`), so that two people
who make the same one make one row, and its other fields are merged.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from replica import Record, Rule


class FileRole(StrEnum):
    """What a file is to an issue."""

    IMPLEMENTATION = "implementation"
    TEST = "test"
    REFERENCE = "reference"
    CONFIG = "config"


class Dependency(Record, table="dependencies"):
    """`issue_id` cannot be finished before `depends_on_id` is closed."""

    issue_id: str
    depends_on_id: str
    session: Annotated[str, Rule.LAST] = ""
    created_at: Annotated[datetime, Rule.MIN]


class FileLink(Record, table="files"):
    """A file that belongs to an issue. path: relative to the repository, with `/`. sha: of its content when linked."""

    issue_id: str
    path: str
    role: Annotated[FileRole, Rule.LAST] = FileRole.IMPLEMENTATION
    sha: Annotated[str, Rule.LAST] = ""
    session: Annotated[str, Rule.LAST] = ""
    created_at: Annotated[datetime, Rule.MIN]


class Snapshot(Record, table="snapshots"):
    """Where a git repository stood when something was done to an issue. event: start or handoff."""

    issue_id: str
    session: str = ""
    event: str
    commit_sha: str
    branch: str = ""
    dirty_files: int = 0
    created_at: datetime
