"""Moves a run's output from its pipe into its log file.

Owns the limit of a log: after it the program goes on, its output is dropped, and one line says
so. Owns also what happens while the log cannot be written: nothing more is taken from the pipe,
which fills and makes the program wait, until there is room again. Used by `supervise` only.
Bytes are never changed once written. Big output is spliced inside the kernel and never enters
this process. Must never sleep: its caller has other duties, and comes again at `retry_at`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress

_PIPE_SIZE = 1 << 20
_PIECE = 1 << 20
_HELD = 1 << 16  # the most that is taken from the pipe before it is written
_RETRY = 0.5  # seconds between tries while the log cannot be written
_PASSING = {
    errno.ENOSPC: "the disk was full",
    errno.EDQUOT: "the disk quota was used up",
    errno.EIO: "the disk could not be written",
}


class LogPump:
    """One run's pipe and log. `reader` becomes readable when there is output, or its end.

    While `retry_at` (monotonic seconds) is set, the log cannot be written: look away from
    `reader` and call `move` at that time.
    """

    def __init__(self, path: str, limit: int, notice: bytes) -> None:
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(self.writer, True)  # the program's end must be an ordinary pipe
        with suppress(PermissionError):  # past the machine's allowance; the default works too
            fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._log = os.open(path, flags, 0o600)
        self._limit = limit
        self._notice = notice
        self._held = memoryview(b"")  # read but not yet written
        self._drain: int | None = None
        self._why = ""
        self.size = 0
        self.ended = False
        self.retry_at: float | None = None

    def started(self) -> None:
        """Give up our copy of the program's end, so that its end can be seen."""
        os.close(self.writer)

    def move(self) -> None:
        """Move what waits, at most one piece; sets `ended` at the pipe's end."""
        self.retry_at = None
        try:
            if self._flush():
                self._move_piece()
        except OSError as error:
            if error.errno in _PASSING:
                self._why = _PASSING[error.errno]
                self.retry_at = time.monotonic() + _RETRY
                return
            # Nowhere to put it, ever. The program must not hang or die for that: go on dropping.
            self._held = memoryview(b"")
            self._drop_from_here()

    def _move_piece(self) -> None:
        target, count = self._log, self._limit - self.size
        if self._drain is not None:
            target, count = self._drain, _PIECE
        try:
            moved = os.splice(self.reader, target, min(_PIECE, count))
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in _PASSING:
                raise  # what could not be written is still in the pipe
            self._copy(min(_HELD, count))  # splicing is refused: file systems differ
            return
        if moved == 0:
            self.ended = True
        elif self._drain is None:
            self._grow(moved)

    def _copy(self, count: int) -> None:
        """Move by reading, where the log cannot be spliced to."""
        try:
            piece = os.read(self.reader, count)
        except BlockingIOError:
            return
        if not piece:
            self.ended = True
        elif self._drain is None:
            self._held = memoryview(piece)
            self._flush()

    def _flush(self) -> bool:
        """Write what is held; True when nothing is."""
        while self._held:
            written = os.write(self._log, self._held)
            self._held = self._held[written:]
            self._grow(written)
        return True

    def _grow(self, count: int) -> None:
        self.size += count
        if self._drain is None and self.size >= self._limit:
            self._drop_from_here()
            self._held = memoryview(self._notice)
            self._flush()

    def _drop_from_here(self) -> None:
        if self._drain is None:
            self._drain = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)

    def say(self, sentence: str) -> None:
        """Put a sentence of ours on a line of its own, if the log has room for it."""
        if self._drain is None and not self._held:
            with suppress(OSError):
                self._grow(os.write(self._log, f"\n[smalti] {sentence}\n".encode()))

    def give_up(self) -> str | None:
        """Drop what could not be written, as the program is over; a sentence that says so.

        None when nothing was lost. The log ends with the sentence if there is room for it.
        """
        if self.retry_at is None or self._drain is not None:
            return None
        lost = len(self._held)
        self._held = memoryview(b"")
        with suppress(BlockingIOError):
            while lost <= _PIPE_SIZE + _HELD and (piece := os.read(self.reader, _HELD)):
                lost += len(piece)
        self.retry_at = None
        if not lost:
            return None
        sentence = f"{lost} bytes of output could not be stored: {self._why}"
        with suppress(OSError):  # then the run's record says it alone
            self.size += os.write(self._log, f"\n[smalti] {sentence}\n".encode())
        return sentence

    def first_bytes(self, path: str, count: int) -> bytes:
        """Read the log's beginning, to tell why a program could not be started."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(handle, count)
        finally:
            os.close(handle)
