"""`stock` as two people use it; what its README tells is run by `tests.docs`."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from examples.stock.__main__ import open_stock
from examples.stock.records import Item, Order
from replica import open_replica
from sqld import Server
from tests.docs.console import ROOT
from tests.docs.typist import Typist, stockkeeper
from tests.hrana_client import HranaClient


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, primary_server: Server) -> Typist:
    """One copy."""
    return stockkeeper(tmp_path / "shop", monkeypatch, primary_server.url)


@pytest.fixture
def cellar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, primary_server: Server) -> Typist:
    """Another copy with the same primary."""
    return stockkeeper(tmp_path / "cellar", monkeypatch, primary_server.url)


def shared_item(shop: Typist, cellar: Typist, *options: str) -> str:
    """An item that both copies have."""
    item_id = shop(["add", "Oats", *options]).split()[1]
    meet(shop, cellar)
    return item_id


def meet(*people: Typist) -> None:
    """Let all that was done reach everybody."""
    for person in (*people, *people[:-1]):
        assert person(["sync"]).startswith("SYNCED")


def listed(*people: Typist) -> list[str]:
    """What each of them sees, without what waits."""
    return [person(["list"]) for person in people]


def test_both_count_when_two_take_and_one_counts_offline(shop: Typist, cellar: Typist) -> None:
    """The amount is the sum of the differences, whoever was first."""
    item_id = shared_item(shop, cellar)
    shop(["put", item_id, "20"])
    meet(shop, cellar)

    shop(["take", item_id, "3"])
    cellar(["count", item_id, "18"])
    meet(shop, cellar)

    assert listed(shop, cellar) == [f"{item_id}   15  Oats\n"] * 2


def test_notes_and_labels_of_two_are_merged(shop: Typist, cellar: Typist) -> None:
    """The notes line by line, the labels one by one."""
    item_id = shared_item(shop, cellar, "--label", "old")
    shop(["change", item_id, "note=above\n\nmiddle\n\nbelow"])
    meet(shop, cellar)

    shop(["change", item_id, "note=above!\n\nmiddle\n\nbelow", "--label", "dry"])
    cellar(["change", item_id, "note=above\n\nmiddle\n\nbelow!", "--unlabel", "old"])
    meet(shop, cellar)

    assert listed(shop, cellar) == [f"{item_id}    0  Oats [dry]\n"] * 2
    assert "above!\\n\\nmiddle\\n\\nbelow!" in shop(["history", item_id])


@pytest.mark.parametrize(("choice", "left"), [("mine", ""), ("theirs", "Rolled oats\n")])
def test_removed_by_one_and_changed_by_the_other_is_decided(
    shop: Typist,
    cellar: Typist,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    primary_server: Server,
    choice: str,
    left: str,
) -> None:
    """Both rows of the item go, or both stay."""
    item_id = shared_item(shop, cellar)
    shop(["change", item_id, "name=Rolled oats"])
    shop(["sync"])
    cellar(["remove", item_id])
    cellar(["sync"])
    assert "Rolled oats" in cellar(["list"])

    cellar(["settle", item_id, choice])
    meet(cellar, shop)

    assert [told[-len(left) :] if left else told for told in listed(shop, cellar)] == [left] * 2
    assert cellar(["conflicts"]) == ""
    monkeypatch.setenv("STOCK_DIR", str(tmp_path / "cellar"))
    monkeypatch.setenv("STOCK_URL", primary_server.url)
    with open_stock() as stock:
        assert len(stock.select(Order)) == len(stock.select(Item)) == bool(left)


def test_a_removal_that_met_a_change_can_be_decided_by_who_changed(shop: Typist, cellar: Typist) -> None:
    """Then the item is not there any more where the decision is made, and is named all the same."""
    item_id = shared_item(shop, cellar)
    shop(["remove", item_id])
    shop(["sync"])
    cellar(["change", item_id, "name=Rolled oats"])
    cellar(["sync"])
    assert cellar(["list"]) == ""

    settled = cellar(["settle", item_id[3:7], "mine"])
    meet(cellar, shop)

    assert settled == f"SETTLED {item_id}\n"
    assert listed(shop, cellar) == [f"{item_id}    0  Rolled oats\n"] * 2
    assert shop(["order", item_id]) == f"ORDERED {item_id}\n"


def test_orders_come_to_a_stock_that_had_none(
    shop: Typist, cellar: Typist, tmp_path: Path, primary_server: Server
) -> None:
    """The second migration makes one for each item, on the primary, for everybody."""
    old = tmp_path / "old-migrations"
    old.mkdir()
    first = ROOT / "examples" / "stock" / "migrations" / "0001_items.sql"
    (old / first.name).write_bytes(first.read_bytes())
    with open_replica(tmp_path / "old", records=[], migrations=old, mode="libsql", url=primary_server.url) as replica:
        assert replica.sync().error is None
    row = "'it-aaaaaaaa', '2026-11-30T09:00:00.000000Z', 'Oats', 2, 5, '[]', '', NULL"
    with HranaClient(primary_server.port) as client:
        client.run(f"INSERT INTO items VALUES ({row})")

    meet(shop, cellar)
    cellar(["take", "aaaa", "1"])

    assert cellar(["list"]) == "it-aaaaaaaa    1  Oats wanted (pending)\n"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (
            ["take", "zzzz", "1"],
            "stock: no item has the id zzzz; check the id; the first few characters are enough if they fit only one\n",
        ),
        (["settle", "zzzz", "mine"], "stock: nothing about zzzz waits for a decision\n"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(shop: Typist, typed: Sequence[str], told: str) -> None:
    """With what to do, where the toolkit says so."""
    assert shop(typed) == told


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    """As the README says, with no primary at all; and its exit code tells a failure."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT")}
    environ = {**kept, "HOME": str(tmp_path), "STOCK_DIR": str(tmp_path / "stock-data")}

    def run(*args: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "examples.stock", *args]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    added, failed = run("add", "Oats"), run("take", "zzzz", "1")

    assert (added.returncode, added.stdout[:9], added.stderr) == (0, "ADDED it-", "")
    assert (failed.returncode, failed.stdout) == (1, "")


def test_a_change_that_cannot_be_made_whole_is_not_made(shop: Typist) -> None:
    """Of several fields, also those that could have been set are as they were."""
    item_id = shop(["add", "Oats"]).split()[1]

    told = shop(["change", item_id, "name=Rolled oats", "minimum=many"])

    assert told == "stock: minimum=many cannot be set; say name=TEXT, note=TEXT or minimum=NUMBER\n"
    assert shop(["list"]) == f"{item_id}    0  Oats (pending)\n"
