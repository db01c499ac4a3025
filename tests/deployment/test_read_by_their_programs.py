"""What is deployed, read by the very programs that will read it."""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import trustme

from sqld.nginx import find_nginx
from tests.deployment.nginx_files import FILES, ROOT

GIVEN: Final = {"TD_VAULT_KEY_FILE": "/k", "TD_TLS_CERTIFICATE": "/c", "TD_TLS_KEY": "/t"}
UNITS: Final = sorted((ROOT / "deploy" / "systemd").glob("*.[st]*er*"))
# By systemd's own measure, 0 is shut in and 10 is free.
EXPOSURE_MAX: Final = 2.0


def test_compose_understands_it() -> None:
    """With both profiles; without the name of a secret it says which is missing."""
    command = ["docker-compose", "--profile", "backup", "--profile", "read-replica", "config", "--quiet"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TD_")}

    taken = subprocess.run(command, cwd=ROOT, env=environ | GIVEN, capture_output=True, text=True, check=False)
    refused = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert (taken.returncode, taken.stderr) == (0, "")
    assert refused.returncode != 0
    assert "name the file that holds the key of the vault" in refused.stderr


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """Every directive of them; only td is not where they say."""
    for unit in UNITS:
        text = re.sub(r"/usr/local/lib/replica/bin/td|/usr/sbin/nginx", "/bin/true", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")

    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.returncode, said.stderr) == (0, "")
    assert len(UNITS) == 5


@pytest.mark.parametrize("unit", [unit.name for unit in UNITS if unit.suffix == ".service"])
def test_a_unit_is_shut_in(unit: str) -> None:
    """As systemd measures it."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", ROOT / "deploy" / "systemd" / unit],
        capture_output=True,
        text=True,
        check=False,
    )

    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said.stdout)
    assert float(exposure) <= EXPOSURE_MAX


@pytest.mark.parametrize("name", FILES)
def test_nginx_understands_its_configuration(name: str, tmp_path: Path) -> None:
    """As it is, but for the directory and the certificate, which are not here."""
    certificate = trustme.CA().issue_cert("db.example")
    certificate.private_key_pem.write_to_path(tmp_path / "tls-key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "tls-certificate")
    text = (ROOT / name).read_text(encoding="utf-8")
    text = re.sub(r"(?<= )/run/(?:secrets|credentials/replica-nginx\.service|replica-nginx)(?=/)", str(tmp_path), text)
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")

    said = subprocess.run(
        [find_nginx(), "-t", "-p", tmp_path, "-e", "stderr", "-c", tmp_path / "nginx.conf"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert said.returncode == 0, said.stderr
