"""Choose and check TCP ports.

Always true: a port chosen here is outside the range from which Linux and macOS take the ports of outgoing
connections. So it stays ours while a server is stopped between two starts, and a client that keeps
dialling it meanwhile cannot meet itself.
"""

import random
import socket
from typing import Final

from sqld.errors import PortTakenError

_FIRST: Final = 20_000
_END: Final = 32_000
_TRIES: Final = 200


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listened on just now.

    Between this answer and its use another program may take the port: be ready to ask again.

    Raises:
        PortTakenError: every port that was tried is taken.
    """
    port = _FIRST
    # The system's randomness, so that processes started together try different ports.
    chance = random.SystemRandom()
    for _ in range(_TRIES):
        port = chance.randrange(_FIRST, _END)
        if is_free(host, port):
            return port
    raise PortTakenError(host, port)


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: a port with nothing but old connections winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
