"""Moving a backlog from a local file to a primary, and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.ground import Result, show, taken_s
from replica import MoveReport, make_way, put_away
from replica.history import INSERT_CHANGE, change_values
from replica.identity import IdSource, new_short_id
from replica.mutation import Change, Kind, Mutation, StoredValue
from replica.stamps import stamp_at

ISSUES = 100_000
_COMMENT_EVERY = 3
_DESCRIPTION = "the quick brown fox jumps over the lazy dog " * 3


def run(directory: Path, url: str) -> Iterator[Result]:
    """A backlog to an empty primary, with the comparison of all rows and a replica that is ready; and back."""
    from tracker import open_tracker  # noqa: PLC0415 - only this measurement needs td

    place = directory / "moved"
    with open_tracker(place) as tracker:
        session, machine = tracker.reader
    fill(place / "data.db", ISSUES, session=session, machine=machine)
    stored = (place / "data.db").stat().st_size / 1e6

    def there() -> MoveReport:
        make_way(place, url)
        with open_tracker(place, mode="libsql", url=url) as tracker:
            return tracker.replica.moving.take_in(place / "data.db", switch=_nothing, show=_nothing)

    def back() -> MoveReport:
        put_away(place, mode="libsql")
        with open_tracker(place, mode="libsql", url=url) as tracker:
            return tracker.replica.moving.write_out(switch=_nothing, show=_nothing)

    taken = taken_s(there)
    path = f"{ISSUES:,} issues ({stored:.0f} MB) from a file to a primary"
    yield Result(path, show(taken), "verified, replica ready", "–", "≤ 30 s", taken <= 30)
    yield Result("the same back to a file", show(taken_s(back)), "verified", "–", "–", None)


def _nothing(*_arguments: object) -> None:
    """Nobody watches, and nothing is switched."""


def fill(path: Path, issues: int, *, session: str, machine: str) -> None:
    """Write issues, and a comment on some, to a local file as td does, each with its history, in one commit."""
    ids = IdSource()
    with closing(sqlite3.connect(path)) as connection:
        for number in range(issues):
            at = stamp_at(1_790_000_000 + number / 1000)
            issue_id = new_short_id("td-")
            rows: list[tuple[str, str, dict[str, StoredValue]]] = [("issues", issue_id, _issue(number, at, session))]
            if number % _COMMENT_EVERY == 0:
                rows.append(("comments", ids.new_uuid7(), _comment(issue_id, at, session)))
            for table, row_id, values in rows:
                change = Change(
                    table, row_id, Kind.INSERT, "", at, {name: (None, each) for name, each in values.items()}
                )
                mutation = Mutation(ids.new_uuid7(), session, machine, at, 1, (change,))
                connection.executemany(INSERT_CHANGE, change_values(mutation))
                names = ", ".join(["id", "updated_at", *values])
                marks = ", ".join("?" * (len(values) + 2))
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", (row_id, at, *values.values()))
        connection.commit()


def _issue(number: int, at: str, session: str) -> dict[str, StoredValue]:
    return {
        "title": f"An issue of the backlog, number {number}", "description": _DESCRIPTION, "type": "task",
        "priority": f"P{number % 5}", "status": "open" if number % 3 else "closed", "labels": '["backlog","web"]',
        "created_at": at, "closed_at": None if number % 3 else at, "deleted_at": None, "creator_session": session,
    }  # fmt: skip


def _comment(issue_id: str, at: str, session: str) -> dict[str, StoredValue]:
    return {"issue_id": issue_id, "text": "It is the font server.", "session": session, "created_at": at}
