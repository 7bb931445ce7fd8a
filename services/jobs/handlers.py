"""Routes of jobs."""

from __future__ import annotations

import contextlib
import re

from services.core.paging import Page
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.jobs import actions, results
from services.jobs.schemas import (
    CompareQuery,
    CompareView,
    JobCreate,
    JobsQuery,
    JobView,
    LogQuery,
    MetricsView,
    OutputsView,
    RerunCreate,
)
from services.storage import answer_with_object

routes = Routes("jobs")
WHOLE = 1 << 62


@routes.get("/jobs", Permission.JOBS_LIST, query=JobsQuery, answer=Page[JobView])
async def list_jobs(call: Call) -> bytes:
    """List jobs, the newest first."""
    return await actions.list_json(call.work, call.query(JobsQuery))


@routes.post("/jobs", Permission.JOB_START, body=JobCreate, answer=JobView, status=201)
async def start(call: Call) -> JobView:
    """Start a job."""
    return await actions.start(call.work, call.body(JobCreate))


@routes.get("/jobs/compare", Permission.JOB_READ, query=CompareQuery, answer=CompareView)
async def compare(call: Call) -> CompareView:
    """Compare two jobs."""
    query = call.query(CompareQuery)
    return await results.compare(call.work, query.left, query.right)


@routes.get("/jobs/{id}", Permission.JOB_READ, answer=JobView)
async def show(call: Call) -> JobView:
    """Show a job."""
    return await actions.show(call.work, call.path["id"])


@routes.post("/jobs/{id}/stop", Permission.JOB_STOP, answer=JobView)
async def stop(call: Call) -> JobView:
    """Ask a job to stop."""
    return await actions.stop(call.work, call.path["id"])


@routes.post("/jobs/{id}/rerun", Permission.JOB_START, body=RerunCreate, answer=JobView, status=201)
async def rerun(call: Call) -> JobView:
    """Run a job again."""
    return await actions.rerun(call.work, call.path["id"], call.body(RerunCreate))


@routes.get("/jobs/{id}/logs", Permission.JOB_READ, query=LogQuery, media_type="text/event-stream")
async def logs(call: Call) -> None:
    """Follow a job's log as server-sent events, or read what is there with follow=false."""
    query = call.query(LogQuery)
    job_id = call.path["id"]
    offset = query.offset if query.offset is not None else _last_event(call)
    await call.work.read(results.log_now, job_id, offset)  # refuse before anything is sent
    if not query.follow:
        call.answer_with(200, {"Content-Type": "text/plain; charset=utf-8"})
        pieces = results.log_bytes(call.work, job_id, offset, query.limit or WHOLE)
        async for piece in pieces:
            await call.send(piece)
        return
    call.answer_with(200, {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    stream = results.log_events(call.work, job_id, offset)
    async with contextlib.aclosing(stream) as pieces:  # type: ignore[type-var]
        async for piece in pieces:
            await call.send(piece)


def _last_event(call: Call) -> int:
    given = call.header("Last-Event-ID")
    return int(given) if re.fullmatch(r"[0-9]{1,18}", given) else 0


@routes.get("/jobs/{id}/outputs", Permission.OUTPUTS_READ, answer=OutputsView)
async def outputs(call: Call) -> OutputsView:
    """List a job's outputs."""
    return await results.outputs(call.work, call.path["id"])


@routes.get(
    "/jobs/{id}/outputs/{path*}",
    Permission.OUTPUTS_READ,
    media_type="application/octet-stream",
)
async def output(call: Call) -> None:
    """Download one output, always as an attachment."""
    path = call.path["path"]
    found = await call.work.read(results.output, call.path["id"], path)
    await answer_with_object(
        call,
        found.object_key,
        path.rsplit("/", 1)[-1],
        media_type=results.media_type(path),
        sha256=found.sha256,
    )


@routes.get("/jobs/{id}/metrics", Permission.JOB_READ, answer=MetricsView)
async def metrics(call: Call) -> MetricsView:
    """Give a job's samples over time and the numbers it wrote."""
    return await results.metrics(call.work, call.path["id"])
