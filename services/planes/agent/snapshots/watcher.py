"""Watches one live session's folder and keeps the platform's copy of it up to date.

Owns the pace, the hand-over of packs and reports, and the large files that are sent beside.
Holds nothing that a restart would need: what the platform has is asked at the beginning, and
the files themselves are on this plane's disk. While the platform is away there is nothing to
be gained by snapshots on that same disk, so the watcher waits, and then sends the newest state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.planes.agent.client import Away, Client, Gone, NoRoom, Rejected, TooMuch
from services.planes.agent.pace import Backoff
from services.planes.agent.settings import Pace
from services.planes.agent.snapshots.process import ReaderFailed, ReaderProcess
from services.planes.protocol import SnapshotBegin, SnapshotReport
from spawners.runtime import RunKey, Runtime, RuntimeFailure

log = logging.getLogger(__name__)

SHARE = 0.012  # of a core that looking may take: a huge folder is looked at less often
SLOWEST = 20.0
LARGE_PAUSE = 5.0
LARGE_RATE = 20 << 20  # bytes a second of one session's large files, on the average
LAST_TRIES = 5
BACKOFF_MOST = 30.0  # a reader that fails begins with reading everything: not too often


class NotTaken(Exception):
    """A look came to nothing; the next one begins anew."""


@dataclass(frozen=True)
class Place:
    """Whose session it is, where its files are, and what else the reader must see."""

    key: RunKey
    person_id: str
    folder: Path
    readable: tuple[Path, ...]


@dataclass
class _Large:
    """The large file that is under way or was last sent."""

    task: asyncio.Task[dict[str, Any] | None] | None = None
    seen: dict[str, int] = field(default_factory=dict)
    not_before: float = 0.0


class Watcher:
    """One session. `run` until cancelled; `conclude` takes the last snapshot."""

    def __init__(self, client: Client, runtime: Runtime, pace: Pace, place: Place) -> None:
        self._client, self._runtime, self._pace, self._place = client, runtime, pace, place
        self._wake = asyncio.Event()
        self._wish = self._answered = 0
        self._ending = False
        self._strict = False
        self._number = 0
        self._reported: tuple[str, list[str]] | None = None
        self._newest: str | None = None  # the commit that the platform has
        self._large = _Large()
        self._task = asyncio.create_task(self._run(), name=f"snapshots {place.key}")

    def want(self, wish: int) -> None:
        """Take note that somebody waits for a look that begins from now on."""
        self._wish = max(self._wish, wish)
        self._wake.set()

    @property
    def over(self) -> bool:
        """Tell whether it has given up: the platform did not know the session."""
        return self._task.done()

    async def conclude(self) -> None:
        """Take the last snapshot and end; waits for as long as the platform is away."""
        self._ending = True
        self._wake.set()
        await asyncio.wait({self._task})

    async def close(self) -> None:
        """Stop watching at once."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        first = self._pace.backoff_first
        away, failing = Backoff(first, self._pace.backoff_near), Backoff(first, BACKOFF_MOST)
        tries = 0
        try:
            while True:
                try:
                    await self._watch(away, failing)
                    return
                except (TooMuch, NoRoom) as error:
                    tries += self._ending
                    await self._say_full(str(error))
                except Away as error:
                    fields = {"run": str(self._place.key), "why": str(error)}
                    log.info("snapshots wait for the platform", extra=fields)
                    await away.wait()
                    continue
                except (NotTaken, ReaderFailed, RuntimeFailure, OSError, Rejected) as error:
                    tries += self._ending
                    self._complain("snapshot not taken", error)
                if tries >= LAST_TRIES:
                    return
                await failing.wait()
        except Gone as error:
            self._complain("session not known", error)
        finally:
            if self._large.task is not None:
                self._large.task.cancel()

    def _complain(self, what: str, error: Exception) -> None:
        log.warning(what, extra={"run": str(self._place.key), "why": str(error)})

    async def _watch(self, *backoffs: Backoff) -> None:
        """Look again and again; returns after the last look."""
        place = self._place
        begin = await self._client.snapshot_begin(place.key)
        reading = self._runtime.reader(place.key, place.person_id, place.folder, place.readable)
        async with ReaderProcess(reading, "main", str(place.folder)) as reader:
            await reader.send({"begin": _begin(begin, self._strict)})
            self._reported, self._newest = None, begin.commit
            while True:
                self._wake.clear()
                last = self._ending
                cost = await self._look(reader)
                for backoff in backoffs:
                    backoff.reset()
                if last:
                    return
                pause = min(SLOWEST, max(self._pace.snapshots, cost / SHARE))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()

    async def _look(self, reader: ReaderProcess) -> float:
        """Look once; give the seconds of cpu that looking costs when nothing changed."""
        await self._tell_large(reader)
        wish = self._wish
        self._number += 1
        await reader.send({"look": self._number})
        while True:
            said = await reader.receive()
            if "pack" in said:
                await self._hand_on(reader)
            elif said.get("look") == self._number:
                break
        if not said.get("commit"):
            raise NotTaken("something of it could not be handed on")
        await self._report(said, wish)
        self._begin_large(said.get("waiting") or [])
        return float(said.get("cost") or 0.0)

    async def _hand_on(self, reader: ReaderProcess) -> None:
        """Put a pack that the reader sends; tell it whether that worked."""
        try:
            await self._client.put_pack(self._place.key, reader.pack())
        except Rejected:
            await reader.finish_pack()
            await reader.send({"taken": False})  # it ends this look, or does without a history
            return
        await reader.finish_pack()
        await reader.send({"taken": True})

    async def _report(self, said: dict[str, Any], wish: int) -> None:
        told = (str(said["commit"]), [str(one) for one in said["unsafe"]])
        if told == self._reported and wish <= self._answered:
            return
        report = SnapshotReport(
            commit=told[0],
            taken_at=datetime.now(UTC),
            files=int(said["files"]),
            size=int(said["size"]),
            unsafe=told[1],
            wish=wish,
        )
        answer = await self._client.report_snapshot(self._place.key, report)
        if answer.number is None:
            self._strict = True  # believe nothing of what the person's git says is known
            raise NotTaken("the platform lacks something of it")
        self._reported, self._newest, self._answered = told, told[0], wish

    async def _say_full(self, why: str) -> None:
        """Let the person see that nothing more is saved, on the newest snapshot."""
        self._complain("snapshot not taken", TooMuch(why))
        if self._newest is None:
            return
        report = SnapshotReport(
            commit=self._newest,
            taken_at=datetime.now(UTC),
            files=0,
            size=0,
            unsafe=[f"all that changed since: {why}"],
        )
        with contextlib.suppress(Away, Rejected, TooMuch):
            await self._client.report_snapshot(self._place.key, report)

    # -- large files ---------------------------------------------------------------------------

    def _begin_large(self, waiting: list[list[Any]]) -> None:
        """Send one large file that has not grown since the look before, beside the looks."""
        now = {str(path): int(size) for path, size in waiting}
        still = [path for path, size in now.items() if self._large.seen.get(path) == size]
        self._large.seen = now
        if self._large.task is not None or not still or self._ending:
            return
        if time.monotonic() >= self._large.not_before:
            path = min(still, key=lambda one: now[one])
            self._large.task = asyncio.create_task(self._send_large(path, now[path]))

    async def _send_large(self, path: str, size: int) -> dict[str, Any] | None:
        place = self._place
        reading = self._runtime.reader(place.key, place.person_id, place.folder, place.readable)
        try:
            async with ReaderProcess(reading, "large", str(place.folder), path) as reader:
                await reader.receive()
                await self._client.put_pack(place.key, reader.pack(), large=size)
                return await reader.receive()
        except (Away, Gone, TooMuch, Rejected, ReaderFailed, RuntimeFailure, OSError) as error:
            self._complain("large file not sent", error)
            return None
        finally:
            self._large.not_before = time.monotonic() + LARGE_PAUSE + size / LARGE_RATE
            self._wake.set()

    async def _tell_large(self, reader: ReaderProcess) -> None:
        task = self._large.task
        if task is not None and task.done():
            self._large.task = None
            told = task.result()
            if told is not None:
                await reader.send({"large": told})


def _begin(begin: SnapshotBegin, strict: bool) -> dict[str, Any]:
    bounds = {name: getattr(begin, name) for name in ("prompt", "largest", "total", "files")}
    found = begin.model_dump(include={"author", "objects", "commits", "tree", "parent", "commit"})
    return {**found, "bounds": bounds, "strict": strict}
