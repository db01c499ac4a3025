"""A replica with something in each of its tables, and everything that a program asks of one."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from replica import Replica, ReplicaError
from tests.fuzz.promise import answered
from tests.fuzz.workbench import Workbench
from tests.replica.team import Item, Team, add, change, open_member, remove, synced

NOWHERE: Final = "http://127.0.0.1:1"
_WITHIN_S: Final = 20.0


def stocked(bench: Workbench) -> Path:
    """The directory of a replica that has a base, pending changes of each kind, a conflict, and nobody at its URL."""
    directory, is_new = bench.template("stocked")
    if is_new:
        server = bench.primary("stocked")
        with Team(directory, server.url) as team:
            laptop, desktop = team.join("laptop"), team.join("desktop")
            for name in ("milk", "bread", "salt", "gone"):
                add(laptop, name, id=name, body="a\nb\n", tags={"x"}, stars=1)
            synced(laptop)
            synced(desktop)
            change(desktop, "milk", title="oat milk")
            change(laptop, "milk", title="soy milk")
            synced(desktop)
            synced(laptop)
            change(desktop, "bread", stars=5)
            synced(desktop)
            change(laptop, "bread", title="rye", body="long " * 3000, stars=2)
            add(laptop, "new", id="new")
            remove(laptop, "gone")
            with laptop.transaction() as tx:
                tx.insert(Item(id="more", title="more"))
                tx.update(tx.get(Item, "salt"), tags=frozenset("yz"), code="s")
        shutil.rmtree(directory / "desktop")
    return directory / "laptop"


def open_kept(directory: Path, url: str = NOWHERE) -> Replica:
    """The replica in a directory, with nobody at its URL unless one is given."""
    return open_member(directory, url)


def content(member: Replica) -> tuple[list[str], list[Item]]:
    """What waits and what is shown: the part that must not be lost."""
    return [mutation.id for mutation in member.pending()], member.select(Item, "ORDER BY id")


def _insert(member: Replica) -> object:
    return add(member, "written").id


def _update(member: Replica) -> object:
    return change(member, "bread", title="written", stars=9)


def _resolve(member: Replica) -> object:
    return [member.resolve(conflict.id, "theirs") for conflict in member.conflicts()]


_USES: Final[Mapping[str, Callable[[Replica], object]]] = {
    "status": lambda member: member.status(),
    "checks": lambda member: member.checks(),
    "pending": lambda member: [mutation.changes for mutation in member.pending()],
    "pending rows": lambda member: member.pending_rows("items"),
    "select": lambda member: member.select(Item),
    "query": lambda member: member.query("SELECT * FROM items ORDER BY title"),
    "get": lambda member: member.get(Item, "mil"),
    "history": lambda member: [member.history(Item, name) for name in ("bread", "milk")],
    "conflicts": lambda member: member.conflicts(),
    "lost": lambda member: member.recovery.lost(),
    "insert": _insert,
    "update": _update,
    "undo": lambda member: member.undo(),
    "resolve": _resolve,
    "forget": lambda member: member.recovery.forget_lost(),
    "sync": lambda member: member.sync(deadline_s=1.0),
    "repair": lambda member: member.recovery.repair(deadline_s=1.0),
    "pending after all": lambda member: [mutation.changes for mutation in member.pending()],
}


def use(directory: Path, url: str = NOWHERE) -> dict[str, object]:
    """Do everything with a replica that a program may; what came of each, or the error of ours."""
    opened = answered(lambda: open_kept(directory, url), within_s=_WITHIN_S)
    if isinstance(opened, ReplicaError):
        return {"open": opened}
    with opened as member:
        return {name: answered(lambda act=act: act(member), within_s=_WITHIN_S) for name, act in _USES.items()}  # type: ignore[misc] # bound at once
