"""What a person types to search, and the FTS5 expression that it stands for. Pure.

    auth login      issues with both, each at the beginning of a word: auth finds authentication
    "log in"        these words as they stand, one after the other
    -mobile         not with this word, nor one that begins so
    a*              a word that begins with this; only needed for a single letter, and after quotes

Always true:
- nothing that can be typed is a syntax error, and nothing is an operator by accident: AND, C++ and foo-bar are words;
- what holds no letter and no digit says nothing about what is wanted.
"""

import re
from dataclasses import dataclass
from typing import Final

PART: Final = " \ue000 "
"""Stands between texts that are indexed as one, as a word that nobody types, so that no phrase reaches over it."""
MARK_START: Final = "\ue001"
MARK_END: Final = "\ue002"
JOINT: Final = "\u200b"
"""Stands around each character of a script that puts no spaces between words: each is a word of its own."""

_OURS: Final = str.maketrans(dict.fromkeys((PART.strip(), MARK_START, MARK_END, "\0"), " "))
# Kana, and the ideographs of Chinese and Japanese. Korean has spaces.
_UNSPACED: Final = re.compile("([\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f])")
_TYPED: Final = re.compile(r'(?P<minus>-?)"(?P<quoted>[^"]*)"(?P<star>\*?)|(?P<word>\S+)')
_ID: Final = re.compile(r"(?:td-)[0-9a-z]{1,8}|[0-9a-z]{4,8}")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that an issue must have, or must not. is_begin: its last word may go on."""

    text: str
    is_begin: bool
    is_wanted: bool = True

    def expression(self) -> str:
        """It as FTS5 has it. What is matched as it stands counts twice, so that auth comes before authentication."""
        quoted = '"{}"'.format(spread(self.text).replace('"', '""'))
        return f"({quoted} OR {quoted}*)" if self.is_begin else quoted


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for. id_start: how the id begins that may be meant; "" for none."""

    terms: tuple[Term, ...]
    id_start: str = ""

    @property
    def wanted(self) -> tuple[Term, ...]:
        """What an issue must have, each of it."""
        return tuple(term for term in self.terms if term.is_wanted)

    @property
    def unwanted(self) -> tuple[Term, ...]:
        """What an issue must not have, any of it."""
        return tuple(term for term in self.terms if not term.is_wanted)

    def expression(self) -> str:
        """The FTS5 expression for all that is wanted and nothing that is not; needs something that is wanted."""
        wanted = " AND ".join(term.expression() for term in self.wanted)
        return f"({wanted}) NOT ({self.unwanted_expression()})" if self.unwanted else wanted

    def unwanted_expression(self) -> str:
        """The FTS5 expression for anything that is not wanted."""
        return " OR ".join(term.expression() for term in self.unwanted)


def parse_query(typed: str) -> Query:
    """What was typed, whatever it is."""
    found = [_term(match) for match in _TYPED.finditer(cleaned(typed))]
    terms = tuple(term for term in found if any(map(str.isalnum, term.text)))
    return Query(terms, _id_start(typed))


def _term(match: re.Match[str]) -> Term:
    word = match["word"]
    if word is None:
        return Term(match["quoted"], is_begin=bool(match["star"]), is_wanted=not match["minus"])
    # Two dashes are how options begin, which people look for.
    is_unwanted = word[0] == "-" and word[1:2] not in ("", "-")
    text = word[1:] if is_unwanted else word
    # A word that something follows is whole: C++ is not the beginning of another.
    is_begin = text.endswith("*") or (len(text) > 1 and text[-1].isalnum())
    return Term(text, is_begin=is_begin, is_wanted=not is_unwanted)


def _id_start(typed: str) -> str:
    word = typed.strip().lower()
    return f"td-{word.removeprefix('td-')}" if _ID.fullmatch(word) else ""


def cleaned(text: str) -> str:
    """A text without what has a meaning of ours, or none to SQLite."""
    return text.translate(_OURS).encode("utf-8", "replace").decode()


def spread(text: str) -> str:
    """A text in which every character that is a word of its own stands apart."""
    return text if text.isascii() else _UNSPACED.sub(f"{JOINT}\\1{JOINT}", text)
