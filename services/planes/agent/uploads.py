"""Putting a run's output files into the control plane's store.

Owns the order, the digests and the repeats of these uploads. Called when a run has ended.
Memory use does not depend on a file's size: a small file is read whole, a large one twice, once
for its digest and once while it is sent. Must never stop at one file that is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from services.planes.agent.client import Away, Body, Client, NoRoom, Rejected, TooMuch
from services.planes.agent.outputs import Found, Remarks, is_empty, open_found, survey
from services.planes.agent.pace import ROOM_PATIENCE, Backoff
from services.planes.protocol import LimitsOrder, OutputEntry
from spawners.runtime import RunKey

log = logging.getLogger(__name__)

SMALL = 512 << 10
PIECE = 256 << 10
AT_ONCE = 4


class Telling(NamedTuple):
    """Whom to tell what a person should know of a file."""

    remarks: Remarks
    held: Callable[[Away], None]


class Uploads:
    """Uploads of all runs; `slots` bounds how many files are under way in the whole agent."""

    def __init__(self, client: Client, first: float, longest: float) -> None:
        self._client = client
        self._pause = (first, longest)
        self._slots = asyncio.Semaphore(8)

    async def put_all(
        self, key: RunKey, folder: Path, limits: LimitsOrder, held: Callable[[Away], None]
    ) -> tuple[list[OutputEntry], list[str]]:
        """Put what a run left; returns the manifest and remarks for a person.

        Waits for as long as the control plane is away or has no room; `held` is told of each
        refusal that it waits out. Raises `client.Gone`.
        """
        if is_empty(folder):
            return [], []
        files, remarks = await asyncio.to_thread(survey, folder, limits)
        stored: dict[str, OutputEntry] = {}
        waiting = iter(files)

        async def put_some() -> None:
            for found in waiting:
                entry = await self._put(key, folder, found, Telling(remarks, held))
                if entry is not None:
                    stored[found.path] = entry

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(files))):
                    group.create_task(put_some())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        if remarks.names:
            log.info("outputs left out", extra={"run": str(key), "what": remarks.texts()})
        return [stored[found.path] for found in files if found.path in stored], remarks.texts()

    async def _put(
        self, key: RunKey, folder: Path, found: Found, telling: Telling
    ) -> OutputEntry | None:
        backoff, began = Backoff(*self._pause), time.monotonic()
        while True:
            try:
                async with self._slots:
                    return await self._put_once(key, folder, found)
            except Away as error:
                fields = {"run": str(key), "path": found.path, "why": str(error)}
                log.debug("output waits", extra=fields)
                telling.held(error)
                if isinstance(error, NoRoom) and time.monotonic() - began > ROOM_PATIENCE:
                    telling.remarks.add(f"not taken by the platform ({error})", found.path)
                    return None
                await backoff.wait()
            except (TooMuch, Rejected) as error:
                telling.remarks.add(f"not taken by the platform ({error})", found.path)
                return None
            except OSError as error:
                telling.remarks.add(f"could not be read ({error.strerror or error})", found.path)
                return None

    async def _put_once(self, key: RunKey, folder: Path, found: Found) -> OutputEntry:
        handle = open_found(folder, found)
        try:
            body: Body
            if found.size <= SMALL:
                body = _whole(handle, found)
                digest = hashlib.sha256(body).hexdigest()
            else:
                digest = await asyncio.to_thread(_digest, handle, found)
                body = _pieces(handle, found)
            await self._client.put_output(key, found.path, body, found.size, digest)
            return OutputEntry(path=found.path, size=found.size, sha256=digest)
        finally:
            os.close(handle)


def _whole(handle: int, found: Found) -> bytes:
    data = os.read(handle, found.size) if found.size else b""
    while len(data) < found.size:
        more = os.read(handle, found.size - len(data))
        if not more:
            raise OSError(f"changed while it was kept: {found.path}")
        data += more
    return data


def _digest(handle: int, found: Found) -> str:
    digest = hashlib.sha256()
    offset = 0
    while offset < found.size:
        piece = os.pread(handle, min(PIECE, found.size - offset), offset)
        if not piece:
            raise OSError(f"changed while it was kept: {found.path}")
        digest.update(piece)
        offset += len(piece)
    return digest.hexdigest()


async def _pieces(handle: int, found: Found) -> AsyncIterator[bytes]:
    offset = 0
    while offset < found.size:
        size = min(PIECE, found.size - offset)
        piece = await asyncio.to_thread(os.pread, handle, size, offset)
        if not piece:
            raise OSError(f"changed while it was kept: {found.path}")
        yield piece
        offset += len(piece)
