"""What whoever runs the gateway sees and does: health, numbers, logs, the admin key."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sqld import free_port
from sqld.gateway import TenantNotReadyError
from sqld.gateway.request_log import LOGGER, JsonLines
from sqld.nginx import Nginx
from sqld.proxy import ProxySettings
from tests.sqld.gateway.intruders import CREDENTIALS
from tests.sqld.gateway.site import Answered, Site, open_site


class Lines(logging.Handler):
    """Keeps what would go to stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[str] = []
        self._came = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        with self._came:
            self.lines.append(self.format(record))
            self._came.notify_all()

    def of(self, name: str, value: str) -> list[dict[str, Any]]:
        """The lines in which that name has this value. A request is written down after it was answered."""

        def found() -> list[dict[str, Any]]:
            return [line for line in map(json.loads, self.lines) if line.get(name) == value]

        with self._came:
            self._came.wait_for(found, timeout=10)
            return found()


@pytest.fixture
def log() -> Iterator[Lines]:
    """The log of the gateway, from now on."""
    lines, logger = Lines(), logging.getLogger("sqld.gateway")
    logger.addHandler(lines)
    logging.getLogger(LOGGER).setLevel(logging.INFO)
    yield lines
    logger.removeHandler(lines)


def administer(site: Site, method: str, path: str, document: object = None, *, key: str | None = None) -> Answered:
    """Ask with the admin key."""
    body = b"" if document is None else json.dumps(document).encode()
    return site.ask(method, path, token=site.admin_key if key is None else key, body=body)


def lines_of_nginx(site: Site, request_id: str) -> list[dict[str, Any]]:
    """What nginx wrote of a request, which it does after it has answered."""
    deadline, found = time.monotonic() + 10, list[dict[str, Any]]()
    while not found and time.monotonic() < deadline:
        written = (site.directory / "nginx" / "nginx-requests.log").read_text()
        found = [
            json.loads(line) for line in written.splitlines(keepends=True) if request_id in line and line[-1] == "\n"
        ]
    return found


def test_no_secret_is_in_any_log(site: Site, log: Lines) -> None:
    """Neither of those that hold nor of those that do not; of nginx, of the gateway, of sqld."""
    secrets = [make(site) for make in CREDENTIALS.values()] + [site.token("alpha"), site.api_key("alpha").api_key]
    for secret in secrets:
        site.run("SELECT 1", token=secret)
        site.ask("GET", f"/v1/tenants/me?token={secret[:500]}", token=secret)
    administer(site, "GET", "/admin/tenants")
    administer(site, "GET", "/admin/tenants", key="wrong key of an administrator")

    files = [*(site.directory / "nginx").glob("*.log"), site.primary.log_path, site.directory / "nginx" / "nginx.conf"]
    written = "\n".join([*log.lines, *(file.read_text() for file in files)])
    assert log.lines
    assert [secret for secret in secrets if len(secret) > 10 and secret[:400] in written] == []
    assert site.admin_key not in written
    assert "wrong key" not in written
    assert "eyJ" not in written


def test_a_request_has_one_id_in_every_log_and_in_its_answer(site: Site, log: Lines) -> None:
    """So that one who complains can be helped. A client cannot choose it."""
    answer = site.run("SELECT 1", token=site.token("alpha"), headers=[("X-Request-Id", "mine")])

    request_id = answer.headers["x-request-id"]
    of_nginx = lines_of_nginx(site, request_id)
    (of_gateway,) = log.of("request_id", request_id)
    assert len(request_id) == 32
    assert [line["tenant"] for line in of_nginx] == ["alpha"]
    assert (of_gateway["tenant"], of_gateway["asked_for"]) == ("alpha", "/v3/pipeline")
    assert of_gateway["caller"].startswith("tok-")


def test_a_refusal_is_written_down_with_its_reason(site: Site, log: Lines) -> None:
    """And with what was asked for, as the client wrote it."""
    site.ask("POST", "/v3/pipeline?x=1", token=CREDENTIALS["revoked"](site), body=b"{}")

    (line,) = log.of("route", "/_gateway/authorize")
    assert (line["refusal"], line["asked_for"]) == ("token_revoked", "/v3/pipeline")


def test_the_numbers_count_by_route_and_name_no_tenant(site: Site) -> None:
    """They are for the admin key alone."""
    site.run("SELECT 1", token=site.token("alpha"))
    site.ask("GET", "/admin/nothing/such", token="x")

    answer = administer(site, "GET", "/metrics")

    text = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'td_gateway_requests_total{method="GET",route="/_gateway/authorize",status="204"}' in text
    assert "alpha" not in text
    assert "/admin/nothing" not in text
    assert site.ask("GET", "/metrics", token=site.token("alpha")).code == "admin_key"


