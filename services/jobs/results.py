"""What jobs leave behind: logs, outputs, metrics, and two jobs side by side."""

from __future__ import annotations

import asyncio
import codecs
import json
import mimetypes
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from services import projects, workloads
from services.core.bus import RECHECK
from services.core.database import Transaction
from services.core.errors import Gone, NotFound
from services.core.rights import Permission
from services.core.work import Work
from services.jobs import actions, rules
from services.jobs.schemas import (
    CodeDifference,
    CompareView,
    FileDifference,
    JobView,
    MetricDifference,
    MetricsView,
    OutputDifference,
    OutputSide,
    OutputsView,
    OutputView,
    SampleView,
    SettingDifference,
)
from services.storage import ObjectStore
from services.workloads.logs import LogNow

TEXT_PIECE = 64 << 10  # bytes of log in one event of a stream
KEEP_ALIVE = 15.0
COMPARED = ("command", "file", "args", "ref", "commit", "environment_id", "revision", "tier",
            "env", "timeout", "retries", "title", "tags")  # fmt: skip


def log_now(tx: Transaction, job_id: str, offset: int) -> LogNow:
    """Find a log's pieces from an offset on. Raises Gone when retention has taken it."""
    actions.readable(tx, job_id)
    now = workloads.logs.look(tx, job_id, offset)
    if now.collected:
        raise Gone("this log has been cleaned away: its time was over")
    return now


async def log_bytes(work: Work, job_id: str, offset: int, limit: int) -> AsyncIterator[bytes]:
    """Yield what there is of a log now, from an offset on, at most `limit` bytes."""
    while limit > 0:
        now = await work.read(log_now, job_id, offset)
        if not now.pieces:
            return
        async for data in workloads.logs.read(work, now, offset):
            piece = data[:limit]
            offset += len(piece)
            limit -= len(piece)
            yield piece
            if limit <= 0:
                return


async def log_events(work: Work, job_id: str, offset: int) -> AsyncIterator[bytes]:
    """Yield a log as server-sent events, until its job is finished and all of it is told.

    The id of an event is the offset after its text, so a broken stream is resumed by it. Text
    is cut between characters; what is not UTF-8 is replaced.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    told: tuple[str, str | None] | None = None
    loop = asyncio.get_running_loop()
    quiet_since = loop.time()
    with work.context.bus.listen(f"workload:{job_id}") as listener:
        while True:
            now = await work.read(log_now, job_id, offset)
            if (now.status.value, now.reason) != told:
                told = (now.status.value, now.reason)
                yield event("status", {"status": told[0], "reason": told[1]})
            async for data in workloads.logs.read(work, now, offset):
                for start in range(0, len(data), TEXT_PIECE):
                    piece = data[start : start + TEXT_PIECE]
                    offset += len(piece)
                    held = len(decoder.getstate()[0])
                    text = decoder.decode(piece)
                    kept = offset - len(decoder.getstate()[0])
                    begin = offset - len(piece) - held
                    if text:
                        yield event("log", {"offset": begin, "text": text}, kept)
                quiet_since = loop.time()
            if now.pieces:
                continue
            if now.status.is_final:
                break
            if loop.time() - quiet_since > KEEP_ALIVE:
                quiet_since = loop.time()
                yield b": still here\n\n"
            await listener.wait(RECHECK)
    rest = decoder.decode(b"", final=True)
    if rest:
        yield event("log", {"offset": offset - len(rest.encode()), "text": rest}, offset)
    yield event("end", {"status": told[0] if told else None, "offset": offset})


def event(kind: str, data: dict[str, Any], position: int | None = None) -> bytes:
    """Write one server-sent event."""
    mark = "" if position is None else f"id: {position}\n"
    return f"event: {kind}\n{mark}data: {json.dumps(data)}\n\n".encode()


async def outputs(work: Work, job_id: str) -> OutputsView:
    """List a job's outputs."""
    return await work.read(_outputs, job_id)


def _outputs(tx: Transaction, job_id: str) -> OutputsView:
    job = actions.readable(tx, job_id, Permission.OUTPUTS_READ)
    _still_kept(tx, job.id, "outputs")
    items = [
        OutputView(path=row.path, size=row.size, sha256=row.sha256, media_type=media_type(row.path))
        for row in workloads.outputs.of(tx, job.id, job.attempt)
    ]
    return OutputsView(items=items)


