"""What the first page shows, gathered from the nouns as the caller may see it.

Called by `handlers`. Reads only, and each part only where the caller has its permission.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel

from services import jobs, people, planes, projects
from services.core.paging import Page, PageQuery
from services.core.rights import Permission
from services.core.work import Work
from services.jobs import JobView
from services.planes import PlaneView
from services.projects import ProjectView

T = TypeVar("T", bound=BaseModel)
Q = TypeVar("Q", bound=PageQuery)

JOBS, PROJECTS, PLANES = 20, 20, 20
_DONE = {"Succeeded": "good", "Failed": "bad", "Error": "bad", "Stopped": "calm"}
_WAITING = {"Queued", "Pending"}


@dataclass(frozen=True)
class JobLine:
    """One job, as one line for people."""

    id: str
    name: str
    project: str
    owner: str
    command: str
    status: str
    tone: str  # good, bad, calm, wait or live: how the status is coloured
    reason: str
    at: datetime
    age: str
    duration: str


@dataclass(frozen=True)
class Overview:
    """Everything on the page."""

    name: str
    roles: list[str]
    origin: str
    jobs: list[JobLine] = field(default_factory=list)
    projects: list[ProjectView] = field(default_factory=list)
    more_projects: bool = False
    planes: list[PlaneView] = field(default_factory=list)

    @property
    def live(self) -> int:
        """How many of the jobs shown are not over."""
        return sum(job.tone in ("live", "wait") for job in self.jobs)


async def gather(work: Work) -> Overview:
    """Read everything that the page shows, side by side."""
    actor = work.actor
    found_jobs, found_projects, found_planes = await asyncio.gather(
        _if_may(
            work,
            Permission.JOBS_LIST,
            jobs.list_jobs,
            jobs.JobsQuery.model_validate({"limit": JOBS}),
        ),
        _if_may(
            work,
            Permission.PROJECTS_LIST,
            projects.list_projects,
            projects.ProjectsQuery.model_validate({"limit": PROJECTS}),
        ),
        _if_may(
            work,
            Permission.PLANES_READ,
            planes.list_planes,
            PageQuery.model_validate({"limit": PLANES}),
        ),
    )
    ids = sorted({job.project_id for job in found_jobs.items})
    names = await work.read(projects.names, ids)
    name = actor.name
    if actor.person_id is not None:
        known = await work.read(people.named, [actor.person_id])
        name = known.get(actor.person_id, name)
    now = datetime.now(UTC)
    return Overview(
        name=name,
        roles=sorted(role.value for role in actor.roles),
        origin=work.context.settings.origin,
        jobs=[line(job, names.get(job.project_id, ""), now) for job in found_jobs.items],
        projects=found_projects.items,
        more_projects=found_projects.next_cursor is not None,
        planes=found_planes.items,
    )


async def _if_may(
    work: Work, permission: Permission, listing: Callable[[Work, Q], Awaitable[Page[T]]], query: Q
) -> Page[T]:
    """List what the caller's credential is good for; an empty page otherwise."""
    if work.actor.may(permission):
        return await listing(work, query)
    return Page[T].model_construct(items=[], next_cursor=None)


def line(job: JobView, project: str, now: datetime) -> JobLine:
    """Put a job into one line."""
    over = job.finished_at or now
    return JobLine(
        id=job.id,
        name=f"{project} #{job.number}" if project else f"#{job.number}",
        project=project,
        owner=job.owner.name,
        command=job.title or command_of(job),
        status=job.status,
        tone=_DONE.get(job.status) or ("wait" if job.status in _WAITING else "live"),
        reason=job.reason or "",
        at=job.queued_at,
        age=f"{length((now - job.queued_at).total_seconds())} ago",
        duration=length((over - job.started_at).total_seconds()) if job.started_at else "",
    )


def command_of(job: JobView) -> str:
    """Write what a job runs as one would type it."""
    if job.file is not None:
        return shlex.join([job.file, *job.args])
    if isinstance(job.command, str):
        return job.command
    return shlex.join(job.command or [])


def length(seconds: float) -> str:
    """Write a length of time for people: 42 s, 7 min, 3 h, 5 d."""
    seconds = max(0.0, seconds)
    for most, unit, size in ((60, "s", 1), (3600, "min", 60), (48 * 3600, "h", 3600)):
        if seconds < most:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds // 86400)} d"
