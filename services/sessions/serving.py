"""What the hub's process asks for: a named server is a workspace, its start a workload.

Called by `hub_handlers` with what `spawners.hub` sends. The hub has checked who the person is;
what they may do is asked here, of the person that the hub's name *and* time of creation mean.
Everything may be said twice: a start is named by its `start_key`.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services import environments, people, planes, projects, workloads
from services.core import audit
from services.core.auth.hub import HubApi
from services.core.bus import RECHECK
from services.core.database import Transaction
from services.core.errors import Conflict, Forbidden, NotFound, PublicError, Unprocessable
from services.core.ids import is_id, new_id
from services.core.rights import Permission
from services.core.work import Work, actor_of
from services.projects import NoSuchRef
from services.sessions import actions, rules, snapshots, store
from services.sessions.rules import Status
from services.sessions.schemas import (
    Choice,
    HubCheck,
    HubChoices,
    HubLook,
    HubOptions,
    HubSession,
    HubStart,
    HubStop,
    WorkspaceCreate,
)

SESSION = "session"
MOST_CHOICES = 200
FORMER = "waiting for its former run to end"


async def _as_person(work: Work, user: str, created: datetime) -> Work:
    """Act as the person that a hub user is. Raises NotFound, Forbidden, SourceAway."""
    found = await work.context.get(HubApi).user(user)
    if found is None or found.created != created:
        raise NotFound(f"the hub's user {user} is not the one who asked")
    known = await work.write(people.meet, found)
    actor = await work.read(people.person_actor, known.person.id)
    if actor is None:
        raise Forbidden("this account may not use Smalti", code="account_refused")
    return Work(work.context, actor, work.origin)


def _workspace(tx: Transaction, user: str, server: str, created: datetime) -> Row[Any] | None:
    """Find a workspace by its hub names, without asking the hub: for looks and stops."""
    person = people.by_name(tx, user)
    if person is None or person.hub_created != created:
        return None
    return store.named(tx, person.id, server)


async def choices(work: Work, user: str, server: str, check: HubCheck) -> HubChoices:
    """List what a person may choose from."""
    mine = await _as_person(work, user, check.created)
    return await mine.read(_choices, server)


def _choices(tx: Transaction, server: str) -> HubChoices:
    actor = actor_of(tx)
    found = projects.visible_ids(tx, Permission.WORKSPACE_START)
    own = store.named(tx, actions.person_of(actor), server)
    return HubChoices(
        projects=[Choice(value=key, text=name) for key, name in _projects(tx, found)],
        environments=[Choice(value=name, text=name) for name in environments.names(tx)],
        tiers=[
            Choice(value=one.name, text=f"{one.name}: {one.cpu:g} CPU, {one.memory >> 20} MiB")
            for one in planes.all_tiers(tx)
        ],
        workspace=None if own is None else projects.names(tx, [own.project_id])[own.project_id],
    )


def _projects(tx: Transaction, visible: Any) -> list[tuple[str, str]]:
    ids = projects.some_ids(tx, visible, MOST_CHOICES)
    return sorted(projects.names(tx, ids).items(), key=lambda one: one[1])


async def check(work: Work, user: str, server: str, wish: HubCheck) -> None:
    """Refuse a start that could not be, with the reason, before anything is done for it."""
    mine = await _as_person(work, user, wish.created)
    try:
        await mine.read(_check, server, wish.options)
    except PublicError as error:
        await work.write(_refused, mine.actor.id, server, error.message)
        raise


def _check(tx: Transaction, server: str, options: HubOptions) -> None:
    row = store.named(tx, actions.person_of(actor_of(tx)), server)
    project_id = _project_id(tx, row, options)
    project = projects.authorize(tx, Permission.WORKSPACE_START, project_id)
    wanted = _environment_id(tx, options.environment) or (
        project.default_environment_id if row is None else row.environment_id
    )
    environments.resolve(tx, wanted, options.revision or (row.revision if row else None))
    actions.check_tier(tx, options.tier or (row.tier if row else None))
    if row is not None:
        _called_off(row, options)


def _called_off(row: Row[Any], options: HubOptions) -> None:
    if options.ticket is not None and options.ticket != row.ticket:
        raise Conflict("this start was called off", code="called_off")


def _project_id(tx: Transaction, row: Row[Any] | None, options: HubOptions) -> str:
    given = options.project
    found = None
    if given is not None:
        owner, _, name = given.partition("/")
        found = given if is_id(given) else projects.find(tx, owner, name)
        if found is None:
            raise Unprocessable(f"there is no project {given}", code="no_such_project")
    if row is None:
        if found is None:
            raise Unprocessable(
                "a new workspace needs a project: choose one", code="project_needed"
            )
        return found
    if found is not None and found != row.project_id:
        raise Conflict("this workspace belongs to another project", code="other_project")
    return str(row.project_id)


def _environment_id(tx: Transaction, given: str | None) -> str | None:
    return given if given is None or is_id(given) else environments.id_of(tx, given)


async def take(work: Work, user: str, server: str, start: HubStart) -> HubSession:
    """Start a named server: make the workspace where there is none, and its workload.

    Without a workload in the answer the former one is still ending: ask again.
    """
    mine = await _as_person(work, user, start.created)
    try:
        workspace_id = await _ready(mine, server, start)
        row = await mine.read(actions.own, workspace_id)
        version = await _version(mine, row)
        return await mine.write(_begin, workspace_id, start, version)
    except PublicError as error:
        await work.write(_refused, mine.actor.id, server, error.message)
        raise


def _refused(tx: Transaction, person_id: str, server: str, why: str) -> None:
    """Show on the workspace why a start that was asked for cannot be."""
    row = store.named(tx, person_id, server)
    if row is None or row.target != "running" or store.is_live(row):
        return
    actions.move(tx, row, Status.FAILED, why, target="stopped", ticket=None, hub_due=None)


async def _ready(mine: Work, server: str, start: HubStart) -> str:
    """Find the person's workspace of this name, or make it, with what was chosen."""
    options = start.options
    person_id = actions.person_of(mine.actor)
    row = await mine.read(store.named, person_id, server)
    project_id = await mine.read(_project_id, row, options)
    environment = await mine.read(_environment_id, options.environment)
    if row is None:
        fits = start.title and rules.what_is_wrong_with_title(start.title) is None
        request = WorkspaceCreate(
            project_id=project_id,
            name=server,
            title=start.title if fits else None,
            tool=options.tool or "jupyterlab",
            environment_id=environment,
            revision=options.revision,
            tier=options.tier,
            branch=options.branch,
        )
        return (await actions.create(mine, request)).id
    _called_off(row, options)
    given = {"environment_id": environment, "revision": options.revision, "tier": options.tier}
    if row.starts == 0:
        given["branch"] = options.branch
    chosen = {name: value for name, value in given.items() if value is not None}
    if chosen:
        await mine.write(lambda tx: actions.apply_changes(tx, actions.own(tx, row.id), chosen))
    return str(row.id)


