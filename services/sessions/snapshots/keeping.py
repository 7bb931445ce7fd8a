"""What agents bring: packs, then the report that makes them a snapshot; and whom they ask for.

Called by the handlers of the agents' routes. A pack is kept before anything names it, a commit
is checked to be whole before it is a snapshot, and each step can be done twice: a platform or
an agent that is killed in between loses nothing that was acknowledged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from services import people, workloads
from services.core import events
from services.core.bus import RECHECK
from services.core.database import Transaction
from services.core.errors import NotFound
from services.core.work import Work
from services.planes.protocol import (
    SnapshotAnswer,
    SnapshotBegin,
    SnapshotReport,
    SnapshotWishes,
)
from services.sessions.snapshots import runtime, store
from services.sessions.snapshots.runtime import Shelves
from services.storage import Disk

Run = tuple[str, str, int]


@dataclass(frozen=True)
class Session:
    """A run of a session whose agent speaks, and the workspace it is a start of."""

    workload_id: str
    workspace_id: str
    project_id: str
    person_id: str
    person: str
    commit: str


def subject(workspace_id: str) -> str:
    """Name what is woken when a workspace has been looked at."""
    return f"snapshots:{workspace_id}"


async def begin(work: Work, run: Run) -> SnapshotBegin:
    """Say where a session's snapshots stand. Makes the repository at the first time."""
    session, newest = await work.read(_session_and_newest, run)
    shelves = work.context.get(Shelves)
    repository = await asyncio.to_thread(shelves.make, session.workspace_id, session.project_id)
    settings = work.context.settings
    answer = SnapshotBegin(
        author=f"{_plain(session.person)} <{session.person_id}@smalti.invalid>",
        prompt=settings.snapshot_prompt,
        largest=settings.snapshot_file_max,
        total=settings.snapshot_size_max,
        files=settings.snapshot_files_max,
        commits=[session.commit],
        objects=await runtime.objects_of(repository, newest.commit if newest else session.commit),
    )
    if newest is None or not answer.objects:
        return answer
    tree, parent, _ = await runtime.describe(repository, newest.commit)
    return answer.model_copy(
        update={
            "number": newest.number,
            "commit": newest.commit,
            "tree": tree,
            "parent": parent,
            "objects": [*answer.objects, tree],
            "commits": [session.commit, *([parent] if parent else [])],
        }
    )


def _plain(name: str) -> str:
    """Leave out of a name what would end it in a commit's author line."""
    return "".join(c for c in name if c.isprintable() and c not in "<>") or "somebody"


async def take_pack(work: Work, run: Run, pieces: AsyncIterator[bytes]) -> None:
    """Keep a pack of objects of a session's files."""
    session = await work.read(_session, run)
    work.context.get(Disk).require(vital=True)
    repository = work.context.get(Shelves).make(session.workspace_id, session.project_id)
    await runtime.take_pack(repository, pieces, work.context.settings.snapshot_disk_max)


async def report(work: Work, run: Run, told: SnapshotReport) -> SnapshotAnswer:
    """Make a commit whose objects were put before the newest snapshot."""
    session, newest = await work.read(_session_and_newest, run)
    if newest is None or newest.commit != told.commit:
        repository = work.context.get(Shelves).make(session.workspace_id, session.project_id)
        if not await runtime.is_whole(repository, told.commit):
            return SnapshotAnswer()
        await runtime.hold(repository, told.commit)
        described = await runtime.describe(repository, told.commit)
    else:
        described = ("", None, None)
    return SnapshotAnswer(number=await work.write(_note, run, told, described))


def _note(
    tx: Transaction,
    run: Run,
    told: SnapshotReport,
    described: tuple[str, str | None, str | None],
) -> int:
    session, newest = _session_and_newest(tx, run)
    if newest is not None and newest.commit == told.commit:
        number = newest.number
        store.seen_again(tx, newest, tx.now, told.unsafe)
    else:
        number = newest.number + 1 if newest else 1
        tree, parent, parents_tree = described
        row = {
            "workspace_id": session.workspace_id,
            "number": number,
            "project_id": session.project_id,
            "person_id": session.person_id,
            "workload_id": session.workload_id,
            "commit": told.commit,
            "parent": parent,
            "changed": int(tree != parents_tree),
            # Our clock, not the agent's: times of one workspace must be in order.
            "taken_at": tx.now,
            "files": told.files,
            "size": told.size,
            "unsafe": told.unsafe,
        }
        store.add(tx, row)
    if told.wish:
        store.fulfil(tx, session.workload_id, told.wish)
    events.wake(tx, subject(session.workspace_id))
    return int(number)


def _session(tx: Transaction, run: Run) -> Session:
    """Load the session whose agent speaks. Raises NotFound when it is not its to speak of."""
    plane_id, workload_id, attempt = run
    row = workloads.load(tx, workload_id)
    ours = (
        row is not None
        and (row.plane_id, row.kind, row.attempt) == (plane_id, "session", attempt)
        and row.finished_at is None
    )
    if not ours:
        raise NotFound("this session is not known")
    assert row is not None
    person = people.find(tx, row.person_id).name
    where = store.volume_of(row)
    return Session(
        row.id, where, row.project_id, row.person_id, person, str(row.order["commit"])
    )  # fmt: skip


def _session_and_newest(tx: Transaction, run: Run) -> tuple[Session, Row[Any] | None]:
    session = _session(tx, run)
    return session, store.newest(tx, session.workspace_id)


async def wishes(work: Work, plane_id: str, after: int, wait: float) -> SnapshotWishes:
    """Give a plane's agent the sessions that somebody waits for, waiting for some."""
    deadline = asyncio.get_running_loop().time() + wait
    with work.context.bus.listen(f"wishes:{plane_id}") as listener:
        while True:
            found, cursor = await work.read(store.wishes, plane_id, after)
            left = deadline - asyncio.get_running_loop().time()
            if found or left <= 0:
                return SnapshotWishes(wishes=found, cursor=cursor)
            await listener.wait(min(left, RECHECK))
