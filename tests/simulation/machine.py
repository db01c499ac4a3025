"""python -m tests.simulation.machine --examples N: short histories of replicas in one process, drawn by Hypothesis.

The same work, journal, primary and checker as in the large runs, without processes: what fails comes out shrunk to the
few acts that it takes. Always true: each example starts from a fresh sqld and empty replicas.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from replica import Replica
from sqld import Server, find_sqld
from tests.faults import FaultProxy
from tests.simulation.checker import check
from tests.simulation.history import History
from tests.simulation.journal import journal
from tests.simulation.plan import Fault
from tests.simulation.primary_control import PrimaryControl
from tests.simulation.records import NEW, open_program, write_migrations
from tests.simulation.work import Act, perform

Json = Any  # a JSON document of our own making

_NAMES: Final = ("ann", "bob", "eve")
_ROUNDS: Final = 3

_who = st.sampled_from(_NAMES)
_dice = st.integers(0, 2**20)


class Teammates(RuleBasedStateMachine):
    """Three replicas of one primary, and everything that may be done with them and to it."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        super().__init__()
        self._held = ExitStack()
        self._history = History()
        self._members: dict[str, Replica] = {}
        self._networks: dict[str, FaultProxy] = {}
        self._offsets: dict[str, float] = dict.fromkeys(_NAMES, 0.0)
        self._caller: tuple[str, int] = ("", 0)
        self._acts = 0

    @initialize()
    def begin(self) -> None:
        """A fresh primary, everybody with an empty replica, and the first rows."""
        self._folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="simulation-")))
        server = self._held.enter_context(Server(find_sqld(), data_dir=self._folder / "sqld"))
        self._primary = PrimaryControl(server, self._folder)
        write_migrations(self._folder / "migrations")
        self._held.enter_context(journal(self._tell))
        for name in _NAMES:
            self._networks[name] = self._held.enter_context(FaultProxy(server.port))
            self._open(name)
        self._call("ann", "begin", 0)
        for name in _NAMES:
            self._call(name, "sync", 0)

    def _open(self, name: str) -> None:
        self._members[name] = open_program(
            NEW, self._folder / name, self._networks[name].url, migrations=self._folder / "migrations",
            name=name, clock=_Clock(self._offsets, name),
        )  # fmt: skip

    def _tell(self, message: Json) -> None:
        name, call = self._caller
        self._history.add(message.pop("tell"), process=name, client=name, call=call, **message)

    def _call(self, name: str, do: str, dice: int) -> Json:
        self._acts += 1
        call = self._history.add("call", process=name, client=name, do=do, version=NEW.version)
        self._caller = (name, call)
        act = Act(self._members[name], NEW, random.Random(dice), f"{name}.{self._acts}")
        result = perform(act, {"do": do, "deadline_s": 10.0})
        self._history.add("done", process=name, client=name, call=call, **result)
        return result

    # -- what people do

    @rule(name=_who, do=st.sampled_from(("write", "write", "write", "online", "undo", "resolve", "read")), dice=_dice)
    def act(self, name: str, do: str, dice: int) -> None:
        """One act."""
        self._call(name, do, dice)

    @rule(name=_who)
    def sync(self, name: str) -> None:
        """Sync, then look."""
        self._call(name, "sync", 0)
        self._call(name, "read", 0)

    @rule(name=_who)
    def start_again(self, name: str) -> None:
        """End the program and start it again."""
        self._members[name].close()
        self._open(name)

    # -- what befalls them

    @rule(name=_who, offset_s=st.sampled_from((0.0, -3_600.0, 86_400.0)))
    def set_clock(self, name: str, offset_s: float) -> None:
        """A clock is wrong."""
        self._offsets[name] = offset_s

    @rule(name=_who)
    def lose_answer(self, name: str) -> None:
        """The primary will act, and the answer is lost."""
        self._networks[name].lose_next_reply(matching="BEGIN IMMEDIATE")

    @rule(name=_who)
    def send_twice(self, name: str) -> None:
        """The primary will get a request twice."""
        self._networks[name].duplicate_next_request(matching="BEGIN IMMEDIATE")

    @rule()
    def crash(self) -> None:
        """The primary is killed, and started again."""
        self._primary.crash()
        self._primary.start()

    @rule()
    def back_up(self) -> None:
        """A copy of the primary is made."""
        self._primary.back_up()

    @precondition(lambda self: self._primary.can_restore())
    @rule(keeps_log_id=st.booleans())
    def restore(self, *, keeps_log_id: bool) -> None:
        """The primary goes back to its copy."""
        dump = self._primary.dump()
        pending = {name: [one.id for one in member.pending()] for name, member in self._members.items()}
        self._primary.restore(keeps_log_id=keeps_log_id)
        kind = Fault.RESTORE_SAME if keeps_log_id else Fault.RESTORE_NEW
        self._history.add("loss", kind=kind, dump=dump, kept=self._primary.mutations(), pending=pending)

    # -- the verdict

    def teardown(self) -> None:
        """Let everybody sync in peace, and hold the whole history to the promises."""
        try:
            if self._members:
                self._judge()
        finally:
            for member in self._members.values():
                member.close()
            self._held.close()

    def _judge(self) -> None:
        for network in self._networks.values():
            network.heal()
        results: dict[str, Json] = {}
        for _ in range(_ROUNDS):
            results = {name: self._call(name, "sync", 0)["sync"] for name in _NAMES}
        if any(result["error"] or result["pending"] for result in results.values()):
            self._history.add("stuck", results=results)
        wholes = {name: self._call(name, "whole", 0).get("saw") for name in _NAMES}
        pending = {name: [one.id for one in member.pending()] for name, member in self._members.items()}
        self._history.add("final", dump=self._primary.dump(), wholes=wholes, pending=pending)
        violations = check(self._history.events)
        assert not violations, "\n".join(str(violation)[:500] for violation in violations[:5])


class _Clock:
    """The clock of one of them, as wrong as it is now."""

    def __init__(self, offsets: dict[str, float], name: str) -> None:
        self._offsets, self._name = offsets, name

    def __call__(self) -> float:
        return time.time() + self._offsets[self._name]


def run(*, examples: int, steps: int = 15) -> None:
    """Draw histories, and fail with the shortest one found that breaks a promise."""
    run_state_machine_as_test(
        Teammates,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            database=None,
        ),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run some examples."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.machine", description=__doc__)
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--steps", type=int, default=15)
    options = parser.parse_args(arguments)
    run(examples=options.examples, steps=options.steps)
    sys.stdout.write(f"{options.examples} histories of up to {options.steps} acts: no violation\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