async def _version(mine: Work, row: Row[Any]) -> tuple[str | None, str]:
    """Settle branch and commit; files that are there already do not need their branch."""
    try:
        return await actions.resolve(mine, row.project_id, row.branch)
    except NoSuchRef:
        if row.starts > 0 and row.commit is not None:
            return None, str(row.commit)
        raise


def _begin(
    tx: Transaction, workspace_id: str, start: HubStart, version: tuple[str | None, str]
) -> HubSession:
    row = actions.own(tx, workspace_id)
    if row.deleted_at is not None:
        raise Conflict("this workspace is deleted", code="deleted")
    _called_off(row, start.options)
    if row.start_key == start.start_key and row.workload_id is not None:
        return _session(tx, row)
    if store.is_live(row):
        # Two must never have one volume: the former one, which the hub forgot, ends first.
        run = workloads.load(tx, row.workload_id)
        assert run is not None, "a workspace's workload is kept"
        workloads.stop(tx, run, "replaced by a new start")
        ticket = start.options.ticket or start.start_key
        store.change(tx, row.id, target="running", start_key=None, ticket=ticket, hub_due=None)
        return HubSession(workload_id=None, status=Status.STARTING, reason=FORMER,
                          address=None, over=False, seen="")  # fmt: skip
    _make(tx, row, start, version)
    fresh = store.find(tx, workspace_id)
    return _session(tx, fresh)


