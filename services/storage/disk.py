"""Free space where the platform keeps its state, and low-disk mode.

Below `low_disk` bytes no work is admitted and no file is taken, so that what runs can end and
the databases can be written. The mode is left only with a quarter more than that free, so
that it does not come and go with every file. Asked by the queue, by projects, by the store.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from services.core.errors import StorageFull
from services.core.health import Status
from services.core.metrics import FREE_DISK

FEW_INODES = 2000  # as good as no space: nothing new can be made
MiB = 1 << 20


def free_bytes(folder: Path) -> int:
    """Return the bytes a folder's file system has left for us; 0 when it is out of inodes."""
    found = os.statvfs(folder)
    if found.f_files and found.f_favail < FEW_INODES:
        return 0
    return found.f_bavail * found.f_frsize


class Disk:
    """Watches one folder's file system."""

    def __init__(self, folder: Path, low: int, measure: Callable[[Path], int] = free_bytes) -> None:
        self._folder, self._low, self._measure = folder, low, measure
        self.low = False
        self.free = 0
        self.look()

    def look(self) -> bool:
        """Measure; enter or leave low-disk mode. Returns whether the mode changed."""
        self.free = self._measure(self._folder)
        FREE_DISK.set(self.free)
        bound = self._low * 5 // 4 if self.low else self._low
        was, self.low = self.low, self.free < bound
        return was != self.low

    def require(self, *, vital: bool = False) -> None:
        """Refuse when there is no room; blocks for microseconds. Raises StorageFull.

        What belongs to work under way is `vital`: a quarter of the reserve is enough for it.
        """
        self.look()
        if self.free < self._low // 4 if vital else self.low:
            raise StorageFull(
                f"There is too little free space to take this: {self.free // MiB} MiB, and "
                f"{self._low // MiB} MiB are kept in reserve."
            )

    async def health(self) -> tuple[Status, str]:
        """Say how much is left, as health shows it."""
        left = f"{self.free // MiB} MiB free"
        if self.free >= 10 << 30:
            left = f"{self.free / (1 << 30):.0f} GiB free"
        if self.low:
            return "degraded", f"{left}: no work is admitted and no file is taken"
        return "ok", left