def test_an_administrator_looks_after_tenants(site: Site) -> None:
    """Makes one, closes it, opens it, sees it; what cannot be done is told with its reason."""
    made = administer(site, "POST", "/admin/tenants", {"name": "gamma", "organisation": "org_1"})
    token = site.token("gamma")
    before = site.run("SELECT 1", token=token).status
    closed = administer(site, "POST", "/admin/tenants/gamma/suspend")
    during = site.run("SELECT 1", token=token)
    opened = administer(site, "POST", "/admin/tenants/gamma/resume")
    after = site.run("SELECT 1", token=token).status

    assert (made.status, made.document["name"], made.document["organisation"]) == (201, "gamma", "org_1")
    assert [closed.document["state"], opened.document["state"]] == ["suspended", "active"]
    assert (before, (during.status, during.code), after) == (200, (403, "not_active"), 200)
    assert "gamma" in {tenant["name"] for tenant in administer(site, "GET", "/admin/tenants").document["tenants"]}
    refused = {
        ("POST", "/admin/tenants", "sqld_tenant_state"): {"name": "gamma"},
        ("POST", "/admin/tenants", "sqld_tenant_name"): {"name": "../x"},
        ("POST", "/admin/tenants", "sqld_organisation"): {"name": "delta", "organisation": "org_1"},
        ("POST", "/admin/tenants", "bad_request"): {"name": 7},
        ("GET", "/admin/tenants/nobody", "sqld_no_tenant"): None,
        ("POST", "/admin/tenants/nobody/suspend", "sqld_no_tenant"): None,
        ("DELETE", "/admin/tokens/tok-nothing", "sqld_no_token"): None,
        ("DELETE", "/admin/keys/key-nothing", "sqld_no_api_key"): None,
        ("DELETE", "/admin/tenants", "method_not_allowed"): None,
        ("GET", "/admin/", "not_found"): None,
    }
    for (method, path, code), document in refused.items():
        assert administer(site, method, path, document).code == code


def test_an_administrator_revokes_what_opens_a_tenant(site: Site) -> None:
    """From the next request on."""
    token, made = site.token("alpha"), site.api_key("alpha")
    token_id = site.ask("GET", "/v1/tenants/me", token=token).document["credential"]["id"]

    revoked = [
        administer(site, "DELETE", f"/admin/{what}") for what in (f"tokens/{token_id}", f"keys/{made.record.id}")
    ]

    assert [answer.document["tenant"] for answer in revoked] == ["alpha", "alpha"]
    assert [site.run("SELECT 1", token=each).code for each in (token, made.api_key)] == [
        "token_revoked",
        "api_key_revoked",
    ]


def test_what_opens_a_tenant_administers_nothing_and_the_other_way_round(site: Site) -> None:
    """Two kinds of keys."""
    assert site.ask("GET", "/admin/tenants", token=site.token("alpha")).code == "admin_key"
    assert site.run("SELECT 1", token=site.admin_key).status == 401


def test_without_the_gateway_nothing_passes(site: Site, tmp_path: Path) -> None:
    """Who cannot be asked says no."""
    listen = f"127.0.0.1:{free_port()}"
    nowhere = f"127.0.0.1:{free_port()}"
    port = int(listen.split(":")[1])

    with Nginx(ProxySettings(tmp_path, listen, gateway=nowhere, primary=f"127.0.0.1:{site.primary.port}")):
        hrana = site.run("SELECT text FROM notes", token=site.token("alpha"), port=port)
        own = site.ask("GET", "/v1/tenants/me", token=site.token("alpha"), port=port)

    assert [(answer.status, answer.code) for answer in (hrana, own)] == [(503, "unavailable")] * 2
    assert hrana.headers["retry-after"] == "1"


def test_no_request_passes_before_the_database_is_ready(sqld_binary: Path, tmp_path: Path, log: Lines) -> None:
    """It is tried again with the next; the client is told to come again, and the log why."""
    failures, done = ["disk full", "disk full"], []

    def migrate(namespace: str, token: object) -> None:
        if failures:
            raise TenantNotReadyError(failures.pop())
        done.append(namespace)

    with open_site(sqld_binary, tmp_path, migrate=migrate) as site:
        site.add_tenant("alpha")
        answers = [site.run("SELECT 1", token=site.token("alpha")) for _ in range(4)]

    assert [answer.status for answer in answers] == [503, 503, 200, 200]
    assert (answers[0].code, answers[0].headers["retry-after"]) == ("unavailable", "5")
    assert done == ["alpha"]
    assert '"reason": "disk full"' in "".join(log.lines)
