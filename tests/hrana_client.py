"""A bare Hrana client for tests that are about the primary or the network, not about our own client.

Always true: it adds no retry and no pool, so that a test sees what the network did.
"""

import http.client
import json
from types import TracebackType
from typing import Self


class HranaClient:
    """One HTTP/1.1 keep-alive connection to a primary on this machine."""

    def __init__(self, port: int, *, timeout_s: float = 10.0) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next statement opens a new one."""
        self._connection.close()

    def run(self, sql: str) -> list[list[str | None]]:
        """Run one statement by itself; the rows of its result as text."""
        requests = [{"type": "execute", "stmt": {"sql": sql}}, {"type": "close"}]
        self._connection.request("POST", "/v3/pipeline", json.dumps({"baton": None, "requests": requests}))
        answer = json.loads(self._connection.getresponse().read())
        outcome = answer["results"][0]
        assert outcome["type"] == "ok", outcome
        return [[cell.get("value") for cell in row] for row in outcome["response"]["result"]["rows"]]
