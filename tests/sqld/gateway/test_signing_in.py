"""People who signed in with WorkOS: their organisation says which tenant is theirs."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from auth.sign_in import Application
from auth.workos_keys import WorkOSKeys
from auth.workos_tokens import WorkOSTokens
from cli.letting_in import checking
from sqld.gateway import Organisations
from sqld.gateway.organisations import tenant_name
from sqld.registry import Tenant
from sqld.registry.tenants import check_tenant
from tests.auth.workos_double import CLIENT_ID, ORGANIZATION_ID, USER_ID, Fault, WorkOSDouble, rsa_key
from tests.sqld.gateway.replicating import pulled
from tests.sqld.gateway.site import Site, open_site


@pytest.fixture(scope="module")
def workos() -> Iterator[WorkOSDouble]:
    """WorkOS, by the real clock."""
    with WorkOSDouble(clock=time.time) as double:
        yield double


def signing_in(workos: WorkOSDouble, *, creates: bool) -> Callable[[Site], Organisations]:
    """As `td sqld gateway` has it."""
    application = Application(CLIENT_ID, workos.url, timeout_s=2)

    def make(site: Site) -> Organisations:
        def create(name: str, organisation: str) -> Tenant:
            return site.tenancy.create(name, organisation=organisation)

        tokens = WorkOSTokens(application, keys=WorkOSKeys(application))
        return Organisations(site.registry, checking(tokens), create=create if creates else None)

    return make


@pytest.fixture(scope="module")
def club(sqld_binary: Path, tmp_path_factory: pytest.TempPathFactory, workos: WorkOSDouble) -> Iterator[Site]:
    """A site where the tenant `alpha` is of an organisation, and `beta` of none; none is made on first use."""
    with open_site(sqld_binary, tmp_path_factory.mktemp("club"), sign_in=signing_in(workos, creates=False)) as opened:
        opened.tenancy.create("alpha", organisation=ORGANIZATION_ID)
        opened.add_tenant("beta")
        for name in ("alpha", "beta"):
            opened.standing[name] = opened.token(name, ttl_s=86_400)
            opened.rows("CREATE TABLE notes (text TEXT)", opened.standing[name])
            opened.rows(f"INSERT INTO notes VALUES ('secret of {name}')", opened.standing[name])
        yield opened


def test_a_person_reaches_the_tenant_of_their_organisation(club: Site, workos: WorkOSDouble, tmp_path: Path) -> None:
    """By both protocols, and is known by name."""
    token = workos.token()

    assert club.rows("SELECT text FROM notes", token) == [["secret of alpha"]]
    assert pulled(club.url, token, tmp_path / "replica") == ["secret of alpha"]
    credential = club.ask("GET", "/v1/tenants/me", token=token).document["credential"]
    assert (credential["kind"], credential["id"]) == ("signed_in", USER_ID)


def test_a_tenant_that_is_closed_is_closed_to_its_organisation(club: Site, workos: WorkOSDouble) -> None:
    """Until it is opened again."""
    club.tenancy.suspend("alpha")
    closed = club.ask("GET", "/v1/tenants/me", token=workos.token())
    club.tenancy.resume("alpha")
    opened = club.ask("GET", "/v1/tenants/me", token=workos.token())

    assert (closed.status, closed.code, opened.status) == (403, "not_active", 200)


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"org_id": "org_another"}, "no_tenant"),
        ({"org_id": None}, "token_organization"),
        ({"org_id": ""}, "token_claim"),
        ({"org_id": ["org_1"]}, "token_claim"),
        ({"iss": "https://api.workos.example"}, "token_foreign"),
        ({"aud": "client_another"}, "token_foreign"),
        ({"exp": int(time.time()) - 3600}, "token_expired"),
        ({"iat": int(time.time()) + 3600}, "token_early"),
        ({"exp": None}, "token_claim"),
        # Ours, in a token that is not.
        ({"org_id": None, "id": "alpha", "a": "rw"}, "token_organization"),
    ],
)
def test_a_sign_in_that_is_not_for_this_opens_nothing(
    club: Site, workos: WorkOSDouble, claims: dict[str, Any], code: str
) -> None:  # claims are any JSON
    """Whatever it says of tenants."""
    answer = club.run("SELECT text FROM notes", token=workos.token(**claims))

    assert (answer.status in (401, 403), answer.code) == (True, code)
    assert b"secret" not in answer.body


def test_a_key_that_workos_does_not_publish_opens_nothing(club: Site, workos: WorkOSDouble) -> None:
    """Though it names one that it does."""
    forged = workos.token(key=3)

    assert club.run("SELECT 1", token=forged).code == "token_unknown_key"
    named = workos.token(key=3, headers={"kid": "key_0"})
    assert club.run("SELECT 1", token=named).status == 401
    assert rsa_key(3) is not rsa_key(0)


def test_an_outage_of_workos_is_told_as_one(sqld_binary: Path, tmp_path: Path, workos: WorkOSDouble) -> None:
    """To come again, and not to sign in again; what does not need WorkOS goes on."""
    with open_site(sqld_binary, tmp_path, sign_in=signing_in(workos, creates=False)) as site:
        site.tenancy.create("alpha", organisation=ORGANIZATION_ID)
        workos.faults.extend([Fault.BROKEN] * 5)
        try:
            out = site.run("SELECT 1", token=workos.token())
            ours = site.run("SELECT 1", token=site.token("alpha"))
        finally:
            workos.faults.clear()

    assert (out.status, out.code, out.headers["retry-after"]) == (503, "sign_in_unavailable", "5")
    assert ours.status == 200


def test_the_first_person_of_an_organisation_makes_its_tenant(
    sqld_binary: Path, tmp_path: Path, workos: WorkOSDouble
) -> None:
    """Once, also where many come at once; of another organisation, another one."""
    with open_site(sqld_binary, tmp_path, sign_in=signing_in(workos, creates=True)) as site:
        with ThreadPoolExecutor(6) as pool:
            token = workos.token()
            answers = list(pool.map(lambda _: site.run("SELECT 1", token=token), range(6)))
        other = site.ask("GET", "/v1/tenants/me", token=workos.token(org_id="org_another")).document["tenant"]
        names = {tenant.organisation: tenant.name for tenant in site.registry.tenants.all()}

    assert [answer.status for answer in answers] == [200] * 6
    assert names == {ORGANIZATION_ID: tenant_name(ORGANIZATION_ID), "org_another": other}


@pytest.mark.parametrize("organisation", [ORGANIZATION_ID, "org_", "7", "Ünï cödé", "x" * 200, "a--b", "default", "-"])
def test_every_organisation_has_a_name_that_a_tenant_may_have(organisation: str) -> None:
    """And another has another."""
    check_tenant(tenant_name(organisation))

    assert tenant_name(organisation) != tenant_name(organisation + "_")
