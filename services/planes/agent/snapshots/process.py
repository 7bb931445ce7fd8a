"""One process of `spawners.reader`, here or where the folder is, and the frames between it and us.

Called by the watchers. What it says is believed of its session's folder only; frames are
bounded, so that it cannot fill our memory. Must never be left running.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

from spawners.runtime import FarReading, Reading

log = logging.getLogger(__name__)

FRAME_MOST = 64 << 20
_SAID_MOST = 2000


class ReaderFailed(Exception):
    """The reader ended or said what it should not."""


class ReaderProcess:
    """`async with ReaderProcess(reading, "main", folder) as reader`."""

    def __init__(self, reading: Reading | FarReading, *arguments: str) -> None:
        self._reading = reading
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._in: asyncio.StreamWriter | None = None
        self._out: asyncio.StreamReader | None = None
        self._errors: asyncio.Task[str] | None = None
        self._packing = False
        self._reading_frame = asyncio.Lock()
        self._size: int | None = None  # of the frame whose head has been read

    async def __aenter__(self) -> ReaderProcess:
        if isinstance(self._reading, FarReading):
            self._out, self._in = await self._reading.connect(self._arguments)
            return self
        self._process = await asyncio.create_subprocess_exec(
            *self._reading.argv,
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._reading.env,
            cwd="/",
            limit=1 << 20,
        )
        self._in, self._out = self._process.stdin, self._process.stdout
        self._errors = asyncio.create_task(_last_words(self._process))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None:
            assert self._in is not None
            self._in.close()  # by which the other end knows that it is over
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        if self._errors is not None:
            said = await self._errors
            if isinstance(error, ReaderFailed) and said:
                log.warning("reader of a session failed", extra={"said": said})

    @property
    def pid(self) -> int:
        """The process."""
        assert self._process is not None
        return self._process.pid

    async def send(self, what: dict[str, Any]) -> None:
        """Write a frame. ReaderFailed."""
        assert self._in is not None
        data = json.dumps(what).encode()
        try:
            self._in.write(len(data).to_bytes(4, "big") + data)
            await self._in.drain()
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ReaderFailed("it ended") from error

    async def receive(self) -> dict[str, Any]:
        """Read a JSON frame. ReaderFailed."""
        try:
            found = json.loads(await self._frame())
        except ValueError as error:
            raise ReaderFailed("it did not say what it should") from error
        if not isinstance(found, dict):
            raise ReaderFailed("it did not say what it should")
        return found

    async def pack(self) -> AsyncIterator[bytes]:
        """Yield the pieces of a pack, to its end."""
        self._packing = True
        while self._packing:
            piece = await self._frame()
            self._packing = bool(piece)
            if piece:
                yield piece

    async def finish_pack(self) -> None:
        """Read what is left of a pack that was not taken to its end."""
        while self._packing:
            self._packing = bool(await self._frame())

    async def _frame(self) -> bytes:
        assert self._out is not None
        try:
            # Whoever reads may be cancelled between head and body, and another go on.
            async with self._reading_frame:
                if self._size is None:
                    head = await self._out.readexactly(4)
                    self._size = int.from_bytes(head, "big")
                if self._size > FRAME_MOST:
                    raise ReaderFailed("a frame that is too long")
                data = await self._out.readexactly(self._size)
                self._size = None
                return data
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ReaderFailed("it ended") from error


async def _last_words(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    kept = b""
    while piece := await process.stderr.read(_SAID_MOST):
        kept = (kept + piece)[-_SAID_MOST:]
    return kept.decode("utf-8", "replace")
