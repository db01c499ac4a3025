r"""A filter as tokens.

Always true:
- every token knows where in the text it begins;
- a text that cannot be stored, and so can match nothing, is refused here.

A backslash before an operator is dropped: shells that expand `!` leave one there.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tracker.tdq.refusal import Refusal, shown

LENGTH_MAX: Final = 20_000


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    STRING = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    COLON = auto()
    MINUS = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """text: a string without its quotes, everything else as it is written. start, end: where it stands."""

    kind: Kind
    text: str
    start: int
    end: int


# A moment has colons in it; any other word ends at one, so that `status:open` is three tokens.
_MOMENT: Final = r"\d{4}-\d\d-\d\d[Tt][\d:.]+(?:[Zz]|[+-]\d\d:?\d\d)?"
_CHARACTER: Final = r"[^\s\\\"'(),:=!~<>&|]|&(?!&)|\|(?!\|)|\\(?![\s\"'(),:=!~<>&|]|$)"
_TOKEN: Final = re.compile(
    rf"""
    (?P<space>\s+|\\(?=[(),:=!~<>&|-]))
    |(?P<STRING>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<OPERATOR>!=|!~|<=|>=|=|~|<|>)
    |(?P<AND>&&)|(?P<OR>\|\|)|(?P<NOT>!)
    |(?P<OPEN>\()|(?P<CLOSE>\))|(?P<COMMA>,)|(?P<COLON>:)
    |(?P<WORD>{_MOMENT}|(?!-)(?:{_CHARACTER})(?:{_CHARACTER})*)
    |(?P<MINUS>-)
    """,
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS: Final = {"and": Kind.AND, "or": Kind.OR, "not": Kind.NOT}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_WORD: Final = re.compile(rf"(?:{_MOMENT}|(?!-)(?:{_CHARACTER})+)\Z")


def tokens_of(text: str) -> list[Token]:
    """The tokens of a filter; the last is of kind END. Raises Refusal."""
    _check_storable(text)
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _no_token(text, position)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        position = match.end()
    return [*tokens, Token(Kind.END, "", len(text), len(text))]


def _token(match: re.Match[str]) -> Token:
    kind, text = Kind[str(match.lastgroup)], match.group()
    if kind is Kind.STRING:
        text = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[0]), text[1:-1])
    elif kind is Kind.WORD:
        kind = _KEYWORDS.get(text.lower(), Kind.WORD)
    return Token(kind, text, match.start(), match.end())


def _no_token(text: str, position: int) -> Refusal:
    if text[position] in "\"'":
        return Refusal("this quote is never closed", position, 'a quote within a text is written \\"')
    return Refusal(f"{shown(text[position])} cannot stand here", position, "put text with such characters in quotes")


def _check_storable(text: str) -> None:
    if len(text) > LENGTH_MAX:
        reason = f"the filter has {len(text)} characters, {LENGTH_MAX} are allowed"
        raise Refusal(reason, LENGTH_MAX, "narrow the list by fewer words")
    for position, char in enumerate(text):
        if char == "\0" or "\ud800" <= char <= "\udfff":
            raise Refusal("this is not valid text", position, "send it as UTF-8")


def quoted(text: str) -> str:
    """A text in quotes, which reads back as it was."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def is_word(text: str) -> bool:
    """Whether a text is one word without quotes, and no keyword."""
    return text.lower() not in _KEYWORDS and _WORD.match(text) is not None
