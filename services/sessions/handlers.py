"""Routes of workspaces."""

from __future__ import annotations

from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.planes.protocol import VolumesAnswer
from services.sessions import actions, store
from services.sessions.schemas import (
    KeepRequest,
    WorkspaceChange,
    WorkspaceCreate,
    WorkspacesQuery,
    WorkspaceView,
)

routes = Routes("workspaces")


@routes.get(
    "/workspaces",
    Permission.WORKSPACES_LIST,
    query=WorkspacesQuery,
    answer=Page[WorkspaceView],
)
async def list_workspaces(call: Call) -> Page[WorkspaceView]:
    """List workspaces, the newest first."""
    return await actions.list_workspaces(call.work, call.query(WorkspacesQuery))


@routes.post(
    "/workspaces",
    Permission.WORKSPACE_START,
    body=WorkspaceCreate,
    answer=WorkspaceView,
    status=201,
)
async def create(call: Call) -> WorkspaceView:
    """Make a workspace; it is not started by this."""
    return await actions.create(call.work, call.body(WorkspaceCreate))


@routes.get("/workspaces/{id}", Permission.WORKSPACE_READ, answer=WorkspaceView, etag=True)
async def show(call: Call) -> WorkspaceView:
    """Show a workspace."""
    return await actions.show(call.work, call.path["id"])


@routes.patch(
    "/workspaces/{id}",
    Permission.WORKSPACE_START,
    body=WorkspaceChange,
    answer=WorkspaceView,
    etag=True,
)
async def change(call: Call) -> WorkspaceView:
    """Change a workspace for its next start."""
    return await actions.change(call.work, call.path["id"], call.body(WorkspaceChange))


@routes.delete("/workspaces/{id}", Permission.WORKSPACE_START)
async def delete(call: Call) -> None:
    """Delete a workspace; for some days it can be had back."""
    await actions.delete(call.work, call.path["id"])


@routes.post("/workspaces/{id}/undelete", Permission.WORKSPACE_START, answer=WorkspaceView)
async def undelete(call: Call) -> WorkspaceView:
    """Have a deleted workspace back, with its files."""
    return await actions.undelete(call.work, call.path["id"])


@routes.post("/workspaces/{id}/start", Permission.WORKSPACE_START, answer=WorkspaceView, status=202)
async def start(call: Call) -> WorkspaceView:
    """Have a workspace started."""
    return await actions.start(call.work, call.path["id"])


@routes.post("/workspaces/{id}/stop", Permission.WORKSPACE_STOP, answer=WorkspaceView)
async def stop(call: Call) -> WorkspaceView:
    """Stop a workspace; its files stay."""
    return await actions.stop(call.work, call.path["id"])


@routes.post(
    "/workspaces/{id}/keep", Permission.WORKSPACE_START, body=KeepRequest, answer=WorkspaceView
)
async def keep(call: Call) -> WorkspaceView:
    """Keep a running workspace from being ended for want of activity, until a time."""
    return await actions.keep(call.work, call.path["id"], call.body(KeepRequest))


@routes.get("/agent/volumes", Permission.AGENT_WORK, answer=VolumesAnswer, hidden=True)
async def volumes(call: Call) -> VolumesAnswer:
    """Say which volumes of an agent's plane must stay."""
    plane_id = call.actor.plane_id
    assert plane_id is not None, "an agent's token names its plane"
    return VolumesAnswer(volumes=await call.work.read(store.volumes, plane_id))
