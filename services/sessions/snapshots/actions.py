"""Verbs of snapshots: list, take now, restore, open beside, give to a job, let go.

A snapshot is its person's alone, whatever others may do in the project: it holds what they have
not chosen to show. To run it as a job or to make a branch of it is that choice.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import Row

from services import projects, workloads
from services.core import audit, events
from services.core.bus import RECHECK
from services.core.database import Transaction
from services.core.errors import Conflict, NotFound, Unavailable, Unprocessable
from services.core.paging import Page, PageQuery, paginate
from services.core.rights import Permission
from services.core.work import Work, actor_of
from services.projects import FilesQuery, FilesView, Repositories
from services.sessions.snapshots import keeping, runtime, store
from services.sessions.snapshots.schemas import (
    RestoreCreate,
    RestoreView,
    SnapshotBranchCreate,
    SnapshotBranchView,
    SnapshotView,
)

PATIENCE = 30.0  # for a snapshot that is asked for
_NONE = "this workspace does not exist, or has no snapshot"


async def list_snapshots(work: Work, workspace_id: str, query: PageQuery) -> Page[SnapshotView]:
    """List a workspace's snapshots, the newest first."""
    return await work.read(_list, workspace_id, query)


def _list(tx: Transaction, workspace_id: str, query: PageQuery) -> Page[SnapshotView]:
    if not _is_bare(tx, workspace_id):
        workspace_id = _readable(tx, workspace_id, Permission.FILES_READ).workspace_id
    return paginate(tx, store.listing(workspace_id), store.KEYS, query, _view)


def _is_bare(tx: Transaction, workspace_id: str) -> bool:
    """Tell whether this is a workspace of the caller's that has no snapshot yet.

    Only to whoever may see its project: for all others it does not exist.
    """
    person_id = actor_of(tx).person_id
    project_id = store.project_of(tx, workspace_id, person_id) if person_id else None
    if project_id is None or store.newest(tx, workspace_id) is not None:
        return False
    try:
        projects.authorize(tx, Permission.FILES_READ, project_id)
    except NotFound:
        raise NotFound(_NONE) from None
    return True


def _readable(tx: Transaction, key: str, permission: Permission) -> Row[Any]:
    """Load the newest snapshot of a workspace of the caller's. Raises NotFound, Forbidden."""
    person_id = actor_of(tx).person_id
    session = store.live_session(tx, key, person_id) if person_id else None
    newest = store.newest(tx, store.volume_of(session) if session else key)
    if newest is None or newest.person_id != person_id:
        raise NotFound(_NONE)
    try:
        projects.authorize(tx, permission, newest.project_id)
    except NotFound:
        raise NotFound(_NONE) from None
    return newest


def _one(tx: Transaction, workspace_id: str, number: int, permission: Permission) -> Row[Any]:
    newest = _readable(tx, workspace_id, permission)
    found = store.one(tx, newest.workspace_id, number)
    if found is None:
        raise NotFound("this snapshot does not exist (any more)")
    return found


def _view(row: Row[Any]) -> SnapshotView:
    values = {**row._mapping, "changed": bool(row.changed)}
    return SnapshotView.model_validate(values)


async def show(work: Work, workspace_id: str, number: int) -> SnapshotView:
    """Show a snapshot."""
    return _view(await work.read(_one, workspace_id, number, Permission.FILES_READ))


async def list_files(work: Work, workspace_id: str, number: int, query: FilesQuery) -> FilesView:
    """List a folder of a snapshot."""
    found = await work.read(_one, workspace_id, number, Permission.FILES_READ)
    repository = runtime.shelf(work.context, found.workspace_id)
    return await projects.list_files_at(repository, found.commit, query)


async def find_file(
    work: Work, workspace_id: str, number: int, path: str
) -> tuple[projects.Repository, projects.Entry]:
    """Find a file of a snapshot, to be read."""
    found = await work.read(_one, workspace_id, number, Permission.FILES_READ)
    repository = runtime.shelf(work.context, found.workspace_id)
    return repository, await projects.file_at(repository, found.commit, path)


# -- now -----------------------------------------------------------------------------------------


async def take(work: Work, workspace_id: str) -> SnapshotView:
    """Have a running workspace's files saved as they are now; answers once they are safe.

    Of a stopped workspace the newest snapshot is the answer: nothing changes there.
    """
    # Not this call's one kept answer: what is written here is only a question.
    asking = Work(work.context, work.actor, work.origin)
    found, position = await asking.write(_wish, workspace_id)
    if position is not None:
        await _fulfilled(asking, found, position)
    return _view(await work.read(_readable, found, Permission.FILES_READ))


def _wish(tx: Transaction, key: str) -> tuple[str, int | None]:
    person_id = actor_of(tx).person_id
    session = store.live_session(tx, key, person_id) if person_id else None
    if session is None or not _watched(tx, session):
        return _readable(tx, key, Permission.JOB_START).workspace_id, None
    try:
        projects.authorize(tx, Permission.JOB_START, session.project_id)
    except NotFound:
        raise NotFound(_NONE) from None
    position = store.wish(tx, session)
    events.wake(tx, f"wishes:{session.plane_id}")
    return store.volume_of(session), position


