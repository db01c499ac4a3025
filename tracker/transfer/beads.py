"""The JSONL of beads (`.beads/issues.jsonl`, `bd export`): an issue a line, with its dependencies and comments in it.

Always true: a field or row that has no place here is counted; what stands in for it is told in `docs/moving.md`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tracker.ids import dependency_id
from tracker.records import Comment, Dependency, Issue, IssueType, Log, Note
from tracker.transfer.found import Found, Tally
from tracker.transfer.json_reader import JsonReader
from tracker.transfer.opened import open_text
from tracker.transfer.origin import IssueIds, row_id, with_origin, with_sections
from tracker.values import plain_line

Element = Mapping[str, Any]  # any JSON object

_STATUSES: Final = {"deferred": "open", "pinned": "open", "hooked": "in_progress", "tombstone": "closed"}
# Of a person who has not begun, and of things that td does not keep: they are told at the end of the description.
_DETAILS: Final = ("assignee", "owner", "external_ref", "estimated_minutes", "spec_id", "source_system")
_TAKEN: Final = frozenset({
    "_type", "id", "title", "description", "design", "acceptance_criteria", "notes", "status", "priority", "issue_type",
    "created_at", "created_by", "updated_at", "started_at", "closed_at", "close_reason", "closed_by_session", "due_at",
    "defer_until", "labels", "dependencies", "comments", "deleted_at", "deleted_by", "delete_reason", *_DETAILS,
    # Counts of what is there itself.
    "dependency_count", "dependent_count", "comment_count",
})  # fmt: skip


def read(path: Path, tally: Tally) -> Iterator[Found]:
    """The rows of such a file; one JSON array of the same objects is as good. Raises SourceError."""
    ids = IssueIds("beads")
    with open_text(path) as file:
        reader = JsonReader(file, path)
        while reader.peek():
            if reader.peek() == "[":
                for _ in reader.elements():
                    reader.peek()
                    yield from _element(reader.where, reader.value(), ids, tally)
            else:
                yield from _element(reader.where, reader.value(), ids, tally)


def _element(where: str, element: object, ids: IssueIds, tally: Tally) -> Iterator[Found]:
    if not isinstance(element, dict):
        tally.skipped.add("issues", "it is no object", where)
    elif element.get("_type") == "memory":
        yield _memory(element, where)
    elif element.get("_type") not in (None, "issue"):
        tally.homeless.add("beads", f"rows of type {plain_line(str(element['_type']))[:40]}", where)
    elif not isinstance(element.get("id"), str):
        tally.skipped.add("issues", "it has no id", where)
    else:
        yield from _issue(element, where, ids, tally)


def _memory(element: Element, where: str) -> Found:
    name, value = str(element.get("key") or ""), element.get("value")
    values = {"id": row_id("nt", "beads", name), "title": name, "content": value, "created_at": None}
    return Found(Note, values, where, frozenset({"created_at"}))


def _issue(element: Element, where: str, ids: IssueIds, tally: Tally) -> Iterator[Found]:
    issue_id = ids.of(element["id"])
    parents, dependencies = _relations(element, where, tally)
    for extra in parents[1:]:
        tally.homeless.add("beads", "further parents of an issue", f"{where}: {extra}")
    values = _fields(element)
    if parents:
        values["parent_id"] = ids.of(parents[0])
    yield Found(Issue, {"id": issue_id, **values}, where, frozenset({"status_at"}))
    for name, value in element.items():
        if name not in _TAKEN and value:
            tally.homeless.add("beads", f"field {plain_line(name)[:40]}", where)
    for target, edge in dependencies:
        yield _dependency(issue_id, ids.of(target), edge, element, where)
    yield from _said(issue_id, element, where)


def _fields(element: Element) -> dict[str, object]:
    told, kind = _text(element.get("status")), _text(element.get("issue_type"))
    status, is_deleted = _STATUSES.get(told, told) or "open", told == "tombstone"
    labels = element["labels"][:] if isinstance(element.get("labels"), list) else []
    is_known = kind in {*IssueType, "story", ""}
    # What td has no word for stays as a label.
    labels += [] if is_known else [kind]
    labels += [told] if told in _STATUSES and not is_deleted else []
    details = {name: element.get(name) for name in _DETAILS if name != "assignee" or status == "open"}
    description = with_sections(
        _text(element.get("description")), [("Design", element.get("design")), ("Notes", element.get("notes"))]
    )
    return {
        "title": element.get("title"),
        "description": with_origin(description, f"beads: {element['id']}", details),
        "type": kind if kind and is_known else IssueType.TASK,
        "priority": element.get("priority"),
        "status": status,
        "labels": [*labels, "beads"],
        "created_at": element.get("created_at"),
        "closed_at": element.get("closed_at"),
        "deleted_at": element.get("deleted_at") or element.get("updated_at") if is_deleted else None,
        "creator_session": _who(element.get("created_by")),
        "parent_id": None,
        "acceptance": element.get("acceptance_criteria"),
        "defer_until": element.get("defer_until"),
        "due_date": element.get("due_at"),
        "status_at": element.get("closed_at") or element.get("started_at"),
        "implementer_session": None if status == "open" else _who(element.get("assignee")) or None,
        "closed_by_session": element.get("closed_by_session") or None,
        "updated_at": element.get("updated_at"),
    }


def _relations(element: Element, where: str, tally: Tally) -> tuple[list[str], list[tuple[str, Element]]]:
    """The parents of an issue, and what it waits for."""
    parents: list[str] = []
    blocking: list[tuple[str, Element]] = []
    for edge in _objects(element.get("dependencies")):
        target, kind = edge.get("depends_on_id"), edge.get("type") or "blocks"
        if not isinstance(target, str):
            tally.skipped.add("dependencies", "it does not say on what", where)
        elif kind == "parent-child":
            parents.append(target)
        elif kind == "blocks":
            blocking.append((target, edge))
        else:
            tally.homeless.add("beads", f"dependencies of type {plain_line(str(kind))[:40]}", f"{where}: {target}")
    return parents, blocking


def _dependency(issue_id: str, target_id: str, edge: Element, element: Element, where: str) -> Found:
    values = {
        "id": dependency_id(issue_id, target_id),
        "issue_id": issue_id,
        "depends_on_id": target_id,
        "session": _who(edge.get("created_by")),
        "created_at": edge.get("created_at") or element.get("created_at"),
    }
    return Found(Dependency, values, where, frozenset({"session", "created_at"}))


def _said(issue_id: str, element: Element, where: str) -> Iterator[Found]:
    """The comments of an issue, and why it was closed."""
    for number, comment in enumerate(_objects(element.get("comments"))):
        yield Found(
            Comment,
            {
                "id": row_id("cm", "beads", element["id"], str(comment.get("id") or number)),
                "issue_id": issue_id,
                "text": comment.get("text"),
                "session": _who(comment.get("author")),
                "created_at": comment.get("created_at"),
                "updated_at": element.get("created_at"),
            },
            where,
        )
    for name, moment in (("close_reason", "closed_at"), ("delete_reason", "deleted_at")):
        if element.get(name):
            values = {
                "id": row_id("lg", "beads", element["id"], name),
                "issue_id": issue_id,
                "session": element.get("closed_by_session") or _who(element.get("deleted_by")),
                "type": "result",
                "message": element[name],
                "created_at": element.get(moment),
                "updated_at": element.get("updated_at"),
            }
            yield Found(Log, values, where)


def _objects(value: object) -> list[Element]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _who(name: object) -> str:
    """A person at the origin, told from a session of td."""
    return f"beads:{name}" if isinstance(name, str) and name.strip() else ""
