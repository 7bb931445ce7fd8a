"""What one listener may hear of: their projects, asked for once and kept for seconds.

A project that is not known yet is asked for, all of a batch together; one whose members
changed is asked for again. So most batches cost no query, and no row costs one.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from services.core.rights import Permission
from services.core.work import Work
from services.events import store
from services.events.rules import NEEDED, Event

BELIEVED = 7.0  # seconds until everything is asked anew: revocation is felt within 30 s


class Sight:
    """One listener's view. Not for use by two coroutines at once."""

    def __init__(self, topics: frozenset[str]) -> None:
        self._topics = topics
        self._asked_at: float | None = None
        self._everywhere: set[Permission] = set()
        self._seen: set[tuple[Permission, str]] = set()
        self._unseen: set[tuple[Permission, str]] = set()

    async def refresh(self, work: Work) -> None:
        """Ask for everything anew when it is time to."""
        now = time.monotonic()
        if self._asked_at is not None and now - self._asked_at < BELIEVED:
            return
        needed = {NEEDED[topic] for topic in self._topics}
        found = await work.read(store.visible, needed)
        self._everywhere = {permission for permission, ids in found.items() if ids is None}
        self._seen = {(one, id_) for one, ids in found.items() for id_ in ids or ()}
        self._unseen = set()
        self._asked_at = now

    async def of(self, work: Work, events: Iterable[Event]) -> list[Event]:
        """Leave those events that the listener may hear of.

        That a project was deleted is heard by those who saw it until then; what is deleted
        already when a listener connects is not heard of.
        """
        await self.refresh(work)
        wanted = [event for event in events if event.topic in self._topics]
        self._forget({event.project_id for event in wanted if event.kind == "project.changed"})
        await self._learn(work, wanted)
        heard = [event for event in wanted if self._hears(work, event)]
        self._forget({event.project_id for event in wanted if event.kind == "project.deleted"})
        return heard

    def _hears(self, work: Work, event: Event) -> bool:
        permission = NEEDED[event.topic]
        if event.project_id is not None:
            return permission in self._everywhere or (permission, event.project_id) in self._seen
        if not work.actor.may(permission):
            return False
        # A run acts for a person within one project; what is that person's alone is not its.
        actor = work.actor
        own = actor.person_id == event.person_id and actor.project_id is None
        return event.person_id is None or own

    async def _learn(self, work: Work, events: Iterable[Event]) -> None:
        pairs = {(NEEDED[one.topic], one.project_id) for one in events if one.project_id}
        unknown = {
            pair for pair in pairs - self._seen - self._unseen if pair[0] not in self._everywhere
        }
        if not unknown:
            return
        found = await work.read(store.visible_of, unknown)
        self._seen |= found
        self._unseen |= unknown - found

    def _forget(self, project_ids: Collection[str | None]) -> None:
        if project_ids:
            self._seen = {pair for pair in self._seen if pair[1] not in project_ids}
            self._unseen = {pair for pair in self._unseen if pair[1] not in project_ids}
