"""Which paths are let through at all: decoded to the end, none may climb or hide.

Called by `gate` for a request's path and for every parameter that names an artifact. Pure.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

MOST_DECODINGS = 5
_ABSOLUTE = re.compile(r"[/~]|[A-Za-z][A-Za-z0-9+.-]*:/")


def is_plain(text: str) -> bool:
    """Tell whether a path stays below its start, however often it is decoded.

    Refused at every depth of decoding: a segment `..` or `.`, a backslash, control characters
    and NUL, text that is not UTF-8, a doubled slash, and what is still encoded after five.
    """
    for _ in range(MOST_DECODINGS):
        if not _one_level(text):
            return False
        try:
            decoded = unquote(text, errors="strict")
        except UnicodeDecodeError:
            return False
        if decoded == text:
            return True
        text = decoded
    return False


def _one_level(text: str) -> bool:
    if "\\" in text or "//" in text or any(ord(c) < 32 or ord(c) == 127 for c in text):
        return False
    # Fullwidth and one-dot forms that some decoders take for dots and slashes.
    if any(c in text for c in "．／＼∕⧵․‥"):
        return False
    return not any(part in ("..", ".") for part in text.split("/"))


def is_plain_artifact(text: str) -> bool:
    """Tell whether a parameter names something below an artifact root: relative as well."""
    return is_plain(text) and _ABSOLUTE.match(unquote(text)) is None
