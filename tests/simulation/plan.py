"""The plan of a run: from a seed, what is done in which order. Pure.

Always true:
- the same seed, number of clients and steps, and faults give the same plan;
- a step can be left out, and the others still make sense: what a step does is drawn from dice of its own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final


class Fault(StrEnum):
    """What may go wrong."""

    KILL = "kill"
    """A client is killed at any moment of what it does."""
    KILL_AT = "kill-at"
    """A client is killed at the n-th thing it does to a file, a database or the network."""
    DROP = "drop"
    """Requests do not arrive."""
    LOSE = "lose"
    """The primary acts, and its answer is lost."""
    CUT = "cut"
    """A connection ends in the middle of an answer."""
    FREEZE = "freeze"
    """Connections are accepted, and nothing is answered."""
    DELAY = "delay"
    """Requests take up to half a second longer."""
    DUPLICATE = "duplicate"
    """The primary gets a request twice."""
    STOP = "stop"
    """sqld is stopped cleanly, and started again later."""
    CRASH = "crash"
    """sqld is killed, and started again later."""
    RESTORE_SAME = "restore-same"
    """sqld's data is replaced by an older copy, with the same log id."""
    RESTORE_NEW = "restore-new"
    """sqld's data is replaced by an older copy, without its log, so that it gets a new id."""
    EMPTY = "empty"
    """sqld's data is deleted."""
    CLOCK = "clock"
    """Clocks of clients are off by up to a day, and step backwards."""
    DISK = "disk"
    """A client's disk is full."""
    AWAY = "away"
    """A client does not sync for most of the run."""
    LATE = "late"
    """A client joins late."""
    MIGRATE = "migrate"
    """A newer program migrates the primary in the middle; others are upgraded later."""


ALL: Final = frozenset(Fault)
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Call:
    """What one process is to do. kill_at: killed at that step of it; kill_after_ms: killed so much later."""

    process: str
    do: str
    dice: int
    deadline_s: float = 3.0
    kill_at: int = 0
    kill_after_ms: float | None = None
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: calls made at once, or something done to the world. `number` stays when others are left out."""

    number: int
    do: str
    calls: tuple[Call, ...] = ()
    client: str = ""
    value: float = 0.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run. clients: replicas; processes: which replica each process works on."""

    seed: int
    clients: tuple[str, ...]
    processes: dict[str, str]
    late: frozenset[str]
    migrates: bool
    steps: tuple[Step, ...] = ()
    plant: str | None = None


def as_json(plan: Plan) -> dict[str, Any]:
    """For the first line of a history."""
    return {**asdict(plan), "late": sorted(plan.late)}


@dataclass(slots=True)
class _Weather:
    """What the plan has going on: the numbers of the steps at which lasting faults end."""

    network: dict[str, tuple[str, int]] = field(default_factory=dict)
    sqld_down_until: int = 0
    disk: dict[str, int] = field(default_factory=dict)
    has_backup: bool = False
    losses: int = 0
    upgraded: set[str] = field(default_factory=set)


def make_plan(
    seed: int, *, clients: int = 10, steps: int = 500, faults: Sequence[Fault] = tuple(Fault), plant: str | None = None
) -> Plan:
    """Draw a plan."""
    return _Maker(seed, clients, steps, frozenset(faults)).make(plant)


