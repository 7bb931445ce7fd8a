"""A small control plane for tests of the agent: real HTTP, everything in memory, faults on order.

It keeps its half of the protocol exactly: reports by (attempt, phase rank), logs by offset,
outputs by path, commands by cursor; it keeps no snapshots and says so. Faults: answers of 500,
cut connections, duplicated and reordered commands, slow answers, being away.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from services.planes.protocol import (
    Command,
    CommandsAnswer,
    Hello,
    HelloAnswer,
    LogAnswer,
    OutputEntry,
    Phase,
    Reports,
    ReportsAnswer,
    RunOrder,
    RunReport,
    SecretsAnswer,
    SnapshotWishes,
    VolumesAnswer,
)
from tests.planes.agent.gitserver import GitServer

CREDENTIAL = "sml_agentcredential"
API = "/services/smalti/api/v1"
Key = tuple[str, int]


@dataclass
class Faults:
    """What goes wrong. Shares are of requests; `seed` makes them repeatable."""

    errors: float = 0.0
    cuts: float = 0.0  # the request is carried out and its answer lost
    duplicates: float = 0.0  # a command comes again later
    reordered: bool = False
    random: random.Random = field(default_factory=lambda: random.Random(1))


class Control:
    """The control plane. `start`/`stop` bring it and take it away on one port."""

    def __init__(self, git: GitServer | None = None) -> None:
        self.git = git
        self.faults = Faults()
        self.port = 0
        self.forget_finished = True
        self.log_max: int | None = None
        self.refuse_outputs: dict[str, int] = {}
        self.no_room = False
        self.commands: dict[str, Command] = {}
        self.stream: list[Command] = []
        self.finals: dict[Key, RunReport] = {}
        self.reports: dict[Key, RunReport] = {}
        self.received: list[RunReport] = []
        self.logs: dict[Key, bytearray] = {}
        self.outputs: dict[Key, dict[str, bytes]] = {}
        self.unknown: set[str] = set()
        self.secrets: dict[str, dict[str, str]] = {}
        self.volumes: list[str] | None = None
        self.vault_away = False
        self.hellos: list[Hello] = []
        self.requests: list[str] = []
        self.credential = CREDENTIAL
        self.changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Serve, on the same port as before if there was one."""
        app = web.Application(client_max_size=1 << 32, middlewares=[self._guard])
        app.router.add_post(f"{API}/agent/hello", self._hello)
        app.router.add_get(f"{API}/agent/commands", self._commands)
        app.router.add_post(f"{API}/agent/reports", self._reports)
        app.router.add_put(f"{API}/agent/runs/{{id}}/{{attempt}}/log", self._put_log)
        app.router.add_get(f"{API}/agent/runs/{{id}}/{{attempt}}/log", self._log_end)
        app.router.add_put(f"{API}/agent/runs/{{id}}/{{attempt}}/outputs/{{path:.+}}", self._output)
        app.router.add_get(f"{API}/agent/runs/{{id}}/{{attempt}}/secrets", self._secrets)
        app.router.add_get(f"{API}/agent/runs/{{id}}/{{attempt}}/snapshots", self._no_snapshots)
        app.router.add_get(f"{API}/agent/snapshots", self._wishes)
        app.router.add_get(f"{API}/agent/volumes", self._volumes)
        if self.git is not None:
            app.router.add_route("*", "/git/{path:.+}", self.git.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Be away: all connections are cut."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    # -- for tests -----------------------------------------------------------------------------

    async def run(self, workload_id: str, order: RunOrder, attempt: int = 1) -> None:
        """Say that a workload should run."""
        await self._say(workload_id, attempt, "run", order)

    async def stop_run(self, workload_id: str) -> None:
        """Say that a workload should stop."""
        await self._say(workload_id, self.commands[workload_id].attempt, "stop", None)

    async def forget(self, workload_id: str) -> None:
        """Say that a workload may go."""
        await self._say(workload_id, self.commands[workload_id].attempt, "forget", None)

    async def _say(
        self, workload_id: str, attempt: int, action: Any, order: RunOrder | None
    ) -> None:
        before = self.commands.get(workload_id)
        command = Command(
            workload_id=workload_id,
            generation=before.generation + 1 if before else 1,
            attempt=attempt,
            action=action,
            order=order,
        )
        self.commands[workload_id] = command
        self.stream.append(command)
        await self.notify()

    async def notify(self) -> None:
        """Wake whoever waits for a change."""
        async with self.changed:
            self.changed.notify_all()

    async def until(self, condition: Any, timeout: float = 10.0) -> Any:
        """Wait until a condition holds, looking at each change; returns what it gave."""
        async with asyncio.timeout(timeout), self.changed:
            while not (found := condition()):
                await self.changed.wait()
            return found

    async def final(self, workload_id: str, attempt: int = 1, timeout: float = 10.0) -> RunReport:
        """Wait for the final report of a run."""
        key = (workload_id, attempt)
        found: RunReport = await self.until(lambda: self.finals.get(key), timeout)
        return found

    async def phase(self, workload_id: str, phase: Phase, attempt: int = 1) -> RunReport:
        """Wait until a run has come as far as a phase."""

        def there() -> RunReport | None:
            report = self.reports.get((workload_id, attempt))
            return report if report and report.phase.rank >= phase.rank else None

        found: RunReport = await self.until(there)
        return found

    def log(self, workload_id: str, attempt: int = 1) -> bytes:
        """The stored log of a run."""
        return bytes(self.logs.get((workload_id, attempt), b""))

    # -- the protocol --------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/git/"):
            answer: web.StreamResponse = await handler(request)
            return answer
        self.requests.append(f"{request.method} {request.path}")
        if request.headers.get("Authorization") != f"Bearer {self.credential}":
            return _error(401, "unauthorized")
        if self.faults.random.random() < self.faults.errors:
            return web.Response(status=500, text="oops")
        answer = await handler(request)
        await self.notify()
        if self.faults.random.random() < self.faults.cuts and request.transport is not None:
            request.transport.abort()
        return answer

    async def _hello(self, request: web.Request) -> web.Response:
        hello = Hello.model_validate_json(await request.read())
        self.hellos.append(hello)
        for report in hello.inventory:
            await self._apply(report)
        cursor = len(self.stream)
        listed = [c for c in self.commands.values() if c.workload_id not in self.unknown]
        answer = HelloAnswer(plane_id="p", plane="local", commands=listed, cursor=cursor, poll=5.0)
        return _json(answer)

    async def _commands(self, request: web.Request) -> web.Response:
        after, wait = int(request.query["after"]), float(request.query["wait"])
        try:
            await self.until(lambda: len(self.stream) > after, timeout=wait)
        except TimeoutError:
            return _json(CommandsAnswer(commands=[], cursor=after))
        found = self.stream[after:]
        chance = self.faults.random
        if self.faults.duplicates:
            known = list(self.stream)
            found += [c for c in known if chance.random() < self.faults.duplicates]
        if self.faults.reordered:
            chance.shuffle(found)
        return _json(CommandsAnswer(commands=found, cursor=len(self.stream)))

    async def _reports(self, request: web.Request) -> web.Response:
        reports = Reports.model_validate_json(await request.read())
        applied = 0
        for report in reports.reports:
            applied += await self._apply(report)
        return _json(ReportsAnswer(applied=applied))

    async def _apply(self, report: RunReport) -> bool:
        key = (report.workload_id, report.attempt)
        self.received.append(report)
        before = self.reports.get(key)
        if before is not None and before.phase.rank > report.phase.rank:
            return False
        self.reports[key] = report
        if report.phase is Phase.FINISHED and key not in self.finals:
            self.finals[key] = report
            command = self.commands.get(report.workload_id)
            if self.forget_finished and command and command.attempt == report.attempt:
                await self.forget(report.workload_id)
        return True

    def _key(self, request: web.Request) -> Key:
        workload_id = request.match_info["id"]
        if workload_id in self.unknown or workload_id not in self.commands:
            raise web.HTTPNotFound(
                text=json.dumps({"error": {"code": "not_found", "message": "no such run"}}),
                content_type="application/json",
            )
        return workload_id, int(request.match_info["attempt"])

    async def _volumes(self, _: web.Request) -> web.Response:
        if self.volumes is None:
            return _error(404, "not_found")
        return _json(VolumesAnswer(volumes=self.volumes))

    async def _log_end(self, request: web.Request) -> web.Response:
        return _json(LogAnswer(end=len(self.logs.get(self._key(request), b""))))

    async def _put_log(self, request: web.Request) -> web.Response:
        stored = self.logs.setdefault(self._key(request), bytearray())
        offset, piece = int(request.query["offset"]), await request.read()
        assert len(piece) <= 1 << 20
        if self.no_room:
            return _error(507, "storage_full")
        if self.log_max is not None and offset + len(piece) > self.log_max:
            return _error(413, "too_large")
        if offset <= len(stored) < offset + len(piece):
            assert stored[offset:] == piece[: len(stored) - offset]
            stored += piece[len(stored) - offset :]
        return _json(LogAnswer(end=len(stored)))

    async def _no_snapshots(self, _: web.Request) -> web.Response:
        return _error(404, "not_found")

    async def _wishes(self, request: web.Request) -> web.Response:
        await asyncio.sleep(float(request.query["wait"]))
        return _json(SnapshotWishes(wishes={}, cursor=0))

    async def _secrets(self, request: web.Request) -> web.Response:
        if self.vault_away:
            return _error(503, "vault_away")
        return _json(SecretsAnswer(env=self.secrets.get(self._key(request)[0], {})))

    async def _output(self, request: web.Request) -> web.Response:
        key, path = self._key(request), request.match_info["path"]
        if self.no_room:
            return _error(507, "storage_full")
        if status := self.refuse_outputs.get(path):
            return _error(status, "refused")
        digest = hashlib.sha256()
        kept = bytearray()
        async for piece in request.content.iter_chunked(1 << 16):
            digest.update(piece)
            kept += piece
        assert request.content_length == len(kept)
        if request.headers["X-Content-SHA256"] != digest.hexdigest():
            return _error(400, "digest")
        self.outputs.setdefault(key, {})[path] = bytes(kept)
        return _json(OutputEntry(path=path, size=len(kept), sha256=digest.hexdigest()))


def _json(model: Any) -> web.Response:
    return web.Response(text=model.model_dump_json(), content_type="application/json")


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": code}}, status=status)
