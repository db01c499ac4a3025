"""A task and its epic, which is closed as a consequence once the task is done: what tests of consequences share."""

from typing import Literal

from replica import Conflict, Replica
from tests.replica.team import Item, Team, Truth, add, all_synced, change, synced


def two_members(team: Team) -> tuple[Replica, Replica]:
    """Who finishes the task and who is faster; both have the task and the epic, and so does the primary."""
    laptop, desktop = team.join("laptop"), team.join("desktop")
    add(laptop, "to do", id="task")
    add(laptop, "open", id="epic")
    synced(laptop)
    synced(desktop)
    return laptop, desktop


def finish(member: Replica, writes: Literal["queued", "online"] = "queued", **fields: object) -> str:
    """The task is done, and as a consequence its epic is closed; the id of the mutation."""
    with member.transaction(writes) as tx:
        tx.update(tx.get(Item, "task"), title="done")
        tx.follow(tx.get(Item, "epic"), title="closed", **fields)
        return tx.mutation_id


def titles(truth: Truth) -> tuple[str | None, str | None]:
    """Those of the task and of the epic, on the primary."""
    return truth.title("task"), truth.title("epic")


def parked(laptop: Replica, desktop: Replica, **fields: object) -> Conflict:
    """The task was given up by another, so that it is to be decided about with all that was to follow."""
    change(desktop, "task", title="given up")
    finish(laptop, "queued", **fields)
    all_synced(desktop, laptop)
    (conflict,) = desktop.conflicts()
    return conflict
