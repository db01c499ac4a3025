"""One site for the tests of a module, with two tenants that have a row each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sqld.nginx import find_nginx
from sqld.proxy_errors import NginxNotFoundError
from tests.sqld.gateway.site import Site, open_site

try:
    find_nginx()
except NginxNotFoundError:
    # `make test` installs it where it may, and says so where it may not.
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="module")
def site(sqld_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Tenants `alpha` and `beta`, each with a table `notes` and one note that names it."""
    with open_site(sqld_binary, tmp_path_factory.mktemp("site")) as opened:
        for name in ("alpha", "beta"):
            opened.add_tenant(name)
            token = opened.standing[name] = opened.token(name, ttl_s=86_400)
            opened.rows("CREATE TABLE notes (text TEXT NOT NULL)", token)
            opened.rows(f"INSERT INTO notes VALUES ('secret of {name}')", token)
        yield opened
