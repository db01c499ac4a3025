"""Left out where there is no nginx."""

from sqld.nginx import find_nginx
from sqld.proxy_errors import NginxNotFoundError

try:
    find_nginx()
except NginxNotFoundError:
    # `make test` installs it where it may, and says so where it may not.
    collect_ignore_glob = ["test_*.py"]
