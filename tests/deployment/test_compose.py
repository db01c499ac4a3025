"""docker-compose.yml and the Dockerfile: the processes of `td sqld up`, in containers."""

import json
import re
import tomllib
from typing import Any, Final

import pytest
import yaml

from sqld.deployment import SQLD_IMAGE, STOP_S, STOP_SIGNAL, Part, backup_words, nginx_command, td_words
from sqld.state import Settings
from tests.deployment.nginx_files import FILES, ROOT

COMPOSE: Final = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
DOCKERFILE: Final = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
STATE: Final = "/var/lib/replica/state"
OF_TD: Final = ("sqld", "gateway", "read-replica", "backup")


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile, in one line, without comments."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for line in lines if line.strip() for name, _, rest in [line.partition(" ")]]


def stage(name: str) -> dict[str, list[str]]:
    """The instructions of one stage, by name, in order."""
    found: dict[str, list[str]] = {}
    is_in = False
    for word, rest in instructions():
        is_in = rest.endswith(f" AS {name}") if word == "FROM" else is_in
        if is_in:
            found.setdefault(word, []).append(rest)
    return found


@pytest.mark.parametrize("part", Part)
def test_each_part_is_started_as_td_starts_it(part: Part) -> None:
    """With the same words; a read replica besides knows where its own data are."""
    words = td_words(part, STATE)

    assert SERVICES[part.value]["command"][: len(words)] == words


def test_the_backup_is_that_of_td() -> None:
    """In a loop, which ends with an error when it fails."""
    (command,) = SERVICES["backup"]["command"]

    assert " ".join(backup_words(STATE, "/var/backups/replica")) in command
    assert command.startswith("while td ")
    assert command.endswith("exit 1")


def test_nginx_is_started_as_td_starts_it() -> None:
    """With the configuration that td makes, read-only."""
    nginx = SERVICES["nginx"]

    assert nginx["command"] == nginx_command(
        "/usr/sbin/nginx", "/run/replica-nginx", config="/etc/replica/nginx.conf", error_log="stderr"
    )
    assert "./deploy/nginx/compose.conf:/etc/replica/nginx.conf:ro" in nginx["volumes"]
    settings = FILES["deploy/nginx/compose.conf"]
    assert {f"/run/secrets/{name}" for name in nginx["secrets"]} == {
        str(settings.certificate),
        str(settings.certificate_key),
    }
    assert nginx["tmpfs"] == [f"{settings.directory}:uid=101,gid=101,mode=0700"]


def test_nothing_but_nginx_can_be_reached() -> None:
    """One address for all, whose only open port is that of nginx."""
    port = FILES["deploy/nginx/compose.conf"].listen.rpartition(":")[2]
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published == {"loopback": [f"${{TD_PORT:-443}}:{port}"]}
    assert {service.get("network_mode") for name, service in SERVICES.items() if name != "loopback"} == {
        "service:loopback"
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_as_little_as_it_needs(name: str) -> None:
    """None of root's powers, nothing to write but what is mounted, and its logs do not fill the disk."""
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"]["max-size"]
    assert "privileged" not in service
    assert ("build" in service) or service["user"] != "0:0"
    assert re.search(r":\d+\.\d+\.\d+", service["image"]), "an image is pinned"


@pytest.mark.parametrize("name", OF_TD[:3])
def test_each_is_ended_with_what_it_understands_and_given_time(name: str) -> None:
    """SIGKILL would cost each client a whole download."""
    assert SERVICES[name]["stop_signal"] == STOP_SIGNAL
    assert SERVICES[name]["stop_grace_period"] == f"{STOP_S}s"


def test_health_is_asked_of_the_ports_that_a_new_server_has() -> None:
    """Each for itself."""
    settings, port = Settings(closed_key=""), FILES["deploy/nginx/compose.conf"].listen.rpartition(":")[2]
    asked = {name: str(service["healthcheck"].get("test")) for name, service in SERVICES.items()}

    assert f"http://127.0.0.1:{settings.http_port}/health" in asked["sqld"]
    assert f"http://127.0.0.1:{settings.gateway_port}/ready" in asked["gateway"]
    assert f"https://127.0.0.1:{port}/health" in asked["nginx"]


def test_no_secret_is_in_the_files() -> None:
    """They are named by who starts it, and none has a default."""
    assert set(COMPOSE["secrets"]) == {"vault-key", "tls-certificate", "tls-key"}
    assert all(re.fullmatch(r"\$\{TD_\w+:\?.+\}", secret["file"]) for secret in COMPOSE["secrets"].values())
    assert not any("environment" in service for service in SERVICES.values())
    assert not [rest for name, rest in instructions() if name in ("ARG", "ADD")]


def test_profiles_are_asked_for() -> None:
    """What not everybody wants."""
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}

    assert profiles == {"read-replica": ["read-replica"], "backup": ["backup"]}


def test_the_image_is_of_pinned_parts_and_runs_as_nobody_special() -> None:
    """The sqld in it is the one that was measured; who runs it is a number, which orchestrators check."""
    images = [rest.partition(" AS ")[0] for name, rest in instructions() if name == "FROM"]
    server = stage("server")

    assert SQLD_IMAGE in images
    assert all(re.search(r":v?\d", image) for image in images if image != "server")
    assert server["USER"] == ["10001:10001"]
    assert server["STOPSIGNAL"] == [STOP_SIGNAL]
    assert server["ENTRYPOINT"] == ['["td"]']
    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} == {"server"}


def test_one_machine_at_fly_runs_what_td_runs() -> None:
    """All of it in one container, behind the port that Fly asks, ended gently, and never twice on its data."""
    fly = tomllib.loads((ROOT / "deploy" / "fly.toml").read_text(encoding="utf-8"))
    single = stage("single")
    (command,) = json.loads(single["CMD"][0])
    listen = f"0.0.0.0:{fly['http_service']['internal_port']}"

    assert command == f"td sqld init --state {STATE} && exec td sqld up --state {STATE} --listen {listen}"
    assert "--reuid=10001" in json.loads(single["ENTRYPOINT"][0])[2]
    assert fly["build"] == {"dockerfile": "Dockerfile", "build-target": "single"}
    assert (fly["kill_signal"], fly["kill_timeout"]) == (STOP_SIGNAL, f"{STOP_S}s")
    assert STATE.startswith(fly["mounts"]["destination"])
    assert fly["deploy"]["strategy"] == "immediate"
    assert "env" not in fly


def test_the_image_is_built_from_what_the_build_is_sent() -> None:
    """Nothing else of the folder is, so no file beside it can get into the image by mistake."""
    copied = {
        word.strip("./")
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for word in rest.split()[:-1]
    }
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }

    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_has_the_directories_that_are_mounted() -> None:
    """A new volume gets its owner from the image; another owner could not write to it."""
    targets = {
        volume.split(":")[1] for name in OF_TD for volume in SERVICES[name]["volumes"] if not volume.startswith(".")
    }

    assert all(f" {target}" in DOCKERFILE for target in targets)
    assert f"TD_SQLD_STATE={STATE}" in DOCKERFILE
