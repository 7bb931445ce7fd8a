"""Verbs of jobs: start, show, list, stop, rerun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row

from services import environments, projects, workloads
from services.core import audit, events
from services.core.actor import Actor
from services.core.database import Transaction
from services.core.errors import NotFound, Unprocessable
from services.core.ids import new_id
from services.core.paging import Page, cut, page_of_rows
from services.core.rights import Permission
from services.core.work import Work, actor_of, settings_of
from services.jobs import store
from services.jobs.schemas import JobCreate, JobsQuery, JobView, RerunCreate

KIND = "job"


@dataclass(frozen=True)
class Version:
    """The code a job runs: what was asked for, and the commit that this was."""

    ref: str
    commit: str


async def start(work: Work, request: JobCreate) -> JobView:
    """Accept a job: right, commit, environment and tier are settled here, for good."""
    project = await work.read(projects.authorize, Permission.JOB_START, request.project_id)
    version = await _version(work, request, project.default_branch)
    await _require_file(work, request, version.commit)
    return await work.write(_start, request, version, None)


async def _version(work: Work, request: JobCreate, default: str) -> Version:
    if request.workspace_id is not None:
        bench = work.context.get(workloads.Workbench)
        code = await bench.code(work, request.project_id, request.workspace_id, request.snapshot)
        return Version(code.ref, code.commit)
    ref = request.ref or default
    return Version(ref, await projects.resolve_commit(work.context, request.project_id, ref))


async def _require_file(work: Work, request: JobCreate, commit: str) -> None:
    file = request.file
    if file and not await projects.has_file(work.context, request.project_id, commit, file):
        raise Unprocessable(f"there is no file {file} at commit {commit[:10]}", code="no_such_file")


def _start(tx: Transaction, request: JobCreate, version: Version, rerun_of: str | None) -> JobView:
    project = projects.authorize(tx, Permission.JOB_START, request.project_id)
    wanted = request.environment_id or project.default_environment_id
    environment = environments.resolve(tx, wanted, request.revision)
    job_id = new_id()
    person_id = _person(actor_of(tx))
    order = {
        "project_id": project.id,
        "project": project.full_name,
        "person_id": person_id,
        "repository": project.repository,
        "commit": version.commit,
        "environment": {
            "name": environment.name,
            "revision": environment.revision,
            "digest": environment.digest,
        },
        "env": request.env,
        **_program(request),
    }
    workloads.create(
        tx,
        workloads.NewWorkload(
            id=job_id,
            kind=KIND,
            project_id=project.id,
            person_id=person_id,
            tier=request.tier or project.default_tier,
            order=order,
            timeout=_timeout(tx, request.timeout),
            retries=request.retries,
        ),
    )
    number = store.next_number(tx, project.id)
    row = {
        "id": job_id,
        "number": number,
        "environment_id": environment.id,
        "revision": environment.revision,
        "ref": version.ref,
        "commit": version.commit,
        "rerun_of": rerun_of,
        **request.model_dump(
            include={"project_id", "title", "command", "file", "args", "tags", "env"}
        ),
    }
    store.add(tx, row)
    after = {"number": number, "commit": version.commit, "tier": request.tier}
    audit.record(tx, "job.start", KIND, job_id, project_id=project.id, after=after)
    events.publish(tx, "job.created", job_id, {"number": number}, project_id=project.id)
    return store.view(tx, job_id)


def _person(actor: Actor) -> str:
    if actor.person_id is None:
        raise Unprocessable("a job belongs to a person")
    return actor.person_id


def _program(request: JobCreate) -> dict[str, Any]:
    if request.file is not None:
        return {"file": request.file, "args": request.args}
    if isinstance(request.command, str):
        return {"shell": request.command}
    return {"argv": request.command}


def _timeout(tx: Transaction, wanted: float | None) -> float:
    settings = settings_of(tx)
    if wanted is None:
        return settings.job_timeout_default
    if wanted > settings.job_timeout_max:
        raise Unprocessable(f"timeout: at most {settings.job_timeout_max:g} s")
    return wanted


async def show(work: Work, job_id: str) -> JobView:
    """Show a job."""
    return await work.read(readable, job_id)


def readable(tx: Transaction, job_id: str, permission: Permission = Permission.JOB_READ) -> JobView:
    """Load a job that the actor may see. Raises NotFound or Forbidden."""
    job = store.view(tx, job_id)
    try:
        projects.authorize(tx, permission, job.project_id)
    except NotFound:
        raise NotFound("this job does not exist") from None
    return job


async def list_jobs(work: Work, query: JobsQuery) -> Page[JobView]:
    """List jobs, the newest first."""
    return await work.read(_list, query)


def _list(tx: Transaction, query: JobsQuery) -> Page[JobView]:
    rows, cursor = _rows(tx, query)
    return Page[JobView].model_construct(items=store.views(rows), next_cursor=cursor)


async def list_json(work: Work, query: JobsQuery) -> bytes:
    """List jobs as the JSON of a `Page[JobView]`: no model is made of rows that are ours."""
    return await work.read(_list_json, query)


def _list_json(tx: Transaction, query: JobsQuery) -> bytes:
    rows, cursor = _rows(tx, query)
    items = [store.item(row) for row in rows]
    return to_json({"items": items, "next_cursor": cursor})


def _rows(tx: Transaction, query: JobsQuery) -> tuple[Sequence[Row[Any]], str | None]:
    if query.project_id is not None:
        projects.authorize(tx, Permission.JOB_READ, query.project_id)
    visible = projects.visible_ids(tx, Permission.JOB_READ)
    if query.cursor is None and (visible is None or query.project_id is not None):
        return cut(store.first_page(tx, query), store.KEYS, query.limit)
    return page_of_rows(tx, store.listing(query, visible), store.KEYS, query)


async def stop(work: Work, job_id: str) -> JobView:
    """Ask a job to stop; of a finished one this changes nothing."""
    return await work.write(_stop, job_id)


def _stop(tx: Transaction, job_id: str) -> JobView:
    before = readable(tx, job_id, Permission.JOB_STOP)
    if workloads.stop(tx, store.find(tx, job_id)):
        was = {"status": before.status}
        audit.record(tx, "job.stop", KIND, job_id, project_id=before.project_id, before=was)
    return store.view(tx, job_id)


async def rerun(work: Work, job_id: str, request: RerunCreate) -> JobView:
    """Start a job with the settings of another one, at its commit or its branch's newest."""
    old = await work.read(readable, job_id, Permission.JOB_START)
    version = Version(old.ref, old.commit)
    if request.commit == "newest":
        commit = await projects.resolve_commit(work.context, old.project_id, old.ref)
        version = Version(old.ref, commit)
    again = JobCreate(
        **old.model_dump(
            include={
                "project_id",
                "command",
                "file",
                "args",
                "environment_id",
                "revision",
                "tier",
                "title",
                "tags",
                "env",
                "timeout",
                "retries",
            }
        )
    )
    return await work.write(_start, again, version, old.id)
