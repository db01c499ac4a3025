"""Search as one would write it first: every row is read, every word compared. What the index finds is held to this."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracker import Comment, Handoff, Issue, Log, Tracker

_WORD: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]|[^\W_\u3040-\u30ff\u4e00-\u9fff]+")


@dataclass(frozen=True)
class Wish:
    """What somebody looks for: words that follow each other. is_begin: the last one may go on."""

    text: str
    is_begin: bool = False
    is_wanted: bool = True


def found(tracker: Tracker, wishes: Sequence[Wish]) -> set[str]:
    """The ids of the issues that are not deleted, have all that is wanted, and nothing that is not."""
    wishes = [wish for wish in wishes if words(wish.text)]
    return {
        issue_id for issue_id, texts in _texts(tracker).items() if wishes and all(_fits(texts, one) for one in wishes)
    }


def _fits(texts: Sequence[str], wish: Wish) -> bool:
    return any(_is_in(words(text), words(wish.text), is_begin=wish.is_begin) for text in texts) == wish.is_wanted


def _is_in(text: Sequence[str], wanted: Sequence[str], *, is_begin: bool) -> bool:
    for start in range(len(text) - len(wanted) + 1):
        part = text[start : start + len(wanted)]
        if part[:-1] == wanted[:-1] and (part[-1].startswith(wanted[-1]) if is_begin else part[-1] == wanted[-1]):
            return True
    return False


def words(text: str) -> list[str]:
    """The words of a text, without accents and case."""
    plain = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return _WORD.findall(unicodedata.normalize("NFC", plain).lower())


def _texts(tracker: Tracker) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for issue in tracker.replica.select(Issue, "WHERE deleted_at IS NULL"):
        texts[issue.id] = [issue.title, issue.description, issue.acceptance, *issue.labels]
    for comment in tracker.replica.select(Comment):
        texts.get(comment.issue_id, []).append(comment.text)
    for log in tracker.replica.select(Log, "WHERE issue_id IS NOT NULL"):
        texts.get(str(log.issue_id), []).append(log.message)
    for handoff in tracker.replica.select(Handoff):
        lines = (*handoff.done, *handoff.remaining, *handoff.decisions, *handoff.uncertain)
        texts.get(handoff.issue_id, []).extend(lines)
    return texts
