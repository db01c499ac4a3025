"""The nginx.conf of docker-compose.yml and of the units, which `python -m tests.deployment.nginx_files` writes anew."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sqld.deployment import proxy_settings
from sqld.proxy import ProxySettings, render_nginx
from sqld.state import Settings

ROOT: Final = Path(__file__).parents[2]
_NEW: Final = Settings(closed_key="")
_CREDENTIALS: Final = Path("/run/credentials/replica-nginx.service")
_SECRETS: Final = Path("/run/secrets")

FILES: Final[Mapping[str, ProxySettings]] = {
    "deploy/nginx/compose.conf": proxy_settings(
        _NEW,
        Path("/run/replica-nginx"),
        listen="0.0.0.0:8443",
        certificate=_SECRETS / "tls-certificate",
        certificate_key=_SECRETS / "tls-key",
        log="/dev/stderr",
    ),
    "deploy/nginx/systemd.conf": proxy_settings(
        _NEW,
        Path("/run/replica-nginx"),
        listen="0.0.0.0:443",
        certificate=_CREDENTIALS / "tls-certificate",
        certificate_key=_CREDENTIALS / "tls-key",
        log="syslog:server=unix:/dev/log,nohostname,tag=replica_nginx",
    ),
}


def main() -> None:
    """Write them."""
    for name, settings in FILES.items():
        (ROOT / name).write_text(render_nginx(settings), encoding="utf-8")


if __name__ == "__main__":
    main()
