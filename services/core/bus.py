"""Wake-ups within one process: whoever changes something wakes whoever waits for it.

Used by `events` after a commit and by every loop and stream. Carries no data, so nothing can
be lost with it: a listener looks at the database, at the latest after `RECHECK` seconds, by
which it also sees what other processes wrote.
"""

from __future__ import annotations

import asyncio
import threading

RECHECK = 1.0  # seconds until another process's writes are seen at the latest


class Bus:
    """Wakes the listeners of this process. Threads may `wake`; coroutines `wait`.

    A wake-up carries nothing: the listener looks at the database. So a lost or doubled one
    costs time at worst, never truth.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._pending: set[str] = set()
        self._lock = threading.Lock()

    def attach(self) -> None:
        """Tie the bus to the running event loop; wake-ups before that are not needed."""
        self._loop = asyncio.get_running_loop()

    def wake(self, subject: str) -> None:
        """Wake everybody who waits for a subject, from any thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        with self._lock:
            first = not self._pending
            self._pending.add(subject)
        if first:  # one call into the loop serves all wake-ups that come until it runs
            loop.call_soon_threadsafe(self._deliver)

    def listen(self, *subjects: str) -> Listener:
        """Start listening; use as a context manager."""
        return Listener(self, subjects)

    def _deliver(self) -> None:
        with self._lock:
            subjects, self._pending = self._pending, set()
        for subject in subjects:
            for waiting in self._waiting.get(subject, ()):
                waiting.set()

    def _add(self, subject: str, waiting: asyncio.Event) -> None:
        self._waiting.setdefault(subject, set()).add(waiting)

    def _discard(self, subject: str, waiting: asyncio.Event) -> None:
        listeners = self._waiting.get(subject, set())
        listeners.discard(waiting)
        if not listeners:
            self._waiting.pop(subject, None)


class Listener:
    """One coroutine's ear on some subjects; misses nothing between two waits."""

    def __init__(self, bus: Bus, subjects: tuple[str, ...]) -> None:
        self._bus, self._subjects = bus, subjects
        self._event = asyncio.Event()

    def __enter__(self) -> Listener:
        for subject in self._subjects:
            self._bus._add(subject, self._event)
        return self

    def __exit__(self, *_: object) -> None:
        for subject in self._subjects:
            self._bus._discard(subject, self._event)

    async def wait(self, seconds: float) -> bool:
        """Wait for a wake-up, or until the time is over; tell which it was."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