def _watched(tx: Transaction, session: Row[Any]) -> bool:
    """Tell whether an agent looks at a session's files.

    Its first snapshot may be here before the report that it runs: the two come by different ways.
    """
    if session.started_at is not None:
        return True
    newest = store.newest(tx, store.volume_of(session))
    return newest is not None and newest.workload_id == session.id


async def _fulfilled(work: Work, workspace_id: str, position: int) -> None:
    """Wait until a wish has been fulfilled. Raises Unavailable."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    with work.context.bus.listen(keeping.subject(workspace_id)) as listener:
        while await work.read(store.is_open, position):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise Unavailable(
                    f"the workspace's files could not be saved within {PATIENCE:g} s: its plane "
                    "is away or busy. Try again, or use an earlier snapshot.",
                    code="snapshot_late",
                )
            await listener.wait(min(left, RECHECK))


# -- what becomes of one -------------------------------------------------------------------------


async def restore(work: Work, workspace_id: str, request: RestoreCreate) -> RestoreView:
    """Have a stopped workspace start with the files of a snapshot. Conflict while it runs."""
    found = await work.read(_restorable, workspace_id, request.number)
    await _publish(work, found, f"refs/smalti/restores/{found.workspace_id}")
    return await work.write(_restore, workspace_id, request.number)


def _restorable(tx: Transaction, workspace_id: str, number: int) -> Row[Any]:
    found = _one(tx, workspace_id, number, Permission.FILES_WRITE)
    if store.live_session(tx, found.workspace_id, found.person_id) is not None:
        raise Conflict(
            "the workspace runs: stop it first. To see a snapshot beside it, make a branch of it.",
            code="workspace_runs",
        )
    return found


def _restore(tx: Transaction, workspace_id: str, number: int) -> RestoreView:
    found = _restorable(tx, workspace_id, number)
    store.set_restore(tx, found.workspace_id, number, found.commit)
    after = {"number": number}
    _record(tx, "workspace.restore", found, after)
    return RestoreView(workspace_id=found.workspace_id, number=number, commit=found.commit)


async def branch(
    work: Work, workspace_id: str, number: int, request: SnapshotBranchCreate
) -> SnapshotBranchView:
    """Open a snapshot beside: make a branch of the project at it, which its members see."""
    found = await work.read(_one, workspace_id, number, Permission.FILES_WRITE)
    ref = f"refs/smalti/kept/{found.commit}"
    await _publish(work, found, ref)
    await projects.make_branch(work, found.project_id, request.name, found.commit)
    await work.write(_branched, found, request.name)
    return SnapshotBranchView(name=request.name, commit=found.commit)


def _branched(tx: Transaction, found: Row[Any], name: str) -> None:
    _record(tx, "snapshot.branch", found, {"number": found.number, "branch": name})


def _record(tx: Transaction, action: str, found: Row[Any], after: dict[str, Any]) -> None:
    audit.record(
        tx, action, "workspace", found.workspace_id, project_id=found.project_id, after=after
    )  # fmt: skip


async def _publish(work: Work, found: Row[Any], ref: str) -> None:
    source = runtime.shelf(work.context, found.workspace_id)
    project = work.context.get(Repositories).of(found.project_id)
    await runtime.publish(source, project, found.commit, ref)


async def code_of(
    work: Work, project_id: str, workspace_id: str, number: int | None
) -> workloads.Code:
    """Give a job the code of a workspace: as it is now, or of one snapshot.

    Of files that are all committed it is that commit; else the snapshot's, which is copied into
    the project, where its members may see it like the code of any job.
    """
    if number is None:
        number = (await take(work, workspace_id)).number
    found = await work.read(_one, workspace_id, number, Permission.JOB_START)
    if found.project_id != project_id:
        raise Unprocessable("the workspace is not of this project", code="other_project")
    if not found.changed and found.parent is not None:
        try:
            commit = await projects.resolve_commit(work.context, project_id, found.parent)
            return workloads.Code(ref=commit, commit=commit)
        except projects.NoSuchRef:
            pass  # a commit that was never pushed: the snapshot leads to it
    await _publish(work, found, f"refs/smalti/kept/{found.commit}")
    return workloads.Code(ref=f"snapshot {found.number}", commit=found.commit)


# -- for sessions --------------------------------------------------------------------------------


def restore_for_start(tx: Transaction, workspace_id: str) -> str | None:
    """Give the commit whose files a workspace is to have at this start."""
    found = store.restore_of(tx, workspace_id)
    return None if found is None else str(found.commit)


def restored(tx: Transaction, workspace_id: str, commit: str) -> None:
    """Forget what was to be restored: a start has done it, or could not.

    Not sooner: a start that was called off in the queue has restored nothing.
    """
    found = store.restore_of(tx, workspace_id)
    if found is not None and found.commit == commit:
        store.drop_restore(tx, workspace_id)


async def forget(work: Work, workspace_id: str) -> None:
    """Remove all snapshots of a workspace that is deleted for good."""
    await work.write(store.forget, workspace_id)
    await asyncio.to_thread(work.context.get(runtime.Shelves).remove, workspace_id)
