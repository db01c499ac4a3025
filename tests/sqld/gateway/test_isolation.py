"""Nothing of beta is read or written with anything of alpha's, nor with nothing at all.

Real nginx, real gateway, real sqld; every path that there is, both protocols, both headers.
"""

import http.client
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from auth.tokens import Role
from replica.errors import NotAllowedError
from sqld.gateway.primary_tokens import PrimaryTokens
from sqld.proxy import GATEWAY, HRANA, REPLICATION, STREAMS
from tests.sqld.gateway.intruders import BETA, CREDENTIALS, HEADERS, PATHS
from tests.sqld.gateway.replicating import HELLO, entries_of, pulled, session_of
from tests.sqld.gateway.site import Answered, Site, pipeline

OPEN: Final = ("/health", "/ready", "/openapi.json")
READ: Final = pipeline("SELECT text FROM notes", "INSERT INTO notes VALUES ('intruder')")


@pytest.fixture(autouse=True)
def untouched(site: Site) -> Iterator[None]:
    """Whatever a test tries, both tenants hold after it what they held before, alpha but for its own writing."""
    yield
    assert site.rows("SELECT text FROM notes", site.standing["beta"]) == [["secret of beta"]]
    assert ["secret of alpha"] in site.rows("SELECT text FROM notes", site.standing["alpha"])
    site.rows("DELETE FROM notes WHERE text = 'intruder'", site.standing["alpha"])


def requests(site: Site, headers: Sequence[tuple[str, str]]) -> Iterator[tuple[str, Answered]]:
    """One request to every path that is not open to all."""
    for path in HRANA:
        method, body = ("POST", READ) if "/" in path[1:] else ("GET", b"")
        yield path, site.ask(method, path, headers=headers, body=body)
    for path in REPLICATION:
        method, body = ("GET", b"") if path == "/info" else ("POST", HELLO)
        yield path, site.ask(method, path, headers=[*headers, ("Content-Type", "application/grpc-web")], body=body)
    for path in (*STREAMS, *GATEWAY, "/admin/tenants"):
        if path not in OPEN:
            yield path, site.ask("POST" if path == "/sync/batch" else "GET", path, headers=headers)


def says_nothing_of_beta(answer: Answered) -> bool:
    """Neither in its body nor in its headers; nor what nginx and the gateway say to each other."""
    text = answer.body + json.dumps(dict(answer.headers)).encode()
    return b"secret of beta" not in text and not any(name.startswith("x-replica") for name in answer.headers)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_credential_that_does_not_hold_opens_nothing(site: Site, name: str) -> None:
    """On no path, in neither header."""
    credential = CREDENTIALS[name](site)
    sent = f"Bearer {credential}"

    for header in ("Authorization", "x-authorization"):
        answers = dict(requests(site, [(header, sent), ("x-namespace-bin", BETA)]))

        assert {path for path, answer in answers.items() if answer.status not in (401, 403)} == set()
        assert all(b"secret of" not in answer.body for answer in answers.values())


@pytest.mark.parametrize("sent", ["Basic YWxwaGE6YmV0YQ==", "Bearer", "bearer  ", "Digest x", "Bearer\tx"])
def test_another_scheme_opens_nothing(site: Site, sent: str) -> None:
    """Of the older ways that sqld knows, none gets there."""
    answers = dict(requests(site, [("Authorization", sent)]))

    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(answers, 401)


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_leads_hrana_to_another_tenant(site: Site, name: str) -> None:
    """The token of alpha is heard, and nothing beside it."""
    answer = site.run("SELECT text FROM notes", token=site.token("alpha"), headers=HEADERS[name])

    assert says_nothing_of_beta(answer)
    assert b"secret of alpha" in answer.body


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_leads_replication_to_another_tenant(site: Site, name: str) -> None:
    """The same, for the other protocol and its header."""
    headers = [("x-authorization", f"Bearer {site.token('alpha')}"), *HEADERS[name]]

    answer = entries_of(site, headers)

    assert says_nothing_of_beta(answer)
    assert b"secret of alpha" in answer.body


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_leads_the_streams_or_the_gateway_to_another_tenant(site: Site, name: str) -> None:
    """The same, for what else there is."""
    dump = site.ask("GET", "/dump", token=site.token("alpha"), headers=HEADERS[name])
    me = site.ask("GET", "/v1/tenants/me", token=site.token("alpha"), headers=HEADERS[name])

    assert says_nothing_of_beta(dump)
    assert b"secret of alpha" in dump.body
    assert me.document["tenant"] == "alpha"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_no_path_leads_to_another_tenant(site: Site, path: str, method: str) -> None:
    """However it is written: it is a path that we name, and then alpha's, or there is nothing."""
    headers = [("x-namespace-bin", BETA), ("Host", "beta.localhost")]

    answer = site.ask(method, path, token=site.token("alpha"), headers=headers, body=READ if method == "POST" else b"")

    assert says_nothing_of_beta(answer)
    assert answer.status in (200, 400, 404, 405)


