"""The configuration of the nginx that stands before a primary with several tenants.

Pure: settings in, text out. Always true of what it renders:
- only the paths named here reach sqld, each as it is written here, however the client wrote it;
- sqld sees none of the client's headers but those named here: namespace, token and host are the gateway's;
- which tenant that is, is asked of the gateway for each request, before a byte of the body is read;
- what the gateway refuses, or cannot be asked, reaches nothing;
- nginx writes nothing outside its own directory, and of bodies nothing at all: started by root, its workers are
  somebody who could not. It needs no root, and logs neither headers nor query strings.

Source: nginx's ngx_http_auth_request_module and ngx_http_proxy_module; the paths as sqld 0.24 and
`libsql_experimental` 0.0.55 use them (measured).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqld.proxy_errors import ProxySettingsError

HRANA: Final = (
    "/v2",
    "/v2/pipeline",
    "/v3",
    "/v3/cursor",
    "/v3/pipeline",
    "/v3-protobuf",
    "/v3-protobuf/cursor",
    "/v3-protobuf/pipeline",
)
REPLICATION: Final = (
    "/info",
    "/wal_log.ReplicationLog/BatchLogEntries",
    "/wal_log.ReplicationLog/Hello",
    "/wal_log.ReplicationLog/LogEntries",
    "/wal_log.ReplicationLog/Snapshot",
)
STREAMS: Final = ("/beta/listen", "/dump")
"""Answers that go on for as long as the client wants them."""

GATEWAY: Final = ("/health", "/metrics", "/openapi.json", "/ready", "/sync/batch", "/v1/tenants/me")
"""What the gateway answers itself; it checks these requests itself, too."""

# All that the protocols need. The name of the header that replaces them all may not be among them.
_PASSED_ON: Final = ("Accept", "Accept-Encoding", "Content-Type", "x-client-version", "x-session-token")
_AUTHORIZE: Final = "/_gateway/authorize"
_REFUSAL: Final = "/_gateway/refusal"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """How nginx is to run.

    directory: where it may write; made by whoever starts it. listen: the public address, as `0.0.0.0:443`.
    gateway, primary: where both answer, as `127.0.0.1:8081`. certificate, certificate_key: PEM files; both or neither.
    hrana_bytes_max, batch_bytes_max: the largest body of a request to sqld, and to the gateway. address_rate: how many
    requests a second one address may make, with tokens that hold or not, and four times as many at once. workers:
    processes. log: a file or, as nginx writes it, a syslog for all that it logs; None: two files in its directory.
    """

    directory: Path
    listen: str
    gateway: str
    primary: str
    certificate: Path | None = None
    certificate_key: Path | None = None
    hrana_bytes_max: int = 32_000_000
    batch_bytes_max: int = 4_000_000
    address_rate: int = 200
    workers: int = 1
    log: str | None = None

    @property
    def error_log(self) -> str:
        """Where it writes errors."""
        return self.log or str(self.directory / "nginx-error.log")

    @property
    def requests_log(self) -> str:
        """Where it writes requests, one JSON object a line."""
        return self.log or str(self.directory / "nginx-requests.log")


def render_nginx(settings: ProxySettings) -> str:
    """The text of nginx.conf. Raises ProxySettingsError for a value that cannot stand in one."""
    for value in _texts(settings):
        # A quote or a semicolon would end the directive that it stands in.
        if not value or not value.isprintable() or any(character in "\"'#;{}$\\" for character in value):
            raise ProxySettingsError(value)
    for address in (settings.listen, settings.gateway, settings.primary):
        if " " in address:
            raise ProxySettingsError(address)
    if (settings.certificate is None) != (settings.certificate_key is None):
        raise ProxySettingsError("a certificate without its key, or a key without its certificate")
    locations = [
        *(_primary_location(path, settings, read_timeout_s=60) for path in HRANA),
        *(_primary_location(path, settings, read_timeout_s=120) for path in REPLICATION),
        *(_primary_location(path, settings, read_timeout_s=3600) for path in STREAMS),
        *(_gateway_location(f"= {path}", settings) for path in GATEWAY),
        _gateway_location("/admin/", settings),
    ]
    return _MAIN.format(
        pid=_word(settings.directory / "nginx.pid"),
        bodies=_word(settings.directory / "temporary-bodies"),
        answers=_word(settings.directory / "temporary-answers"),
        fastcgi=_word(settings.directory / "temporary-fastcgi"),
        uwsgi=_word(settings.directory / "temporary-uwsgi"),
        scgi=_word(settings.directory / "temporary-scgi"),
        error_log=_word(settings.error_log),
        requests_log=_word(settings.requests_log),
        workers=settings.workers,
        address_rate=settings.address_rate,
        address_burst=4 * settings.address_rate,
        gateway=settings.gateway,
        primary=settings.primary,
        listen=_listen(settings),
        authorize=_AUTHORIZE,
        refusal=_REFUSAL,
        locations="\n".join(locations),
    )


def _texts(settings: ProxySettings) -> Sequence[str]:
    paths = (settings.directory, settings.certificate, settings.certificate_key)
    addresses = (settings.listen, settings.gateway, settings.primary)
    logs = (settings.error_log, settings.requests_log)
    return [*addresses, *logs, *(str(path) for path in paths if path is not None)]


def _word(path: Path | str) -> str:
    """A path as one word of nginx, which has nothing in it that quotes would not hold together."""
    return f'"{path}"' if " " in str(path) else str(path)


def _listen(settings: ProxySettings) -> str:
    if settings.certificate is None or settings.certificate_key is None:
        return f"listen {settings.listen};"
    return (
        f"listen {settings.listen} ssl;\n"
        f"        ssl_certificate {_word(settings.certificate)};\n"
        f"        ssl_certificate_key {_word(settings.certificate_key)};\n"
        "        ssl_protocols TLSv1.2 TLSv1.3;\n"
        "        ssl_session_cache shared:tls:1m;"
    )


def _primary_location(path: str, settings: ProxySettings, *, read_timeout_s: int) -> str:
    passed_on = "\n".join(
        f"            proxy_set_header {name} $http_{name.lower().replace('-', '_')};" for name in _PASSED_ON
    )
    return _PRIMARY.format(
        path=path, body_bytes=settings.hrana_bytes_max, read_timeout_s=read_timeout_s, passed_on=passed_on
    )


def _gateway_location(match: str, settings: ProxySettings) -> str:
    return _GATEWAY.format(match=match, body_bytes=settings.batch_bytes_max)


_MAIN: Final = """\
daemon off;
worker_processes {workers};
pid {pid};
error_log {error_log} error;

