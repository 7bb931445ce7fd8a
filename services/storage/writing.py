"""One file of the folder store while it is written: counted, hashed, put in its place whole.

Used by `folder` from its threads. A caller that is cancelled leaves a thread of ours at work
and sends another one to clean up, so every step holds the file's lock. Hashing costs as much as
writing: `write` and `digest` may be at work at once, on the same bytes, in two threads.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

from services.core.errors import StorageFull
from services.storage.disk import Disk

LOOK_EVERY = 32 << 20  # bytes written between two looks at the free space
FLUSH_EVERY = 8 << 20  # bytes
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Writing:
    """A new file in `folder`; `discard` must follow in every case."""

    def __init__(self, folder: Path, disk: Disk, vital: bool) -> None:
        disk.require(vital=vital)
        self._disk, self._vital = disk, vital
        self._lock, self._hashing = threading.Lock(), threading.Lock()
        self._looked_at = self._flushed = 0
        self._hash = hashlib.sha256()
        self.size = 0
        self._path: Path | None = folder / secrets.token_hex(12)
        self._file = self._path.open("xb", buffering=0)

    @property
    def sha256(self) -> str:
        """SHA-256 of what went through `digest` so far, in hex."""
        return self._hash.hexdigest()

    def write(self, pieces: Sequence[bytes]) -> None:
        """Add pieces to the file. Raises StorageFull."""
        with self._lock:
            if self.size - self._looked_at > LOOK_EVERY:
                self._disk.require(vital=self._vital)
                self._looked_at = self.size
            for piece in pieces:
                self._write(piece)
            if self.size - self._flushed >= FLUSH_EVERY:
                # Asks the kernel to begin writing to the disk: the sync at the end then has
                # little left to wait for.
                todo = self._flushed, self.size - self._flushed
                os.posix_fadvise(self._file.fileno(), *todo, os.POSIX_FADV_DONTNEED)
                self._flushed = self.size

    def _write(self, piece: bytes) -> None:
        view = memoryview(piece)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull("The disk is full.") from error
            raise
        self.size += len(piece)

    def digest(self, pieces: Sequence[bytes]) -> None:
        """Add the same pieces, in the same order, to the hash."""
        with self._hashing:
            for piece in pieces:
                self._hash.update(piece)

    def place(self, target: Path, *, synced: bool) -> None:
        """Put it in its place, under the name it will be found by; `synced`: for good."""
        with self._lock:
            if synced:
                os.fsync(self._file.fileno())
            self._file.close()
            assert self._path is not None
            made = self._move(self._path, target)
            self._path = None
        if synced:
            for folder in list(target.parents)[: 4 if made else 1]:
                sync(folder)

    def _move(self, path: Path, target: Path) -> bool:
        try:
            path.replace(target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.replace(target)
            return True
        return False

    def discard(self) -> None:
        """Remove what has not been put in its place."""
        with self._lock:
            self._file.close()
            if self._path is not None:
                self._path.unlink(missing_ok=True)
                self._path = None


def sync(path: Path) -> None:
    """Bring a file or folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
