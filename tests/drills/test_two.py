"""D12: two platform processes on one PostgreSQL, both admitting, reconciling and answering."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.core import audit
from services.planes.protocol import Outcome, Phase
from services.platform.migrate import migrate
from tests import postgres
from tests.drills.report import Tell
from tests.house import House
from tests.instance import free_port
from tests.security.furnished import made
from tests.workloads.agent import ScriptedAgent

JOBS = 40
CORES = 4.0
PATIENCE = 120.0  # seconds: what is tested is what is done, not how soon on a busy machine
API = "/services/smalti/api/v1"


class Door:
    """The way to the second platform, in the shape that the scripted agent asks by."""

    def __init__(self, port: int, agent_token: str) -> None:
        self.agent_token = agent_token
        self.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}{API}", timeout=PATIENCE)

    async def call(self, method: str, path: str, *, as_: str, **more: Any) -> httpx.Response:
        """Call it; while it is away, try on."""
        headers = {"Authorization": f"Bearer {as_}", **more.pop("headers", {})}
        end_by = time.monotonic() + PATIENCE
        while True:
            try:
                answer = await self.client.request(method, path, headers=headers, **more)
                if answer.status_code != 503:
                    return answer
            except httpx.TransportError:
                assert time.monotonic() < end_by
            await asyncio.sleep(0.1)


class Second:
    """The second platform: a process of its own on the same database, files and secrets."""

    def __init__(self, first: House, folder: Path, url: str) -> None:
        self.home, self.port = folder / "second", free_port()
        (self.home / "run").mkdir(parents=True)
        for name in ("secrets", "platform", "environments"):
            (self.home / name).symlink_to(first.home / name)
        ports = {
            "frontdoor": 1,
            "hub": 2,
            "platform": self.port,
            "traefik_api": 4,
            "experiments": 5,
        }
        (self.home / "run" / "ports.json").write_text(json.dumps(ports))
        config = f"c.Settings.database_url = {url!r}\n"
        (self.home / "smalti_config.py").write_text(config)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.platform"],
                env={**os.environ, "SMALTI_HOME": str(self.home)},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End it with -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @contextmanager
    def running(self) -> Iterator[Second]:
        """Run it, and end it by its pid."""
        self.start()
        try:
            yield self
        finally:
            self.kill()


@pytest.mark.drill("D12", "two platforms, one killed with -9")
async def test_two_platforms_do_each_thing_once(
    postgres_server: postgres.Server, tmp_path: Path, seed: int, tell: Tell
) -> None:
    print(f"seed {seed}")
    with postgres_server.database() as url:
        house = House(tmp_path, url)
        house.settings.database_url = url
        migrate(house.settings)
        async with house:
            house.client.timeout = PATIENCE
            second = Second(house, tmp_path, url)
            with second.running():
                await _drill(house, second, random.Random(seed))
                tell({"processes killed": 1, "jobs": JOBS})


async def _drill(house: House, second: Second, draw: random.Random) -> None:
    door = Door(second.port, house.agent_token)
    ada = await house.sign_in("ada")
    project = (await made(house, "POST", "/projects", ada, json={"name": "wine"}))["id"]
    await made(house, "PUT", f"/projects/{project}/content/a", ada, content=b"1")
    token = (await made(house, "POST", "/tokens", ada, json={"name": "robot"}))["token"]
    agent = TwoFaced(house, door, draw)
    await agent.one.hello()

    async def start(number: int) -> str:
        await asyncio.sleep(draw.uniform(0, 2))
        body = {"project_id": project, "command": ["true"], "title": str(number)}
        key = {"Idempotency-Key": f"job-{number}"}
        answers = []
        for way in draw.sample([house, door], 2):  # the same request at both doors: one job
            answer = await way.call("POST", "/jobs", as_=token, json=body, headers=key)
            assert answer.status_code == 201, answer.text
            answers.append(answer.json()["id"])
        assert answers[0] == answers[1], "one request became two jobs"
        return str(answers[0])

    async with working_on(agent) as working, door.client:
        ids = await _through_a_kill(start, second, draw)
        end_by = time.monotonic() + PATIENCE
        while len(agent.finished) < JOBS:
            assert time.monotonic() < end_by, (len(agent.finished), agent.ran)
            assert not working.done(), working.result()
            await asyncio.sleep(0.05)
    assert set(agent.ran) == set(ids)
    assert set(agent.ran.values()) == {1}, "a job was given out for more than one attempt"
    assert agent.most <= CORES, f"{agent.most} cores were given away of {CORES}"
    jobs = (await made(house, "GET", "/jobs?limit=200", ada))["items"]
    assert Counter(job["status"] for job in jobs) == {"Succeeded": JOBS}
    assert sorted(job["number"] for job in jobs) == list(range(1, JOBS + 1))
    assert await house.context.db.read(audit.verify) is None, "the audit trail's chain is broken"


async def _through_a_kill(
    start: Callable[[int], Awaitable[str]], second: Second, draw: random.Random
) -> list[str]:
    """Start all jobs, and kill the second platform somewhere in between."""
    starting = asyncio.gather(*(start(number) for number in range(JOBS)))
    await asyncio.sleep(draw.uniform(0.5, 2.5))
    second.kill()
    second.start()
    return await starting


@asynccontextmanager
async def working_on(agent: TwoFaced) -> AsyncIterator[asyncio.Task[None]]:
    """Have the agent work as long as this lasts."""
    working = asyncio.create_task(agent.work())
    try:
        yield working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


class TwoFaced:
    """One agent that speaks to either platform as it comes, and says many things twice."""

    def __init__(self, house: House, door: Door, draw: random.Random) -> None:
        self.one, self.other = ScriptedAgent(house, cpu=CORES), ScriptedAgent(house, cpu=CORES)
        self.other.house = door  # type: ignore[assignment]
        self.draw = draw
        self.ran: dict[str, int] = {}
        self.running: set[str] = set()
        self.ended: set[str] = set()
        self.finished: set[str] = set()  # and all of it told
        self.most = 0.0

    async def work(self) -> None:
        """Take commands and finish runs for ever."""
        while True:
            face = self.draw.choice([self.one, self.other])
            face.cursor = max(self.one.cursor, self.other.cursor)
            for command in await face.poll(0.05):
                if command.action == "run" and command.workload_id not in self.ended:
                    self.ran[command.workload_id] = command.attempt
                    self.running.add(command.workload_id)
            self.one.commands = self.other.commands = {**self.one.commands, **self.other.commands}
            self.most = max(self.most, float(len(self.running)))  # the default tier has one core
            if self.running:
                await self._go_on(self.draw.choice(sorted(self.running)))

    async def _go_on(self, workload_id: str) -> None:
        self.running.discard(workload_id)
        self.ended.add(workload_id)
        said = [
            self.one.report(workload_id, Phase.RUNNING),
            self.one.report(workload_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED, exit_code=0),
        ]
        for report in [*said, *self.draw.sample(said, 1)]:
            await self.draw.choice([self.one, self.other]).send(report)
        self.finished.add(workload_id)
