"""The agents' routes: hello, commands, reports, logs and outputs of their own plane's runs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from services.core.errors import BadRequest
from services.core.rights import Permission
from services.core.routing import Call, Routes
from services.planes.protocol import (
    CommandsAnswer,
    Hello,
    HelloAnswer,
    LogAnswer,
    OutputEntry,
    Reports,
    ReportsAnswer,
    SecretsAnswer,
)
from services.workloads import commands, engine, logs, outputs, private

routes = Routes("agent")
LONGEST_WAIT = 60.0
MOST_ATTEMPT = 1_000_000


class PollQuery(BaseModel):
    """Cursor and patience of an agent's long poll."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(0, ge=0, lt=1 << 62)
    wait: float = Field(0.0, ge=0.0, le=LONGEST_WAIT, allow_inf_nan=False)


class OffsetQuery(BaseModel):
    """Where a piece of a log starts, in bytes."""

    model_config = ConfigDict(extra="forbid")

    offset: int = Field(ge=0, lt=1 << 62)


def _plane(call: Call) -> str:
    plane_id = call.actor.plane_id
    assert plane_id is not None, "an agent's token names its plane"
    return plane_id


def _run(call: Call) -> tuple[str, str, int]:
    attempt = call.path["attempt"]
    if not (attempt.isascii() and attempt.isdigit()) or int(attempt) > MOST_ATTEMPT:
        raise BadRequest("attempt: not a number")
    return _plane(call), call.path["id"], int(attempt)


@routes.post(
    "/agent/hello",
    Permission.AGENT_WORK,
    body=Hello,
    answer=HelloAnswer,
    hidden=True,
    keep=False,
)
async def hello(call: Call) -> HelloAnswer:
    """Greet an agent."""
    return await commands.hello(call.work, _plane(call), call.body(Hello))


@routes.get(
    "/agent/commands",
    Permission.AGENT_WORK,
    query=PollQuery,
    answer=CommandsAnswer,
    hidden=True,
)
async def poll(call: Call) -> CommandsAnswer:
    """Give an agent its commands."""
    query = call.query(PollQuery)
    return await commands.poll(call.work, _plane(call), query.after, query.wait)


@routes.post(
    "/agent/reports",
    Permission.AGENT_WORK,
    body=Reports,
    answer=ReportsAnswer,
    hidden=True,
    keep=False,
)
async def report(call: Call) -> ReportsAnswer:
    """Take an agent's reports."""
    reports = call.body(Reports).reports
    applied = await call.work.write(engine.take_reports, _plane(call), reports)
    return ReportsAnswer(applied=applied)


@routes.get(
    "/agent/runs/{id}/{attempt}/secrets",
    Permission.AGENT_WORK,
    answer=SecretsAnswer,
    hidden=True,
)
async def secrets(call: Call) -> SecretsAnswer:
    """Give an agent the secret variables of a run that it was sent."""
    return await private.deliver(call.work, _run(call))


@routes.get("/agent/runs/{id}/{attempt}/log", Permission.AGENT_WORK, answer=LogAnswer, hidden=True)
async def log_end(call: Call) -> LogAnswer:
    """Say where the stored log of a run ends."""
    return LogAnswer(end=await logs.end_of(call.work, *_run(call)))


@routes.put(
    "/agent/runs/{id}/{attempt}/log",
    Permission.AGENT_WORK,
    query=OffsetQuery,
    answer=LogAnswer,
    upload="body_max",
    hidden=True,
)
async def append_log(call: Call) -> LogAnswer:
    """Take a piece of a run's log."""
    data = bytearray()
    async for piece in call.stream():
        data += piece
    if len(data) > logs.PIECE_MOST:
        raise BadRequest(f"a piece of a log has at most {logs.PIECE_MOST} bytes")
    offset = call.query(OffsetQuery).offset
    return LogAnswer(end=await logs.append(call.work, _run(call), offset, bytes(data)))


@routes.put(
    "/agent/runs/{id}/{attempt}/outputs/{path*}",
    Permission.AGENT_WORK,
    answer=OutputEntry,
    upload="upload_max",
    hidden=True,
)
async def put_output(call: Call) -> OutputEntry:
    """Take one output of a run."""
    entry = (call.path["path"], call.header("X-Content-SHA256"))
    return await outputs.put(call.work, _run(call), entry, call.stream())
