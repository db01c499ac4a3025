"""I3: after all clients synced with nothing pending, all replicas hold the same rows as the primary."""

import random
import time
from collections.abc import Callable

import pytest

from replica import ConflictError, InputError, NotFoundError, Replica
from tests.faults import FaultProxy
from tests.replica.team import Item, Team, Truth, add, all_synced, change, remove, rows_of, synced

_SEEDS = (1, 2, 3)
_STEPS = 60


def _clock(skew_s: float) -> Callable[[], float]:
    return lambda: time.time() + skew_s


class _History:
    """A random history of three clients on a network that fails now and then; the seed decides all of it."""

    def __init__(self, team: Team, network: FaultProxy, seed: int) -> None:
        self._dice, self._network = random.Random(seed), network
        # One clock is slow, and one is ahead: stamps must not depend on them.
        skews = {"ann": 0.0, "bob": -3600.0, "eve": 3600.0}
        self.members = [team.join(name, clock=_clock(skew_s)) for name, skew_s in skews.items()]
        self.mutations: dict[str, list[str]] = {member.machine: [] for member in self.members}
        self.counted = 0

    def play(self) -> None:
        """Some steps, then everyone syncs."""
        for item in ("one", "two", "three"):
            self._note(self.members[0], add(self.members[0], item, id=item).id)
        all_synced(*self.members)
        for _ in range(_STEPS):
            self._step(self._dice.choice(self.members))
        all_synced(*self.members)

    def _step(self, member: Replica) -> None:
        dice = self._dice
        act = dice.choice((self._update, self._update, self._update, self._several, self._insert, self._delete,
                           self._settle_one, self._sync, self._sync))  # fmt: skip
        try:
            act(member)
        except (NotFoundError, ConflictError, InputError):
            # It is not there, or it is there already, for this member: that is an answer, too.
            return

    def _note(self, member: Replica, _about: str) -> None:
        pending = [mutation.id for mutation in member.pending()]
        self.mutations[member.machine] += [one for one in pending if one not in self.mutations[member.machine]]

    def _some(self, member: Replica) -> str:
        ids = [str(row[0]) for row in member.query("SELECT id FROM items ORDER BY id").rows]
        if not ids:
            raise NotFoundError("item", "any")
        return self._dice.choice(ids)

    def _update(self, member: Replica) -> None:
        item = member.get(Item, self._some(member))
        kinds: dict[str, dict[str, object]] = {
            "title": {"title": f"title {self._dice.randrange(3)}"},
            "tags": {"tags": item.tags ^ {self._dice.choice("abc")}},
            "stars": {"stars": item.stars + 1},
            "body": {"body": f"{item.body}\nline {self._dice.randrange(100)}"},
        }
        self._note(member, change(member, item.id, **kinds[self._dice.choice(sorted(kinds))]))

    def _several(self, member: Replica) -> None:
        mark = f"together {self._dice.randrange(1000)}"
        with member.transaction() as tx:
            for row_id in sorted({self._some(member), self._some(member)}):
                tx.update(tx.get(Item, row_id), title=mark)
        self._note(member, mark)

    def _insert(self, member: Replica) -> None:
        number = self._dice.randrange(6)
        code = f"code {number}" if number % 2 else None
        self._note(member, add(member, f"made {number}", id=f"item {number}", code=code).id)

    def _delete(self, member: Replica) -> None:
        self._note(member, remove(member, self._some(member)))

    def _settle_one(self, member: Replica) -> None:
        if conflicts := member.conflicts():
            member.resolve(self._dice.choice(conflicts).id, self._dice.choice(("mine", "theirs")))
            self._note(member, "settled")

    def _sync(self, member: Replica) -> None:
        fault = self._dice.choice(("none", "none", "lose", "duplicate", "cut"))
        if fault == "lose":
            self._network.lose_next_reply(matching="BEGIN IMMEDIATE")
        elif fault == "duplicate":
            self._network.duplicate_next_request(matching="BEGIN IMMEDIATE")
        elif fault == "cut":
            self._network.cut_reply_after(self._dice.randrange(300))
        member.sync(deadline_s=20)
        self._network.heal()


@pytest.mark.parametrize("seed", _SEEDS)
def test_i1_i3_after_a_random_history_all_replicas_hold_what_the_primary_holds(
    team: Team, truth: Truth, network: FaultProxy, seed: int
) -> None:
    """And each mutation is there once (I1), in the order of its author, unless it was parked (I7)."""
    history = _History(team, network, seed)

    history.play()

    said = f"seed {seed}"
    for member in history.members:
        assert rows_of(member) == truth.rows(), said
        assert member.pending() == [], said
    applied, parked = truth.applied(), truth.parked()
    assert len(parked) == len(set(parked)), said
    for made in history.mutations.values():
        assert [one for one in applied if one in set(made)] == made, said
    fresh = team.join("fresh")
    synced(fresh)
    assert rows_of(fresh) == truth.rows(), said


def test_i3_a_pull_that_is_behind_another_settles_to_the_same_rows(team: Team, truth: Truth) -> None:
    """Who syncs when, and in which order, does not show in the end."""
    members = [team.join(name) for name in ("ann", "bob", "eve")]
    item = add(members[0], "Milk")
    all_synced(*members)
    for number, member in enumerate(members):
        change(member, item.id, tags={f"tag {number}"}, stars=10 + number)

    all_synced(*reversed(members))

    assert truth.run("SELECT tags, stars FROM items") == [['["tag 0","tag 1","tag 2"]', "33"]]
    assert all(rows_of(member) == truth.rows() for member in members)
