"""Find a secret that somebody wrote into a file that is no place for one.

Always true: what is told of it is where it stands, never any of it.
"""

import re
from collections.abc import Iterator
from typing import Final

_NAME: Final = re.compile(
    r"token|secret|passw|passphrase|pwd|jwt|api_?-?key|private_?-?key|vault_?-?key|bearer", re.IGNORECASE
)
# RFC 7515 3.1: three parts, of which the first is an object; and how our own API keys and those of others begin.
_VALUE: Final = re.compile(
    r"eyJ[\w-]{5,}\.[\w-]*\.[\w-]*|\b(?:td_live|sk_live|sk_test)_\w{8,}|-----BEGIN [A-Z ]*PRIVATE KEY"
)
_SHOWN: Final = re.compile(r"[A-Za-z_-]{1,40}")


def find_secret(document: object) -> str | None:
    """Under which setting a secret stands in a document of JSON, or None."""
    return next(_found(document, "it"), None)


def looks_secret(text: str) -> bool:
    """Whether a text looks like a token, an API key or a private key."""
    return _VALUE.search(text) is not None


def without_secrets(text: str) -> str:
    """The text with … in the place of what looks like a secret."""
    return _VALUE.sub("…", text)


def _found(value: object, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            told = key if _SHOWN.fullmatch(key) else "a setting"
            if looks_secret(key) or (inner and isinstance(inner, str | int) and _NAME.search(key)):
                yield told
            yield from _found(inner, told)
    elif isinstance(value, list):
        for inner in value:
            yield from _found(inner, name)
    elif isinstance(value, str) and looks_secret(value):
        yield name
