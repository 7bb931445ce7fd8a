"""Environments over HTTP."""

from __future__ import annotations

from services.core.paging import Page, PageQuery
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.environments import actions
from services.environments.schemas import EnvironmentsQuery, EnvironmentView, RevisionView

routes = Routes("environments")


@routes.get(
    "/environments",
    Permission.ENVIRONMENTS_READ,
    query=EnvironmentsQuery,
    answer=Page[EnvironmentView],
)
async def list_environments(call: Call) -> Page[EnvironmentView]:
    """List environments."""
    return await actions.list_environments(call.work, call.query(EnvironmentsQuery))


@routes.get("/environments/{id}", Permission.ENVIRONMENTS_READ, answer=EnvironmentView)
async def show(call: Call) -> EnvironmentView:
    """Show an environment."""
    return await actions.show(call.work, call.path["id"])


@routes.get(
    "/environments/{id}/revisions",
    Permission.ENVIRONMENTS_READ,
    query=PageQuery,
    answer=Page[RevisionView],
)
async def list_revisions(call: Call) -> Page[RevisionView]:
    """List an environment's revisions, newest first."""
    return await actions.list_revisions(call.work, call.path["id"], call.query(PageQuery))


@routes.get(
    "/environments/{id}/revisions/{number}", Permission.ENVIRONMENTS_READ, answer=RevisionView
)
async def show_revision(call: Call) -> RevisionView:
    """Show a revision of an environment."""
    return await actions.show_revision(call.work, call.path["id"], call.path["number"])
