"""Measures how much disk a run's folders take, and when to look again.

Used by `supervise`. Must never follow a symbolic link: the folders belong to a stranger.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

_FIRST = 1.0
_LEAST = 2.0
_MOST = 60.0
_SHARE = 200.0  # a look may cost one part in this many of the time between looks


def measure(folders: list[str]) -> int:
    """Bytes on disk below the folders; what vanishes or is closed meanwhile counts nothing."""
    total = 0
    waiting = list(folders)
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total


class DiskWatch:
    """Looks at growing intervals, so that many files do not cost a core."""

    def __init__(self, folders: list[str], limit: int, spare: int | None = None) -> None:
        """`spare` bytes may be added to what is there at the first look, whatever the limit."""
        self._folders = folders
        self._limit = limit
        self._spare = spare
        self.due = time.monotonic() + _FIRST

    def exceeded(self) -> bool:
        """Measure now and plan the next look."""
        before = time.monotonic()
        used = measure(self._folders)
        after = time.monotonic()
        if self._spare is not None:
            # Who has too much already must be able to come in and clear up.
            self._limit = max(self._limit, used + self._spare)
            self._spare = None
        # Nearer to the limit the next look comes sooner.
        calm = _MOST if used < self._limit // 2 else _LEAST
        self.due = after + min(calm, max(_LEAST, (after - before) * _SHARE))
        return used > self._limit
