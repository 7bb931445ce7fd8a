"""Takes secrets out of a log: each of their bytes becomes an asterisk. Pure.

A log's pieces are numbered by the bytes that the program wrote, and a shipping that was cut off
goes on by that number. So what takes a secret's place has its length: `***`. Whether a byte is
hidden depends on the log alone and not on where it was cut: it is when any form of any secret
lies over it. `reach` bytes on both sides of a stretch are enough to know that for all in it.

Forms: as it is, each line of it, and as base64, URL, JSON, hex and Python would write it. Short
values stay: to hide every "1234" would hide nothing and spoil the log.
"""

from __future__ import annotations

import base64
import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6  # bytes of a value
SHORTEST_PART = 8  # bytes of a line or of a written form
SEGMENT = 1024  # a longer form is looked for in parts, so that `reach` stays small
_BASE64_LINES = (64, 76)  # characters after which base64 is broken by those who break it


class Mask:
    """Hides some values."""

    def __init__(self, values: Iterable[str]) -> None:
        found: set[bytes] = set()
        for value in values:
            found |= forms(value)
        self._forms = sorted(found)
        self.reach = max((len(form) for form in self._forms), default=1) - 1

    def __bool__(self) -> bool:
        return bool(self._forms)

    def hide(self, data: bytes) -> bytes:
        """Replace every form by asterisks."""
        hidden: bytearray | None = None
        for form in self._forms:
            stars = b"*" * len(form)
            at = data.find(form)
            while at >= 0:  # overlapping ones too
                hidden = hidden or bytearray(data)
                hidden[at : at + len(stars)] = stars
                at = data.find(form, at + 1)
        return data if hidden is None else bytes(hidden)

    def settled(self, data: bytes) -> int:
        """How many bytes cannot be the beginning of a form that goes on after them."""
        for start in range(max(0, len(data) - self.reach), len(data)):
            tail = data[start:]
            # Forms that begin with the tail stand together in their order, right after it.
            at = bisect_right(self._forms, tail)
            if at < len(self._forms) and self._forms[at].startswith(tail):
                return start
        return len(data)

    def text(self, text: str | None) -> str | None:
        """Hide in a short text."""
        if text is None or not self._forms:
            return text
        return self.hide(text.encode(errors="surrogateescape")).decode(errors="replace")


def forms(value: str) -> set[bytes]:
    """List what a value may look like in a log."""
    raw = value.encode(errors="replace")
    if len(raw) < SHORTEST:
        return set()
    whole = {raw, raw.strip()}
    lines = [line.strip() for line in raw.splitlines()] if b"\n" in raw.strip() else []
    written = {line for line in lines if len(line) >= SHORTEST_PART}
    for one in {raw, raw.strip(), raw + b"\n"}:
        written |= _base64(one)
    for text in {value, value.strip()}:
        written |= _texts(text)
    written |= {raw.hex().encode(), raw.hex().upper().encode()}
    written = {form for form in written if len(form) >= SHORTEST_PART}
    return {part for form in whole | written if form for part in _segments(form)}


def _texts(value: str) -> set[bytes]:
    return {
        quote(value, safe="", errors="replace").encode(),
        quote(value, errors="replace").encode(),
        quote_plus(value, errors="replace").encode(),
        json.dumps(value)[1:-1].encode(),
        json.dumps(value, ensure_ascii=False)[1:-1].encode(errors="replace"),
        repr(value)[1:-1].encode(errors="replace"),
    }


def _base64(raw: bytes) -> set[bytes]:
    """As base64, alone or within something longer: then it begins at one of three places."""
    found: set[bytes] = set()
    for code in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            text = code(b"\0" * before + raw)
            found.add(text[math.ceil(before * 8 / 6) : (before + len(raw)) * 8 // 6])
        alone = code(raw).rstrip(b"=")
        for width in _BASE64_LINES:
            if len(alone) > width:
                found |= {alone[at : at + width] for at in range(0, len(alone), width)}
    return found


def _segments(form: bytes) -> Iterator[bytes]:
    if len(form) <= 2 * SEGMENT:
        yield form
        return
    for at in range(0, len(form), SEGMENT):
        part = form[at : at + SEGMENT]
        yield part if len(part) == SEGMENT else form[-SEGMENT:]
