"""No secret of a server with tenants, or of those who ask it, is where it does not belong.

That is: in a log, in a file, in an answer, in the list of processes.
"""

import base64
import http.client
import json

import pytest

from sqld import free_port
from sqld.nginx import find_nginx
from tests.auth.workos_double import CLIENT_ID, WorkOSDouble
from tests.cli.program import Program
from tests.secrets.evidence import Evidence
from tests.secrets.search import leaks, leaks_of_files
from tests.secrets.watch import watched


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """All that came out of a server that let some in and others not."""
    evidence = Evidence.below(tmp_path_factory.mktemp("served"), nginx=find_nginx())
    with watched() as evidence.command_lines, WorkOSDouble() as workos:
        _serve(evidence, workos)
    return evidence


def _serve(evidence: Evidence, workos: WorkOSDouble) -> None:
    environ = evidence.given() | {"TD_SQLD_STATE": str(evidence.root / "state")}
    admin = evidence.program("admin", environ)
    ports = [f"--{name}={free_port()}" for name in ("port", "admin-port", "gateway-port")]
    settings = ("--workos-client-id", CLIENT_ID, "--workos-url", workos.url, "--create-tenants")
    evidence.ask(admin, "sqld", "init", *ports, *settings)
    with evidence.running(admin, "sqld", "up", "--listen", f"127.0.0.1:{free_port()}") as told:
        evidence.ask(admin, "sqld", "tenant", "create", "acme")
        evidence.note_keys(evidence.root / "state", environ["TD_VAULT_KEY"], ["acme"])
        _sync(evidence, admin, told["url"])
        _ask_well_and_badly(evidence, admin, told["url"], workos.token())
        evidence.note_keys(evidence.root / "state", environ["TD_VAULT_KEY"], ["acme"])


def _made(evidence: Evidence, admin: Program, what: str, role: str) -> str:
    """A token or an API key of the tenant."""
    kind = "mint" if what == "token" else "create"
    given = ("--tenant", "acme", "--role", role, "--for", "ann", "--json")
    name = f"{what} {role} {len(evidence.secrets)}"
    shown: str = evidence.ask(admin, "sqld", what, kind, *given, shown=name).document()["shown"]
    return shown


def _sync(evidence: Evidence, admin: Program, url: str) -> None:
    """People whose token holds, may only read, was revoked, or is none."""
    for role in ("rw", "ro"):
        person = evidence.program(f"person-{role}", evidence.given())
        evidence.call(
            person, "login", "--token-stdin", "--url", url, stdin=_made(evidence, admin, "token", role) + "\n"
        )
        evidence.ask(person, "init", "--url", url)
        evidence.ask(person, "create", "Oat milk")
        assert (evidence.call(person, "sync", "--json").code == 0) is (role == "rw")
    stranger = evidence.program("stranger", {"TD_DATABASE_TOKEN": evidence.plant("token of a stranger")})
    evidence.ask(stranger, "init", "--url", url)
    assert evidence.ask(stranger, "sync").code == 5


def _ask_well_and_badly(evidence: Evidence, admin: Program, url: str, access_token: str) -> None:
    """Requests as programs make them, and as nobody should."""
    token, api_key = _made(evidence, admin, "token", "rw"), _made(evidence, admin, "key", "rw")
    secret = evidence.plant("secret of a request")
    forged = ".".join(
        base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode()
        for part in ('{"alg":"none","typ":"JWT"}', json.dumps({"id": "acme", "note": secret}), "")
    )
    well = [f"Bearer {each}" for each in (token, api_key, access_token)]
    badly = [f"Bearer {each}" for each in (secret, forged, token[:-4], f"td_live_{secret}", access_token[:-4])]
    admin_key = evidence.secrets["gateway-admin-key"]
    query = json.dumps({"requests": [{"type": "execute", "stmt": {"sql": f"SELECT '{secret}' FROM nowhere"}}]})
    batch = json.dumps({"request_id": "request-1", "rows": {"nowhere": [{"op": "insert", "fields": {"x": secret}}]}})
    for authorization in [*well, *badly, f"Basic {secret}", f"{secret} {secret}", f"Bearer {admin_key}"]:
        headers = {"Authorization": authorization, "Cookie": f"session={secret}", "X-Request-Id": "r" * 8}
        _request(evidence, url, "GET", "/v1/tenants/me", headers)
        _request(evidence, url, "POST", f"/v3/pipeline?authToken={secret}", headers, query)
        _request(evidence, url, "POST", "/sync/batch", headers, batch)
        _request(evidence, url, "POST", "/sync/batch", headers, secret)
        for path in ("/info", "/dump", "/metrics", "/admin/tenants", f"/nowhere?{secret}"):
            _request(evidence, url, "GET", path, headers)
        _request(evidence, url, "POST", "/admin/tenants", headers, json.dumps({"name": "new", "secret": secret}))
    # What is too large, or no request, nginx tells to its log of errors.
    _request(evidence, url, "POST", f"/v3/pipeline?authToken={secret}", {"Content-Length": "99000000"})
    _request(evidence, url, "POST", f"/sync/batch?{secret}", {"Content-Length": "-1", "Authorization": well[0]})


def _request(evidence: Evidence, url: str, method: str, path: str, headers: dict[str, str], body: str = "") -> None:
    """One request; what is answered is kept, without what a statement was asked to select."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        text = str(answer.headers).encode() + answer.read()
    finally:
        connection.close()
    evidence.printed[f"{len(evidence.printed)} {method} {path.partition('?')[0]}"] = text


def test_no_answer_and_no_output_holds_a_secret(evidence: Evidence) -> None:
    """Neither the lines of the gateway, nor what nginx and it answer to anybody."""
    found = {call: leaks(text, evidence.secrets) for call, text in evidence.printed.items()}

    assert {call: names for call, names in found.items() if names} == {}
    assert len(found) > 100


def test_no_log_and_no_other_file_holds_a_secret(evidence: Evidence) -> None:
    """The logs of sqld and nginx, the registry, the databases, and the copies of those who sync."""
    names = {path.name for path in evidence.root.rglob("*")}

    assert leaks_of_files(evidence.root, evidence.secrets) == {}
    assert {"sqld.log", "nginx-requests.log", "nginx-error.log", "registry.db", "secrets", "server.json"} <= names


def test_neither_a_command_line_nor_an_environment_holds_a_secret(evidence: Evidence) -> None:
    """But that of sqld, which is told what to ask for."""
    assert [line for line in evidence.command_lines if leaks(line, evidence.secrets)] == []
    assert {"nginx", "sqld"} <= evidence.spies.started()
    for path in evidence.spies.heard.iterdir():
        text = path.read_bytes()
        own = {"admin-key"} if b"LIBSQL_ADMIN_AUTH_KEY=" in text else set()

        assert leaks(text, evidence.secrets) == own, path.name


def test_the_log_tells_of_every_kind_of_request(evidence: Evidence) -> None:
    """Or that no secret is in it would say little."""
    log = (evidence.root / "state/nginx/nginx-requests.log").read_text()
    told = [json.loads(line) for line in log.splitlines()]

    assert {200, 400, 401, 403, 404, 413} <= {line["status"] for line in told}
