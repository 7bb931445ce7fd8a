"""The newest events of the whole platform, read once per process for all its listeners.

A loop reads what is new and wakes the listeners, who look here first; only one that is far
behind reads the database itself. While nobody listens nothing is read. Holds no listener's
data: a slow one costs a number, not a queue.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from services.core.bus import RECHECK
from services.core.errors import TooMany
from services.core.events import TOPICS
from services.core.loops import Loop
from services.core.work import Context, Work
from services.events import store
from services.events.rules import Event

KEPT = 2000  # events held in memory, at most twice as many
READ_AT_ONCE = 500
MOST_STREAMS = 64  # of one caller at once
WOKEN = "events"  # subject on the bus: there is something new here


class Feed:
    """The part of one platform process."""

    def __init__(self) -> None:
        self._listeners: Counter[str] = Counter()
        self._kept: list[Event] = []
        self._floor: int | None = None  # everything after this position is in `_kept`

    @contextmanager
    def listened(self, context: Context, actor_id: str) -> Iterator[None]:
        """Keep the feed running while somebody listens. Raises TooMany."""
        if self._listeners[actor_id] >= MOST_STREAMS:
            raise TooMany(f"you have {MOST_STREAMS} event streams open already")
        self._listeners[actor_id] += 1
        context.bus.wake("loop:events")
        try:
            yield
        finally:
            self._listeners[actor_id] -= 1
            if not self._listeners[actor_id]:
                del self._listeners[actor_id]

    def after(self, position: int, most: int) -> Sequence[Event] | None:
        """Return the next events after a position; None when only the database knows them."""
        if self._floor is None or position < self._floor:
            return None
        start = bisect_right(self._kept, position, key=lambda event: event.position)
        return self._kept[start : start + most]

    async def read_on(self, work: Work) -> None:
        """Read what is new and wake the listeners: a turn of the loop."""
        if not self._listeners:
            self._kept, self._floor = [], None
            return
        floor = self._floor
        if floor is None:
            floor = self._floor = (await work.read(store.bounds))[1]
            work.context.bus.wake(WOKEN)
        while True:
            head = self._kept[-1].position if self._kept else floor
            found = await work.read(store.after, head, READ_AT_ONCE)
            self._add(found)
            if found:
                work.context.bus.wake(WOKEN)
            if len(found) < READ_AT_ONCE:
                return

    def _add(self, found: list[Event]) -> None:
        self._kept += found
        if len(self._kept) > 2 * KEPT:
            self._floor = self._kept[-KEPT - 1].position
            self._kept = self._kept[-KEPT:]


def provide(context: Context) -> None:
    """Put the feed in."""
    context.provide(Feed, Feed())


async def _turn(work: Work) -> None:
    await work.context.get(Feed).read_on(work)


loops = (Loop("events", _turn, RECHECK, tuple(f"events:{topic}" for topic in TOPICS), lease=False),)
