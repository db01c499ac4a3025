"""A server that answers every connection with the same bytes, whatever they are, and then hangs up or drips on."""

import socket

from tests.faults.listening import Listening, read_body


class GarbageServer(Listening):
    """Listens on a free port of this machine while the `with` block runs."""

    def __init__(self, answer: bytes, *, drip: bytes = b"") -> None:
        """`answer` is sent at once; `drip`, if given, again and again until the client is gone."""
        super().__init__()
        self._answer, self._drip = answer, drip

    def serve(self, connection: socket.socket) -> None:
        """Answer one request."""
        read_body(connection)
        connection.sendall(self._answer)
        while self._drip and not self.is_over.wait(0.05):
            connection.sendall(self._drip)
