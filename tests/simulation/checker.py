"""The checker: from a history to the promises that were not kept. Pure.

It knows every mutation as its author told it before it was committed, what was acknowledged, everything that was
seen, and all that the primary held whenever it was about to lose something, and at the end. Always true: an empty
answer means that I1 to I9 and the readers' guarantees held, as far as the history shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.simulation.history import Event
from tests.simulation.reading import check_reads, is_lost
from tests.simulation.story import Story, Told, Violation, read_story
from tests.simulation.timeline import Timeline, replay

Json = Any  # a JSON document of our own making


def check(events: list[Event]) -> list[Violation]:
    """All violations, those of the primary first."""
    story = read_story(events)
    found = list(story.troubles)
    if story.final is None:
        return [*found, Violation("crash", "the run did not come to its end")]
    dumps = [*(loss.dump for loss in story.losses), story.final["dump"]]
    timelines = [replay(dump, story) for dump in dumps]
    for timeline in timelines:
        found += timeline.violations
        found += _check_order(story, timeline)
    found += _check_accounts(story, timelines[-1])
    found += check_reads(story, timelines)
    found += _check_agreement(story.final)
    found += [violation for dump in dumps for violation in _check_migrations(dump)]
    return list(dict.fromkeys(found))


def _check_accounts(story: Story, final: Timeline) -> Iterator[Violation]:
    """I1: every acknowledged mutation is on the primary, applied or parked, unless the primary itself lost it."""
    assert story.final is not None
    for told in story.told.values():
        if told.kept_at is None or told.id in final.applied:
            continue
        if not is_lost(told.id, told.client, story.losses, before=story.final["n"]):
            yield Violation("I1", f"{told.id} of {told.client} was acknowledged and is gone", told.kept_at)
    for client, ids in story.final["pending"].items():
        if ids:
            yield Violation("I1", f"{client} still has {len(ids)} pending in the end")


def _check_order(story: Story, timeline: Timeline) -> Iterator[Violation]:
    """I7: what one client acknowledged before it began the next is there before it."""
    by_client: dict[str, list[Told]] = {}
    for told in story.told.values():
        one = timeline.applied.get(told.id)
        if told.kept_at is not None and one is not None and not one.is_parked(told):
            by_client.setdefault(told.client, []).append(told)
    for client, all_told in by_client.items():
        for later in all_told:
            for earlier in all_told:
                is_first = (earlier.kept_at or 0) < later.began
                if is_first and timeline.applied[earlier.id].first > timeline.applied[later.id].first:
                    yield Violation("I7", f"{client} made {earlier.id} before {later.id}; the primary has it after it")


def _check_agreement(final: Event) -> Iterator[Violation]:
    """I3: all replicas hold what the primary holds, history and conflicts included."""
    dump = final["dump"]
    changes = [row[:3] for row in dump["changes"]]
    for process, whole in final["wholes"].items():
        if whole is None:
            yield Violation("I3", f"{process} could not be read in the end")
            continue
        for table, rows in whole.items():
            expected = changes if table == "_replica_changes" else dump["rows"].get(table, dump.get(table, []))
            if rows != expected:
                yield Violation(
                    "I3", f"{process} does not hold {table} as the primary does: {_difference(rows, expected)}"
                )


def _difference(one: list[Json], other: list[Json]) -> str:
    mine = [row for row in one if row not in other][:2]
    theirs = [row for row in other if row not in one][:2]
    return f"{len(one)} rows against {len(other)}; here only {mine}; there only {theirs}"[:600]


def _check_migrations(dump: Json) -> Iterator[Violation]:
    """I9: each migration left its trace once, in order, and none without its record."""
    applied = [version for owner, version in dump["migrations"] if owner == "application"]
    runs = dump["migration_runs"]
    if applied != sorted(set(applied)) or applied != list(range(1, len(applied) + 1)):
        yield Violation("I9", f"the migrations recorded are {applied}")
    if runs != applied:
        yield Violation("I9", f"the migrations that ran are {runs}, recorded are {applied}")
