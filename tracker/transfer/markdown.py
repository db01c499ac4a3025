"""The export for people: issues by status, each with what was said and done about it.

Always true: what people wrote cannot pass for a heading of the export: titles are escaped, and longer texts are quoted.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from replica import Record
from tracker.records import (
    Board,
    Comment,
    Dependency,
    FileLink,
    Handoff,
    Issue,
    Log,
    Note,
    Review,
    Status,
    WorkSession,
)
from tracker.transfer.dump import Dump, Row
from tracker.values import plain_line, plain_text

Document = Mapping[str, object]
_PAGE_ROWS: Final = 200
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>#|~])")
_HEADINGS: Final = {
    Status.IN_PROGRESS: "In progress",
    Status.IN_REVIEW: "In review",
    Status.BLOCKED: "Blocked",
    Status.OPEN: "Open",
    Status.CLOSED: "Closed",
}
_FACTS: Final = (
    ("parent_id", "part of"), ("points", "points"), ("labels", "labels"), ("sprint", "sprint"),
    ("due_date", "due"), ("defer_until", "deferred until"), ("implementer_session", "worked on by"),
    ("reviewer_session", "reviewed by"), ("created_at", "created"), ("closed_at", "closed"), ("deleted_at", "deleted"),
)  # fmt: skip
# What belongs to an issue and is told with it.
_CHILDREN: Final[tuple[type[Record], ...]] = (Dependency, FileLink, Comment, Log, Handoff, Review)


def write_markdown(dump: Dump) -> Iterator[str]:
    """The document in pieces."""
    yield "# Issues\n"
    for status, heading in _HEADINGS.items():
        first = True
        for issue in _issues(dump, status):
            if first:
                yield f"\n## {heading}\n"
                first = False
            yield issue
    for record, heading in ((Board, "Boards"), (Note, "Notes"), (WorkSession, "Work sessions")):
        rows = list(dump.rows(record))
        if rows:
            yield f"\n# {heading}\n"
        for row in rows:
            yield _aside(row)


def _issues(dump: Dump, status: Status) -> Iterator[str]:
    """The issues of a status, the most urgent first, a page at a time."""
    hidden = "" if dump.with_deleted else "AND deleted_at IS NULL "
    sql = f"SELECT id FROM issues WHERE status = ? {hidden}ORDER BY priority, created_at, id"
    # Sorted once: to sort for each page would take ever longer the more there are.
    ids = [str(row[0]) for row in dump.tracker.replica.query(sql, (status.value,)).rows]
    for start in range(0, len(ids), _PAGE_ROWS):
        page = json.dumps(ids[start : start + _PAGE_ROWS])
        children = {record.replica_table: _children(dump, record, page) for record in _CHILDREN}
        fragment = "WHERE id IN (SELECT value FROM json_each(?)) ORDER BY priority, created_at, id"
        for issue in dump.tracker.replica.select(Issue, fragment, (page,)):
            own = {table: rows.get(issue.id, []) for table, rows in children.items()}
            yield _issue({"id": issue.id, **issue.to_row()}, own)


def _children(dump: Dump, record: type[Record], ids: str) -> dict[str, list[Row]]:
    """The rows of a table by the issue that they belong to; `ids`: of the issues, as a JSON list."""
    fragment = "WHERE issue_id IN (SELECT value FROM json_each(?)) ORDER BY created_at, id"
    by_issue: dict[str, list[Row]] = {}
    for found in dump.tracker.replica.select(record, fragment, (ids,)):
        row = found.to_row()
        by_issue.setdefault(str(row["issue_id"]), []).append(row)
    return by_issue


def _issue(issue: Row, children: Mapping[str, Sequence[Row]]) -> str:
    facts = [f"{name}: {_fact(value)}" for column, name in _FACTS if (value := issue[column]) not in (None, "", "[]")]
    lines = [
        f"\n### {issue['id']} {_escaped(issue['title'])}\n",
        f"{issue['type']}, {issue['priority']}{', minor' if issue['minor'] else ''}; {'; '.join(facts)}",
    ]
    for column, heading in (("description", ""), ("acceptance", "Done when")):
        if issue[column]:
            lines += ["", *([f"{heading}:", ""] if heading else []), _quoted(issue[column])]
    for table, tell in (("dependencies", _dependency), ("files", _file)):
        lines += ["", *map(tell, children[table])] if children[table] else []
    for table, tell in (("comments", _comment), ("logs", _log), ("handoffs", _handoff), ("reviews", _review)):
        for row in children[table]:
            lines += ["", tell(row)]
    return "\n".join(lines) + "\n"


def _dependency(row: Row) -> str:
    return f"- depends on {row['depends_on_id']}"


def _file(row: Row) -> str:
    return f"- {row['role']}: `{plain_line(str(row['path'])).replace('`', '')}`"


def _comment(row: Row) -> str:
    return f"Comment{_by(row)}:\n\n{_quoted(row['text'])}"


def _log(row: Row) -> str:
    return f"{str(row['type']).capitalize()}{_by(row)}:\n\n{_quoted(row['message'])}"


def _handoff(row: Row) -> str:
    lines = [f"Handoff{_by(row)}:", ""]
    for name in ("done", "remaining", "decisions", "uncertain"):
        lines += [f"- {name}: {_escaped(item)}" for item in json.loads(str(row[name]))]
    return "\n".join(lines)


def _review(row: Row) -> str:
    who = row["reviewed_by"] or row["reviewer_session"]
    by = f" by {_escaped(who)}" if who else ""
    head = f"Review: {str(row['decision']).replace('_', ' ')}{by}, {_day(row['created_at'])}"
    return f"{head}:\n\n{_quoted(row['summary'])}" if row["summary"] else head


def _aside(row: Row) -> str:
    """A board, a note or a work session."""
    name = row.get("name") or row.get("title")
    began = row.get("started_at") or row.get("created_at")
    text = row.get("content") or row.get("query")
    return f"\n## {row['id']} {_escaped(name)}\n\n{_day(began)}\n" + (f"\n{_quoted(text)}\n" if text else "")


def _by(row: Row) -> str:
    who = f" by {_escaped(row['session'])}" if row["session"] else ""
    return f"{who}, {_day(row['created_at'])}"


def _day(moment: object) -> str:
    return str(moment)[:16].replace("T", " ")


def _fact(value: object) -> str:
    text = str(value)
    if text.startswith("["):
        return ", ".join(map(_escaped, json.loads(text)))
    return _day(text) if re.match(r"\d{4}-\d\d-\d\dT", text) else _escaped(text)


def _escaped(text: object) -> str:
    """One line in which nothing is Markdown."""
    return _SPECIAL.sub(r"\\\1", plain_line(str(text)))


def _quoted(text: object) -> str:
    """A text as a quotation, in which Markdown is as its author meant it."""
    return "\n".join(f"> {line}".rstrip() for line in plain_text(str(text)).rstrip().split("\n"))
