"""Whatever is asked of the gateway by its own description, it answers as that says; and never breaks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator

from cli.tenant_databases import migrating, writing
from sqld import free_port
from sqld.gateway.openapi import DOCUMENT
from sqld.proxy import GATEWAY
from tests.sqld.gateway.site import Site, open_site

SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def asked(sqld_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with a tenant of td, and any number of others by the end."""
    folder, port = tmp_path_factory.mktemp("asked"), free_port()
    url = f"http://127.0.0.1:{port}"
    with open_site(
        sqld_binary, folder, primary_port=port, migrate=migrating(url, folder), write_rows=writing(url, folder)
    ) as opened:
        opened.add_tenant("alpha")
        opened.standing["alpha"] = opened.token("alpha", ttl_s=86_400)
        yield opened


@SCHEMA.parametrize()
@settings(max_examples=15, derandomize=True, suppress_health_check=list(HealthCheck))
def test_what_it_answers_is_what_it_says(case: Any, asked: Site) -> None:  # of schemathesis
    """Status, headers and body, for good requests and bad ones, through nginx."""
    key = asked.admin_key if case.path.startswith(("/admin", "/metrics")) else asked.standing["alpha"]

    case.call_and_validate(base_url=asked.url, headers={"Authorization": f"Bearer {key}"})


def test_the_description_is_of_all_that_the_gateway_answers(asked: Site) -> None:
    """And it can be had from the gateway, without a token."""
    answer = asked.ask("GET", "/openapi.json")

    described = {path for path in DOCUMENT["paths"] if not path.startswith("/admin")}
    assert answer.document == DOCUMENT
    assert described == set(GATEWAY) - {"/openapi.json"}
    Draft202012Validator.check_schema({"$defs": DOCUMENT["components"]["schemas"]})
