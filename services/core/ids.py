"""Identifiers: UUIDv7, so that the order of ids is the order of creation (RFC 9562, 5.7)."""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid

_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Make a UUIDv7; ids made by one process sort strictly in the order of the calls.

    The 12 bits after the milliseconds hold their sub-millisecond part (RFC 9562, 6.2,
    method 3), pushed on by one whenever the clock stands still or steps back.
    """
    global _last  # noqa: PLW0603 - one counter per process is what makes the ids monotonic
    nanoseconds = time.time_ns()
    ticks = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
    with _lock:
        _last = ticks = max(ticks, _last + 1)
    milliseconds, fraction = ticks >> 12, ticks & 0xFFF
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Tell whether a text has the form of one of our ids."""
    return _SHAPE.fullmatch(text) is not None
