"""How each process of a server is started, wherever it runs: on a terminal, under systemd, in a container.

Pure, and the one place for it: `td sqld up` starts what is written here, and docker-compose.yml and the units in
deploy/systemd are tested to say the same.

Always true:
- sqld, its admin API and the gateway listen on the loopback of one machine, or of containers that share theirs; only
  nginx has an address that others reach;
- no secret is among the arguments: td reads them from the vault, whose key comes by the environment or in a file.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqld.proxy import ProxySettings
from sqld.state import Settings

LOOPBACK: Final = "127.0.0.1"
# Kept in step with what was measured; an older log is read by a newer sqld, not the other way round.
SQLD_IMAGE: Final = "ghcr.io/tursodatabase/libsql-server:v0.24.32"
STOP_SIGNAL: Final = "SIGINT"
"""What each process takes as the wish to end. SIGKILL in its place costs each client a whole download."""

STOP_S: Final = 30
"""How long it may take to end, in seconds."""


class Part(StrEnum):
    """What td runs of a server; nginx is started by `nginx_command`."""

    PRIMARY = "sqld"
    GATEWAY = "gateway"
    READ_REPLICA = "read-replica"


_WORDS: Final[Mapping[Part, Sequence[str]]] = {
    Part.PRIMARY: ("sqld", "run"),
    Part.GATEWAY: ("sqld", "gateway"),
    Part.READ_REPLICA: ("sqld", "read-replica"),
}


def td_words(part: Part, state: Path | str) -> list[str]:
    """What stands after `td` to run a part of the server in the directory `state`."""
    return [*_WORDS[part], "--state", str(state)]


def backup_words(state: Path | str, into: Path | str) -> list[str]:
    """What stands after `td` to copy the whole server."""
    return ["sqld", "backup", str(into), "--state", str(state)]


def nginx_command(binary: Path | str, directory: Path | str, *, config: Path | str, error_log: Path | str) -> list[str]:
    """How nginx is started. directory: where it may write."""
    return [str(binary), "-p", str(directory), "-e", str(error_log), "-c", str(config)]


def proxy_settings(
    settings: Settings,
    directory: Path,
    *,
    listen: str,
    certificate: Path | None = None,
    certificate_key: Path | None = None,
    log: str | None = None,
) -> ProxySettings:
    """The nginx of a server. The arguments are as of `ProxySettings`; paths are taken from the current directory."""
    # nginx itself takes them from its own directory.
    return ProxySettings(
        directory.absolute(),
        listen=listen,
        gateway=f"{LOOPBACK}:{settings.gateway_port}",
        primary=f"{LOOPBACK}:{settings.http_port}",
        certificate=None if certificate is None else certificate.absolute(),
        certificate_key=None if certificate_key is None else certificate_key.absolute(),
        log=log,
    )
