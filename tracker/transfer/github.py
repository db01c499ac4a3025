"""Issues of GitHub in JSON: the list of its REST API, or what `gh issue list --json …` prints.

Always true: an issue's id here is made of its address, so both forms, and two machines, make the same rows; a field or
row that has no place here is counted.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tracker.errors import InvalidFieldError
from tracker.names import parse_type
from tracker.records import Comment, Issue, Priority
from tracker.transfer.found import Found, Tally
from tracker.transfer.json_reader import JsonReader
from tracker.transfer.opened import open_text
from tracker.transfer.origin import IssueIds, row_id, with_origin
from tracker.values import plain_line

Element = Mapping[str, Any]  # any JSON object

_ADDRESS: Final = re.compile(r"https?://(?:api\.)?([^/]+)/(?:api/v3/)?(?:repos/)?([^/]+/[^/]+)/issues/(\d+)")
_TYPES: Final = {"bug": "bug", "enhancement": "feature", "feature": "feature", "epic": "epic", "chore": "chore"}
_TAKEN: Final = frozenset({
    "number", "title", "body", "state", "state_reason", "stateReason", "labels", "assignee", "assignees", "milestone",
    "user", "author", "comments", "created_at", "createdAt", "updated_at", "updatedAt", "closed_at", "closedAt",
    "closed_by", "html_url", "url", "type", "parent_issue_url", "pull_request",
    # Addresses and numbers of GitHub's own, and what follows from other fields.
    "id", "node_id", "repository_url", "labels_url", "comments_url", "events_url", "timeline_url", "closed",
    "author_association", "sub_issues_summary", "issue_dependencies_summary", "performed_via_github_app", "score",
    "active_lock_reason", "locked", "draft",
})  # fmt: skip


def read(path: Path, tally: Tally) -> Iterator[Found]:
    """The rows of such a file; several lists one after the other, as `gh api --paginate` prints, are as good.

    Raises SourceError.
    """
    ids = IssueIds("github")
    with open_text(path) as file:
        reader = JsonReader(file, path)
        while reader.peek():
            yield from _value(reader, ids, tally)


def _value(reader: JsonReader, ids: IssueIds, tally: Tally) -> Iterator[Found]:
    if reader.peek() == "[":
        for _ in reader.elements():
            reader.peek()
            # A page within a list of pages.
            where, value = reader.where, reader.value()
            for element in value if isinstance(value, list) else [value]:
                yield from _element(element, where, ids, tally)
    else:
        yield from _element(reader.value(), reader.where, ids, tally)


def _element(element: object, where: str, ids: IssueIds, tally: Tally) -> Iterator[Found]:
    if not isinstance(element, dict):
        tally.skipped.add("issues", "it is no object", where)
        return
    if element.get("pull_request"):
        tally.homeless.add("github", "pull requests", where)
        return
    address = _address(element.get("html_url")) or _address(element.get("url"))
    if address is None:
        tally.skipped.add("issues", "it does not say where it is: ask gh for --json url too", where)
        return
    repository, number = address
    values = _fields(element, repository, number)
    parent = _address(element.get("parent_issue_url"))
    if parent is not None:
        values["parent_id"] = ids.of(_name(*parent))
    issue_id = ids.of(_name(repository, number))
    yield Found(Issue, {"id": issue_id, **values}, where)
    for name, value in element.items():
        if name not in _TAKEN and value:
            tally.homeless.add("github", f"field {plain_line(name)[:40]}", where)
    yield from _comments(element, issue_id, _name(repository, number), where, tally)


def _address(url: object) -> tuple[str, str] | None:
    """The repository, as `github.com/owner/name`, and the number of an issue."""
    match = _ADDRESS.match(url) if isinstance(url, str) else None
    return None if match is None else (f"{match[1]}/{match[2]}".lower(), match[3])


def _name(repository: str, number: str) -> str:
    return f"{repository}#{number}"


def _fields(element: Element, repository: str, number: str) -> dict[str, object]:
    labels = [name for label in _list(element.get("labels")) if (name := _named(label))]
    assignees = [login for one in _list(element.get("assignees")) if (login := _login(one))]
    is_closed = str(element.get("state")).lower() == "closed"
    reason = str(element.get("state_reason") or element.get("stateReason") or "").lower()
    if is_closed and reason not in ("", "completed"):
        labels.append(reason)
    origin = f"GitHub: https://{repository}/issues/{number}"
    closed_at = element.get("closed_at") or element.get("closedAt")
    values = {
        "title": element.get("title"),
        "description": with_origin(_text(element.get("body")), origin, {"assigned to": ", ".join(assignees)}),
        "type": _type(element, labels),
        "priority": next((name.upper() for name in labels if name.upper() in set(Priority)), None),
        "status": "closed" if is_closed else "open",
        "labels": [*labels, "github"],
        "created_at": element.get("created_at") or element.get("createdAt"),
        "closed_at": closed_at if is_closed else None,
        "creator_session": _who(element.get("user") or element.get("author")),
        "sprint": _named(element.get("milestone")),
        "updated_at": element.get("updated_at") or element.get("updatedAt"),
    }
    if closer := _who(element.get("closed_by")):
        values["closed_by_session"] = closer
    return values


def _type(element: Element, labels: list[str]) -> str:
    """By the type that GitHub gives it, or else by its labels."""
    given = _named(element.get("type"))
    try:
        return parse_type(given)
    except InvalidFieldError:
        return next((_TYPES[name.lower()] for name in labels if name.lower() in _TYPES), "task")


def _comments(element: Element, issue_id: str, name: str, where: str, tally: Tally) -> Iterator[Found]:
    comments = element.get("comments")
    if isinstance(comments, int) and comments:
        tally.homeless.add("github", "comments that are only counted in this file", where, comments)
    for number, comment in enumerate(_list(comments)):
        if isinstance(comment, dict):
            yield Found(
                Comment,
                {
                    "id": row_id("cm", name, str(comment.get("html_url") or comment.get("url") or number)),
                    "issue_id": issue_id,
                    "text": comment.get("body"),
                    "session": _who(comment.get("user") or comment.get("author")),
                    "created_at": comment.get("created_at") or comment.get("createdAt"),
                    "updated_at": element.get("created_at") or element.get("createdAt"),
                },
                where,
            )


def _list(value: object) -> list[Any]:  # see above
    return value if isinstance(value, list) else []


def _named(value: object) -> str:
    """The name of a label, a milestone or a type."""
    if isinstance(value, dict):
        value = value.get("name") or value.get("title")
    return value if isinstance(value, str) else ""


def _who(person: object) -> str:
    """A person at the origin, told from a session of td."""
    login = _login(person)
    return f"github:{login}" if login else ""


def _login(person: object) -> str:
    """A person's account: `gh` tells the full name too, the REST API does not."""
    login = person.get("login") if isinstance(person, dict) else None
    return _text(login)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
