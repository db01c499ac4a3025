"""Mode `remote`: nothing is kept here, and no error says that it is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from replica import InputError, NotAllowedError, Replica, ReplicaError, UnknownOutcomeError, UnreachableError
from tests.faults import FaultProxy
from tests.replica.notebook import Note, add, open_notes, titles
from tests.sqld.primaries import administer, with_tenants


@pytest.fixture
def notes(network: FaultProxy) -> Iterator[Replica]:
    """A notebook that is on the primary alone, reached through `network`."""
    with open_notes(Path(), "remote", network.url) as opened:
        yield opened


@pytest.mark.parametrize(
    "act", [titles, lambda notes: add(notes, "Milk"), lambda notes: notes.query("SELECT 1"), lambda notes: notes.undo()]
)
def test_an_unreachable_primary_is_not_said_to_keep_anything(
    notes: Replica, network: FaultProxy, act: Callable[[Replica], object]
) -> None:
    """The hint of a replica, that changes are safe here, would be a lie."""
    network.cut()

    with pytest.raises(UnreachableError) as caught:
        act(notes)

    assert caught.value.hint == "nothing was written; try again once the primary can be reached"
    with pytest.raises(UnreachableError) as caught:
        open_notes(Path(), "remote", network.url)
    assert "nothing was written" in caught.value.hint


def test_a_refused_token_is_not_said_to_leave_anything_going(network: FaultProxy) -> None:
    """Neither reads nor writes go on here."""

    def token() -> str:
        raise NotAllowedError("no token")

    with pytest.raises(ReplicaError) as caught:
        open_notes(Path(), "remote", network.url, token=token)

    assert caught.value.hint == "nothing was read or written; give a valid token"


def test_a_write_whose_every_reply_is_lost_is_told_as_unknown(notes: Replica, network: FaultProxy) -> None:
    """It may be there, so it is not said that nothing was written."""
    for _ in range(4):
        network.lose_next_reply(matching="COMMIT")

    with pytest.raises(UnknownOutcomeError) as caught:
        add(notes, "Milk")

    assert "nothing was written" not in caught.value.hint
    assert [note.title for note in notes.select(Note)] == ["Milk"]


def test_two_databases_of_one_sqld_are_two(sqld_binary: Path, tmp_path: Path) -> None:
    """Each is reached by its name."""
    with with_tenants(sqld_binary, tmp_path / "data") as (server, admin_port):
        for name in ("one", "two"):
            administer(admin_port, "POST", f"/v1/namespaces/{name}/create", {})
        with (
            open_notes(Path(), "remote", server.url, namespace="one") as one,
            open_notes(Path(), "remote", server.url, namespace="two") as two,
        ):
            add(one, "Milk")

            assert (titles(one), titles(two)) == (["Milk"], [])


def test_a_replica_takes_no_namespace(tmp_path: Path) -> None:
    """Its client library cannot name one, so it would replicate another database than it writes to."""
    with pytest.raises(InputError, match="takes no namespace"):
        open_notes(tmp_path, "libsql", "http://127.0.0.1:1", namespace="one")
