"""Lies: what a primary, or whoever sits at its address, may answer instead of the truth."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.fuzz.documents import Edit, Json, edited, edits, jsons
from tests.fuzz.lying_server import Lie, honest, reply

DEPTH: Final = 100_000
LARGE: Final = 10_000_000
_BODIES: Final = [
    b"", b"\0", b"\xff\xfe", b"<html>", b'{"results": [', b"null", b"\xef\xbb\xbf{}", b'"\\ud800"', b"{}{}",
]  # fmt: skip
# By name, so that an input that fails is still shown in a line.
_LARGE_BODIES: Final = {
    "deep list": lambda: b"[" * DEPTH,
    "deep object": lambda: b'{"results":' * DEPTH,
    "deep and whole": lambda: b"[" * DEPTH + b"]" * DEPTH,
    "number": lambda: b"1" * 5000,
    "text": lambda: b'"' + b"x" * LARGE + b'"',
    "list": lambda: b"[" + b"0," * (LARGE // 20) + b"0]",
}
_RAW: Final = [
    b"", b"\0" * 100, b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", b"HTTP/1.1 999 \xff\r\n\r\n", b"SSH-2.0-x\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40 + b"\r\n", b"HTTP/1.1 301 X\r\nLocation: http://\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told in place of one true answer: the truth with changes, in a frame.

    kind: `changed` (as JSON), `cut` (after `number` bytes), `status` (an HTTP status `number`), `body` or `raw` bytes,
    `gzip` (said, and true or not), `large` (the one named by `number`).
    """

    kind: str
    changes: list[Edit] = field(default_factory=list)
    number: int = 0
    data: bytes = b""

    def of(self, true: bytes) -> bytes:
        """All bytes of the answer."""
        if self.kind == "raw":
            return self.data
        body = self._body(true)
        if self.kind == "cut" and self.number % 2:
            return reply(self._changed(true))[: self.number]
        headers = "Content-Encoding: gzip\r\n" if self.kind == "gzip" else ""
        return reply(body, status=self.number if self.kind == "status" else 200, headers=headers)

    def _body(self, true: bytes) -> bytes:
        body = self._changed(true)
        if self.kind == "body":
            body = self.data
        elif self.kind == "large":
            body = list(_LARGE_BODIES.values())[self.number]()
        elif self.kind == "cut":
            body = body[: self.number]
        elif self.kind == "gzip" and self.number:
            body = gzip.compress(body)
        return body

    def _changed(self, true: bytes) -> bytes:
        if not self.changes:
            return true
        document: Json = json.loads(true) if true else {}
        return _as_bytes(edited(document, self.changes))


def _as_bytes(document: Json) -> bytes:
    return json.dumps(document).encode()


_some = st.lists(edits, max_size=2)
_changed = st.builds(Telling, st.just("changed"), st.lists(edits, min_size=1, max_size=3))
tellings: SearchStrategy[Telling] = st.one_of(
    _changed,
    _changed,
    _changed,
    st.builds(Telling, st.just("body"), data=jsons.map(_as_bytes)),
    st.builds(Telling, st.just("body"), data=st.sampled_from(_BODIES) | st.binary(max_size=30)),
    st.builds(Telling, st.just("raw"), data=st.sampled_from(_RAW) | st.binary(max_size=60)),
    st.builds(Telling, st.just("cut"), _some, st.integers(0, 400)),
    st.builds(Telling, st.just("gzip"), _some, st.integers(0, 1)),
    st.builds(Telling, st.just("large"), number=st.integers(0, len(_LARGE_BODIES) - 1)),
    st.builds(
        Telling,
        st.just("status"),
        _some,
        st.sampled_from(
            [100, 102, 199, 201, 204, 301, 304, 400, 401, 403, 404, 408, 413, 425, 429, 500, 502, 599, 999]
        ),
    ),
)


def lie_at(tellings_by_request: dict[int, Telling]) -> Lie:
    """A lie that tells some of the answers, by their number, and the truth in all others."""
    asked = iter(range(1_000_000))

    def lie(request: bytes, true: bytes) -> bytes:
        telling = tellings_by_request.get(next(asked))
        return honest(request, true) if telling is None else telling.of(true)

    return lie