@pytest.mark.parametrize("other", ["garbage", "expired", "of the gateway itself"])
def test_a_request_with_two_tokens_is_refused(site: Site, other: str) -> None:
    """Whoever reads the one, and whoever reads the other, would let different people in."""
    good, bad = f"Bearer {site.token('alpha')}", f"Bearer {CREDENTIALS[other](site)}"
    beta = f"Bearer {site.token('beta')}"
    pairs = [
        [("Authorization", good), ("x-authorization", bad)],
        [("Authorization", bad), ("x-authorization", good)],
        [("Authorization", good), ("x-authorization", beta)],
        [("Authorization", bad), ("Authorization", good)],
        [("Authorization", good), ("Authorization", beta)],
        [("x-authorization", good), ("x-authorization", bad)],
    ]

    for headers in pairs:
        answers = dict(requests(site, headers))

        assert {path: answer.status // 100 for path, answer in answers.items()} == dict.fromkeys(answers, 4)
        assert all(b"secret of" not in answer.body for answer in answers.values())


def test_sql_of_one_tenant_reaches_no_file_of_another(site: Site) -> None:
    """Sqld attaches nothing, loads nothing, and writes no copy."""
    folder = site.primary.data_dir / "dbs"
    tried = (
        "ATTACH 'beta' AS b",
        'ATTACH DATABASE "beta" AS b',
        f"ATTACH '{folder}/beta/data' AS b",
        f"VACUUM INTO '{folder}/beta/copy'",
        "SELECT text FROM beta.notes",
        "SELECT load_extension('x')",
        f"SELECT readfile('{folder}/beta/data')",
        f"PRAGMA temp_store_directory = '{folder}/beta'",
    )

    for sql in tried:
        answer = site.run(sql, token=site.token("alpha"))

        assert says_nothing_of_beta(answer)
        assert b'"type":"error"' in answer.body or answer.status == 400 or b"error" in answer.body, (sql, answer)
    assert not (folder / "beta" / "copy").exists()


def test_a_read_only_token_writes_on_no_path(site: Site) -> None:
    """Nor does it with a stream that it opened itself."""
    token = site.token("alpha", Role.RO)

    for path in HRANA:
        site.ask("POST", path, token=token, body=READ)
    begin = {"requests": [{"type": "execute", "stmt": {"sql": "BEGIN"}}]}
    opened = site.ask("POST", "/v3/pipeline", token=token, body=json.dumps(begin).encode())
    stream = {"baton": opened.document["baton"], "requests": json.loads(READ)["requests"][1:]}
    went_on = site.ask("POST", "/v3/pipeline", token=token, body=json.dumps(stream).encode())

    assert (opened.status, went_on.status) == (200, 403)
    assert site.rows("SELECT text FROM notes", token) == [["secret of alpha"]]


def test_the_session_of_a_replica_is_of_no_use_to_another_tenant(site: Site) -> None:
    """Replayed with a token of alpha, what sqld gave to a client of beta opens alpha at the most."""
    session = session_of(site, [("x-authorization", f"Bearer {site.token('beta')}")])

    answer = entries_of(site, [("x-authorization", f"Bearer {site.token('alpha')}")], session=session)

    assert says_nothing_of_beta(answer)


def test_past_the_gateway_sqld_itself_refuses_the_key_of_another(site: Site) -> None:
    """Should nginx name the wrong namespace, the tenant's own key still closes it, to both protocols."""
    token = PrimaryTokens(site.registry, site.key, site.clock).token("alpha", Role.RW)
    headers = [("Authorization", f"Bearer {token}"), ("x-authorization", f"Bearer {token}"), ("x-namespace-bin", BETA)]

    hrana = site.ask("POST", "/v3/pipeline", headers=headers, body=READ, port=site.primary.port)
    replication = entries_of(site, headers, port=site.primary.port)

    assert (hrana.status, b"secret" in hrana.body) == (401, False)
    assert b"secret" not in replication.body


def test_a_baton_that_is_not_fresh_opens_nothing(site: Site) -> None:
    """Used, altered, or that of a writer with a token that may only read.

    sqld does not look whose stream a baton is of: a fresh one, which only who has it may use once within ten seconds,
    is as secret as the token that it was got with.
    """

    def ask(token: str, baton: str | None, sql: str) -> Answered:
        document = {"baton": baton, "requests": [{"type": "execute", "stmt": {"sql": sql}}]}
        return site.ask("POST", "/v3/pipeline", token=token, body=json.dumps(document).encode())

    alpha, beta = site.token("alpha"), site.token("beta")
    baton = str(ask(beta, None, "SELECT 1").document["baton"])
    altered = baton[:9] + ("A" if baton[9] != "A" else "B") + baton[10:]
    of_a_writer = str(ask(alpha, None, "SELECT 1").document["baton"])

    answers = [
        ask(alpha, altered, "SELECT text FROM notes"),
        ask(site.token("alpha", Role.RO), of_a_writer, "INSERT INTO notes VALUES ('intruder')"),
    ]
    ask(beta, baton, "SELECT 1")
    answers.append(ask(alpha, baton, "SELECT text FROM notes"))

    assert [answer.status for answer in answers] == [400, 403, 400]


def test_a_token_ends_when_it_is_revoked(site: Site, tmp_path: Path) -> None:
    """From the next request on, for both protocols."""
    made = site.api_key("alpha")
    api_key, key_id = made.api_key, made.record.id
    before = site.run("SELECT 1", token=api_key).status

    site.registry.api_keys.revoke(key_id, now=0)

    assert (before, site.run("SELECT 1", token=api_key).status) == (200, 401)
    with pytest.raises(NotAllowedError):
        pulled(site.url, api_key, tmp_path / "replica")


def test_a_token_ends_at_its_end(site: Site) -> None:
    """Replayed later, it opens nothing."""
    token = site.token("alpha", ttl_s=300)
    before = site.run("SELECT 1", token=token).status

    site.ahead_s = 331.0
    after = site.run("SELECT 1", token=token)
    site.ahead_s = 0.0

    assert (before, after.status, after.code) == (200, 401, "token_expired")


def test_requests_cannot_be_smuggled_in(site: Site) -> None:
    """A second request in the body of the first is a body; two lengths, or none that is clear, are refused."""
    inner = b"GET /dump HTTP/1.1\r\nHost: beta\r\nx-namespace-bin: " + BETA.encode() + b"\r\n\r\n"
    token = site.token("alpha")
    tried: list[list[tuple[str, str]]] = [
        [("Content-Length", "0"), ("Content-Length", str(len(inner)))],
        [("Content-Length", str(len(inner))), ("Transfer-Encoding", "chunked")],
        [("Transfer-Encoding", "chunked, identity")],
        [("Transfer-Encoding", "\x0bchunked")],
    ]

    for headers in tried:
        try:
            answer = site.ask("POST", "/v3/pipeline", token=token, headers=headers, body=inner)
        except http.client.HTTPException:
            continue
        assert says_nothing_of_beta(answer)
        assert answer.status >= 400
