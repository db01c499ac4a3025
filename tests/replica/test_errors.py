"""Errors: what a program and a person can rely on in each."""

import pickle
import re
from collections.abc import Iterator
from typing import Final

import pytest

from replica import errors
from replica.errors import (
    AmbiguousIdError,
    AnswerTooLargeError,
    BusyError,
    ConflictError,
    DamagedBaseError,
    DamagedError,
    ForeignFileError,
    InputError,
    MovedError,
    MoveMismatchError,
    NotAllowedError,
    NotFoundError,
    NotSentError,
    OfflineError,
    OtherPrimaryError,
    PrimaryBusyError,
    PrimaryError,
    PullUnavailableError,
    QueryError,
    ReplicaError,
    SchemaMismatchError,
    SchemaTooNewError,
    StorageError,
    TokenRefusedError,
    UnknownOutcomeError,
    UnreachableError,
    UntrustedError,
    WriteRefusedError,
)
from tests.replica.notebook import Note

NOTE: Final = Note(id="n1", title="Milk", updated_at="2026-11-21T05:00:00.000000Z")
LINES: Final = "one\ntwo\r\nthree\u2028four"
EVERY: Final[list[ReplicaError]] = [
    InputError(LINES, "type a number"),
    NotFoundError("note", LINES),
    AmbiguousIdError("note", LINES, [f"n{number}" for number in range(20)]),
    ConflictError("notes", "n1", seen="2026-11-21T04:00:00.000000Z", found=NOTE.updated_at, current=NOTE),
    ConflictError("notes", "n1", seen="2026-11-21T04:00:00.000000Z", found=""),
    ConflictError("notes", LINES, seen="", found=NOTE.updated_at, current=NOTE),
    UnreachableError(LINES),
    OfflineError(LINES),
    NotSentError(LINES),
    UntrustedError(LINES),
    PrimaryBusyError(LINES),
    UnknownOutcomeError("m1", LINES),
    OtherPrimaryError("http://127.0.0.1:1", is_new=True),
    OtherPrimaryError("http://127.0.0.1:1", is_new=False),
    NotAllowedError(LINES),
    TokenRefusedError(LINES),
    BusyError(LINES),
    SchemaMismatchError(LINES, "mend it"),
    SchemaTooNewError(7, 3),
    DamagedError(LINES, "keep it"),
    DamagedBaseError(),
    ForeignFileError(LINES, "move it"),
    MovedError(LINES),
    MoveMismatchError(["items"]),
    StorageError(LINES),
    QueryError(LINES, "mend it"),
    WriteRefusedError(LINES),
    PullUnavailableError(LINES),
    PrimaryError(LINES, "look there"),
    AnswerTooLargeError(LINES),
]
# Those that are raised for many reasons bring the hint that fits.
HINT_BY_REASON: Final = {InputError, SchemaMismatchError, DamagedError, ForeignFileError, QueryError, PrimaryError}

every_error = pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)


def leaves(root: type[ReplicaError] = ReplicaError) -> Iterator[tuple[type[ReplicaError], type[ReplicaError]]]:
    """Every public error with its nearest public ancestor."""
    for child in root.__subclasses__():
        if child.__module__ != errors.__name__:
            continue
        if child.__name__.startswith("_"):
            yield from ((leaf, root if parent is child else parent) for leaf, parent in leaves(child))
        else:
            yield child, root
            yield from leaves(child)


def drawn_tree() -> dict[str, str]:
    """Child → parent, as the docstring draws them."""
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for depth, name in re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE):
        while path and path[-1][0] >= len(depth):
            path.pop()
        if path:
            parents[name] = path[-1][1]
        path.append((len(depth), name))
    return parents


def test_the_tree_in_the_docstring_is_the_real_tree() -> None:
    """What a reader sees there is what `except` does."""
    assert drawn_tree() == {leaf.__name__: parent.__name__ for leaf, parent in leaves()}


def test_every_error_is_among_the_examples() -> None:
    """A new one is held to the promises below."""
    assert {type(error) for error in EVERY} == {leaf for leaf, _ in leaves()}


@every_error
def test_an_error_survives_pickling_whole(error: ReplicaError) -> None:
    """It crosses from a worker process with its fields, its hint and its text."""
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert (str(copy), copy.hint, copy.code) == (str(error), error.hint, error.code)
    assert vars(copy) == vars(error)


@every_error
def test_an_error_says_what_happened_in_one_line(error: ReplicaError) -> None:
    """Whatever was typed, and whatever a primary answered."""
    assert str(error)
    assert len(str(error).splitlines()) == 1


@every_error
def test_an_error_says_what_to_do(error: ReplicaError) -> None:
    """In a hint of its class, or of its reason."""
    assert error.hint
    assert type(error).hint or type(error) in HINT_BY_REASON


def test_codes_tell_errors_apart() -> None:
    """Only an error that is a kind of another shares its code."""
    codes: dict[str, type[ReplicaError]] = {}

    for leaf, parent in leaves():
        assert re.fullmatch(r"[a-z_]+", leaf.code)
        assert codes.setdefault(leaf.code, leaf) in {leaf, parent}


def test_an_ambiguous_id_names_ten_candidates_and_counts_the_rest() -> None:
    """A person can read it; a program has them all."""
    error = AmbiguousIdError("note", "n", [f"n{number}" for number in range(20)])

    assert str(error).endswith("n8, n9 and 10 more")
    assert len(error.candidates) == 20


def test_an_error_that_is_handled_as_unreachable_may_be_offline() -> None:
    """A program that does not tell them apart need not."""
    with pytest.raises(UnreachableError):
        raise OfflineError("no network")
