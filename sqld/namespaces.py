"""How a namespace is named to sqld in a request."""

import base64
from typing import Final

HEADER: Final = "x-namespace-bin"


def header_of(namespace: str) -> str:
    """The value of the header that names it: base64 without padding, as gRPC writes metadata of bytes."""
    return base64.b64encode(namespace.encode()).decode().rstrip("=")
