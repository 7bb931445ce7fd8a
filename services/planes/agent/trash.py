"""Throwing folders away without waiting for it.

Owns `trash/` in the agent's home: a folder is renamed into it at once and removed by a thread
later, many at a time. Called wherever folders of runs or caches go. Must never follow a link
out of a folder that a run could write.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import stat
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

GATHER = 0.5


class Trash:
    """What is to be removed. What a killed agent left in it is removed by the next one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._some = asyncio.Event()
        self._some.set()

    def throw(self, path: Path) -> None:
        """Move a folder away, if it is there. OSError when that cannot be."""
        try:
            os.rename(path, f"{self.folder}/{uuid.uuid4().hex}")
        except FileNotFoundError:
            return
        self._some.set()

    async def run(self) -> None:
        """Remove what is thrown away, for ever."""
        while True:
            await self._some.wait()
            self._some.clear()
            await asyncio.sleep(GATHER)
            await asyncio.to_thread(self.empty)

    def empty(self) -> None:
        """Remove all that is in the trash now; blocks."""
        for path in list(self.folder.iterdir()):
            try:
                _remove(path)
            except OSError as error:
                fields = {"path": path.name, "why": str(error)}
                log.warning("trash not removed", extra=fields)


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink()
    elif sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=_unlock)
    else:
        shutil.rmtree(path, onerror=_unlock)


def _unlock(act: Callable[..., object], path: str, _: object) -> None:
    """Give ourselves back the right to remove what a run locked, then try again."""
    folder = os.path.dirname(path)
    os.chmod(folder, stat.S_IRWXU)
    if stat.S_ISDIR(os.lstat(path).st_mode):
        os.chmod(path, stat.S_IRWXU)
        shutil.rmtree(path)
    else:
        os.unlink(path)
