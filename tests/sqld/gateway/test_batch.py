"""`POST /sync/batch` over HTTP, with td's own tables behind it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from auth.tokens import Role
from cli.tenant_databases import migrating, writing
from sqld import Server, free_port
from tests.sqld.gateway.site import Answered, Site, open_site
from tracker import open_tracker, sync


@pytest.fixture(scope="module")
def tds(sqld_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose tenants `alpha` and `beta` have issues."""
    folder = tmp_path_factory.mktemp("tds")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with open_site(
        sqld_binary, folder, primary_port=port, migrate=migrating(url, folder), write_rows=writing(url, folder)
    ) as opened:
        for name in ("alpha", "beta"):
            opened.add_tenant(name)
            opened.standing[name] = opened.token(name, ttl_s=86_400)
        yield opened


def send(site: Site, request_id: str, *rows: dict[str, Any], tenant: str = "alpha") -> Answered:
    """Some issues."""
    body = json.dumps({"request_id": request_id, "rows": {"issues": rows}}).encode()
    return site.ask("POST", "/sync/batch", token=site.standing[tenant], body=body)


def insert(title: str) -> dict[str, Any]:  # any JSON
    """A new issue."""
    return {"op": "insert", "fields": {"title": title}}


def test_a_row_is_written_changed_and_deleted(tds: Site) -> None:
    """Each step with the `updated_at` that the one before answered."""
    made = send(tds, "whole-life-1", insert("Milk")).document["rows"]["issues"][0]
    seen = {"id": made["id"], "updated_at": made["updated_at"]}

    changed = send(tds, "whole-life-2", {"op": "update", **seen, "fields": {"title": "Oat milk"}})
    late = send(tds, "whole-life-3", {"op": "update", **seen, "fields": {"title": "Soy"}})
    now = changed.document["rows"]["issues"][0]
    deleted = send(tds, "whole-life-4", {"op": "delete", "id": made["id"], "updated_at": now["updated_at"]})

    assert (made["outcome"], now["outcome"]) == ("applied", "applied")
    conflict = late.document["rows"]["issues"][0]
    assert (conflict["outcome"], conflict["current"]["title"]) == ("conflict", "Oat milk")
    assert conflict["current"]["updated_at"] == now["updated_at"]
    assert deleted.document["rows"]["issues"][0]["outcome"] == "applied"


def test_what_a_batch_writes_reaches_a_replica(tds: Site, tmp_path: Path) -> None:
    """With its history, through the same gateway."""
    made = send(tds, "to-a-replica", insert("For all")).document["rows"]["issues"][0]

    with open_tracker(tmp_path, mode="libsql", url=tds.url, token=lambda: tds.standing["alpha"]) as tracker:
        report = sync(tracker).report
        issue, history = tracker.history(made["id"])

    assert report.error is None
    assert (issue.title, len(history)) == ("For all", 1)
    assert history[0].session.startswith("ses_")


def test_the_same_request_is_answered_as_before(tds: Site) -> None:
    """To the letter, and written once."""
    first, second = (send(tds, "twice-the-same", insert("Once")) for _ in range(2))

    assert first.body == second.body
    assert tds.rows("SELECT count(*) FROM issues WHERE title = 'Once'", tds.standing["alpha"]) == [["1"]]


