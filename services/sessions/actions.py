"""Verbs of workspaces: make, show, list, change, start, stop, keep, delete, undelete.

Starting and stopping write rows only. The hub is asked by the loop `hub`, so that its user's
page, its tokens and the front door's route are there too; what runs does not wait for it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from services import environments, planes, projects, workloads
from services.core import audit, etags, events
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.errors import Conflict, Forbidden, NotFound, TooMany, Unprocessable
from services.core.ids import new_id
from services.core.paging import Page, page_of_rows
from services.core.rights import Permission
from services.core.work import Work, actor_of, settings_of
from services.projects import NoSuchRef
from services.sessions import rules, store
from services.sessions.rules import Status
from services.sessions.schemas import (
    KeepRequest,
    WorkspaceChange,
    WorkspaceCreate,
    WorkspacesQuery,
    WorkspaceView,
)

KIND = "workspace"
HUB = "loop:workspaces-hub"
ASKING = "asking the hub to start it"


async def create(work: Work, request: WorkspaceCreate) -> WorkspaceView:
    """Make a workspace; it is not started yet."""
    project = await work.read(projects.authorize, Permission.WORKSPACE_START, request.project_id)
    branch = request.branch or project.default_branch
    if request.branch is not None:  # the default one may come to be with the first commit
        await resolve(work, project.id, branch)
    return await work.write(_create, request, branch)


async def resolve(work: Work, project_id: str, ref: str) -> tuple[str | None, str]:
    """Say which branch (none for a tag or commit) and commit a ref means. Raises NoSuchRef."""
    context = work.context
    try:
        return ref, await projects.resolve_commit(context, project_id, f"refs/heads/{ref}")
    except NoSuchRef:
        return None, await projects.resolve_commit(context, project_id, ref)


def _create(tx: Transaction, request: WorkspaceCreate, branch: str) -> WorkspaceView:
    project = projects.authorize(tx, Permission.WORKSPACE_START, request.project_id)
    person_id = person_of(actor_of(tx))
    most = settings_of(tx).workspaces_max_per_person
    if store.count_of(tx, person_id) >= most:
        raise TooMany(f"you have {most} workspaces, the most one person may have")
    name = request.name or rules.name_from(project.name, store.names_of(tx, person_id))
    require_free(tx, person_id, name)
    wanted = request.environment_id or project.default_environment_id
    environment = environments.resolve(tx, wanted, request.revision)
    check_tier(tx, request.tier)
    workspace_id = new_id()
    row = {
        "id": workspace_id,
        "person_id": person_id,
        "project_id": project.id,
        "name": name,
        "title": request.title or name,
        "tool": request.tool,
        "environment_id": environment.id,
        "revision": request.revision,
        "tier": request.tier,
        "branch": branch,
        "status": Status.STOPPED.value,
        "reason": "not started yet",
        "target": "stopped",
        "starts": 0,
        "hub_tries": 0,
    }
    store.add(tx, row)
    after = {key: row[key] for key in ("name", "title", "tool", "tier", "branch")}
    audit.record(tx, "workspace.create", KIND, workspace_id, project_id=project.id, after=after)
    events.publish(tx, "workspace.created", workspace_id, {"name": name}, project_id=project.id)
    return store.view(tx, workspace_id)


def person_of(actor: Actor) -> str:
    """Give the person who acts. Raises Unprocessable when there is none."""
    if actor.person_id is None:
        raise Unprocessable("a workspace belongs to a person")
    return actor.person_id


def require_free(tx: Transaction, person_id: str, name: str) -> None:
    """Refuse a name that another living workspace of the person has. Raises Conflict."""
    if store.named(tx, person_id, name) is not None:
        raise Conflict(f"you have a workspace named {name!r} already", code="name_taken")


def check_tier(tx: Transaction, name: str | None) -> None:
    """Refuse a tier that is not there. Raises Unprocessable."""
    if name is not None and planes.tier_named(tx, name) is None:
        raise Unprocessable(f"there is no hardware tier named {name}", code="unknown_tier")


def seen(
    tx: Transaction, workspace_id: str, permission: Permission = Permission.WORKSPACE_READ
) -> Row[Any]:
    """Load a workspace that the actor may see and has a permission for.

    Raises NotFound when they may not know of it, Forbidden when it is not theirs to do.
    """
    row = store.find(tx, workspace_id)
    try:
        projects.authorize(tx, Permission.WORKSPACE_READ, row.project_id)
    except (NotFound, Forbidden):
        raise NotFound("this workspace does not exist") from None
    projects.authorize(tx, permission, row.project_id)
    return row


def own(tx: Transaction, workspace_id: str) -> Row[Any]:
    """Load a workspace of the actor's. Raises NotFound, and Forbidden for somebody else's."""
    row = seen(tx, workspace_id, Permission.WORKSPACE_START)
    if row.person_id != actor_of(tx).person_id:
        raise Forbidden("this is somebody else's workspace", code="not_yours")
    return row


async def show(work: Work, workspace_id: str) -> WorkspaceView:
    """Show a workspace."""
    return await work.read(_show, workspace_id)


def _show(tx: Transaction, workspace_id: str) -> WorkspaceView:
    return store.views(tx, [seen(tx, workspace_id)])[0]


async def list_workspaces(work: Work, query: WorkspacesQuery) -> Page[WorkspaceView]:
    """List the workspaces that the caller may see, the newest first."""
    return await work.read(_list, query)


def _list(tx: Transaction, query: WorkspacesQuery) -> Page[WorkspaceView]:
    if query.project_id is not None:
        projects.authorize(tx, Permission.WORKSPACE_READ, query.project_id)
    visible = projects.visible_ids(tx, Permission.WORKSPACE_READ)
    rows, cursor = page_of_rows(tx, store.listing(query, visible), store.KEYS, query)
    return Page[WorkspaceView].model_construct(items=store.views(tx, rows), next_cursor=cursor)


async def change(work: Work, workspace_id: str, request: WorkspaceChange) -> WorkspaceView:
    """Change a workspace for its next start."""
    if request.branch is not None:
        row = await work.read(own, workspace_id)
        await resolve(work, row.project_id, request.branch)
    return await work.write(_change, workspace_id, request)


def _change(tx: Transaction, workspace_id: str, request: WorkspaceChange) -> WorkspaceView:
    row = own(tx, workspace_id)
    etags.check(tx, store.views(tx, [row])[0])
    apply_changes(tx, row, request.model_dump(exclude_unset=True))
    return store.view(tx, workspace_id)


def apply_changes(tx: Transaction, row: Row[Any], given: dict[str, Any]) -> None:
    """Write settings of a workspace that are new, checked. Raises Unprocessable, Conflict."""
    for name, value in given.items():
        if value is None and name not in ("revision", "tier"):
            raise Unprocessable(f"{name}: cannot be null")
    given = {name: value for name, value in given.items() if getattr(row, name) != value}
    if not given:
        return
    if "branch" in given and row.starts > 0:
        raise Conflict("its files are there already: change the branch inside, with git")
    if "environment_id" in given or "revision" in given:
        revision = given.get("revision", None if "environment_id" in given else row.revision)
        environments.resolve(tx, given.get("environment_id", row.environment_id), revision)
        given["revision"] = revision
    check_tier(tx, given.get("tier"))
    before = {name: getattr(row, name) for name in given}
    store.change(tx, row.id, **given)
    audit.record(tx, "workspace.change", KIND, row.id, project_id=row.project_id,
                 before=before, after=given)  # fmt: skip
    tell(tx, row, row.status, row.reason)


def tell(tx: Transaction, row: Row[Any], status: str, reason: str | None) -> None:
    """Publish how a workspace is now."""
    data = {"status": status, "reason": reason}
    events.publish(tx, "workspace.changed", row.id, data, project_id=row.project_id)


async def start(work: Work, workspace_id: str) -> WorkspaceView:
    """Have a workspace started; of one that runs, or is about to, this changes nothing."""
    return await work.write(_start, workspace_id)


def _start(tx: Transaction, workspace_id: str) -> WorkspaceView:
    row = own(tx, workspace_id)
    if row.deleted_at is not None:
        raise Conflict("it is deleted: have it back first (undelete)", code="deleted")
    if row.target == "running":
        return store.view(tx, workspace_id)
    environments.resolve(tx, row.environment_id, row.revision)
    check_tier(tx, row.tier)
    values = {"target": "running", "ticket": new_id(), "start_key": None,
              "hub_due": tx.now, "hub_tries": 0}  # fmt: skip
    move(tx, row, Status.STARTING, ASKING, **values)
    audit.record(tx, "workspace.start", KIND, row.id, project_id=row.project_id)
    return store.view(tx, workspace_id)


def move(tx: Transaction, row: Row[Any], status: Status, reason: str | None, **more: Any) -> None:
    """Write a new status of a workspace, publish it, and wake the loop that tells the hub."""
    store.change(tx, row.id, status=status.value, reason=reason, **more)
    if (row.status, row.reason) != (status.value, reason):
        tell(tx, row, status.value, reason)
    events.wake(tx, HUB, f"workspace:{row.id}")


async def stop(work: Work, workspace_id: str) -> WorkspaceView:
    """Stop a workspace: its person's own, or anybody's for an administrator."""
    return await work.write(_stop, workspace_id)


def _stop(tx: Transaction, workspace_id: str) -> WorkspaceView:
    row = seen(tx, workspace_id, Permission.WORKSPACE_STOP)
    actor = actor_of(tx)
    if row.person_id != actor.person_id and not actor.is_admin:
        raise Forbidden("this is somebody else's workspace", code="not_yours")
    others = None if row.person_id == actor.person_id else f"stopped by {actor.name}"
    if end(tx, row, others):
        was = {"status": row.status}
        audit.record(tx, "workspace.stop", KIND, row.id, project_id=row.project_id, before=was)
    return store.view(tx, workspace_id)


def end(tx: Transaction, row: Row[Any], reason: str | None = None) -> bool:
    """Have a workspace stopped, whatever the hub thinks of it; tell whether it was to run.

    What runs is stopped by this very transaction; the hub is told afterwards.
    """
    if row.target == "stopped" and not store.is_live(row):
        return False
    told = {"target": "stopped", "ticket": None, "hub_due": tx.now, "hub_tries": 0}
    if store.is_live(row):
        store.change(tx, row.id, **told)
        run = workloads.load(tx, row.workload_id)
        assert run is not None, "a workspace's workload is kept"
        workloads.stop(tx, run, reason)
        events.wake(tx, HUB)
    else:
        move(tx, row, Status.STOPPED, reason or "stopped before it was started", **told)
    return True


async def keep(work: Work, workspace_id: str, request: KeepRequest) -> WorkspaceView:
    """Keep a running workspace from being ended, or give that lease back."""
    return await work.write(_keep, workspace_id, request)


def _keep(tx: Transaction, workspace_id: str, request: KeepRequest) -> WorkspaceView:
    row = own(tx, workspace_id)
    longest = settings_of(tx).session_keep_max
    until = request.until
    if not store.is_live(row):
        raise Conflict("it does not run", code="not_running")
    if until is not None and not tx.now < until <= tx.now + timedelta(seconds=longest):
        raise Unprocessable(f"until: a time to come, at most {longest / 3600:g} hours from now")
    run = workloads.load(tx, row.workload_id)
    assert run is not None, "a workspace's workload is kept"
    workloads.keep(tx, run, until)
    after = {"until": None if until is None else until.isoformat()}
    audit.record(tx, "workspace.keep", KIND, row.id, project_id=row.project_id, after=after)
    tell(tx, row, row.status, row.reason)
    return store.view(tx, workspace_id)


async def delete(work: Work, workspace_id: str) -> None:
    """Delete a workspace; for some days it can be had back with its files."""
    await work.write(_delete, workspace_id)


def _delete(tx: Transaction, workspace_id: str) -> None:
    row = own(tx, workspace_id)
    if row.deleted_at is None:
        put_away(tx, row, None)


def put_away(tx: Transaction, row: Row[Any], reason: str | None) -> None:
    """Stop a workspace and mark it as deleted; the hub forgets its server."""
    end(tx, row, reason)
    store.change(tx, row.id, deleted_at=tx.now, hub_due=tx.now, hub_tries=0)
    audit.record(tx, "workspace.delete", KIND, row.id, project_id=row.project_id,
                 before={"name": row.name})  # fmt: skip
    events.publish(tx, "workspace.deleted", row.id, {"name": row.name}, project_id=row.project_id)
    events.wake(tx, HUB)


async def undelete(work: Work, workspace_id: str) -> WorkspaceView:
    """Have a deleted workspace back, with its files."""
    return await work.write(_undelete, workspace_id)


def _undelete(tx: Transaction, workspace_id: str) -> WorkspaceView:
    row = own(tx, workspace_id)
    if row.deleted_at is not None:
        require_free(tx, row.person_id, row.name)
        store.change(tx, row.id, deleted_at=None)
        audit.record(tx, "workspace.undelete", KIND, row.id, project_id=row.project_id)
        tell(tx, row, row.status, row.reason)
    return store.view(tx, workspace_id)
