"""What can go wrong in td's own rules.

```
TrackerError                    base of all
├── InvalidFieldError           invalid_input    a value that a field of an issue cannot have
├── NothingToChangeError        invalid_input    an update that names no field
├── FilterError                 filter           a filter that cannot be understood
├── IssueDeletedError           issue_deleted    a change to an issue that is deleted
├── TransitionError             transition       a status that cannot follow the one that an issue has
├── ClaimedError                conflict         an issue that somebody else has started
├── ReviewNeededError           review_needed    a close of what waits for a review
├── SelfApprovalError           not_allowed      an approval, or a close, of one's own work
├── CycleError                  cycle            a dependency or a parent that would come back to where it began
├── WorkGoesOnError             conflict         a stretch of work begun where one goes on
├── NoWorkError                 not_found        no stretch of work goes on here
├── DeletedError                deleted          a change to a board or a note that is deleted
├── NotLinkedError              not_found        a file that is not linked to the issue
├── NothingToUndoError          not_found        an undo where nothing was changed
├── UndoRefusedError            conflict         an undo of what was changed again
└── SearchUnavailableError      search_unavailable  no full-text search in this SQLite
```

Always true: nothing was written when one of these is raised, and `hint` says what to type instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from replica import Author


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


class FilterError(TrackerError):
    """A filter that cannot be understood; nothing was looked for.

    reason: what is wrong. text: the filter. position: where in it, from 0. advice: what to write instead. The hint
    shows the filter with a mark at that place, in the one line that an error has.
    """

    code = "filter"

    def __init__(self, reason: str, text: str, position: int, advice: str = "") -> None:
        super().__init__(reason, text, position, advice)
        self.reason, self.text, self.position, self.advice = reason, text, position, advice
        self.hint = "; ".join(part for part in (_pointed_at(text, position), advice) if part)

    @property
    def column(self) -> int:
        """Where it is, counted from 1."""
        return self.position + 1

    def __str__(self) -> str:
        return f"at column {self.column}: {self.reason}" if self.text else self.reason


_SHOWN_BEFORE: Final = 40
_SHOWN_AFTER: Final = 20
_PART: Final = re.compile(r"\w[\w.@-]*|[=!~<>]+|\S|", re.ASCII)


def _pointed_at(text: str, position: int) -> str:
    """The text around a place, with a mark behind what stands there."""
    if not text:
        return ""
    part = _PART.match(text, position)
    end = part.end() if part is not None else position
    start, stop = max(0, end - _SHOWN_BEFORE), end + _SHOWN_AFTER
    cut_before, cut_after = "…" * (start > 0), "…" * (stop < len(text))
    shown = f"{cut_before}{text[start:end]}⟵here{text[end:stop]}{cut_after}"
    return "".join(char if char.isprintable() else "?" for char in shown)


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


class TransitionError(TrackerError):
    """A status that cannot follow the one that the issue has; nothing was written."""

    code = "transition"

    def __init__(self, issue_id: str, found: str, wanted: str, hint: str) -> None:
        super().__init__(issue_id, found, wanted, hint)
        self.issue_id, self.found, self.wanted, self.hint = issue_id, found, wanted, hint

    def __str__(self) -> str:
        return f"{self.issue_id} is {self.found}, it cannot become {self.wanted} so"


class ClaimedError(TrackerError):
    """Somebody else has started the issue; nothing was written. called: how the holder is called, if it has a name."""

    code = "conflict"

    def __init__(self, issue_id: str, holder: str | None, since: str, called: str = "") -> None:
        super().__init__(issue_id, holder, since, called)
        self.issue_id, self.holder, self.since, self.called = issue_id, holder, since, called
        self.hint = f"take another one (td next), or take it over: td start {issue_id} --force"

    def __str__(self) -> str:
        return f"{self.issue_id} was started by {self.called or self.holder}, last changed at {self.since}"


class ReviewNeededError(TrackerError):
    """The issue waits for a review, and is closed by approving it."""

    code = "review_needed"

    def __init__(self, issue_id: str) -> None:
        super().__init__(issue_id)
        self.issue_id = issue_id
        self.hint = f"td approve {issue_id} closes it, td reject {issue_id} sends it back"

    def __str__(self) -> str:
        return f"{self.issue_id} is in review, and not approved"


class SelfApprovalError(TrackerError):
    """The rules of review do not let this session decide about its own work."""

    code = "not_allowed"

    def __init__(self, issue_id: str, reason: str, hint: str) -> None:
        super().__init__(issue_id, reason, hint)
        self.issue_id, self.reason, self.hint = issue_id, reason, hint

    def __str__(self) -> str:
        return f"{self.issue_id} needs somebody else: {self.reason}"


class CycleError(TrackerError):
    """It would make issues wait for themselves; nothing was written. path: the ids, back to the first."""

    code = "cycle"
    hint = "td tree and td depends-on show what there is; take one of these out first"

    def __init__(self, kind: str, path: tuple[str, ...]) -> None:
        super().__init__(kind, path)
        self.kind, self.path = kind, path

    def __str__(self) -> str:
        return f"this {self.kind} would go in a circle: {' -> '.join(self.path)}"


class WorkGoesOnError(TrackerError):
    """A stretch of work goes on in this session already."""

    code = "conflict"
    hint = "end it first: td ws end"

    def __init__(self, work_id: str, name: str) -> None:
        super().__init__(work_id, name)
        self.work_id, self.name = work_id, name

    def __str__(self) -> str:
        return f"the work session {self.work_id} ({self.name}) goes on"


class NoWorkError(TrackerError):
    """No stretch of work goes on in this session."""

    code = "not_found"
    hint = "begin one: td ws start NAME"

    def __str__(self) -> str:
        return "no work session goes on here"


class DeletedError(TrackerError):
    """The board or the note is deleted; it can be restored, not changed. kind: which of the two."""

    code = "deleted"

    def __init__(self, kind: str, row_id: str) -> None:
        super().__init__(kind, row_id)
        self.kind, self.row_id = kind, row_id
        self.hint = f"bring it back first: td {kind} restore {row_id}"

    def __str__(self) -> str:
        return f"the {self.kind} {self.row_id} is deleted"


class NotLinkedError(TrackerError):
    """The file is not among those of the issue; nothing was written."""

    code = "not_found"

    def __init__(self, issue_id: str, path: str) -> None:
        super().__init__(issue_id, path)
        self.issue_id, self.path = issue_id, path
        self.hint = f"td files {issue_id} shows those that are"

    def __str__(self) -> str:
        return f"{self.path} is not linked to {self.issue_id}"


class NothingToUndoError(TrackerError):
    """Nothing was changed in this session, or all of it was taken back."""

    code = "not_found"
    hint = "td history ID shows the changes of an issue; take one of them back with td undo MUTATION"

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self.session = session

    def __str__(self) -> str:
        return f"there is nothing to undo: {self.session} has changed nothing that still stands"


class UndoRefusedError(TrackerError):
    """Fields were changed again after the change that is to be taken back; `moved`: by whom, by their names."""

    code = "conflict"

    def __init__(self, row_id: str, moved: Mapping[str, Author]) -> None:
        super().__init__(row_id, moved)
        self.row_id, self.moved = row_id, moved
        self.hint = f"nothing was written; td history {row_id} shows the changes; undo the later one first"

    def __str__(self) -> str:
        fields: dict[Author, list[str]] = {}
        for name, author in self.moved.items():
            fields.setdefault(author, []).append(name)
        told = [f"{' and '.join(names)} by {who.session} on {who.machine} at {who.at}" for who, names in fields.items()]
        return f"{self.row_id} was changed again since: {', '.join(told)}"


class SearchUnavailableError(TrackerError):
    """The SQLite of this Python cannot search text."""

    code = "search_unavailable"
    hint = "use a Python whose SQLite has FTS5, as those of python.org have; td list and td query work without it"

    def __str__(self) -> str:
        return "this Python's SQLite was built without FTS5, so there is no search"
