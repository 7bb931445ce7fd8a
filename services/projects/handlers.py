"""HTTP of projects and members."""

from __future__ import annotations

from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.projects import actions, member_actions
from services.projects.rules import Status
from services.projects.schemas import (
    ExamplesView,
    MemberAdd,
    MemberChange,
    MembersQuery,
    MemberView,
    ProjectChange,
    ProjectCreate,
    ProjectsQuery,
    ProjectView,
)

routes = Routes("projects")


@routes.get("/projects", Permission.PROJECTS_LIST, query=ProjectsQuery, answer=Page[ProjectView])
async def index(call: Call) -> Page[ProjectView]:
    """List the projects that the caller may see, the newest first."""
    return await actions.list_projects(call.work, call.query(ProjectsQuery))


@routes.post(
    "/projects",
    Permission.PROJECT_CREATE,
    body=ProjectCreate,
    answer=ProjectView,
    status=201,
    accepts=True,
)
async def create(call: Call) -> ProjectView:
    """Make a project; 202 while its files are being imported."""
    view = await actions.create(call.work, call.body(ProjectCreate))
    if view.status is Status.IMPORTING:
        call.accept()
    return view


@routes.get("/project-examples", Permission.PROJECTS_LIST, answer=ExamplesView)
async def examples(call: Call) -> ExamplesView:
    """List the examples that a project can begin from."""
    return await actions.list_examples()


@routes.get("/projects/{id}", Permission.PROJECT_READ, answer=ProjectView, etag=True)
async def show(call: Call) -> ProjectView:
    """Show a project."""
    return await actions.show(call.work, call.path["id"])


@routes.patch(
    "/projects/{id}", Permission.PROJECT_EDIT, body=ProjectChange, answer=ProjectView, etag=True
)
async def change(call: Call) -> ProjectView:
    """Change a project's settings, name or owner; old addresses go on working."""
    return await actions.change(call.work, call.path["id"], call.body(ProjectChange))


@routes.delete("/projects/{id}", Permission.PROJECT_DELETE)
async def delete(call: Call) -> None:
    """Delete a project that nothing uses any more."""
    await actions.delete(call.work, call.path["id"])


@routes.get(
    "/projects/{id}/members",
    Permission.MEMBERS_READ,
    query=MembersQuery,
    answer=Page[MemberView],
)
async def members(call: Call) -> Page[MemberView]:
    """List a project's members."""
    query = call.query(MembersQuery)
    return await member_actions.list_members(call.work, call.path["id"], query)


@routes.post(
    "/projects/{id}/members",
    Permission.MEMBERS_MANAGE,
    body=MemberAdd,
    answer=MemberView,
    status=201,
)
async def add_member(call: Call) -> MemberView:
    """Make somebody a member."""
    return await member_actions.add(call.work, call.path["id"], call.body(MemberAdd))


@routes.put(
    "/projects/{id}/members/{person_id}",
    Permission.MEMBERS_MANAGE,
    body=MemberChange,
    answer=MemberView,
)
async def change_member(call: Call) -> MemberView:
    """Make somebody a member with a role, or change a member's role."""
    role = call.body(MemberChange).role
    return await member_actions.change(call.work, call.path["id"], call.path["person_id"], role)


@routes.delete("/projects/{id}/members/{person_id}", Permission.MEMBERS_MANAGE)
async def remove_member(call: Call) -> None:
    """Take a member out, or leave. The last owner stays."""
    await member_actions.remove(call.work, call.path["id"], call.path["person_id"])
