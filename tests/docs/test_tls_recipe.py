"""The recipe for certificates in docs/teams.md, typed as it stands: push and pull take what it makes."""

import re
import ssl
import subprocess
from pathlib import Path

from sqld import Server
from tests.docs.console import ROOT
from tests.faults.tls_end import TlsEnd
from tests.replica.team import add, open_member, synced


def test_the_certificates_of_the_page_are_good_for_push_and_pull(primary_server: Server, tmp_path: Path) -> None:
    """The name of the primary is the only thing that is another one here."""
    page = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^```\n(openssl .*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    subprocess.run(
        ["sh", "-e", "-c", recipe.replace("db.example", "localhost")], cwd=tmp_path, check=True, capture_output=True
    )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "primary.pem", tmp_path / "primary.key")
    with (
        TlsEnd(primary_server.port, context) as end,
        open_member(tmp_path / "laptop", end.url("localhost"), ca_file=tmp_path / "authority.pem") as laptop,
    ):
        add(laptop, "Milk")
        assert synced(laptop).pushed == 1
