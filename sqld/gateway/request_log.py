"""One line of log and a few numbers for each request that the gateway answers.

Always true: what a client sends in headers, query or body is in neither; a request is known by an id and by its route.
"""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGGER: Final = "sqld.gateway.requests"
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Each record as one JSON object a line, with what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. An error is told by its kind and its own words, without a trace of what the program held."""
        line: dict[str, object] = {"at": round(record.created, 3), "level": record.levelname.lower()}
        line["event"] = record.getMessage()
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info is not None and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, default=str)


class Numbers:
    """What Prometheus may ask for."""

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        self.requests = Counter(
            "td_gateway_requests", "Requests answered", ["route", "method", "status"], registry=self.collectors
        )
        self.seconds = Histogram(
            "td_gateway_request_seconds", "Time until the answer", ["route"], registry=self.collectors
        )
        self.refusals = Counter("td_gateway_refusals", "Requests refused", ["code"], registry=self.collectors)
        self.rows = Counter("td_gateway_batch_rows", "Rows of batches", ["outcome"], registry=self.collectors)


class RequestLog:
    """An ASGI middleware around the application.

    The id of a request is the one that nginx gave it, else a new one; `scope["state"]` takes what else is to be told.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        numbers: Numbers,
        routes: Mapping[object, str],
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """routes: the path of each endpoint, as it is to be told. timer: seconds that never go back."""
        self._app, self._numbers, self._routes, self._timer = app, numbers, routes, timer
        self._log = logging.getLogger(LOGGER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and write it down."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status, start = 500, self._timer()

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._write_down(scope, status, self._timer() - start)

    def _write_down(self, scope: Scope, status: int, seconds: float) -> None:
        state, route = scope["state"], self._routes.get(scope.get("endpoint"), "")
        # What a client makes up is no name of a route, nor a method.
        method = scope["method"] if route else ""
        self._numbers.requests.labels(route, method, str(status)).inc()
        self._numbers.seconds.labels(route).observe(seconds)
        refusal = state.get("refusal", "")
        if refusal:
            self._numbers.refusals.labels(refusal).inc()
        self._log.info(
            "request",
            extra={
                "request_id": state["request_id"],
                "route": route,
                "method": method,
                "status": status,
                "seconds": round(seconds, 4),
                **{name: state[name] for name in ("tenant", "caller", "refusal", "asked_for") if state.get(name)},
            },
        )