def test_the_same_request_many_times_at_once_is_written_once(tds: Site) -> None:
    """Whoever comes second waits for the first, and gets its answer."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: send(tds, "many-at-once", insert("Crowd")).body, range(8)))

    (answer,) = set(answers)
    (row,) = json.loads(answer)["rows"]["issues"]
    assert tds.rows("SELECT id FROM issues WHERE title = 'Crowd'", tds.standing["alpha"]) == [[row["id"]]]


def test_a_conflict_is_answered_as_before(tds: Site) -> None:
    """Also when the row has moved on again: who asks twice gets one answer."""
    made = send(tds, "conflict-0", insert("Row")).document["rows"]["issues"][0]
    stale = {"op": "update", "id": made["id"], "updated_at": "2026-01-01T00:00:00.000000Z", "fields": {"title": "x"}}
    first = send(tds, "conflict-1", stale)
    send(tds, "conflict-2", {**stale, "updated_at": made["updated_at"], "fields": {"title": "Another"}})

    second = send(tds, "conflict-1", stale)

    assert first.body == second.body
    assert first.document["rows"]["issues"][0]["current"]["title"] == "Row"


def test_what_was_refused_once_is_not_written_by_the_same_request(tds: Site) -> None:
    """Though it could be by now: its sender was told that it was not."""
    comment = {"op": "insert", "fields": {"issue_id": "td-aaaaaaab", "text": "too early"}}
    body = json.dumps({"request_id": "too-early-1", "rows": {"comments": [comment]}}).encode()
    first = tds.ask("POST", "/sync/batch", token=tds.standing["alpha"], body=body)
    send(tds, "too-early-2", {**insert("Now it is there"), "id": "td-aaaaaaab"})

    second = tds.ask("POST", "/sync/batch", token=tds.standing["alpha"], body=body)

    assert first.document["rows"]["comments"][0]["outcome"] == "refused"
    assert second.body == first.body
    assert tds.rows("SELECT count(*) FROM comments WHERE text = 'too early'", tds.standing["alpha"]) == [["0"]]


def test_a_request_whose_answer_was_not_kept_is_known_by_the_history(tds: Site) -> None:
    """As where the gateway was killed between the two."""
    first = send(tds, "not-kept-1", insert("Kept"))
    tds.registry.requests.forget(before=int(time.time()) + 60)

    second = send(tds, "not-kept-1", insert("Kept"))

    assert first.document == second.document
    assert tds.rows("SELECT count(*) FROM issues WHERE title = 'Kept'", tds.standing["alpha"]) == [["1"]]


def test_an_id_stands_for_one_request_of_one_tenant(tds: Site) -> None:
    """Another request under it is refused; another tenant may have it, too."""
    send(tds, "one-request", insert("A"))

    assert send(tds, "one-request", insert("B")).code == "request_reused"
    assert send(tds, "one-request", insert("B"), tenant="beta").status == 200


def test_a_batch_is_of_the_tenant_of_the_token(tds: Site) -> None:
    """And of no other."""
    send(tds, "only-in-beta", insert("Beta alone"), tenant="beta")

    sql = "SELECT count(*) FROM issues WHERE title = 'Beta alone'"
    assert [tds.rows(sql, tds.standing[name]) for name in ("alpha", "beta")] == [[["0"]], [["1"]]]


def test_who_may_read_does_not_write(tds: Site) -> None:
    """The gateway looks itself: it writes with a token of its own."""
    body = json.dumps({"request_id": "read-only", "rows": {"issues": [insert("No")]}}).encode()

    answer = tds.ask("POST", "/sync/batch", token=tds.token("alpha", Role.RO), body=body)

    assert (answer.status, answer.code) == (403, "read_only")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"\xff\xfe",
        b'{"request_id": "12345678", "rows": {"issues": [NaN]}}',
        b'{"request_id": "short", "rows": {"issues": [{"op": "insert"}]}}',
        b'{"request_id": "12345678", "rows": {}}',
        b'{"request_id": "12345678", "rows": {"issues": []}}',
        b'{"request_id": "12345678", "rows": {"issues": {"op": "insert"}}}',
        b'{"request_id": "12345678", "rows": {"issues": [{"op": "upsert"}]}}',
        b'{"request_id": "12345678", "rows": {"issues": [{"op": "insert", "fields": []}]}}',
        b'{"request_id": "12345678", "rows": {"issues": [{"op": "insert", "more": 1}]}}',
        b'{"request_id": "12345678", "rows": {"issues": [{"op": "update", "id": "td-1", "fields": {}}]}}',
        b'{"request_id": "12345678", "rows": {"issues": [{"op": "delete", "id": "td-1"}]}}',
        b'{"request_id": "12345678", "rows": {"issues": ['
        + b'{"op": "insert", "fields": {}},' * 200
        + b'{"op": "insert", "fields": {}}]}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_batch_is_refused_whole(tds: Site, body: bytes) -> None:
    """With a sentence that says what is wrong."""
    answer = tds.ask("POST", "/sync/batch", token=tds.standing["alpha"], body=body)

    assert (answer.status, answer.code) == (400, "bad_request")


def test_a_large_batch_gets_through_and_a_larger_one_is_refused(tds: Site) -> None:
    """In JSON as every refusal, by nginx and by the gateway alike."""
    long = insert("Long")
    long["fields"]["description"] = "x" * 90_000
    answer = send(tds, "large-batch", *[long] * 20)

    too_long = b"x" * 4_000_001
    by_nginx = tds.ask("POST", "/sync/batch", token=tds.standing["alpha"], body=too_long)
    by_gateway = tds.ask("POST", "/sync/batch", token=tds.standing["alpha"], body=too_long, port=tds.gateway_port)

    assert {row["outcome"] for row in answer.document["rows"]["issues"]} == {"applied"}
    assert {(each.status, each.code) for each in (by_nginx, by_gateway)} == {(413, "body_too_large")}


def test_a_primary_that_is_down_is_told_and_the_request_can_be_sent_again(tds: Site) -> None:
    """Nothing is said to be written that is not."""
    primary: Server = tds.primary
    primary.stop()
    try:
        down = send(tds, "while-down", insert("Later"))
        ready = tds.ask("GET", "/ready")
        health = tds.ask("GET", "/health")
    finally:
        primary.start()

    assert (down.status, ready.status, health.status) == (503, 503, 200)
    assert down.headers["retry-after"] == "1"
    assert send(tds, "while-down", insert("Later")).document["rows"]["issues"][0]["outcome"] == "applied"
