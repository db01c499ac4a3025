"""The plan and the shrinking of it: pure, and the same for the same seed."""

import time
from dataclasses import replace

from tests.simulation.plan import Fault, Plan, as_json, make_plan
from tests.simulation.shrink import shrink


def test_the_seed_decides_the_plan() -> None:
    """All of it: what is printed is enough to run it again."""
    assert as_json(make_plan(7, clients=5, steps=100)) == as_json(make_plan(7, clients=5, steps=100))
    assert as_json(make_plan(7, clients=5, steps=100)) != as_json(make_plan(8, clients=5, steps=100))


def test_every_fault_comes_up() -> None:
    """Over a few seeds; one that never did would prove nothing."""
    plans = [make_plan(seed, clients=10, steps=500) for seed in range(10)]
    done = {step.do for plan in plans for step in plan.steps}
    calls = [call for plan in plans for step in plan.steps for call in step.calls]

    lasting = {fault.value for fault in Fault} - {"kill", "kill-at", "away", "late", "migrate"}
    assert lasting <= done
    assert {"backup", "heal", "start", "upgrade"} <= done
    assert any(call.kill_at for call in calls)
    assert any(call.kill_after_ms is not None for call in calls)
    assert {"begin", "write", "online", "sync", "read", "undo", "resolve"} == {call.do for call in calls}


def test_without_faults_there_are_none() -> None:
    """Only calls, and nobody is killed in them."""
    plan = make_plan(1, clients=4, steps=200, faults=())

    assert {step.do for step in plan.steps} == {"calls"}
    assert not any(call.kill_at or call.kill_after_ms is not None for step in plan.steps for call in step.calls)


def test_a_failing_plan_is_shrunk_to_what_it_takes() -> None:
    """Here: two certain steps, in their order."""
    plan = make_plan(1, clients=4, steps=120)

    def fails(tried: Plan) -> bool:
        return {17, 61} <= {step.number for step in tried.steps}

    small = shrink(plan, fails, deadline=time.monotonic() + 30)

    kept = {step.number for step in small.steps}
    assert kept == {0, 17, 61}
    assert small == replace(plan, steps=small.steps)
