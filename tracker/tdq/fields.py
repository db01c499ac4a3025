"""What a filter can ask about an issue: each field with its kind and its column, and what an issue is related to.

Always true: SQL text is made of what stands here, never of what somebody typed. A column is named with the row that
it is of, and `row` is always one of our own names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final

from tracker.records import Decision, FileRole, IssueType, LogType, Priority, Status

ISSUE: Final = "issues"
"""The row that a filter is about."""


class Kind(Enum):
    """What the values of a field are, and so how they are compared."""

    TEXT = auto()
    TEXTS = auto()
    ID = auto()
    SESSION = auto()
    CHOICE = auto()
    PRIORITY = auto()
    NUMBER = auto()
    FLAG = auto()
    MOMENT = auto()
    DAY = auto()
    ANCESTOR = auto()
    TARGET = auto()

    @property
    def told(self) -> str:
        """What it is, in words."""
        return _TOLD[self]


_TOLD: Final = {
    Kind.TEXT: "text",
    Kind.TEXTS: "a list of texts",
    Kind.ID: "an id",
    Kind.SESSION: "a session",
    Kind.CHOICE: "a choice",
    Kind.PRIORITY: "a priority",
    Kind.NUMBER: "a number",
    Kind.FLAG: "true or false",
    Kind.MOMENT: "a date field",
    Kind.DAY: "a date field",
    Kind.ANCESTOR: "an id",
    Kind.TARGET: "an id",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field: what its values are, the column that holds them, and what a choice is between."""

    kind: Kind
    column: str
    choices: type[StrEnum] | None = None

    def of(self, row: str) -> str:
        """The column of a row."""
        # An index of the status alone would be tried first, and leads to every open issue one by one.
        return f"+{row}.status" if self.column == "status" else f"{row}.{self.column}"


FIELDS: Final[Mapping[str, Field]] = {
    "id": Field(Kind.ID, "id"),
    "title": Field(Kind.TEXT, "title"),
    "description": Field(Kind.TEXT, "description"),
    "status": Field(Kind.CHOICE, "status", Status),
    "type": Field(Kind.CHOICE, "type", IssueType),
    "priority": Field(Kind.PRIORITY, "priority", Priority),
    "points": Field(Kind.NUMBER, "points"),
    "labels": Field(Kind.TEXTS, "labels"),
    "acceptance": Field(Kind.TEXT, "acceptance"),
    "sprint": Field(Kind.TEXT, "sprint"),
    "minor": Field(Kind.FLAG, "minor"),
    "created": Field(Kind.MOMENT, "created_at"),
    "updated": Field(Kind.MOMENT, "updated_at"),
    "closed": Field(Kind.MOMENT, "closed_at"),
    "deleted": Field(Kind.MOMENT, "deleted_at"),
    "reviewed": Field(Kind.MOMENT, "reviewed_at"),
    "moved": Field(Kind.MOMENT, "status_at"),
    "due": Field(Kind.DAY, "due_date"),
    "defer": Field(Kind.DAY, "defer_until"),
    "defer_count": Field(Kind.NUMBER, "defer_count"),
    "implementer": Field(Kind.SESSION, "implementer_session"),
    "reviewer": Field(Kind.SESSION, "reviewer_session"),
    "requester": Field(Kind.SESSION, "review_requested_by"),
    "creator": Field(Kind.SESSION, "creator_session"),
    "closer": Field(Kind.SESSION, "closed_by_session"),
    "branch": Field(Kind.TEXT, "created_branch"),
    "parent": Field(Kind.ID, "parent_id"),
    "epic": Field(Kind.ANCESTOR, "id"),
    "dep": Field(Kind.TARGET, "id"),
}

ALIASES: Final[Mapping[str, str]] = {
    "label": "labels",
    "tag": "labels",
    "tags": "labels",
    "desc": "description",
    "due_date": "due",
    "defer_until": "defer",
    "created_at": "created",
    "updated_at": "updated",
    "closed_at": "closed",
    "deleted_at": "deleted",
    "parent_id": "parent",
    "depends_on": "dep",
}


@dataclass(frozen=True, slots=True)
class Relation:
    """What issues have several of, or one: each with fields of its own, of a row that is called `row`.

    fields: those that can be asked for, as `log.message`. around: SQL that holds where an issue (its row) is related to
    a row of which the condition (SQL) holds. row: what that condition calls the row. listed: SQL that selects the ids
    of these issues, which is quicker than to ask each of them where few rows are expected to fit.
    """

    row: str
    fields: Mapping[str, Field]
    around: Callable[[str, str], str]
    listed: Callable[[str], str] | None = None


def _child_rows(table: str, row: str, fields: Mapping[str, Field], only: str = "") -> Relation:
    def around(issue: str, condition: str) -> str:
        return f"EXISTS (SELECT 1 FROM {table} {row} WHERE {row}.issue_id = {issue}.id{only} AND {condition})"

    def listed(condition: str) -> str:
        return f"SELECT {row}.issue_id AS id FROM {table} {row} WHERE {condition}{only}"

    return Relation(row, fields, around, listed)


