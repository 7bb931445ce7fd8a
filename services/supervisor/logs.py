"""Log files: opened to append, rotated by copy and truncate.

Children write straight into their file, so nothing is lost when the supervisor dies. Copy and
truncate works while they hold it (O_APPEND continues at the new end); what is written between
the copy and the truncation, some microseconds, is the price. Called by the supervisor's loop.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LARGEST = 20 << 20
KEPT = 5


def open_log(path: Path) -> int:
    """Open a log to append for the owner only; return the descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def rotate(path: Path, largest: int = LARGEST, kept: int = KEPT) -> bool:
    """Rotate a log that has grown over `largest` bytes; return whether it was."""
    if not path.exists() or path.stat().st_size <= largest:
        return False
    for number in range(kept - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    first = path.with_name(f"{path.name}.1")
    with path.open("rb") as source, open(open_log(first), "wb") as target:
        shutil.copyfileobj(source, target)
    os.truncate(path, 0)
    return True


def last_lines(path: Path, count: int = 5, most: int = 8192) -> list[str]:
    """Return the last non-empty lines of a log."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]