def _still_kept(tx: Transaction, job_id: str, what: str) -> None:
    row = workloads.load(tx, job_id)
    if row is not None and what not in row.kept.split():
        raise Gone(f"the {what} of this job have been cleaned away: their time was over")


def media_type(path: str) -> str:
    """Guess by its ending what a file is; it is only ever given as an attachment."""
    if path.endswith(".ipynb"):
        return "application/x-ipynb+json"
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


def output(tx: Transaction, job_id: str, path: str) -> Any:
    """Find one output of a job: size, sha256, object_key. Raises NotFound or Gone."""
    job = actions.readable(tx, job_id, Permission.OUTPUTS_READ)
    _still_kept(tx, job.id, "outputs")
    return workloads.outputs.one(tx, job.id, job.attempt, path)


async def metrics(work: Work, job_id: str) -> MetricsView:
    """Give a job's samples and the numbers it wrote."""
    job, points = await work.read(_samples, job_id)
    return MetricsView(samples=points, values=await _numbers(work, job))


def _samples(tx: Transaction, job_id: str) -> tuple[JobView, list[SampleView]]:
    job = actions.readable(tx, job_id)
    table = workloads.samples
    statement = (
        table.select()
        .where(table.c.workload_id == job.id, table.c.attempt == job.attempt)
        .order_by(table.c.first_at)
    )
    points = [
        SampleView(at=datetime.fromisoformat(at), cpu=cpu, memory=memory)
        for row in tx.all(statement)
        for at, cpu, memory in row.points
    ]
    return job, points


async def _numbers(work: Work, job: JobView) -> dict[str, float] | None:
    try:
        found = await work.read(output, job.id, rules.METRICS_FILE)
    except (NotFound, Gone):
        return None
    if found.size > rules.METRICS_MOST:
        return None
    text = await work.context.get(ObjectStore).get_bytes(found.object_key)
    return rules.numbers_in(text)


async def compare(work: Work, left_id: str, right_id: str) -> CompareView:
    """Compare two jobs of one project, or of two projects that the actor may see."""
    left = await work.read(actions.readable, left_id)
    right = await work.read(actions.readable, right_id)
    lefts, rights = left.model_dump(mode="json"), right.model_dump(mode="json")
    pairs = rules.differing({n: lefts[n] for n in COMPARED}, {n: rights[n] for n in COMPARED})
    settings = [
        SettingDifference(name=name, left=rules.as_text(one), right=rules.as_text(other))
        for name, one, other in pairs
    ]
    return CompareView(
        settings=settings,
        code=await _code(work, left, right),
        metrics=await _metrics(work, left, right),
        outputs=await work.read(_compare_outputs, left, right),
    )


async def _code(work: Work, left: JobView, right: JobView) -> CodeDifference:
    commits = (left.commit, right.commit)
    if left.project_id != right.project_id or left.commit == right.commit:
        return CodeDifference(commits=commits, files=[], patch="")
    await work.read(projects.authorize, Permission.FILES_READ, left.project_id)
    found = await projects.diff(work.context, left.project_id, *commits)
    files = [
        FileDifference(
            path=file.path, status=file.status, additions=file.additions, deletions=file.deletions
        )
        for file in found.files
    ]
    return CodeDifference(commits=commits, files=files, patch=found.patch)


async def _metrics(work: Work, left: JobView, right: JobView) -> list[MetricDifference]:
    one, other = await _numbers(work, left) or {}, await _numbers(work, right) or {}
    return [
        MetricDifference(name=name, left=one.get(name), right=other.get(name))
        for name in sorted({*one, *other})
    ]


def _compare_outputs(tx: Transaction, left: JobView, right: JobView) -> list[OutputDifference]:
    sides = [
        {
            row.path: OutputSide(size=row.size, sha256=row.sha256)
            for row in workloads.outputs.of(tx, job.id, job.attempt)
        }
        for job in (left, right)
    ]
    one, other = sides
    return [
        OutputDifference(
            path=path,
            left=one.get(path),
            right=other.get(path),
            same=one.get(path) == other.get(path),
        )
        for path in sorted({*one, *other})
    ]
