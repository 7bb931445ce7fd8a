"""Spans of time as people write and read them: `90`, `90s`, `1h30m`, `7d`."""

from __future__ import annotations

import re

_UNITS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_SPAN = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s?)?", re.ASCII)


def parse(text: str) -> int:
    """Return the seconds of a span; ValueError when it is none or is empty."""
    found = _SPAN.fullmatch(text.strip().lower())
    if not found or not any(found.groups()):
        raise ValueError(f"not a duration: {text!r}; write 90, 90s, 45m, 1h30m or 7d")
    return sum(
        int(part) * unit for part, unit in zip(found.groups(), _UNITS.values(), strict=True) if part
    )


def show(seconds: float) -> str:
    """Write a span with its two largest units, for people."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    left = int(seconds)
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS.items():
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return "".join(f"{count}{unit}" for n, (count, unit) in enumerate(parts[:2]) if count or n == 0)
