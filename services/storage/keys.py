"""Keys of objects: what may be one. Pure.

A key is two to eight words joined by slashes, made of ids and our own words only
(`logs/<workload id>/<attempt>/<offset>`). What people name (paths, titles) never gets into
one, so no key can climb out of the store; the shape is checked all the same.
"""

from __future__ import annotations

import re

MOST_WORDS = 8
LONGEST = 255

_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_key(key: str) -> str:
    """Return a key that has the right form. ValueError for any other: a mistake of ours."""
    if not 2 <= len(_words(key)) <= MOST_WORDS:
        raise ValueError(f"no key: {key[:100]!r}")
    return key


def check_prefix(prefix: str) -> str:
    """Return a prefix: whole words of a key, at least one, without a slash at the end."""
    if not 1 <= len(_words(prefix)) <= MOST_WORDS:
        raise ValueError(f"no prefix: {prefix[:100]!r}")
    return prefix


def is_key(text: str) -> bool:
    """Tell whether a text has the form of a key."""
    return 2 <= len(_words(text)) <= MOST_WORDS


def _words(text: str) -> list[str]:
    words = text.split("/") if len(text) <= LONGEST else []
    return words if all(_WORD.fullmatch(word) for word in words) else []
