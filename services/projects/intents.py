"""What is about to move in a repository, noted on disk before git is told.

git's refs and the database cannot change in one transaction: after a crash between the two, these
notes say what may have moved unrecorded, and who wanted it. A note is locked while anybody still
works at it, git itself included (it inherits the lock); one that can be locked was left behind.
Used by `git_handlers` and `file_actions`, and by `recording`, which settles what was left.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from services.core.actor import Actor
from services.core.errors import StorageFull
from services.core.ids import new_id
from services.core.rights import Principal
from services.core.settings import Settings
from services.core.work import Origin, Work
from services.projects.pushed import Command

log = logging.getLogger("smalti.git")

FOLDER = "git-intents"


class Plan(BaseModel):
    """Which refs somebody has git move, and what the trail says of it.

    `before` and `after` are the trail's words of an edit; a push has none, they follow from what
    took effect.
    """

    action: str
    project_id: str
    commands: list[tuple[str, str, str]]
    actor: tuple[str, str, str, str | None]
    origin: tuple[str, str, str]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None

    @classmethod
    def of(cls, work: Work, action: str, project_id: str, commands: list[Command]) -> Plan:
        """Make the plan of whoever is asking."""
        actor, origin = work.actor, work.origin
        return cls(
            action=action,
            project_id=project_id,
            commands=[(one.ref, one.old, one.new) for one in commands],
            actor=(actor.kind.value, actor.id, actor.name, actor.person_id),
            origin=(origin.address, origin.request_id, origin.means),
        )

    def moves(self) -> list[Command]:
        """Give the refs that were to move."""
        return [Command(*one) for one in self.commands]

    def who(self) -> Actor:
        """Name who wanted it, for the trail; no rights come with it."""
        kind, actor_id, name, person_id = self.actor
        return Actor(Principal(kind), actor_id, name, person_id=person_id, rights=frozenset())

    def where(self) -> Origin:
        """Say from where it was wanted."""
        return Origin(*self.origin)


@dataclass
class Intent:
    """One note, locked as long as it is open. Blocking: for threads."""

    path: Path
    descriptor: int

    def say(self, plan: Plan) -> None:
        """Write down what is about to happen; it is on disk when this returns."""
        try:
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, plan.model_dump_json().encode(), 0)
            os.fsync(self.descriptor)
        except OSError as error:
            raise StorageFull("The disk is full.") from error

    def plan(self) -> Plan | None:
        """Read it back; None when nothing was about to happen yet."""
        size = os.fstat(self.descriptor).st_size
        try:
            return Plan.model_validate_json(os.pread(self.descriptor, size, 0))
        except ValidationError:
            return None  # the crash came before it was written whole, so before git was told

    @asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """Settle it when all went well, and leave it as it stands otherwise."""
        try:
            yield
        except BaseException:
            self.leave()
            raise
        await asyncio.to_thread(self.settle)

    def settle(self) -> None:
        """Take it away: what has moved is recorded, or nothing has."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)

    def leave(self) -> None:
        """Let go of it as it stands, for whoever settles it later."""
        if not os.fstat(self.descriptor).st_size:
            self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


class Intents:
    """The folder of all notes."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.platform_folder / FOLDER

    async def begun(self) -> Intent:
        """Make a note, in a thread. One whose maker was called off meanwhile is let go."""
        making = asyncio.ensure_future(asyncio.to_thread(self.begin))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(_let_go)
            raise

    def begin(self) -> Intent:
        """Make a note that says nothing yet. Raises StorageFull."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / new_id()
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise StorageFull("The disk is full.") from error
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Intent(path, descriptor)

    def left(self) -> Iterator[Intent]:
        """Go through what nobody works at any more, oldest first; each one is locked."""
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._folder)):
                found = _take(self._folder / name)
                if found is not None:
                    yield found


def _let_go(making: asyncio.Future[Intent]) -> None:
    if not making.cancelled() and making.exception() is None:
        making.result().leave()


def _take(path: Path) -> Intent | None:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking it may have been settled: then it has no name any more.
        if os.fstat(descriptor).st_nlink:
            return Intent(path, descriptor)
    except BlockingIOError:
        pass  # somebody is at it
    os.close(descriptor)
    return None
