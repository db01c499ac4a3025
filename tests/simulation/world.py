"""The world of a run: processes, networks and a primary, as the plan wants them, and the history of what came of it.

Always true:
- what a process told before it died is in the history before its death is;
- the primary's data are only touched while no process is in the middle of a call.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqld import Server
from tests.faults import FaultProxy
from tests.simulation.client import ClientProcess, Start
from tests.simulation.history import History
from tests.simulation.plan import Call, Fault, Plan, Step
from tests.simulation.primary_control import PrimaryControl
from tests.simulation.records import NEW, OLD, write_migrations

Json = Any  # a JSON document of our own making

_HANG_S: Final = 60.0
_ROUNDS_MAX: Final = 8
_FINAL_DEADLINE_S: Final = 30.0
_AT_ONCE: Final = 3


class World:
    """Everything of one run, from the first process to the last comparison."""

    def __init__(self, plan: Plan, folder: Path, server: Server, history: History) -> None:
        """`folder`: for replicas and copies; `server`: a fresh sqld, running."""
        self._plan, self._folder, self._history = plan, folder, history
        self._primary = PrimaryControl(server, folder)
        self._held = ExitStack()
        self._networks = {name: self._held.enter_context(FaultProxy(server.port)) for name in plan.clients}
        self._versions = dict.fromkeys(plan.clients, OLD.version if plan.migrates else NEW.version)
        self._offsets = dict.fromkeys(plan.clients, 0.0)
        self._alive: dict[str, ClientProcess] = {}
        write_migrations(folder / "migrations")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._alive.values():
            process.kill()
            process.bury()
        self._held.close()

    # -- steps

    def perform(self, step: Step) -> None:
        """Do one step of the plan."""
        if step.do != "calls":
            self._history.add("fault", what=step.do, client=step.client, value=step.value, step=step.number)
        if step.do in ("stop", "crash"):
            self._take_down(step)
        elif step.do in (Fault.RESTORE_SAME, Fault.RESTORE_NEW, Fault.EMPTY):
            self._lose_data(step.do)
        elif step.do == "backup":
            self._primary.start()
            self._primary.back_up()
        elif step.do == "start":
            self._primary.start()
        elif step.client:
            self._to_client(step)
        self._make(step)

    def _to_client(self, step: Step) -> None:
        network = self._networks[step.client]
        room = None if step.value < 0 else int(step.value)
        acts: dict[str, Callable[[], None]] = {
            "heal": network.heal,
            "drop": network.cut,
            "freeze": network.freeze,
            "delay": lambda: network.delay(step.value),
            "lose": lambda: network.lose_next_reply(matching=step.label),
            "cut": lambda: network.cut_reply_after(int(step.value)),
            "duplicate": lambda: network.duplicate_next_request(matching=step.label),
            "upgrade": lambda: self._upgrade(step.client),
            "clock": lambda: self._set_clock(step.client, step.value),
            "disk": lambda: self._tell_all(step.client, {"do": "disk", "room_bytes": room}),
        }
        acts[step.do]()

    def _set_clock(self, client: str, offset_s: float) -> None:
        self._offsets[client] = offset_s
        self._tell_all(client, {"do": "clock", "offset_s": offset_s})

    def _tell_all(self, client: str, call: Json) -> None:
        for name, owner in self._plan.processes.items():
            if owner == client and name in self._alive:
                self._converse({name: deque([call])}, {})

    def _upgrade(self, client: str) -> None:
        self._versions[client] = NEW.version
        for name, owner in self._plan.processes.items():
            if owner == client and name in self._alive:
                process = self._alive.pop(name)
                process.send({"do": "leave"})
                process.bury()

    def _take_down(self, step: Step) -> None:
        """Stop or kill sqld, perhaps while some clients are in the middle of a sync."""
        end = self._primary.stop if step.do == "stop" else self._primary.crash
        if step.calls:
            self._make(step, midway=end, midway_s=step.value)
        else:
            end()

    def _lose_data(self, kind: str) -> None:
        if kind != Fault.EMPTY and not self._primary.can_restore():
            return
        self._primary.start()
        dump = self._primary.dump()
        pending = {name: self._pending(name) for name in self._plan.clients}
        if kind == Fault.EMPTY:
            self._primary.empty()
        else:
            self._primary.restore(keeps_log_id=kind == Fault.RESTORE_SAME)
        self._history.add("loss", kind=kind, dump=dump, kept=self._primary.mutations(), pending=pending)

    def _pending(self, client: str) -> list[str]:
        path = self._folder / client / "local.db"
        if not path.exists():
            return []
        with closing(sqlite3.connect(path)) as connection:
            there = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'mutations'").fetchone()
            return [row[0] for row in connection.execute("SELECT id FROM mutations ORDER BY seq")] if there else []

    # -- calls

    def _make(self, step: Step, midway: Any = None, midway_s: float = 0.0) -> None:  # a callable or None
        if not step.calls or (step.do in ("stop", "crash") and midway is None):
            return
        queues: dict[str, deque[Json]] = {}
        kills: dict[str, float] = {}
        for position, call in enumerate(step.calls):
            queues.setdefault(call.process, deque()).append(self._message(step, position, call))
            if call.kill_after_ms is not None:
                kills[call.process] = call.kill_after_ms / 1000
        self._converse(queues, kills, midway=midway, midway_s=midway_s)

    def _message(self, step: Step, position: int, call: Call) -> Json:
        return {
            "do": call.do,
            "dice": call.dice,
            "mark": f"{call.process}.{step.number}.{position}",
            "deadline_s": call.deadline_s,
            "kill_at": call.kill_at,
        }

    def _converse(
        self,
        queues: dict[str, deque[Json]],
        kills: dict[str, float],
        *,
        midway: Any = None,  # a callable or None
        midway_s: float = 0.0,
    ) -> dict[str, Json]:
        """Have processes do their calls, each in order and all at once; what each did last."""
        results: dict[str, Json] = {}
        calls: dict[str, int] = {}
        for name in queues:
            self._process(name)
        for name, queue in queues.items():
            calls[name] = self._call(name, queue.popleft())
        began = time.monotonic()
        while calls:
            now = time.monotonic() - began
            if midway is not None and now >= midway_s:
                midway()
                midway = None
            for name in [name for name, at in kills.items() if at <= now and name in calls]:
                del kills[name]
                self._alive[name].kill()
            waits = [at - now for at in kills.values()] + ([midway_s - now] if midway is not None else [])
            pipes = {self._alive[name].pipe: name for name in calls}
            ready = wait(list(pipes), timeout=max(0.0, min([*waits, 0.5])))
            for pipe in ready:
                name = next(owner for known, owner in pipes.items() if known is pipe)
                self._hear(name, calls, queues, results)
            if now > _HANG_S:
                self._give_up(calls)
        if midway is not None:
            midway()
        return results

    def _give_up(self, calls: dict[str, int]) -> None:
        for name, call in calls.items():
            self._history.add("hang", process=name, call=call)
            self._alive.pop(name).kill()
        calls.clear()

    def _process(self, name: str) -> ClientProcess:
        """The process of this name, started on its replica if it does not live."""
        if name not in self._alive:
            client = self._plan.processes[name]
            start = Start(
                name,
                str(self._folder / client),
                self._networks[client].url,
                str(self._folder / "migrations"),
                self._versions[client],
                self._offsets[client],
                self._plan.plant,
            )
            process = self._alive[name] = ClientProcess(start)
            told = process.receive()
            if told is None or "crash" in told:
                self._history.add("crash", process=name, trace=None if told is None else told["crash"])
        return self._alive[name]

    def _call(self, name: str, message: Json) -> int:
        client = self._plan.processes[name]
        number = self._history.add(
            "call",
            process=name,
            client=client,
            do=message["do"],
            version=self._versions[client],
            mark=message.get("mark"),
        )
        self._alive[name].send(message)
        return number

    def _hear(self, name: str, calls: dict[str, int], queues: dict[str, deque[Json]], results: dict[str, Json]) -> None:
        told = self._alive[name].receive()
        number, client = calls[name], self._plan.processes[name]
        if told is None or "crash" in told:
            if told is None:
                self._history.add("killed", process=name, call=number)
            else:
                self._history.add("crash", process=name, call=number, trace=told["crash"])
            self._alive.pop(name).bury()
            del calls[name]
        elif "tell" in told:
            self._history.add(told.pop("tell"), process=name, client=client, call=number, **told)
        else:
            self._history.add("done", process=name, client=client, call=number, **told["done"])
            results[name] = told["done"]
            del calls[name]
            if queues[name]:
                calls[name] = self._call(name, queues[name].popleft())

    # -- the end

    def finish(self) -> None:
        """Mend everything, let everybody sync until nothing changes any more, and look at all of it."""
        self._primary.start()
        for name, network in self._networks.items():
            network.heal()
            self._tell_all(name, {"do": "disk", "room_bytes": None})
            if self._plan.migrates and self._versions[name] != NEW.version:
                self._upgrade(name)
        for network in self._networks.values():
            network.wait_for(lambda counts: counts.held == 0)
        self._settle_all()
        wholes: dict[str, Json] = {}
        for name in self._plan.processes:
            self._one(name, "read")
            wholes[name] = self._one(name, "whole").get("saw")
        pending = {name: self._pending(name) for name in self._plan.clients}
        self._history.add("final", dump=self._primary.dump(), wholes=wholes, pending=pending)

    def _settle_all(self) -> None:
        quiet = 0
        trouble: dict[str, Json] = {}
        for _ in range(_ROUNDS_MAX):
            results: dict[str, Json] = {}
            for group in _groups(self._plan.clients, _AT_ONCE):
                call = {"do": "sync", "dice": 0, "mark": "end", "deadline_s": _FINAL_DEADLINE_S}
                results |= self._converse({name: deque([call]) for name in group}, {})
            trouble = {
                name: result
                for name in self._plan.clients
                if (result := results.get(name, {}).get("sync")) is None or result["error"] or result["pending"]
            }
            quiet = 0 if trouble else quiet + 1
            if quiet == 2:
                return
        self._history.add("stuck", results=trouble)

    def _one(self, name: str, do: str) -> Json:
        return self._converse({name: deque([{"do": do, "dice": 0, "mark": "end"}])}, {}).get(name, {})


def _groups(names: Sequence[str], size: int) -> list[Sequence[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]


def run_plan(plan: Plan, folder: Path, binary: Path) -> History:
    """Run a plan in a fresh folder on a fresh sqld; its history."""
    history = History()
    with Server(binary, data_dir=folder / "sqld") as server, World(plan, folder, server, history) as world:
        for step in plan.steps:
            world.perform(step)
        world.finish()
    return history
