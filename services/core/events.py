"""What happened, told to whoever listens: one ordered stream, kept for a while, resumable.

A noun calls `publish` inside the transaction that makes it true. Listeners (`/events`, loops)
read the table by position and are woken by the `Bus` of their own process; another process's
writes are noticed by `RECHECK`. Must never carry content a member of the project may not see:
an event names what changed, with its status; the rest is fetched.

Topics and kinds are listed in `TOPICS`, which `docs/reference/events.md` shows.
"""

from __future__ import annotations

import asyncio
import threading
import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, text

from services.core.database import Transaction
from services.core.tables import events
from services.core.work import context_of

_ORDER_LOCK = zlib.crc32(b"smalti.events")
RECHECK = 1.0  # seconds until another process's writes are seen at the latest

TOPICS: dict[str, dict[str, str]] = {
    "jobs": {
        "job.created": "A job was accepted.",
        "job.changed": "A job's status or reason changed.",
    },
    "projects": {
        "project.created": "A project was created.",
        "project.changed": "A project's settings or members changed.",
        "project.deleted": "A project was deleted.",
        "project.pushed": "A branch or tag of the project's repository moved.",
    },
    "planes": {
        "plane.changed": "A data plane came, went away or changed its capacity.",
    },
    "people": {
        "person.changed": "A person's roles or state changed.",
    },
}


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


def publish(
    tx: Transaction,
    kind: str,
    subject_id: str,
    data: Mapping[str, Any],
    *,
    project_id: str | None = None,
    person_id: str | None = None,
) -> None:
    """Tell that something is so, once this transaction is committed.

    With a project, its members may hear it; with a person, that person; with neither, everybody
    who may listen. KeyError for a kind that `TOPICS` does not list.
    """
    topic = _TOPIC_OF[kind]
    if tx.dialect == "postgresql":
        # Positions must become visible in their order, or a listener would step over one.
        tx.execute(text(f"SELECT pg_advisory_xact_lock({_ORDER_LOCK})"))
    row = {
        "at": tx.now,
        "topic": topic,
        "kind": kind,
        "project_id": project_id,
        "person_id": person_id,
        "subject_id": subject_id,
        "data": dict(data),
    }
    tx.execute(insert(events), row)
    wake(tx, f"events:{topic}", f"subject:{subject_id}")


def wake(tx: Transaction, *subjects: str) -> None:
    """Wake listeners of this process once this transaction is committed."""
    bus = context_of(tx).bus

    def call() -> None:
        for subject in subjects:
            bus.wake(subject)

    tx.on_commit(call)


_TOPIC_OF = {kind: topic for topic, kinds in TOPICS.items() for kind in kinds}
