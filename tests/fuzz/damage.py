"""Damage: what a disk, a copy in the middle of a write, or another program makes of the bytes of a file."""

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

PAGE: Final = 4096
_TEXTS: Final = [
    b"\0" * 8,
    b"\xff" * 8,
    b"SQLite format 3\0",
    b'{"',
    b"\xf0\x28\x8c",
    b"queued",
    b"insert",
    b"\x0d\x0a",
]


@dataclass(frozen=True, slots=True)
class Damage:
    """kind: `flip`, `near` (the start of a page), `write`, `page`, `cut`, `grow`, `empty`. places and number: where."""

    kind: str
    places: tuple[tuple[int, int], ...] = ()
    number: int = 0
    text: bytes = b""

    def of(self, sound: bytes) -> bytes:
        """The bytes after it."""
        data = bytearray(sound)
        size = max(len(data), 1)
        if self.kind == "cut":
            return bytes(data[: self.number % size])
        if self.kind == "grow":
            return bytes(data) + self.text * 1000
        if self.kind == "empty" or not data:
            return b""
        if self.kind == "page":
            start = self.number % size // PAGE * PAGE
            data[start : start + PAGE] = (self.text * PAGE)[: len(data[start : start + PAGE])]
        if self.kind == "write":
            start = self.number % size
            data[start : start + len(self.text)] = self.text
        for place, byte in self.places:
            at = place % size if self.kind == "flip" else (place % size // PAGE * PAGE + place % 120) % size
            data[at] ^= byte
        return bytes(data)


_places = st.lists(st.tuples(st.integers(0, 2**20), st.integers(1, 255)), min_size=1, max_size=12).map(tuple)
_texts = st.sampled_from(_TEXTS) | st.binary(min_size=1, max_size=20)
damages = st.one_of(
    st.builds(Damage, st.just("flip"), _places),
    st.builds(Damage, st.just("near"), _places),
    st.builds(Damage, st.just("write"), number=st.integers(0, 2**20), text=_texts),
    st.builds(Damage, st.just("page"), number=st.integers(0, 2**20), text=_texts),
    st.builds(Damage, st.just("cut"), number=st.integers(0, 2**20)),
    st.builds(Damage, st.just("grow"), text=_texts),
    st.just(Damage("empty")),
)
