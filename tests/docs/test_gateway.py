"""What the page of the gateway says is what the gateway does."""

import json
import re
from pathlib import Path
from typing import Final

from jsonschema import Draft202012Validator

from sqld.gateway.batch import ROWS_MAX, TABLES_MAX, read_batch
from sqld.gateway.bodies import BODY_BYTES_MAX, BODY_S
from sqld.gateway.openapi import DOCUMENT
from sqld.gateway.refusals import REFUSALS
from sqld.proxy import GATEWAY, HRANA, REPLICATION, STREAMS, ProxySettings
from sqld.state import Settings
from tests.docs.console import ROOT

TEXT: Final = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
REQUEST, ANSWER = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))


def test_every_refusal_is_told_beside_its_status() -> None:
    """So that a program can be written by the page."""
    rows = re.findall(r"^\| ([\d, ]+) \| (`.*`) \|$", TEXT, re.MULTILINE)
    told = {code: statuses for statuses, codes in rows for code in re.findall(r"`(\w+)`", codes)}

    assert set(told) == set(REFUSALS)
    assert [code for code, refusal in REFUSALS.items() if str(refusal.status) not in told[code]] == []


def test_every_path_is_told() -> None:
    """By its beginning."""
    paths = re.findall(r"`(/[^`…]*)", TEXT)

    known = (*HRANA, *REPLICATION, *STREAMS, *GATEWAY, "/admin/tenants")
    assert [path for path in known if not any(path.startswith(told.rstrip("/")) for told in paths)] == []


def test_the_example_of_a_batch_is_one() -> None:
    """Request and answer, by the rules of both."""
    definitions = {"components": DOCUMENT["components"]}

    request_id, rows = read_batch(json.dumps(REQUEST).encode())

    assert (request_id, len(rows)) == ("nightly-2026-11-30", 4)
    for name, document in (("Batch", REQUEST), ("BatchAnswer", ANSWER)):
        schema = {"$ref": f"#/components/schemas/{name}", **definitions}
        assert list(Draft202012Validator(schema).iter_errors(document)) == []


def test_the_limits_are_told() -> None:
    """As they are where nobody sets others."""
    assert f"{Settings(closed_key='').requests_per_minute:,} requests a minute" in TEXT
    assert f"{ProxySettings(Path(), '', '', '').hrana_bytes_max // 1_000_000} MB" in TEXT
    assert f"{BODY_BYTES_MAX // 1_000_000} MB" in TEXT
    assert f"within {BODY_S:.0f} seconds" in TEXT
    assert f"Up to {ROWS_MAX} rows of a table, up to {TABLES_MAX} tables" in TEXT
