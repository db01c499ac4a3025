"""What a primary answers: Hrana by itself, and every question of a sync."""

import uuid
from collections.abc import Callable
from contextlib import closing
from typing import Final

from hypothesis import strategies as st

from replica import ReplicaError
from replica.hrana import BatchAnswer, Hrana, Statement, Step
from replica.migrate import our_migrations
from replica.mutation import Change, Fields, Kind, Mutation
from replica.primary import Primary, Tail
from replica.push import plan_push
from replica.schema import build_schema, load_migrations
from tests.fuzz.lies import Telling, lie_at, tellings
from tests.fuzz.lying_server import honest
from tests.fuzz.promise import answered, promised
from tests.fuzz.workbench import Workbench
from tests.replica.team import MIGRATIONS, Item, Team, add, change, synced

_ASKED: Final = [
    Step(Statement("SELECT 1, 1.5, NULL, 'text', x'00ff' UNION ALL SELECT 9223372036854775807, 9e999, '', 'é', x''")),
    Step(Statement("SELEC 1")),
    Step(Statement("SELECT 2"), after=1),
]
_ROWS: Final = ("one", "two", "gone")
_TIMEOUT_S: Final = 0.5


@promised(tellings, examples=120)
def what_answers_a_batch_is_decoded_or_refused(bench: Workbench, telling: Telling) -> None:
    """An answer of any kind is decoded into stored values, or refused with an error of ours."""
    bench.liar().tell(lie_at({0: telling}), target=bench.primary("hrana").port)
    with closing(Hrana(bench.liar().url, timeout_s=_TIMEOUT_S)) as hrana:
        outcome = answered(lambda: hrana.batch(_ASKED))

    if isinstance(outcome, BatchAnswer):
        assert len(outcome.steps) == len(_ASKED)
        _hold_storable(outcome)


def _hold_storable(answer: BatchAnswer) -> None:
    for step in answer.steps:
        for row in getattr(step, "rows", ()):
            for value in row:
                assert value is None or type(value) in (int, float, str, bytes), value
                assert not isinstance(value, str) or value.encode() is not None
                assert not isinstance(value, int) or -(2**63) <= value < 2**63, "no integer of SQLite"


def _greet(primary: Primary) -> object:
    greeting = primary.greet(Tail(3, 7))
    return greeting.id.encode(), greeting.applied


def _identity(primary: Primary) -> object:
    return primary.identity().encode()


def _known(primary: Primary) -> object:
    return primary.known(["a", "b"])


def _newest_shared(primary: Primary) -> object:
    return primary.newest_shared([Tail(3, 7), Tail(1, -(2**63))])


def _kept_since(primary: Primary) -> object:
    return primary.kept_since()


def _ground(primary: Primary) -> object:
    ground = primary.ground([("items", name) for name in _ROWS])
    return [row and (row["id"], row["updated_at"], row["title"]) for row in ground.rows.values()]


def _read(primary: Primary) -> object:
    return primary.read("SELECT *, 9e999 AS far, -9e999 AS low FROM items ORDER BY id", ()).rows


def _is_read_only(primary: Primary) -> object:
    return primary.is_read_only("SELECT 1")


def _apply(primary: Primary) -> object:
    fields: Fields = {
        "title": (None, "t"),
        "body": (None, ""),
        "tags": (None, "[]"),
        "stars": (None, 0),
        "code": (None, None),
    }
    insert = Change("items", uuid.uuid4().hex, Kind.INSERT, "", "2026-11-21T05:00:00.000000Z", fields)
    made = Mutation(str(uuid.uuid4()), "ses_x", "x", "2026-11-21T05:00:00.000000Z", 1, (insert,))
    return primary.apply(plan_push([made]))


def _push_one(primary: Primary) -> object:
    insert = Change("items", "one", Kind.UPDATE, "never", "2026-11-21T05:00:00.000000Z", {"title": ("a", "b")})
    made = Mutation(str(uuid.uuid4()), "ses_x", "x", "2026-11-21T05:00:00.000000Z", 1, (insert,))
    return primary.push_one(made, lambda _seconds: None)


def _prune(primary: Primary) -> object:
    primary.prune_history()
    return None


_QUESTIONS: Final[list[Callable[[Primary], object]]] = [
    _greet, _identity, _known, _newest_shared, _kept_since, _ground, _read, _is_read_only, _apply, _push_one, _prune,
]  # fmt: skip


def _stocked(bench: Workbench) -> int:
    """The port of a primary with some rows and their history."""
    directory, is_new = bench.template("asked")
    server = bench.primary("asked")
    if is_new:
        with Team(directory, server.url) as team:
            member = team.join("member")
            for name in _ROWS:
                add(member, name, id=name, body="a\nb", tags={"x", "y"}, stars=2)
            synced(member)
            change(member, "one", title="1", stars=3)
            synced(member)
    return server.port


@promised(
    st.tuples(st.sampled_from(_QUESTIONS), st.dictionaries(st.integers(0, 2), tellings, min_size=1, max_size=2)),
    examples=120,
)
def whatever_a_primary_is_asked_its_answer_is_understood_or_refused(
    bench: Workbench, drawn: tuple[Callable[[Primary], object], dict[int, Telling]]
) -> None:
    """Each question of a sync returns what it should, or raises an error of ours; the next one is answered."""
    ask, lies = drawn
    port = _stocked(bench)
    bench.liar().tell(lie_at(lies), target=port)
    tables = build_schema(our_migrations(), []).tables | build_schema(load_migrations(MIGRATIONS), [Item]).tables
    schema = build_schema(load_migrations(MIGRATIONS), [Item])
    with closing(Primary(Hrana(bench.liar().url, timeout_s=_TIMEOUT_S), schema, tables)) as primary:
        answered(lambda: ask(primary))

        bench.liar().tell(honest, target=port)
        assert not isinstance(answered(lambda: _greet(primary)), ReplicaError)
