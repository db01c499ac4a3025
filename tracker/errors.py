"""What can go wrong in td's own rules.

```
TrackerError                    base of all
├── InvalidFieldError           invalid_input    a value that a field of an issue cannot have
├── NothingToChangeError        invalid_input    an update that names no field
└── IssueDeletedError           issue_deleted    a change to an issue that is deleted
```

Always true: nothing was written when one of these is raised, and `hint` says what to type instead.
"""

from typing import ClassVar


class TrackerError(Exception):
    """A rule of the tracker was not kept."""

    code: ClassVar[str] = "tracker"
    hint: str = ""


class InvalidFieldError(TrackerError):
    """A value that this field cannot have."""

    code = "invalid_input"

    def __init__(self, field: str, reason: str, hint: str) -> None:
        super().__init__(field, reason, hint)
        self.field, self.reason, self.hint = field, reason, hint

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class NothingToChangeError(TrackerError):
    """An update names no field to change."""

    code = "invalid_input"
    hint = "name at least one field, as --title, --status or --label +name"

    def __str__(self) -> str:
        return "nothing to change"


class IssueDeletedError(TrackerError):
    """The issue is deleted; it can be read and restored, not changed."""

    code = "issue_deleted"

    def __init__(self, issue_id: str) -> None:
        super().__init__(issue_id)
        self.issue_id = issue_id
        self.hint = f"bring it back first: td restore {issue_id}"

    def __str__(self) -> str:
        return f"{self.issue_id} is deleted"
