"""Ada with a project, a hub that has named servers, and an agent that says what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from services.planes.protocol import Activity, Phase
from tests.house import House
from tests.sessions.hub import ServersHub
from tests.workloads.agent import ScriptedAgent

SECONDS = 10.0


@dataclass
class Desk:
    """What a test of workspaces works with."""

    house: House
    hub: ServersHub
    agent: ScriptedAgent
    ada: str
    project: dict[str, Any]

    async def call(self, method: str, path: str, as_: str | None = None, **more: Any) -> Any:
        """Call the API, as Ada unless said otherwise."""
        return await self.house.call(method, path, as_=as_ or self.ada, **more)

    async def make(self, name: str | None = "wine", as_: str | None = None, **more: Any) -> Any:
        """Make a workspace that must be accepted; its view."""
        body = {"project_id": self.project["id"], "name": name, **more}
        answer = await self.call("POST", "/workspaces", as_, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def view(self, workspace: Any) -> Any:
        """Show a workspace."""
        answer = await self.call("GET", f"/workspaces/{workspace['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def do(self, workspace: Any, verb: str, **more: Any) -> Any:
        """Do something to a workspace that must be accepted."""
        answer = await self.call("POST", f"/workspaces/{workspace['id']}/{verb}", **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    async def until(self, workspace: Any, status: str, reason: str = "") -> Any:
        """Wait until a workspace has a status, and words in its reason."""
        async with asyncio.timeout(SECONDS):
            while True:
                view = await self.view(workspace)
                if view["status"] == status and reason in (view["reason"] or ""):
                    return view
                await asyncio.sleep(0.02)

    async def running(self, workspace: Any) -> Any:
        """Start a workspace and have the agent run it; its view."""
        await self.do(workspace, "start")
        await self.until(workspace, "Preparing")
        return await self.answers(workspace)

    async def answers(self, workspace: Any, port: int = 4711) -> Any:
        """Have the agent say that the tool answers."""
        await self.agent.poll()
        run = (await self.view(workspace))["workload_id"]
        address = f"http://127.0.0.1:{port}"
        await self.agent.say(run, Phase.RUNNING, address=address, started_at=datetime.now(UTC))
        return await self.view(workspace)

    async def active(self, workspace: Any, **more: Any) -> None:
        """Have the agent tell what happens."""
        run = (await self.view(workspace))["workload_id"]
        told = {"last": datetime.now(UTC), **more}
        await self.agent.say(run, Phase.RUNNING, activity=Activity(**told))


async def furnish(house: House, hub: ServersHub) -> Desk:
    """Make Ada's project "wine" with a commit, and a connected plane."""
    hub.add("ada")
    ada = hub.token("ada")
    made = await house.call("POST", "/projects", as_=ada, json={"name": "wine"})
    assert made.status_code == 201, made.text
    path = f"/projects/{made.json()['id']}/content/main.py"
    await house.call("PUT", path, as_=ada, content=b"print(1)\n")
    agent = ScriptedAgent(house)
    await agent.hello()
    return Desk(house, hub, agent, ada, made.json())


@pytest.fixture
async def desk(house: House) -> AsyncIterator[Desk]:
    """Ada's desk on SQLite."""
    async with ServersHub(house) as hub:
        yield await furnish(house, hub)


@pytest.fixture
async def desk_on_both(house_on_both: House) -> AsyncIterator[Desk]:
    """Ada's desk, once on each database."""
    async with ServersHub(house_on_both) as hub:
        yield await furnish(house_on_both, hub)
