"""What the fields of an issue may hold.

Always true: text that passed a check here can be stored, printed on a terminal and read back unchanged.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from tracker.errors import InvalidFieldError

TITLE_LENGTH_MAX: Final = 200
LABEL_LENGTH_MAX: Final = 50
PATH_LENGTH_MAX: Final = 1_000
TEXT_LENGTH_MAX: Final = 100_000

# C0, DEL, C1, and the line and paragraph separators: none of them belongs in one line.
_NOT_IN_A_LINE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# The same without tab and line feed.
_NOT_IN_A_TEXT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def check_title(typed: str) -> str:
    """A title without the space around it: 1 to 200 characters, none of them control characters.

    Raises:
        InvalidFieldError: it is not such a title.
    """
    title = _check_encodable("title", typed).strip()
    if not title:
        raise InvalidFieldError("title", "it is empty", "say in a few words what is to be done")
    if len(title) > TITLE_LENGTH_MAX:
        reason = f"it has {len(title)} characters, {TITLE_LENGTH_MAX} are allowed"
        raise InvalidFieldError("title", reason, "shorten it; the details go into --description")
    if _NOT_IN_A_LINE.search(title):
        raise InvalidFieldError("title", "it holds a control character", "a title is one line of plain text")
    return title


def check_line(field: str, typed: str, length_max: int) -> str:
    """One line that says something, without the space around it. Raises InvalidFieldError."""
    line = _check_encodable(field, typed).strip()
    if not line:
        raise InvalidFieldError(field, "it is empty", "say something in it")
    if len(line) > length_max:
        raise InvalidFieldError(field, f"it has {len(line)} characters, {length_max} are allowed", "shorten it")
    if _NOT_IN_A_LINE.search(line):
        raise InvalidFieldError(field, "it holds a control character", "use one line of plain text")
    return line


def check_text(field: str, typed: str) -> str:
    """A text of several lines, with line feeds only at their ends: up to 100,000 characters, no control characters.

    Raises:
        InvalidFieldError: it is not such a text.
    """
    text = _check_encodable(field, typed).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > TEXT_LENGTH_MAX:
        reason = f"it has {len(text)} characters, {TEXT_LENGTH_MAX} are allowed"
        raise InvalidFieldError(field, reason, "keep large texts in a file and name it here")
    if _NOT_IN_A_TEXT.search(text):
        raise InvalidFieldError(field, "it holds a control character", "use plain text; tabs and new lines are fine")
    return text


def check_path(path: str) -> str:
    """A path that can be stored and shown: up to 1,000 characters, no control characters. Raises InvalidFieldError."""
    _check_encodable("file", path)
    if len(path) > PATH_LENGTH_MAX:
        reason = f"a path has {len(path)} characters, {PATH_LENGTH_MAX} are allowed"
        raise InvalidFieldError("file", reason, "name a file that is not so deep")
    if _NOT_IN_A_LINE.search(path):
        raise InvalidFieldError("file", f"{path!a} holds a control character", "rename the file, or leave it out")
    return path


def plain_line(text: str) -> str:
    """The nearest text to `text` that `check_title` lets through, but for its length."""
    return _NOT_IN_A_LINE.sub(" ", encodable(text)).strip()


def plain_text(text: str) -> str:
    """The nearest text to `text` that `check_text` lets through, but for its length."""
    return _NOT_IN_A_TEXT.sub("", encodable(text).replace("\r\n", "\n").replace("\r", "\n"))


def encodable(text: str) -> str:
    """`text`, with a question mark for each half of a surrogate pair."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def check_comment(typed: str) -> str:
    """A text that says something. Raises InvalidFieldError."""
    return _check_said("text", typed, "say something in the comment")


def check_message(typed: str) -> str:
    """A message that says something, without the space around it. Raises InvalidFieldError."""
    return _check_said("message", typed, "say something in it").strip()


def check_lines(field: str, typed: Iterable[str]) -> tuple[str, ...]:
    """Texts, those that are empty left out. Raises InvalidFieldError."""
    return tuple(text for one in typed if (text := check_text(field, one).strip()))


def _check_said(field: str, typed: str, hint: str) -> str:
    text = check_text(field, typed)
    if not text.strip():
        raise InvalidFieldError(field, "it is empty", hint)
    return text


def parse_labels(typed: Iterable[str]) -> frozenset[str]:
    """Labels, each given alone or several with commas between them. Raises InvalidFieldError."""
    return frozenset(check_label(label) for text in typed for label in text.split(","))


def check_label(typed: str) -> str:
    """A label: 1 to 50 characters, no space, comma or control character, and no + or - in front.

    Raises:
        InvalidFieldError: it is not such a label.
    """
    label = _check_encodable("label", typed).strip()
    if not label:
        raise InvalidFieldError("label", "it is empty", "a label is a short word, as backend")
    if len(label) > LABEL_LENGTH_MAX:
        reason = f"it has {len(label)} characters, {LABEL_LENGTH_MAX} are allowed"
        raise InvalidFieldError("label", reason, "a label is a short word, as backend")
    if _NOT_IN_A_LINE.search(label) or re.search(r"[\s,]", label) or label[0] in "+-":
        hint = "a label has no space, comma or control character in it, and no + or - in front"
        raise InvalidFieldError("label", f"{label!a} is not a label", hint)
    return label


def parse_label_changes(typed: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Labels to add (`+x`, or `x`) and to remove (`-x`). Raises InvalidFieldError."""
    words = [word for text in typed for word in text.split(",")]
    removed = frozenset(check_label(word.strip()[1:]) for word in words if word.strip().startswith("-"))
    added = frozenset(check_label(word.strip().removeprefix("+")) for word in words if not word.strip().startswith("-"))
    both = sorted(added & removed)
    if both:
        raise InvalidFieldError("label", f"{both[0]} is both added and removed", "give it once, as +x or -x")
    return added, removed


def parse_moment(field: str, typed: str) -> datetime:
    """A moment as td prints it: `2026-11-21T05:07:12.123456Z`. Raises InvalidFieldError."""
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        hint = "give it as td prints it, as 2026-11-21T05:07:12.123456Z"
        raise InvalidFieldError(field, f"{typed[:40]!a} is not a moment with its time zone", hint)
    return moment.astimezone(UTC)


def moment_text(moment: datetime) -> str:
    """A moment as it is stored, printed, and compared as text."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _check_encodable(field: str, typed: str) -> str:
    try:
        typed.encode()
    except UnicodeEncodeError:
        hint = "send it as UTF-8"
        raise InvalidFieldError(field, "it is not valid text", hint) from None
    return typed
