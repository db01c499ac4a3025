"""The units of systemd: the processes of `td sqld up`, on a plain machine."""

from typing import Final

import pytest

from sqld.deployment import STOP_S, STOP_SIGNAL, Part, backup_words, nginx_command, td_words
from sqld.proxy import render_nginx
from tests.deployment.nginx_files import FILES, ROOT

UNITS: Final = ROOT / "deploy" / "systemd"
TD: Final = "/usr/local/lib/replica/bin/td"
STATE: Final = "/var/lib/replica/state"
OF_TD: Final = ("replica-sqld", "replica-gateway", "replica-backup")
SERVICES: Final = sorted(path.stem for path in UNITS.glob("*.service"))


def directives(service: str) -> dict[str, list[str]]:
    """What a unit says, by name, in order."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / f"{service}.service").read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("replica-sqld", [TD, *td_words(Part.PRIMARY, STATE)]),
        ("replica-gateway", [TD, *td_words(Part.GATEWAY, STATE)]),
        ("replica-backup", [TD, *backup_words(STATE, "/var/backups/replica")]),
        (
            "replica-nginx",
            nginx_command(
                "/usr/sbin/nginx", "/run/replica-nginx", config="/etc/replica/nginx.conf", error_log="stderr"
            ),
        ),
    ],
)
def test_each_part_is_started_as_td_starts_it(service: str, words: list[str]) -> None:
    """With the same words."""
    assert directives(service)["ExecStart"] == [" ".join(words)]


@pytest.mark.parametrize("service", OF_TD)
def test_td_has_its_key_from_a_file_that_only_it_sees(service: str) -> None:
    """None of them names a secret, only where it is."""
    said = directives(service)

    assert said["LoadCredential"] == ["vault-key:/etc/replica/vault-key"]
    assert "TD_VAULT_KEY_FILE=%d/vault-key" in said["Environment"]
    assert said["User"] == ["replica"]
    assert said["StateDirectory"] == ["replica"]
    assert said["LimitCORE"] == ["0"]


@pytest.mark.parametrize("service", OF_TD)
def test_td_ends_what_it_started(service: str) -> None:
    """It alone is told to end, and has time for it; the exit code of Ctrl-C is none of a failure."""
    said = directives(service)

    assert (said["KillMode"], said["KillSignal"], said["TimeoutStopSec"]) == (["mixed"], [STOP_SIGNAL], [str(STOP_S)])
    if service != "replica-backup":
        assert said["SuccessExitStatus"] == ["130"]
        assert said["Restart"] == ["on-failure"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_unit_can_do_as_little_as_it_needs(service: str) -> None:
    """None of root's powers but the port of nginx."""
    said = directives(service)

    powers = ["CAP_NET_BIND_SERVICE"] if service == "replica-nginx" else [""]
    assert said["CapabilityBoundingSet"] == powers
    assert said["ProtectSystem"] == ["strict"]
    assert said["NoNewPrivileges"] == ["yes"]
    assert said.get("DynamicUser") == ["yes"] or said["User"] != ["root"]


def test_nginx_gets_its_certificate_from_where_its_configuration_says() -> None:
    """Which is where systemd puts the credentials of this unit."""
    said, settings = directives("replica-nginx"), FILES["deploy/nginx/systemd.conf"]

    names = {credential.partition(":")[0] for credential in said["LoadCredential"]}
    assert {settings.certificate, settings.certificate_key} == {
        type(settings.directory)("/run/credentials/replica-nginx.service", name) for name in names
    }
    assert str(settings.directory) == f"/run/{said['RuntimeDirectory'][0]}"


@pytest.mark.parametrize("name", FILES)
def test_the_configurations_of_nginx_are_those_of_td(name: str) -> None:
    """`python -m tests.deployment.nginx_files` writes them anew."""
    assert (ROOT / name).read_text(encoding="utf-8") == render_nginx(FILES[name])