def _make(tx: Transaction, row: Row[Any], start: HubStart, version: tuple[str | None, str]) -> None:
    project = projects.authorize(tx, Permission.WORKSPACE_START, row.project_id)
    environment = environments.resolve(tx, row.environment_id, row.revision)
    tier = _tier(tx, row, row.tier or project.default_tier)
    branch, commit = version
    author = projects.Author.of(people.find(tx, row.person_id).name)
    workload_id = new_id()
    if row.target != "running":  # else it was recorded when it was wished for
        audit.record(tx, "workspace.start", actions.KIND, row.id, project_id=row.project_id)
    store.change(
        tx, row.id, workload_id=workload_id, start_key=start.start_key, target="running",
        hub_due=None, hub_tries=0, starts=row.starts + 1, started_at=tx.now,
        url=start.url, commit=commit, plane_id=tier.plane_id,
    )  # fmt: skip
    order = {
        "project_id": project.id,
        "project": project.full_name,
        "person_id": row.person_id,
        "person_name": author.name,
        "person_email": author.email,
        "repository": project.repository,
        "commit": commit,
        "environment": {
            "name": environment.name,
            "revision": environment.revision,
            "digest": environment.digest,
        },
        "session": {
            "tool": row.tool,
            "base_url": start.base_url,
            "volume": row.id,
            "branch": branch,
            "restore": snapshots.restore_for_start(tx, row.id),
        },
    }
    new = workloads.NewWorkload(
        id=workload_id,
        kind=SESSION,
        project_id=project.id,
        person_id=row.person_id,
        tier=tier.name,
        order=order,
        timeout=None,
        private=dict(start.private),
    )
    fresh = store.find(tx, row.id)
    actions.move(tx, fresh, Status.QUEUED, "waiting for its turn")
    workloads.create(tx, new)


def _tier(tx: Transaction, row: Row[Any], name: str | None) -> Row[Any]:
    tier = planes.tier_named(tx, name) if name else planes.default_tier(tx)
    if tier is None:
        named = f"there is no hardware tier named {name}" if name else "no default hardware tier"
        raise Unprocessable(named, code="unknown_tier")
    if planes.plane(tx, tier.plane_id).kind != "process":
        raise Unprocessable(
            f"tier {tier.name} is on plane {tier.plane_name}, which has no front door: "
            "workspaces run on planes that people's browsers reach",
            code="no_front_door",
        )
    if row.plane_id not in (None, tier.plane_id):
        raise Unprocessable(
            f"its files are on another plane than tier {tier.name}", code="other_plane"
        )
    return tier


def _session(tx: Transaction, row: Row[Any]) -> HubSession:
    run = None if row.workload_id is None else workloads.load(tx, row.workload_id)
    if run is None:
        asked = row.target == "running"
        return _seen(None, row.status, row.reason, None, not asked)
    over = workloads.Status(run.status).is_final
    address = run.address if run.status == workloads.Status.RUNNING.value else None
    return _seen(run.id, run.status, run.reason, address, over)


def _seen(
    workload_id: str | None, status: str, reason: str | None, address: str | None, over: bool
) -> HubSession:
    text = repr((workload_id, status, reason, address, over))
    seen = hashlib.sha256(text.encode()).hexdigest()[:16]
    return HubSession(workload_id=workload_id, status=status, reason=reason, address=address,
                      over=over, seen=seen)  # fmt: skip


async def look(work: Work, user: str, server: str, query: HubLook) -> HubSession:
    """Say how a named server stands, waiting for news of what was seen before."""
    deadline = asyncio.get_running_loop().time() + query.wait
    subjects = [f"workload:{query.workload_id}"] if query.workload_id else []
    with work.context.bus.listen(*subjects) as listener:
        while True:
            found = await work.read(_look, user, server, query)
            left = deadline - asyncio.get_running_loop().time()
            if found.seen != query.seen or found.over or left <= 0:
                return found
            await listener.wait(min(left, RECHECK))


def _look(tx: Transaction, user: str, server: str, query: HubLook) -> HubSession:
    row = _workspace(tx, user, server, query.created)
    if row is None or (query.workload_id is not None and row.workload_id != query.workload_id):
        return _seen(None, Status.STOPPED, "there is no such start of it", None, True)
    return _session(tx, row)


async def give_up(work: Work, user: str, server: str, wish: HubStop) -> HubSession:
    """Stop a named server, as its person wished at the hub."""
    return await work.write(_give_up, user, server, wish)


def _is_meant(row: Row[Any], wish: HubStop) -> bool:
    if wish.workload_id is not None:
        return bool(row.workload_id == wish.workload_id)
    return bool(wish.start_key) and wish.start_key in (row.start_key, row.ticket)


def _give_up(tx: Transaction, user: str, server: str, wish: HubStop) -> HubSession:
    query = HubLook(created=wish.created, workload_id=wish.workload_id)
    row = _workspace(tx, user, server, wish.created)
    if row is None or not _is_meant(row, wish):
        return _look(tx, user, server, query)
    if actions.end(tx, row):
        store.change(tx, row.id, hub_due=None)  # it is the hub that says so
        audit.record(tx, "workspace.stop", actions.KIND, row.id, project_id=row.project_id,
                     before={"status": row.status})  # fmt: skip
    return _look(tx, user, server, query)