events {{
    worker_connections 1024;
}}

http {{
    # Whatever it says of a request, it says with the whole address, and somebody may have put a secret into the query.
    # What went wrong with a request is told by the log of requests: the status, and which server gave what answer.
    error_log {error_log} crit;

    client_body_temp_path {bodies};
    proxy_temp_path {answers};
    fastcgi_temp_path {fastcgi};
    uwsgi_temp_path {uwsgi};
    scgi_temp_path {scgi};

    log_format requests escape=json '{{"at":"$time_iso8601","request_id":"$request_id","method":"$request_method",'
        '"path":"$replica_path","status":$status,"seconds":$request_time,"bytes_in":$request_length,"bytes_out":$bytes_sent,'
        '"tenant":"$replica_tenant","refusal":"$replica_refusal","upstream":"$upstream_addr","answered":"$upstream_status"}}';
    access_log {requests_log} requests;

    # As the client wrote it, without its query.
    map $request_uri $replica_path {{
        "~^(?<before_query>[^?]*)" $before_query;
    }}

    server_tokens off;
    default_type application/json;
    client_header_timeout 10s;
    client_body_timeout 30s;
    send_timeout 60s;
    keepalive_timeout 60s;
    large_client_header_buffers 4 16k;
    reset_timedout_connection on;

    # Who has no token has no limit of its own, and costs a check of what it sends all the same.
    limit_req_zone $binary_remote_addr zone=addresses:10m rate={address_rate}r/s;
    limit_req_status 429;
    limit_req_log_level warn;

    upstream gateway {{
        server {gateway};
        keepalive 32;
    }}
    upstream primary {{
        server {primary};
        keepalive 32;
    }}

    server {{
        {listen}
        server_name _;
        merge_slashes off;
        set $replica_tenant "";
        set $replica_refusal "";
        limit_req zone=addresses burst={address_burst} nodelay;
        error_page 413 = @too_large;
        error_page 429 = @too_many;
        # No named locations: what has no path that can be read cannot go to one.
        error_page 405 = /_no_method;
        error_page 400 408 414 494 497 501 = /_not_understood;

        location = /_authorize {{
            internal;
            proxy_pass http://gateway{authorize};
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header Connection "";
            proxy_set_header Host gateway;
            proxy_set_header X-Request-Id $request_id;
            proxy_set_header X-Replica-Path $replica_path;
            proxy_connect_timeout 5s;
            proxy_read_timeout 70s;
        }}
        location @refused {{
            rewrite ^ {refusal} break;
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_pass_request_headers off;
            proxy_set_header Content-Length "";
            proxy_set_header Connection "";
            proxy_set_header Host gateway;
            proxy_set_header X-Request-Id $request_id;
            proxy_set_header X-Replica-Refusal $replica_refusal;
            proxy_set_header X-Replica-Retry-After $replica_retry_after;
            add_header X-RateLimit-Limit $replica_limit always;
            add_header X-RateLimit-Remaining $replica_remaining always;
            add_header X-RateLimit-Reset $replica_reset always;
        }}
        location = /_no_method {{
            internal;
            add_header Allow "GET, HEAD, POST, DELETE" always;
            return 405 '{{"error":{{"code":"method_not_allowed","message":"this path does not take that method","hint":"see /openapi.json"}}}}';
        }}
        location = /_not_understood {{
            internal;
            return 400 '{{"error":{{"code":"bad_request","message":"this is no request that can be understood","hint":"see /openapi.json"}}}}';
        }}
        location @too_many {{
            add_header Retry-After 1 always;
            return 429 '{{"error":{{"code":"rate_limited","message":"too many requests from this address","hint":"wait as long as Retry-After says"}}}}';
        }}
        location @too_large {{
            return 413 '{{"error":{{"code":"body_too_large","message":"the body of the request is too large","hint":"send less at once"}}}}';
        }}
        location @unavailable {{
            add_header Retry-After 1 always;
            return 503 '{{"error":{{"code":"unavailable","message":"the primary is not ready","hint":"nothing was done; try again in a moment"}}}}';
        }}
        location / {{
            return 404 '{{"error":{{"code":"not_found","message":"there is nothing at this path","hint":"see /openapi.json"}}}}';
        }}
{locations}
    }}
}}
"""  # noqa: E501 - an answer is one line

_PRIMARY: Final = """\
        location = {path} {{
            auth_request /_authorize;
            auth_request_set $replica_tenant $upstream_http_x_replica_tenant;
            auth_request_set $replica_namespace $upstream_http_x_replica_namespace;
            auth_request_set $replica_token $upstream_http_x_replica_token;
            auth_request_set $replica_refusal $upstream_http_x_replica_refusal;
            auth_request_set $replica_retry_after $upstream_http_retry_after;
            auth_request_set $replica_limit $upstream_http_x_ratelimit_limit;
            auth_request_set $replica_remaining $upstream_http_x_ratelimit_remaining;
            auth_request_set $replica_reset $upstream_http_x_ratelimit_reset;
            error_page 401 403 = @refused;
            error_page 500 502 504 = @unavailable;
            error_page 413 = @too_large;
            error_page 429 = @too_many;
            add_header X-Request-Id $request_id always;
            add_header X-RateLimit-Limit $replica_limit always;
            add_header X-RateLimit-Remaining $replica_remaining always;
            add_header X-RateLimit-Reset $replica_reset always;
            client_max_body_size {body_bytes};
            proxy_pass http://primary{path};
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_connect_timeout 5s;
            proxy_read_timeout {read_timeout_s}s;
            proxy_next_upstream off;
            proxy_pass_request_headers off;
{passed_on}
            proxy_set_header Host primary;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer $replica_token";
            proxy_set_header x-authorization "Bearer $replica_token";
            proxy_set_header x-namespace-bin $replica_namespace;
        }}"""

_GATEWAY: Final = """\
        location {match} {{
            error_page 502 504 = @unavailable;
            error_page 413 = @too_large;
            error_page 429 = @too_many;
            client_max_body_size {body_bytes};
            proxy_pass http://gateway;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_connect_timeout 5s;
            proxy_read_timeout 120s;
            proxy_next_upstream off;
            proxy_set_header Host gateway;
            proxy_set_header Connection "";
            proxy_set_header X-Request-Id $request_id;
        }}"""
