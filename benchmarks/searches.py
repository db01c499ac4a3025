"""Searching: the first one, which makes the index, and those after it, among 1,000 and 100,000 issues."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.ground import Result, median_s, show, taken_s
from tracker import Tracker, open_tracker, search

FEW: Final = 1_000
MANY: Final = 100_000
_BUDGET_S: Final = 0.05
_WORDS: Final = 30_000
_COMMENTS, _LOGS = 2, 3


def few(directory: Path, _url: str) -> Iterator[Result]:
    """Among 1,000 issues, in mode local; each has some 50 words, two comments and three logs of ten words each."""
    yield from _among(directory, FEW)


def many(directory: Path, _url: str) -> Iterator[Result]:
    """Among 100,000 issues: the same."""
    yield from _among(directory, MANY)


def _among(directory: Path, count: int) -> Iterator[Result]:
    words = _fill(directory / "search", count)
    with open_tracker(directory / "search", session="ses_bench000_000001", machine="bench000") as tracker:
        yield from _searches(tracker, count, words)


def _searches(tracker: Tracker, count: int, words: list[str]) -> Iterator[Result]:
    first = taken_s(lambda: search.find(tracker, words[500]))
    yield Result(f"first search among {count:,} issues", show(first), "–", "–", "a few seconds", None)
    looked_for = {
        "two words": f"{words[100]} {words[200]}",
        "the beginning of a word": words[500][:3],
        "a word that is everywhere": words[0],
    }
    for name, typed in looked_for.items():
        taken = median_s(lambda typed=typed: search.find(tracker, typed), 15)  # type: ignore[misc] # mypy knows no default here
        yield _judged(f"search among {count:,} issues, {name}", taken)
    issue = search.find(tracker, words[100])[0].issue
    fresh = []
    for number in range(15):
        tracker.comment(issue.id, f"news {number}")
        fresh.append(taken_s(lambda: search.find(tracker, "news")))
    yield _judged(f"search among {count:,} issues, just after a change", sorted(fresh)[7])


def _judged(path: str, taken: float) -> Result:
    return Result(path, show(taken), "–", "–", f"≤ {_BUDGET_S * 1000:.0f} ms", taken <= _BUDGET_S)


def _fill(directory: Path, count: int) -> list[str]:
    """Put issues straight into a file, and return the words they are made of, the most frequent first."""
    with open_tracker(directory, session="ses_bench000_000001", machine="bench000") as tracker:
        tracker.create("the first")
    dice = random.Random(1)
    words = ["".join(dice.choices("etaoinshrdlucmfwypvbgkjqxz", k=dice.randint(3, 11))) for _ in range(_WORDS)]
    weights = list(itertools.accumulate(1 / (place + 10) for place in range(_WORDS)))
    texts = [" ".join(dice.choices(words, cum_weights=weights, k=10)) for _ in range(5_000)]

    def stamp(number: int) -> str:
        return f"2026-{1 + number % 12:02}-{1 + number % 28:02}T09:00:00.{number % 1_000_000:06}Z"

    with sqlite3.connect(directory / "data.db") as file:
        file.executemany(
            """INSERT INTO issues (id, updated_at, title, description, priority, status, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)""",
            (
                (
                    f"td-{number:08}", stamp(number), dice.choice(texts)[:60], " ".join(dice.choices(texts, k=4)),
                    f"P{number % 5}", dice.choice(("open", "closed", "closed")), stamp(number),
                )
                for number in range(count)
            ),
        )  # fmt: skip
        for table, column, each in (("comments", "text", _COMMENTS), ("logs", "message", _LOGS)):
            file.executemany(
                f"INSERT INTO {table} (id, updated_at, issue_id, {column}, created_at) VALUES (?, ?, ?, ?, ?)",
                (
                    (f"{table[0]}{number:011}", stamp(number), f"td-{number // each:08}", dice.choice(texts), "")
                    for number in range(count * each)
                ),
            )
    file.close()
    return words
