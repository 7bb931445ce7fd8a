"""Reads files' contents, small ones whole and large ones piece by piece.

Must never open what is not a plain file, nor wait for one (a pipe that nobody writes).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

PIECE = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class NotAFile(OSError):
    """It is no plain file any more."""


def opened(path: bytes) -> tuple[int, os.stat_result]:
    """Open a plain file; give its descriptor and status. OSError."""
    handle = os.open(path, _FLAGS)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise NotAFile("not a file any more")
    return handle, status


def whole(path: bytes, most: int) -> tuple[bytes, os.stat_result, bool]:
    """Read a file of at most so many bytes: content, status before, whether it stood still.

    One that goes on changing is given as it was read: something of it is better than nothing.
    Raises OSError, and ValueError when it is larger.
    """
    for last in (False, False, True):
        handle, before = opened(path)
        try:
            data = bytearray()
            while piece := os.read(handle, PIECE):
                data += piece
                if len(data) > most:
                    raise ValueError("larger than it was")
            after = os.fstat(handle)
        finally:
            os.close(handle)
        still = (before.st_size, before.st_mtime_ns) == (len(data), after.st_mtime_ns)
        if still or last:
            break
    return bytes(data), before, still


def exactly(handle: int, size: int) -> Iterator[bytes]:
    """Yield a file's first `size` bytes. OSError when it has fewer."""
    offset = 0
    while offset < size:
        piece = os.pread(handle, min(PIECE, size - offset), offset)
        if not piece:
            raise OSError("it became shorter while it was read")
        offset += len(piece)
        yield piece
