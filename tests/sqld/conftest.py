"""A primary with tenants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sqld.tenant_server import TenantServer, tenant_server


@pytest.fixture
def primary(sqld_binary: Path, tmp_path: Path) -> Iterator[TenantServer]:
    """A server that runs, with no tenant yet."""
    with tenant_server(sqld_binary, tmp_path / "state") as running:
        yield running
