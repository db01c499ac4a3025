"""What a simulated person does with a replica: reads, writes, undoes, decides. One call, one act; dice decide the rest.

Always true: the same dice over the same rows do the same; an act that the toolkit refuses ends in its error's code.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Final, Literal

from replica import Record, Replica, ReplicaError, Transaction
from tests.simulation.records import HOT, Program, Project, Scrap

Json = Any  # a JSON document of our own making

_CONTENDED: Final = 6
_FOLLOWING: Final = 0.3
_OWNERS: Final = ("ann", "bob", "eve", "kim")
_LABELS: Final = "abcdef"


class Act:
    """One act of one process: who does it, on what, by which dice; `mark` is in every text it writes."""

    def __init__(self, member: Replica, program: Program, dice: random.Random, mark: str) -> None:
        self._member, self._program, self._dice, self._mark = member, program, dice, mark
        # Dice of its own for what follows from what, so that every other throw is as it was without.
        self._follows = random.Random(mark)
        self._written = 0

    # -- writing

    def write(self, *, online: bool) -> None:
        """One transaction of 1 to 5 rows over several tables."""
        ids = self._visible()
        writes: Literal["queued", "online"] = "online" if online else "queued"
        with self._member.transaction(writes) as tx:
            for _ in range(self._dice.choice((1, 1, 1, 2, 2, 3, 4, 5))):
                self._touch(tx, ids)

    def begin(self) -> None:
        """The first rows of all: those that everybody changes."""
        with self._member.transaction() as tx:
            for table, ids in HOT.items():
                if self._knows(table):
                    for row_id in ids:
                        tx.insert(self._new(table, row_id, []))

    def _knows(self, table: str) -> bool:
        return any(record.replica_table == table for record in self._program.records)

    def _visible(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for record in self._program.records:
            rows = self._member.query(f"SELECT id FROM {record.replica_table} ORDER BY id").rows
            found[record.replica_table] = [str(row[0]) for row in rows]
        return found

    def _touch(self, tx: Transaction, ids: dict[str, list[str]]) -> None:
        dice = self._dice
        table = dice.choice([t for t in ("tasks", "tasks", "tasks", "tasks", "projects", "scraps") if self._knows(t)])
        hot = [row_id for row_id in ids[table] if row_id in HOT[table]]
        act = dice.random()
        if act < 0.22 or not ids[table]:
            tx.insert(self._new(table, self._new_id(table), ids["projects"]))
            return
        row_id = dice.choice(hot) if hot and dice.random() < 0.7 else dice.choice(ids[table])
        row = tx.get(self._program.record_of(table), row_id)
        if act < 0.30 and (row_id not in HOT[table] or dice.random() < 0.15):
            tx.delete(row)
        else:
            write = tx.follow if self._follows.random() < _FOLLOWING else tx.update
            write(row, **self._patch(table, row, ids["projects"]))

    def _new_id(self, table: str) -> str:
        """An id of its own, or, to meet another insert, one of a few; sometimes that of a hot row that may be gone."""
        chance = self._dice.random()
        if chance < 0.75:
            return ""
        return self._dice.choice(HOT[table]) if chance < 0.8 else f"{table}-shared-{self._dice.randrange(_CONTENDED)}"

    def _text(self) -> str:
        self._written += 1
        return f"{self._mark}.{self._written}"

    def _new(self, table: str, row_id: str, projects: list[str]) -> Record:
        dice = self._dice
        if table == "projects":
            return Project(id=row_id, name=self._text(), code=dice.choice((None, f"code {dice.randrange(8)}")))
        if table == "scraps":
            return Scrap(id=row_id, text=self._text())
        return self._program.record_of("tasks").model_validate(
            {
                "id": row_id,
                "title": self._text(),
                "owner": dice.choice(_OWNERS),
                "labels": dice.sample(_LABELS, 2),
                "notes": "\n".join(f"line {number}" for number in range(6)),
                "best": dice.choice((None, dice.randrange(100))),
                "least": dice.choice((None, dice.randrange(100))),
                "spent": dice.randrange(10),
                "project": dice.choice(projects) if projects and dice.random() < 0.5 else None,
            }
        )

    def _patch(self, table: str, row: Record, projects: list[str]) -> dict[str, object]:
        if table == "scraps":
            return {"text": self._text()}
        if table == "projects":
            name: dict[str, object] = {"name": self._text()}
            return name if self._dice.random() < 0.6 else {"code": f"code {self._dice.randrange(8)}"}
        makers: dict[str, Callable[[], object]] = {
            "title": self._text,
            "owner": lambda: self._dice.choice(_OWNERS),
            "labels": lambda: getattr(row, "labels") ^ set(self._dice.sample(_LABELS, 2)),  # noqa: B009 - of either program's task
            "notes": lambda: self._edited(str(row.to_row()["notes"])),
            "best": lambda: self._dice.randrange(100),
            "least": lambda: self._dice.randrange(100),
            "spent": lambda: int(str(row.to_row()["spent"])) + self._dice.choice((-1, 1, 2)),
            "project": lambda: self._dice.choice([None, *projects]),
        }
        if self._program.version > 1:
            makers["priority"] = lambda: self._dice.randrange(1, 5)
        weights = [1 if name in ("title", "priority", "project") else 3 for name in makers]
        names = set(self._dice.choices(list(makers), weights, k=self._dice.choice((1, 1, 2, 3))))
        return {name: makers[name]() for name in sorted(names)}

    def _edited(self, text: str) -> str:
        lines = text.split("\n")
        lines[self._dice.randrange(len(lines))] = self._text()
        return "\n".join(lines)

    # -- deciding and taking back

    def undo(self) -> None:
        """Take back the last mutation of this session."""
        self._member.undo()

    def resolve(self) -> None:
        """Settle one of the open conflicts, one way or another."""
        conflicts = self._member.conflicts()
        if not conflicts:
            return
        conflict = self._dice.choice(conflicts[:5])
        named = {name: field.mine for name, field in conflict.fields.items() if "/" not in name}
        if named and len(named) == len(conflict.fields) and self._dice.random() < 0.2 and "title" in named:
            self._member.resolve(conflict.id, {**named, "title": self._text()})
        else:
            self._member.resolve(conflict.id, self._dice.choice(("mine", "theirs")))

    # -- syncing and reading

    def sync(self, *, deadline_s: float) -> Json:
        """Sync once, and once more where the primary is another one and has to be adopted; what it reported."""
        report = self._member.sync(deadline_s=deadline_s)
        if report.error is not None and report.error.code == "other_primary":
            report = self._member.sync(deadline_s=deadline_s, adopt_primary=True)
        return {
            "pushed": report.pushed,
            "merged": report.merged,
            "parked": report.parked,
            "pulled": report.pulled,
            "pending": report.pending,
            "lost": report.lost,
            "stage": report.stage.value,
            "error": None if report.error is None else report.error.code,
            "told": None if report.error is None else str(report.error)[:300],
        }

    def read(self) -> Json:
        """All that this process sees, by one statement of the toolkit's own reading: one moment of both files."""
        seen: dict[str, Any] = {"tail": None, "pending": [], "rows": {}}  # a JSON document of our own making
        for what, text in self._member.query(self._statement()).rows:
            value = json.loads(str(text))
            if what == "tail":
                seen["tail"] = value if value[0] is not None else None
            elif what == "pending":
                seen["pending"].append(value)
            else:
                seen["rows"].setdefault(what, []).append(value)
        return seen

    def _statement(self) -> str:
        parts = [
            """SELECT 'pending', json_array(m.id, m.state, c.table_name, c.row_id, c.kind, c.seen, c.stamp,
            json(c.fields), json(c.ground)) FROM (SELECT * FROM main.mutations ORDER BY seq) m
            LEFT JOIN main.changes c ON c.seq = m.seq""",
            "SELECT 'tail', json_array(max(seq), mutation) FROM _replica_changes",
            "SELECT '_replica_conflicts', json_array(id, updated_at, mutation_id, state) FROM _replica_conflicts",
        ]
        for record in self._program.records:
            names = ", ".join(("id", "updated_at", *self._program.columns(record.replica_table)))
            parts.append(f"SELECT '{record.replica_table}', json_array({names}) FROM {record.replica_table}")
        return " UNION ALL ".join(parts)

    def whole(self) -> Json:
        """Everything, for the comparison at the end: every column of every table, and the history."""
        answer: dict[str, Any] = {}  # a JSON document of our own making
        for table in (*[record.replica_table for record in self._program.records], "_replica_conflicts"):
            rows = self._member.query(f"SELECT * FROM {table} ORDER BY id")
            answer[table] = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
        answer["_replica_changes"] = [
            list(row)
            for row in self._member.query("SELECT seq, mutation, position FROM _replica_changes ORDER BY seq").rows
        ]
        return answer


def perform(act: Act, call: Json) -> Json:
    """Do what a call says. Returns what it saw, or the code and text of the error it ended with."""
    kind = call["do"]
    try:
        if kind in ("read", "whole"):
            return {"saw": act.read() if kind == "read" else act.whole()}
        if kind == "sync":
            return {"sync": act.sync(deadline_s=call["deadline_s"])}
        if kind in ("write", "online"):
            act.write(online=kind == "online")
        elif kind == "begin":
            act.begin()
        elif kind == "undo":
            act.undo()
        elif kind == "resolve":
            act.resolve()
        else:
            raise ValueError(f"nobody knows how to {kind}")
    except ReplicaError as error:
        return {"error": error.code, "told": str(error)[:300]}
    return {}
