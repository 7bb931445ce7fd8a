"""The watchers of all live sessions of a plane, and the one who asks whose snapshot is wanted.

Made by the agent, told by the work on each session when it lives and when it ends. Must never
hold up anything else of a session but its end, which waits for the last snapshot.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from services.planes.agent.client import Away, Client, Gone, Rejected, TooMuch
from services.planes.agent.pace import Backoff
from services.planes.agent.rules import is_name
from services.planes.agent.settings import Settings
from services.planes.agent.snapshots.watcher import Place, Watcher
from services.planes.protocol import RunOrder
from spawners.runtime import RunKey, Runtime

log = logging.getLogger(__name__)

POLL = 25.0
PROJECT = "project"


class Snapshots:
    """Watchers by run."""

    def __init__(self, settings: Settings, client: Client, runtime: Runtime) -> None:
        self._volumes = settings.home / "volumes"
        self._caches = settings.home / "cache" / "git"
        self._pace = settings.pace
        self._client = client
        self._runtime = runtime
        self._watchers: dict[RunKey, Watcher] = {}
        self._wishes: dict[str, int] = {}
        self._any = asyncio.Event()

    def follow(self, key: RunKey, order: RunOrder | None) -> None:
        """Watch a live session's folder from now on; of anything else does nothing."""
        known = self._watchers.get(key)
        if order is None or order.session is None or (known is not None and not known.over):
            return
        if not (is_name(order.session.volume) and is_name(order.project_id)):
            return
        folder = self._volumes / order.session.volume / PROJECT
        # The person's clone may borrow objects from there.
        borrowed = self._caches / f"{order.project_id}.git" / "objects"
        readable = (borrowed,) if borrowed.is_dir() else ()
        place = Place(key, order.person_id, Path(folder), readable)
        watcher = Watcher(self._client, self._runtime, self._pace, place)
        self._watchers[key] = watcher
        if wish := self._wishes.pop(key.workload_id, 0):
            watcher.want(wish)
        self._any.set()

    async def conclude(self, key: RunKey, order: RunOrder | None) -> None:
        """Take a session's last snapshot, once it has ended."""
        self.follow(key, order)
        watcher = self._watchers.get(key)
        if watcher is None:
            return
        try:
            await watcher.conclude()
        finally:
            if self._watchers.get(key) is watcher:
                del self._watchers[key]
            await watcher.close()
            if not self._watchers:
                self._any.clear()

    async def run(self) -> None:
        """Ask for wishes while any session lives. Cancel it to end."""
        backoff = Backoff(self._pace.backoff_first, self._pace.backoff_near)
        cursor = 0
        while True:
            await self._any.wait()
            try:
                answer = await self._client.snapshot_wishes(cursor, POLL)
            except (Away, Gone, Rejected, TooMuch):
                cursor = 0  # what was not answered is asked again
                await backoff.wait()
                continue
            backoff.reset()
            cursor = answer.cursor
            for workload_id, wish in answer.wishes.items():
                self._want(workload_id, wish)

    def _want(self, workload_id: str, wish: int) -> None:
        mine = [one for key, one in self._watchers.items() if key.workload_id == workload_id]
        for watcher in mine:
            watcher.want(wish)
        if not mine:
            self._wishes = {workload_id: wish, **dict(list(self._wishes.items())[:100])}

    async def close(self) -> None:
        """Stop watching; the sessions go on."""
        await asyncio.gather(*(watcher.close() for watcher in self._watchers.values()))
        self._watchers.clear()