class _Maker:
    """Draws one plan, step by step."""

    def __init__(self, seed: int, clients: int, steps: int, faults: frozenset[Fault]) -> None:
        self._dice = random.Random(f"plan {seed}")
        self._seed, self._count, self._faults = seed, steps, faults
        self._clients = tuple(f"c{number}" for number in range(clients))
        self._processes = {name: name for name in self._clients}
        for name in self._clients[: max(1, clients // 4)]:
            self._processes[f"{name}b"] = name
        self._late = frozenset(self._clients[-1:] if Fault.LATE in faults and clients > 2 else ())
        self._away = frozenset(self._clients[-2:-1] if Fault.AWAY in faults and clients > 3 else ())
        self._weather = _Weather()
        self._upgrades_from = steps // 3 + self._dice.randrange(max(1, steps // 3))

    def make(self, plant: str | None) -> Plan:
        begin = Step(0, "calls", (Call("c0", "begin", self._seed), Call("c0", "sync", self._seed)))
        steps = [begin]
        for number in range(1, self._count):
            steps += self._endings(number)
            steps.append(self._fault(number) if self._faults and self._dice.random() < 0.22 else self._work(number))
        return Plan(
            self._seed,
            self._clients,
            self._processes,
            self._late,
            Fault.MIGRATE in self._faults,
            tuple(steps),
            plant,
        )

    # -- work

    def _present(self, number: int) -> list[str]:
        is_early = number < self._count * 2 // 3
        return [name for name, client in self._processes.items() if not (is_early and client in self._late)]

    def _work(self, number: int) -> Step:
        together = self._dice.choice((1, 1, 1, 2, 3))
        names = self._dice.sample(self._present(number), min(together, len(self._present(number))))
        return Step(number, "calls", tuple(self._call(number, name) for name in names))

    def _call(self, number: int, name: str, do: str = "") -> Call:
        kinds = ("write",) * 9 + ("sync",) * 7 + ("read",) * 5 + ("online", "undo", "resolve", "resolve")
        do = do or self._dice.choice(kinds)
        client = self._processes[name]
        if client in self._away and self._count // 8 < number < self._count * 7 // 8 and do in ("sync", "online"):
            do = "write"
        return Call(name, do, self._dice.randrange(1 << 30), self._deadline(client))

    def _deadline(self, client: str) -> float:
        kind = self._weather.network.get(client, ("", 0))[0]
        return {"freeze": 0.3, "drop": 0.5}.get(kind, 3.0)

    # -- faults

    def _endings(self, number: int) -> list[Step]:
        """What has lasted long enough."""
        weather, steps = self._weather, []
        for client, (_, until) in list(weather.network.items()):
            if until <= number:
                del weather.network[client]
                steps.append(Step(number, "heal", client=client))
        for client, until in list(weather.disk.items()):
            if until <= number:
                del weather.disk[client]
                steps.append(self._on_disk(number, client, None))
        if weather.sqld_down_until and weather.sqld_down_until <= number:
            weather.sqld_down_until = 0
            steps.append(Step(number, "start"))
        if Fault.MIGRATE in self._faults and number >= self._upgrades_from and self._dice.random() < 0.05:
            waiting = [name for name in self._clients if name not in weather.upgraded]
            if waiting:
                chosen = self._dice.choice(waiting)
                weather.upgraded.add(chosen)
                steps.append(Step(number, "upgrade", client=chosen))
        return steps

    def _fault(self, number: int) -> Step:
        backup_wanted = {Fault.RESTORE_SAME, Fault.RESTORE_NEW} & self._faults and not self._weather.has_backup
        if backup_wanted and number > self._count // 10 and self._dice.random() < 0.3:
            self._weather.has_backup = True
            return Step(number, "backup")
        fault = self._dice.choice(sorted(self._faults - {Fault.AWAY, Fault.LATE, Fault.MIGRATE}) or [Fault.KILL])
        if fault not in self._faults:
            return self._work(number)
        for draw, faults in (
            (self._killed, (Fault.KILL, Fault.KILL_AT)),
            (self._lasting, (Fault.DROP, Fault.FREEZE, Fault.DELAY)),
            (self._of_one_request, (Fault.LOSE, Fault.CUT, Fault.DUPLICATE)),
            (self._loss, (Fault.RESTORE_SAME, Fault.RESTORE_NEW, Fault.EMPTY)),
            (self._down, (Fault.STOP, Fault.CRASH)),
        ):
            if fault in faults:
                return draw(number, fault)
        return self._of_machine(number, fault)

    def _of_machine(self, number: int, fault: Fault) -> Step:
        client = self._dice.choice(self._clients)
        if fault is Fault.CLOCK:
            offset = self._dice.choice((0.0, -1.0, 60.0, -3600.0, self._dice.uniform(-_DAY_S, _DAY_S)))
            return Step(number, "clock", client=client, value=offset)
        self._weather.disk[client] = number + self._dice.randrange(3, 15)
        return self._on_disk(number, client, self._dice.choice((0, 5_000, 20_000)))

    def _on_disk(self, number: int, client: str, room: int | None) -> Step:
        return Step(number, "disk", client=client, value=-1 if room is None else room)

    def _killed(self, number: int, fault: Fault) -> Step:
        name = self._dice.choice(self._present(number))
        call = self._call(number, name, self._dice.choice(("write", "sync", "sync", "online", "resolve", "undo")))
        kill_at, after_ms = 0, None
        if fault is Fault.KILL_AT:
            kill_at = self._dice.randrange(1, 12 if call.do in ("write", "resolve", "undo") else 60)
        else:
            after_ms = self._dice.choice((0.0, self._dice.uniform(0, 5), self._dice.uniform(0, 80)))
        killed = Call(call.process, call.do, call.dice, call.deadline_s, kill_at, after_ms)
        return Step(number, "calls", (killed,))

    def _lasting(self, number: int, fault: Fault) -> Step:
        client = self._dice.choice(self._clients)
        if client in self._weather.network:
            return self._work(number)
        self._weather.network[client] = (fault.value, number + self._dice.randrange(2, 25))
        value = 0.0
        if fault is Fault.DELAY:
            value = self._dice.choice((0.001, 0.005, 0.02, 0.05, self._dice.uniform(0, 0.5)))
            self._weather.network[client] = (fault.value, number + (3 if value > 0.1 else 20))
        return Step(number, fault.value, client=client, value=value)

    def _of_one_request(self, number: int, fault: Fault) -> Step:
        name = self._dice.choice(self._present(number))
        last = self._call(number, name, self._dice.choice(("sync", "sync", "online")))
        # An online write is sent after all that waits, so with more waiting it would not be the one that is met.
        calls = (last,) if last.do == "online" else (self._call(number, name, "write"), last)
        if fault is Fault.CUT:
            return Step(number, fault.value, calls, self._processes[name], float(self._dice.randrange(900)))
        matching = self._dice.choice(("", "BEGIN IMMEDIATE", "BEGIN IMMEDIATE", "BEGIN IMMEDIATE"))
        return Step(number, fault.value, calls, self._processes[name], label=matching)

    def _loss(self, number: int, fault: Fault) -> Step:
        can = fault is Fault.EMPTY or self._weather.has_backup
        if not can or self._weather.losses >= 3 or self._dice.random() < (0.8 if fault is Fault.EMPTY else 0.6):
            return self._work(number)
        self._weather.losses += 1
        self._weather.has_backup = False
        self._weather.sqld_down_until = 0
        return Step(number, fault.value)

    def _down(self, number: int, fault: Fault) -> Step:
        if self._weather.sqld_down_until:
            return self._work(number)
        self._weather.sqld_down_until = number + self._dice.randrange(1, 12)
        if self._dice.random() < 0.5:
            # In the middle of what some of them do with it.
            names = self._dice.sample(self._present(number), min(2, len(self._present(number))))
            calls = tuple(self._call(number, name, "sync") for name in names)
            return Step(number, fault.value, calls, value=self._dice.uniform(0, 0.05))
        return Step(number, fault.value)