def _of_parent(issue: str, condition: str) -> str:
    wanted = f"related.id = {issue}.parent_id AND related.deleted_at IS NULL"
    return f"EXISTS (SELECT 1 FROM issues related WHERE {wanted} AND {condition})"


def of_target(issue: str, condition: str) -> str:
    """Holds where an issue depends on one, not deleted, of which `condition` holds as a row called `related`."""
    # One table a level: SQLite takes the view of a replica apart only where it stands alone.
    wanted = f"related.id = edge.depends_on_id AND related.deleted_at IS NULL AND {condition}"
    target = f"EXISTS (SELECT 1 FROM issues related WHERE {wanted})"
    return f"EXISTS (SELECT 1 FROM dependencies edge WHERE edge.issue_id = {issue}.id AND {target})"


_EPIC: Final = "related.type = 'epic' AND related.deleted_at IS NULL"


def _of_epic(issue: str, condition: str) -> str:
    # Up from each issue: few are deep, and a page needs few of them.
    above = "SELECT above.parent_id FROM issues above WHERE above.id = tree.id"
    step = f"SELECT ({above}) FROM tree WHERE tree.id IS NOT NULL"
    tree = f"WITH RECURSIVE tree(id) AS (SELECT {issue}.parent_id UNION {step})"
    wanted = f"SELECT 1 FROM issues related WHERE related.id = tree.id AND {_EPIC} AND {condition}"
    return f"EXISTS ({tree} SELECT 1 FROM tree WHERE EXISTS ({wanted}))"


def _below_epics(condition: str) -> str:
    return below(f"child.parent_id IN (SELECT related.id FROM issues related WHERE {_EPIC} AND {condition})")


def below(first: str) -> str:
    """Selects the ids of every `child` for which `first` holds, and of all that is below it, at any depth.

    Issues that are above themselves, as two people can make them, end it: every issue is met once.
    """
    # A step of a recursion cannot take the view of a replica apart, so each is one value, the list of the children; and
    # LIMIT -1 keeps SQLite from making one query of that list and the view, which would read every issue at each step.
    children = "SELECT child.id AS found FROM issues child WHERE child.parent_id = tree.id LIMIT -1"
    step = f"SELECT member.value FROM tree, json_each((SELECT json_group_array(found) FROM ({children}))) member"
    start = f"SELECT child.id FROM issues child WHERE {first}"
    return f"WITH RECURSIVE tree(id) AS ({start} UNION {step}) SELECT id FROM tree"


_LATEST: Final = (
    " AND NOT EXISTS (SELECT 1 FROM handoffs later WHERE later.issue_id = handoff.issue_id "
    "AND (later.created_at, later.id) > (handoff.created_at, handoff.id))"
)
_OF_ISSUES: Final = {name: field for name, field in FIELDS.items() if field.kind not in (Kind.ANCESTOR, Kind.TARGET)}

RELATIONS: Final[Mapping[str, Relation]] = {
    "log": _child_rows(
        "logs",
        "log",
        {
            "message": Field(Kind.TEXT, "message"),
            "type": Field(Kind.CHOICE, "type", LogType),
            "created": Field(Kind.MOMENT, "created_at"),
            "timestamp": Field(Kind.MOMENT, "created_at"),
            "session": Field(Kind.SESSION, "session"),
        },
    ),
    "comment": _child_rows(
        "comments",
        "comment",
        {
            "text": Field(Kind.TEXT, "text"),
            "created": Field(Kind.MOMENT, "created_at"),
            "session": Field(Kind.SESSION, "session"),
        },
    ),
    "handoff": _child_rows(
        "handoffs",
        "handoff",
        {
            "done": Field(Kind.TEXTS, "done"),
            "remaining": Field(Kind.TEXTS, "remaining"),
            "decisions": Field(Kind.TEXTS, "decisions"),
            "uncertain": Field(Kind.TEXTS, "uncertain"),
            "created": Field(Kind.MOMENT, "created_at"),
            "timestamp": Field(Kind.MOMENT, "created_at"),
            "session": Field(Kind.SESSION, "session"),
        },
        _LATEST,
    ),
    "file": _child_rows(
        "files",
        "file",
        {
            "path": Field(Kind.TEXT, "path"),
            "role": Field(Kind.CHOICE, "role", FileRole),
            "created": Field(Kind.MOMENT, "created_at"),
        },
    ),
    "review": _child_rows(
        "reviews",
        "review",
        {
            "decision": Field(Kind.CHOICE, "decision", Decision),
            "summary": Field(Kind.TEXT, "summary"),
            "reviewer": Field(Kind.SESSION, "reviewer_session"),
            "created": Field(Kind.MOMENT, "created_at"),
        },
    ),
    "parent": Relation("related", _OF_ISSUES, _of_parent),
    "dep": Relation("related", _OF_ISSUES, of_target),
    "epic": Relation("related", _OF_ISSUES, _of_epic, _below_epics),
}
