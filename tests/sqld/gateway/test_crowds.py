"""A tenant whose own database is slow, or made to be, takes nothing from the others."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sqld.gateway import Batch, Outcome, Result
from tests.sqld.gateway.site import Answered, Site, open_site

# More than the gateway has threads.
MANY = 60


class Slow:
    """What is done to the database of a tenant, which does not end for `alpha` before `let_go`."""

    def __init__(self) -> None:
        self.is_over, self.was_entered = threading.Event(), threading.Event()

    def wait(self, namespace: str) -> None:
        """Do it."""
        if namespace == "alpha":
            self.was_entered.set()
            self.is_over.wait(60)

    def migrate(self, namespace: str, _token: Callable[[], str]) -> None:
        """As `Migrate`."""
        self.wait(namespace)

    def write_rows(self, batch: Batch) -> list[Outcome]:
        """As `WriteRows`."""
        self.wait(batch.namespace)
        return [Outcome(Result.APPLIED, "td-aaaaaaaa") for _ in batch.rows]


@contextmanager
def crowded(site: Site, slow: Slow, send: Callable[[int], Answered]) -> Iterator[list[Future[Answered]]]:
    """Many requests of `alpha` at once, none of which is done before the block is."""
    for name in ("alpha", "beta"):
        site.add_tenant(name)
        site.standing[name] = site.token(name)
    with ThreadPoolExecutor(MANY) as pool:
        sent = [pool.submit(send, number) for number in range(MANY)]
        try:
            assert slow.was_entered.wait(20)
            yield sent
        finally:
            slow.is_over.set()


@pytest.mark.parametrize("what", ["migration", "batches"])
def test_a_slow_tenant_keeps_no_other_waiting(sqld_binary: Path, tmp_path: Path, what: str) -> None:
    """Those of its requests that are too many are told to come again, and the others are let in meanwhile."""
    slow = Slow()
    is_migration = what == "migration"

    def send(number: int) -> Answered:
        token = site.standing["alpha"]
        if is_migration:
            return site.run("SELECT 1", token=token)
        rows = {"issues": [{"op": "insert", "fields": {"title": "x"}}]}
        body = json.dumps({"request_id": f"request-{number}", "rows": rows}).encode()
        return site.ask("POST", "/sync/batch", token=token, body=body)

    with (
        open_site(
            sqld_binary,
            tmp_path,
            migrate=slow.migrate if is_migration else None,
            write_rows=None if is_migration else slow.write_rows,
        ) as site,
        crowded(site, slow, send) as sent,
    ):
        beta = site.run("SELECT 1", token=site.standing["beta"])

    assert beta.status == 200
    answers = [future.result() for future in sent]
    assert {answer.code for answer in answers if answer.status == 503} == {"unavailable"}
    assert {answer.headers["retry-after"] for answer in answers if answer.status == 503} == {"1"}
