"""One listener's stream: what it may hear, in order, until it hangs up or loses its right.

A listener is one position; nothing is queued for it. While its connection takes nothing it is
sent nothing, and it is let go after a minute; it resumes where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from services.core.errors import Unavailable
from services.core.routing import Call
from services.core.work import Work
from services.events import store
from services.events.feed import WOKEN, Feed
from services.events.rules import Event, Resume, last_seen, opening, resume, still_here, written
from services.events.sight import Sight

AT_ONCE = 200  # events in one batch
LOOK_SECONDS = 2.0  # until a closed connection or an ended right is noticed on a quiet stream
STILL_HERE_SECONDS = 15.0
STUCK_SECONDS = 60.0


class Stream:
    """The sending side of one connection."""

    def __init__(self, call: Call, topics: frozenset[str]) -> None:
        self._call = call
        self._feed = call.context.get(Feed)
        self._sight = Sight(topics)
        self._sent_at = 0.0

    async def run(self, query: int | None) -> None:
        """Send until the end. Raises ConnectionResetError or PublicError when that is it."""
        call = self._call
        with (
            self._feed.listened(call.context, call.actor.id),
            call.context.bus.listen(WOKEN) as ear,
        ):
            start = await self._start(query)
            call.answer_with(200, {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
            await self._send(opening(start))
            position = start.position
            while not call.gone:
                batch = await self._next(position)
                if batch:
                    heard = await self._sight.of(self._work(), batch)
                    position = batch[-1].position
                    if heard:
                        await self._send(b"".join(map(written, heard)))
                    continue
                await self._send(b"")  # nothing but another look at the caller's right
                if time.monotonic() - self._sent_at > STILL_HERE_SECONDS:
                    await self._send(still_here(position))
                await ear.wait(LOOK_SECONDS)

    async def _start(self, query: int | None) -> Resume:
        await self._sight.refresh(self._work())
        oldest, newest = await self._work().read(store.bounds)
        seen = last_seen(self._call.header("Last-Event-ID"), query)
        return resume(seen, oldest, newest)

    async def _next(self, position: int) -> Sequence[Event]:
        held = self._feed.after(position, AT_ONCE)
        if held is not None:
            return held
        return await self._work().read(store.after, position, AT_ONCE)

    async def _send(self, text: bytes) -> None:
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                await self._call.send(text)
        except TimeoutError as error:
            raise Unavailable("you read too slowly: connect again") from error
        if text:
            self._sent_at = time.monotonic()

    def _work(self) -> Work:
        # The caller is checked again now and then, and may have other roles since.
        return Work(self._call.context, self._call.actor, self._call.work.origin)
