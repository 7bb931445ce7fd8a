"""Moves a run's output from its pipe into its log file.

Owns the limit of a log: after it the program goes on, its output is dropped, and one line says
so. Used by `supervise` only. Bytes are never changed once written. Big output is spliced
inside the kernel and never enters this process.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

_PIPE_SIZE = 1 << 20
_PIECE = 1 << 20


class LogPump:
    """One run's pipe and log. `reader` becomes readable when there is output, or its end."""

    def __init__(self, path: str, limit: int, notice: bytes) -> None:
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self.writer, True)  # the program's end must be an ordinary pipe
        with suppress(PermissionError):  # past the machine's allowance; the default works too
            fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._log = os.open(path, flags, 0o600)
        self._limit = limit
        self._notice = notice
        self._drain: int | None = None
        self.size = 0
        self.ended = False

    def started(self) -> None:
        """Give up our copy of the program's end, so that its end can be seen."""
        os.close(self.writer)

    def move(self) -> int:
        """Move what waits, at most one piece; bytes moved, and `ended` at the pipe's end."""
        target = self._log
        count = _PIECE
        if self._drain is not None:
            target = self._drain
        else:
            count = min(count, self._limit - self.size)
        try:
            moved = os.splice(self.reader, target, count)
        except BlockingIOError:
            return 0
        except OSError:
            moved = self._copy(target, count)
        if moved == 0:
            self.ended = True
        elif self._drain is None:
            self.size += moved
            if self.size >= self._limit:
                self._close_log()
        return moved

    def _copy(self, target: int, count: int) -> int:
        """Move by reading where splicing is refused (file systems differ) or the disk is full."""
        try:
            piece = os.read(self.reader, min(count, 1 << 16))
        except BlockingIOError:
            return 0
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(target, view) :]
        except OSError:
            # Nowhere to put it. The program must not hang or die for that: go on dropping.
            self.size += len(piece) - len(view)
            self._drain = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
        return len(piece)

    def _close_log(self) -> None:
        os.write(self._log, self._notice)
        self.size += len(self._notice)
        self._drain = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)

    def first_bytes(self, path: str, count: int) -> bytes:
        """Read the log's beginning, to tell why a program could not be started."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(handle, count)
        finally:
            os.close(handle)
