"""Both protocols go through nginx and the gateway, to the tenant of the token."""

import http.client
import ssl
from pathlib import Path

import pytest
import trustme

from auth.tokens import Role
from replica.errors import NotAllowedError
from sqld import free_port
from sqld.nginx import Nginx
from sqld.proxy import ProxySettings
from tests.sqld.gateway.replicating import pulled
from tests.sqld.gateway.site import Site

TENANTS = ("alpha", "beta")


@pytest.mark.parametrize("tenant", TENANTS)
def test_hrana_reaches_the_tenant_of_the_token(site: Site, tenant: str) -> None:
    """Nobody says which namespace: the token does."""
    assert site.rows("SELECT text FROM notes", site.token(tenant)) == [[f"secret of {tenant}"]]


@pytest.mark.parametrize("tenant", TENANTS)
def test_hrana_reaches_the_tenant_of_an_api_key(site: Site, tenant: str) -> None:
    """An API key goes where a token goes."""
    made = site.api_key(tenant)

    assert site.rows("SELECT text FROM notes", made.api_key) == [[f"secret of {tenant}"]]


@pytest.mark.parametrize("tenant", TENANTS)
def test_replication_reaches_the_tenant_of_the_token(site: Site, tenant: str, tmp_path: Path) -> None:
    """The client names a namespace of its own making, which is not heard."""
    assert pulled(site.url, site.token(tenant, Role.RO), tmp_path / "replica") == [f"secret of {tenant}"]


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_dump_is_of_the_tenant_of_the_token(site: Site, tenant: str) -> None:
    """Also what is streamed."""
    dump = site.ask("GET", "/dump", token=site.token(tenant, Role.RO)).body.decode()

    assert dump.endswith("COMMIT;\n")
    assert [name for name in TENANTS if f"secret of {name}" in dump] == [tenant]


def test_a_replica_is_told_that_its_token_is_refused(site: Site, tmp_path: Path) -> None:
    """So that td can say what to do, and does not take it for a network that is down."""
    with pytest.raises(NotAllowedError):
        pulled(site.url, "no token of ours", tmp_path / "replica")


def test_a_read_only_token_does_not_write(site: Site) -> None:
    """The role goes along to sqld, which holds to it."""
    token = site.token("alpha", Role.RO)

    answer = site.run("INSERT INTO notes VALUES ('more')", token=token)

    assert "doesn't not have Write permission" in answer.body.decode()
    assert site.rows("SELECT text FROM notes", token) == [["secret of alpha"]]


def test_the_proxy_speaks_tls(site: Site, tmp_path: Path) -> None:
    """With the certificate that it is given, and nothing older than TLS 1.2."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    paths = certificate_path, key_path = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate_path.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(key_path)
    listen = f"127.0.0.1:{free_port()}"
    gateway, primary = f"127.0.0.1:{site.gateway_port}", f"127.0.0.1:{site.primary.port}"
    context = ssl.create_default_context()
    authority.configure_trust(context)

    with Nginx(ProxySettings(tmp_path / "nginx", listen, gateway, primary, *paths)) as nginx:
        connection = http.client.HTTPSConnection("localhost", int(listen.split(":")[1]), context=context, timeout=10)
        connection.request("GET", "/v1/tenants/me", headers={"Authorization": f"Bearer {site.token('alpha')}"})
        answer = connection.getresponse()
        status, said = answer.status, answer.read()
        connection.close()

    assert (status, b'"tenant":"alpha"' in said) == (200, True)
    assert nginx.requests_log.read_text().count('"status":200') == 1
