"""Records out of the pages of an SQLite file, for a file that SQLite itself refuses to open. Pure.

Source: SQLite, "Database File Format". Always true:
- a page, cell or record that makes no sense is passed over, never an error;
- of a page that stands in the log too, the last version of a whole transaction counts;
- what was deleted is not read, as far as the file still says which of its pages are free.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from replica.mutation import StoredValue

_PAGE_SIZE = 4096  # what SQLite makes unless it is told otherwise
_FILE_HEADER, _LOG_HEADER, _FRAME_HEADER = 100, 32, 24
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR = 0x0D, 0x0A, 0x02
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_PAYLOAD_MAX = 100_000_000


@dataclass(frozen=True, slots=True)
class Record:
    """One record: of a table by its rowid, of an index or a table without rowid with None."""

    rowid: int | None
    values: tuple[StoredValue, ...]


def records(database: bytes, log: bytes = b"") -> Iterator[Record]:
    """All records that can be read in a database file and its write-ahead log, in the order of their pages."""
    size = _page_size(database)
    pages = {number + 1: database[at : at + size] for number, at in enumerate(range(0, len(database), size))}
    pages.update(_logged(log, size))
    free = _free_pages(pages)
    for number, page in sorted(pages.items()):
        if len(page) == size and number not in free:
            yield from _page_records(number, page, pages)


def _page_size(database: bytes) -> int:
    size = int.from_bytes(database[16:18], "big")
    size = 65536 if size == 1 else size
    is_sound = database[:16] == b"SQLite format 3\0" and size >= 512 and size & (size - 1) == 0
    return size if is_sound else _PAGE_SIZE


def _free_pages(pages: dict[int, bytes]) -> set[int]:
    """The pages that the header says are free; none, if the header or the list is damaged."""
    header = pages.get(1, b"")
    if header[:16] != b"SQLite format 3\0":
        return set()
    free: set[int] = set()
    trunk = int.from_bytes(header[32:36], "big")
    while trunk and trunk not in free:
        page = pages.get(trunk, b"")
        count = int.from_bytes(page[4:8], "big")
        if not page or count > len(page) // 4 - 2:
            return set()
        free.add(trunk)
        free.update(struct.unpack_from(f">{count}I", page, 8))
        trunk = int.from_bytes(page[:4], "big")
    return free


def _logged(log: bytes, size: int) -> dict[int, bytes]:
    """The pages of all whole transactions in a write-ahead log, each in its last version."""
    if len(log) < _LOG_HEADER or int.from_bytes(log[8:12], "big") != size:
        return {}
    order = ">" if log[3] & 1 else "<"
    salts, sums = log[16:24], _checksum(log[:24], (0, 0), order)
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at in range(_LOG_HEADER, len(log) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        head, page = log[at : at + _FRAME_HEADER], log[at + _FRAME_HEADER : at + _FRAME_HEADER + size]
        sums = _checksum(page, _checksum(head[:8], sums, order), order)
        if head[8:16] != salts or struct.unpack(">II", head[16:24]) != sums:
            break
        waiting[int.from_bytes(head[:4], "big")] = page
        if int.from_bytes(head[4:8], "big"):
            committed.update(waiting)
            waiting.clear()
    return committed


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = start
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


def _page_records(number: int, page: bytes, pages: dict[int, bytes]) -> Iterator[Record]:
    start = _FILE_HEADER if number == 1 else 0
    kind = page[start]
    if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
        return
    pointers = start + (12 if kind == _INDEX_INTERIOR else 8)
    cells = int.from_bytes(page[start + 3 : start + 5], "big")
    for at in range(pointers, min(pointers + 2 * cells, len(page) - 1), 2):
        try:
            yield _cell(kind, page, int.from_bytes(page[at : at + 2], "big"), pages)
        except (IndexError, ValueError, struct.error):
            continue


def _cell(kind: int, page: bytes, at: int, pages: dict[int, bytes]) -> Record:
    at += 4 if kind == _INDEX_INTERIOR else 0
    length, at = _varint(page, at)
    rowid = None
    if kind == _TABLE_LEAF:
        rowid, at = _varint(page, at)
        rowid -= (rowid >> 63) << 64
    return Record(rowid, _values(_payload(page, at, length, pages, is_table=kind == _TABLE_LEAF)))


def _payload(page: bytes, at: int, length: int, pages: dict[int, bytes], *, is_table: bool) -> bytes:
    size = len(page)
    largest = size - 35 if is_table else (size - 12) * 64 // 255 - 23
    smallest = (size - 12) * 32 // 255 - 23
    if length > _PAYLOAD_MAX:
        raise ValueError("too long")
    here = length
    if length > largest:
        spilled = smallest + (length - smallest) % (size - 4)
        here = spilled if spilled <= largest else smallest
    pieces, rest = [page[at : at + here]], length - here
    following = int.from_bytes(page[at + here : at + here + 4], "big")
    while rest > 0:
        overflow = pages.get(following, b"")
        if len(overflow) != size:
            raise ValueError("the rest is gone")
        pieces.append(overflow[4 : 4 + min(rest, size - 4)])
        rest -= size - 4
        following = int.from_bytes(overflow[:4], "big")
    payload = b"".join(pieces)
    if len(payload) != length:
        raise ValueError("cut short")
    return payload


def _values(payload: bytes) -> tuple[StoredValue, ...]:
    end, at = _varint(payload, 0)
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != end or end > len(payload):
        raise ValueError("no header of a record")
    values = []
    for kind in kinds:
        value, at = _value(kind, payload, at)
        values.append(value)
    return tuple(values)


def _value(kind: int, payload: bytes, at: int) -> tuple[StoredValue, int]:
    if kind in (0, 8, 9):
        return (None, 0, 1)[kind % 7], at
    if kind == 7:
        return struct.unpack(">d", payload[at : at + 8])[0], at + 8
    if kind in (10, 11):
        raise ValueError("a reserved kind")
    size = _INTEGER_SIZES.get(kind, (kind - 12) // 2)
    piece = payload[at : at + size]
    if len(piece) != size:
        raise ValueError("cut short")
    if kind in _INTEGER_SIZES:
        return int.from_bytes(piece, "big", signed=True), at + size
    return piece if kind % 2 == 0 else piece.decode(), at + size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for position in range(9):
        byte = data[at + position]
        if position == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + position + 1
    raise AssertionError
