"""Ask an sqld whether it is up.

Always true: asking takes no longer than the timeout, and never raises for a server that is down or strange.
"""

import http.client


def is_healthy(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Whether `GET /health` is answered with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
