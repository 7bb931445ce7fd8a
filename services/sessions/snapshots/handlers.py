"""Routes of snapshots: of people, and of the agents that bring them."""

from __future__ import annotations

from services.core.errors import BadRequest, NotFound
from services.core.paging import Page, PageQuery
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.planes.protocol import (
    SnapshotAnswer,
    SnapshotBegin,
    SnapshotReport,
    SnapshotWishes,
)
from services.projects import FilesQuery, FilesView, send_file
from services.sessions.snapshots import actions, keeping
from services.sessions.snapshots.schemas import (
    RestoreCreate,
    RestoreView,
    SnapshotBranchCreate,
    SnapshotBranchView,
    SnapshotView,
    WishQuery,
)

routes = Routes("workspaces")
MOST = 1 << 31


def _number(call: Call) -> int:
    text = call.path["number"]
    if not (text.isascii() and text.isdigit()) or int(text) >= MOST:
        raise NotFound("this snapshot does not exist")
    return int(text)


@routes.get(
    "/workspaces/{id}/snapshots",
    Permission.FILES_READ,
    query=PageQuery,
    answer=Page[SnapshotView],
)
async def list_snapshots(call: Call) -> Page[SnapshotView]:
    """List a workspace's snapshots, the newest first."""
    return await actions.list_snapshots(call.work, call.path["id"], call.query(PageQuery))


@routes.post(
    "/workspaces/{id}/snapshots",
    Permission.JOB_START,
    answer=SnapshotView,
    status=201,
    keep=False,
)
async def take(call: Call) -> SnapshotView:
    """Save a running workspace's files now; answers once they are safe."""
    return await actions.take(call.work, call.path["id"])


@routes.get("/workspaces/{id}/snapshots/{number}", Permission.FILES_READ, answer=SnapshotView)
async def show_snapshot(call: Call) -> SnapshotView:
    """Show a snapshot."""
    return await actions.show(call.work, call.path["id"], _number(call))


@routes.get(
    "/workspaces/{id}/snapshots/{number}/files",
    Permission.FILES_READ,
    query=FilesQuery,
    answer=FilesView,
)
async def files(call: Call) -> FilesView:
    """List a folder of a snapshot."""
    query = call.query(FilesQuery)
    return await actions.list_files(call.work, call.path["id"], _number(call), query)


@routes.get(
    "/workspaces/{id}/snapshots/{number}/content/{path*}",
    Permission.FILES_READ,
    media_type="application/octet-stream",
)
async def read(call: Call) -> None:
    """Give the bytes of a file of a snapshot, always as an attachment."""
    repository, entry = await actions.find_file(
        call.work, call.path["id"], _number(call), call.path["path"]
    )
    await send_file(call, repository, entry)


@routes.post(
    "/workspaces/{id}/snapshots/{number}/branch",
    Permission.FILES_WRITE,
    body=SnapshotBranchCreate,
    answer=SnapshotBranchView,
    status=201,
)
async def branch(call: Call) -> SnapshotBranchView:
    """Make a branch of the project at a snapshot."""
    request = call.body(SnapshotBranchCreate)
    return await actions.branch(call.work, call.path["id"], _number(call), request)


@routes.post(
    "/workspaces/{id}/restore", Permission.FILES_WRITE, body=RestoreCreate, answer=RestoreView
)
async def restore(call: Call) -> RestoreView:
    """Have a stopped workspace start with the files of a snapshot."""
    return await actions.restore(call.work, call.path["id"], call.body(RestoreCreate))


# -- agents --------------------------------------------------------------------------------------


def _plane(call: Call) -> str:
    plane_id = call.actor.plane_id
    assert plane_id is not None, "an agent's token names its plane"
    return plane_id


def _run(call: Call) -> keeping.Run:
    attempt = call.path["attempt"]
    if not (attempt.isascii() and attempt.isdigit()) or int(attempt) > 1_000_000:
        raise BadRequest("attempt: not a number")
    return _plane(call), call.path["id"], int(attempt)


@routes.get(
    "/agent/snapshots", Permission.AGENT_WORK, query=WishQuery, answer=SnapshotWishes, hidden=True
)
async def wishes(call: Call) -> SnapshotWishes:
    """Tell an agent whose snapshot somebody waits for."""
    query = call.query(WishQuery)
    return await keeping.wishes(call.work, _plane(call), query.after, query.wait)


@routes.get(
    "/agent/runs/{id}/{attempt}/snapshots",
    Permission.AGENT_WORK,
    answer=SnapshotBegin,
    hidden=True,
)
async def begin(call: Call) -> SnapshotBegin:
    """Say where a session's snapshots stand."""
    return await keeping.begin(call.work, _run(call))


@routes.put(
    "/agent/runs/{id}/{attempt}/snapshots/pack",
    Permission.AGENT_WORK,
    upload="push_max",
    status=204,
    hidden=True,
)
async def take_pack(call: Call) -> None:
    """Take a pack of objects of a session's files."""
    await keeping.take_pack(call.work, _run(call), call.stream())


@routes.post(
    "/agent/runs/{id}/{attempt}/snapshots",
    Permission.AGENT_WORK,
    body=SnapshotReport,
    answer=SnapshotAnswer,
    hidden=True,
    keep=False,
)
async def report(call: Call) -> SnapshotAnswer:
    """Take the report that makes what was put a snapshot."""
    return await keeping.report(call.work, _run(call), call.body(SnapshotReport))
