"""The object store on a folder: one file per object.

`logs/<id>/0/17` lies at `logs/<two digits of a hash of id>/<id>/0/17.o`; the digits keep
folders small. All file work is done in this store's own threads. One platform process uses
it; put together by `services.storage.parts`.

Writing: into a file of its own under `.incoming`, then renamed. `put` syncs file and folder
before it returns. `put_bytes` leaves that to `settle`: once it has returned, the bytes are the
kernel's, which no killed process takes along; only a machine that stops within the next
second can lose them.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from services.core.errors import NotFound, TooLarge
from services.storage.disk import Disk
from services.storage.keys import check_key, check_prefix
from services.storage.listing import ENDING, below, below_fans, describe
from services.storage.objects import ObjectStore, Stat, Stored
from services.storage.signing import Signer
from services.storage.writing import Writing, sync

T = TypeVar("T")

PIECE = 256 << 10  # bytes read at once
AT_ONCE = 2 << 20  # bytes written at once: twice as much of an upload is held in memory
BATCH = 500  # objects listed at once
THREADS = 8
LEFT_BEHIND = 24 * 3600.0  # age in seconds at which an unfinished file has no writer any more


class FolderStore(ObjectStore):
    """Objects as files below one folder."""

    def __init__(self, folder: Path, disk: Disk, signer: Signer) -> None:
        self._folder, self._disk, self._signer = folder, disk, signer
        self._threads = ThreadPoolExecutor(THREADS, "objects")
        self._unsettled: set[Path] = set()
        self._lock = threading.Lock()
        self._incoming = folder / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True, mode=0o700)
        _sweep(self._incoming)

    async def put(
        self,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        most: int | None = None,
        vital: bool = False,
    ) -> Stored:
        """Write piece by piece; a caller that is cancelled leaves nothing behind."""
        path = self._path(check_key(key))
        writing = await self._do(Writing, self._incoming, self._disk, vital)
        try:
            await self._fill(writing, pieces, most)
            await self._do(lambda: writing.place(path, synced=True))
        finally:
            self._threads.submit(writing.discard)  # not awaited: a cancelled caller could not
        return Stored(key, writing.size, writing.sha256)

    async def _fill(self, writing: Writing, pieces: AsyncIterator[bytes], most: int | None) -> None:
        """Write and hash what arrives, in two threads, while the next of it is waited for."""
        size = begun = 0
        batch: list[bytes] = []
        at_work: list[Future[None]] = []

        def begin() -> None:
            todo = batch.copy()
            batch.clear()
            at_work.extend(
                self._threads.submit(step, todo) for step in (writing.write, writing.digest)
            )

        async for piece in pieces:
            size += len(piece)
            if most is not None and size > most:
                raise TooLarge(f"it is larger than {most} bytes")
            batch.append(piece)
            if size - begun >= AT_ONCE:
                await _all_of(at_work)
                begin()
                begun = size
        await _all_of(at_work)
        begin()
        await _all_of(at_work)

    async def put_bytes(self, key: str, data: bytes, *, vital: bool = False) -> Stored:
        """Write, rename, and remember to settle."""
        return await self._do(self._put_bytes, check_key(key), data, vital)

    def _put_bytes(self, key: str, data: bytes, vital: bool) -> Stored:
        path = self._path(key)
        writing = Writing(self._incoming, self._disk, vital)
        try:
            writing.write([data])
            writing.digest([data])
            writing.place(path, synced=False)
        finally:
            writing.discard()
        with self._lock:
            self._unsettled.add(path)
        return Stored(key, writing.size, writing.sha256)

    async def settle(self) -> None:
        """Sync the files of `put_bytes`, then the folders they are in."""
        with self._lock:
            paths, self._unsettled = self._unsettled, set()
        if paths:
            await self._do(_sync_all, paths)

    async def get(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read piece by piece; the next one is read while the last is being used."""
        file = await self._do(self._open, check_key(key), start)
        left = None if end is None else max(0, end - start)

        def read() -> Future[bytes]:
            return self._threads.submit(file.read, PIECE if left is None else min(PIECE, left))

        reading = read()
        try:
            while piece := await asyncio.wrap_future(reading):
                left = None if left is None else left - len(piece)
                reading = read()
                yield piece
        finally:
            # Not awaited, and after the read that is under way: its lock is the file's.
            self._threads.submit(file.close)

    async def get_bytes(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """Read at once."""
        return await self._do(self._read, check_key(key), start, end)

    def _read(self, key: str, start: int, end: int | None) -> bytes:
        with self._open(key, start) as file:
            return file.read(-1 if end is None else max(0, end - start))

    def _open(self, key: str, start: int) -> BinaryIO:
        try:
            file = self._path(key).open("rb")
        except FileNotFoundError:
            raise NotFound("the file is not there (any more)") from None
        file.seek(start)
        return file

    async def stat(self, key: str) -> Stat:
        """Ask the file system."""
        path = self._path(check_key(key))
        try:
            return describe(key, await self._do(path.stat))
        except FileNotFoundError:
            raise NotFound("the file is not there (any more)") from None

    async def delete(self, key: str) -> None:
        """Remove the file; its folder stays until `delete_prefix`."""
        path = self._path(check_key(key))
        await self._do(path.unlink, True)

    async def delete_prefix(self, prefix: str) -> None:
        """Remove the folder."""
        if "/" not in check_prefix(prefix):
            raise ValueError(f"too much at once: {prefix!r}")
        await self._do(_remove, self._place(prefix))

    async def list(self, prefix: str) -> AsyncIterator[Stat]:
        """Walk the folders; the names of one folder are in memory at once."""
        found = self._walk(check_prefix(prefix))
        while batch := await self._do(lambda: tuple(islice(found, BATCH))):
            for stat in batch:
                yield stat

    def _walk(self, prefix: str) -> Iterator[Stat]:
        if "/" in prefix:
            return below(self._place(prefix), prefix)
        return below_fans(self._folder / prefix, prefix)

    def sign_get(
        self, key: str, *, filename: str, media_type: str | None = None, seconds: float = 300
    ) -> str:
        """Sign a path of ours."""
        return self._signer.sign_get(check_key(key), filename, media_type, seconds)

    def sign_put(self, key: str, *, most: int, seconds: float = 900) -> str:
        """Sign a path of ours."""
        return self._signer.sign_put(check_key(key), most, seconds)

    def _place(self, words: str) -> Path:
        first, second, *rest = words.split("/")
        fan = hashlib.sha256(second.encode()).hexdigest()[:2]
        return self._folder.joinpath(first, fan, second, *rest)

    def _path(self, key: str) -> Path:
        place = self._place(key)
        return place.with_name(place.name + ENDING)

    async def _do(self, function: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)


async def _all_of(at_work: list[Future[None]]) -> None:
    """Wait for what threads do, and raise what went wrong there."""
    for one in at_work:
        await asyncio.wrap_future(one)
    at_work.clear()


def _remove(folder: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _sync_all(paths: set[Path]) -> None:
    for path in [*paths, *{path.parent for path in paths}]:
        with suppress(FileNotFoundError):  # cleaned away meanwhile
            sync(path)


def _sweep(incoming: Path) -> None:
    """Remove what killed processes left half written."""
    before = time.time() - LEFT_BEHIND
    for file in incoming.iterdir():
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < before:
                file.unlink()
