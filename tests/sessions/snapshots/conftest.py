"""A real platform, a real agent and a session whose folder is a real clone of its project."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services import workloads
from services.core.ids import new_id
from services.core.work import Work
from services.planes.agent import settings
from services.planes.agent.agent import Agent
from services.planes.agent.client import Client
from services.planes.agent.settings import Address, Pace, Settings
from spawners.fakes import HOLD, FakeRuntime
from spawners.reader.objects import BLOB, object_id
from tests.house import House

QUICK = Pace(
    batch=0.01,
    samples=0.1,
    repeat=0.5,
    backoff_first=0.02,
    backoff_near=0.2,
    backoff_far=0.5,
    snapshots=0.1,
)


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody."""
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{who}_{what}": "ada@example.org"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


class Bench:
    """A person, their project, and a session on it, watched by an agent that can be ended."""

    def __init__(self, house: House, home: Path) -> None:
        self.house = house
        self.home = home
        self.runtime = FakeRuntime(HOLD)
        self.pace = QUICK
        self.workspace_id = new_id()
        self.run_id = new_id()
        self.project = self.home / "volumes" / self.workspace_id / "project"
        self._task: asyncio.Task[None] | None = None

    async def set_up(self) -> None:
        """Make person, project, first commit and clone."""
        self.home.mkdir()
        environment = self.house.home / "environments" / "default" / "1"
        (environment / "bin" / "python").symlink_to(sys.executable)
        kernel = environment / "lib" / "python3.11" / "site-packages" / "ipykernel"
        kernel.mkdir(parents=True)
        (kernel / "__init__.py").touch()
        self.token = await self.house.sign_in("ada")
        self.person_id = self.house.tokens.actors[self.token].id
        made = await self.call("POST", "/projects", json={"name": "wine"})
        self.project_id = made.json()["id"]
        await self.call(
            "PUT", f"/projects/{self.project_id}/content/main.py", content=b"print(1)\n"
        )
        put = f"/projects/{self.project_id}/content/data/a.csv"
        self.commit = (await self.call("PUT", put, content=b"1,2\n")).json()["id"]
        tools = self.house.home / "environments" / ".tools" / "1" / "bin"
        tools.mkdir(parents=True)
        (tools / "jupyterhub-singleuser").touch()
        (tools / "python").write_text("#!/bin/sh\nexec sleep 600\n")  # what a tool does at rest
        (tools / "python").chmod(0o755)

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the API as the person; what is refused fails the test."""
        answer = await self.house.call(method, path, as_=self.token, **more)
        assert answer.status_code < 300, (method, path, answer.text)
        return answer

    def start_agent(self, runtime: FakeRuntime | None = None) -> None:
        """Start an agent on the home."""
        if runtime is not None:
            self.runtime = runtime
        found = Settings(
            home=self.home,
            environments=self.house.home / "environments",
            pace=self.pace,
            disk_floor=0,
        )
        token, origin = self.house.agent_token, self.house.origin
        client = Client(lambda: Address(origin, token, origin + settings.API_PATH, loopback=True))
        self._task = asyncio.create_task(Agent(found, client, self.runtime).run())

    async def end_agent(self) -> None:
        """End the agent; the session goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def start_session(self) -> None:
        """Start a session on the workspace's folder."""
        self.run_id = new_id()
        new = workloads.NewWorkload(
            id=self.run_id,
            kind="session",
            project_id=self.project_id,
            person_id=self.person_id,
            tier=None,
            order={
                "project_id": self.project_id,
                "project": "ada/wine",
                "person_id": self.person_id,
                "repository": "/services/smalti/git/ada/wine.git",
                "commit": self.commit,
                "session": {
                    "tool": "jupyterlab",
                    "base_url": "/user/ada/wine/",
                    "volume": self.workspace_id,
                },
                "environment": {"name": "default", "revision": 1, "digest": "x"},
            },
            timeout=3600.0,
        )
        actor = self.house.tokens.actors[self.token]
        await Work(self.house.context, actor).write(workloads.create, new)

    async def stop_workload(self) -> None:
        """Ask the session to stop."""

        def ask(tx: Any) -> bool:
            return workloads.stop(tx, workloads.load(tx, self.run_id))

        await Work(self.house.context).write(ask)

    async def until_started(self) -> None:
        """Wait until the platform has heard that the session runs."""
        async with asyncio.timeout(30):
            while True:
                row = await Work(self.house.context).read(workloads.load, self.run_id)
                if row is not None and row.started_at is not None:
                    return
                await asyncio.sleep(0.02)

    async def finished(self) -> None:
        """Wait until the session is over."""
        async with asyncio.timeout(30):
            while (await Work(self.house.context).read(workloads.load, self.run_id)) is not None:
                row = await Work(self.house.context).read(workloads.load, self.run_id)
                if row is not None and row.finished_at is not None:
                    return
                await asyncio.sleep(0.05)

    async def stop_session(self) -> None:
        """Stop the session and wait for its end."""
        await self.stop_workload()
        await self.until(lambda: not self.runtime.states())

    async def snapshots(self) -> list[dict[str, Any]]:
        """List the workspace's snapshots, the newest first."""
        answer = await self.house.call(
            "GET", f"/workspaces/{self.workspace_id}/snapshots", as_=self.token
        )
        items: list[dict[str, Any]] = answer.json()["items"] if answer.status_code == 200 else []
        return items

    async def snapshot(
        self, wanted: Callable[[dict[str, Any]], bool] = lambda _: True, after: int = 0
    ) -> dict[str, Any]:
        """Wait for a newest snapshot of which something is so."""
        async with asyncio.timeout(60):
            while True:
                found = await self.snapshots()
                if found and found[0]["number"] > after and wanted(found[0]):
                    return found[0]
                await asyncio.sleep(0.02)

    async def content(self, number: int, path: str) -> bytes | None:
        """Read a file of a snapshot; None when it is not in it."""
        answer = await self.house.call(
            "GET",
            f"/workspaces/{self.workspace_id}/snapshots/{number}/content/{path}",
            as_=self.token,
        )
        return answer.content if answer.status_code == 200 else None

    async def safe(self, path: str, content: bytes) -> int:
        """Wait until a file's content is safe; give the snapshot's number."""
        wanted = object_id(BLOB, content)
        async with asyncio.timeout(60):
            while True:
                found = await self.snapshots()
                if found and await self.blob(found[0]["number"], path) == wanted:
                    return int(found[0]["number"])
                await asyncio.sleep(0.02)

    async def blob(self, number: int, path: str) -> str | None:
        """Give the id of a file's content in a snapshot; None when it is not in it."""
        folder = path.rpartition("/")[0]
        where = f"/workspaces/{self.workspace_id}/snapshots/{number}/files?limit=200&path={folder}"
        answer = await self.house.call("GET", where, as_=self.token)
        items = answer.json()["items"] if answer.status_code == 200 else []
        return next((str(one["object"]) for one in items if one["path"] == path), None)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that nobody announces."""
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)


@pytest.fixture
async def bench(house_on_both: House, tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench with nothing started, once on each database."""
    made = Bench(house_on_both, tmp_path / "agent")
    await made.set_up()
    yield made
    await made.end_agent()


@pytest.fixture
async def live(house: House, tmp_path: Path) -> AsyncIterator[Bench]:
    """A bench on SQLite with a session that runs and has its first snapshot."""
    made = Bench(house, tmp_path / "agent")
    await made.set_up()
    made.start_agent()
    await made.start_session()
    await made.snapshot()
    yield made
    await made.end_agent()
