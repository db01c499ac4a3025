"""What can go wrong with the nginx before a primary.

```
SqldError
├── ProxySettingsError      sqld_proxy_settings  a setting cannot stand in a configuration of nginx
├── NginxNotFoundError      sqld_no_nginx        there is no nginx on this machine
└── NginxStartError         sqld_nginx_start     nginx ended, or did not answer, while it was starting
```
"""

from pathlib import Path

from sqld.errors import SqldError


class ProxySettingsError(SqldError):
    """A setting cannot stand in a configuration of nginx. problem: the value, or what is wrong with it."""

    code = "sqld_proxy_settings"
    hint = "use addresses as 127.0.0.1:8080, and paths without quotes, $, {}, # and ;"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"nginx cannot be set up so: {self.problem[:200]!a}"


class NginxNotFoundError(SqldError):
    """There is no nginx where PATH says, nor where systems keep it."""

    code = "sqld_no_nginx"
    hint = "install it with the packages of your system (apt install nginx), or put it on PATH"

    def __str__(self) -> str:
        return "there is no nginx on this machine"


class NginxStartError(SqldError):
    """Nginx ended, or did not answer before the deadline. reason: what it said. log_path: where it says more."""

    code = "sqld_nginx_start"
    hint = "the log named in the message tells why; a port that is taken is the usual reason"

    def __init__(self, reason: str, log_path: Path) -> None:
        super().__init__(reason, log_path)
        self.reason, self.log_path = reason, log_path

    def __str__(self) -> str:
        return f"nginx did not start: {self.reason}; its log is {self.log_path}"
