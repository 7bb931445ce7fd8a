"""Waiting between tries.

Owns the growing, jittered pause after a failure, and the end of a wait that was broken off.
Called by every loop that speaks to the control plane. Must never be used to wait for what can be
awaited.
"""

from __future__ import annotations

import asyncio
import random

ROOM_PATIENCE = 3600.0  # seconds that an ended run waits for room on the control plane's disk


class Backoff:
    """A pause that doubles with each failure up to `longest` seconds, with full jitter.

    `cut` ends the present pause, for when it is known that trying again makes sense.
    """

    def __init__(self, first: float, longest: float) -> None:
        self.first = first
        self.longest = longest
        self._failures = 0
        self._cut = asyncio.Event()

    def reset(self) -> None:
        """Begin again with the shortest pause."""
        self._failures = 0

    def cut(self) -> None:
        """End the present pause and begin again with the shortest."""
        self._failures = 0
        self._cut.set()

    def next(self) -> float:
        """Give the length of the next pause in seconds."""
        ceiling = min(self.longest, self.first * float(1 << min(self._failures, 16)))
        self._failures += 1
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret

    async def wait(self) -> None:
        """Pause."""
        self._cut.clear()
        try:
            async with asyncio.timeout(self.next()):
                await self._cut.wait()
        except TimeoutError:
            return


def take_back_cancel() -> None:
    """Let the present task go on after a cancellation that was meant for one step of it."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
