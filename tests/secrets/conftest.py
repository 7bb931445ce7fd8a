"""A project with people of every role in it, and an agent that says what the test wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.house import House
from tests.workloads.agent import ScriptedAgent

CANARY = "canary-5ecret-value-0123456789"


@dataclass
class Safe:
    """What a test of secrets works with: tokens of people by their role."""

    house: House
    agent: ScriptedAgent
    people: dict[str, str]
    project_id: str

    async def call(self, who: str, method: str, path: str, **more: Any) -> Any:
        """Call the API as somebody."""
        token = self.people.get(who, who)
        return await self.house.call(method, path, as_=token, **more)

    async def put(self, who: str, name: str, value: str = CANARY, project: bool = False) -> Any:
        """Make a secret; give the response."""
        body: dict[str, Any] = {"name": name, "value": value}
        if project:
            body["project_id"] = self.project_id
        return await self.call(who, "POST", "/secrets", json=body)

    async def job(self, who: str, **more: Any) -> str:
        """Start a job that must be accepted and sent; give its id."""
        body = {"project_id": self.project_id, "command": ["true"], **more}
        answer = await self.call(who, "POST", "/jobs", json=body)
        assert answer.status_code == 201, answer.text
        await self.agent.poll()
        return str(answer.json()["id"])

    async def told(self, job_id: str) -> dict[str, str]:
        """What the agent is told of a job."""
        path = f"/agent/runs/{job_id}/1/secrets"
        answer = await self.house.call("GET", path, as_=self.agent.token)
        assert answer.status_code == 200, answer.text
        found: dict[str, str] = answer.json()["env"]
        return found


async def furnish(house: House) -> Safe:
    """Put people, a project and an agent into a house."""
    people = {"owner": await house.sign_in("owner")}
    made = await house.call("POST", "/projects", as_=people["owner"], json={"name": "wine"})
    project_id = made.json()["id"]
    url = f"/projects/{project_id}/content/main.py"
    await house.call("PUT", url, as_=people["owner"], content=b"print()\n")
    for role in ("contributor", "consumer", "launcher"):
        people[role] = await house.sign_in(role)
        body = {"person": role, "role": role}
        path = f"/projects/{project_id}/members"
        added = await house.call("POST", path, as_=people["owner"], json=body)
        assert added.status_code == 201, added.text
    people["stranger"] = await house.sign_in("stranger")
    agent = ScriptedAgent(house, cpu=64.0, memory=1 << 40)
    await agent.hello()
    return Safe(house, agent, people, project_id)


@pytest.fixture
async def safe(house: House) -> Safe:
    """On SQLite."""
    return await furnish(house)


@pytest.fixture
async def safe_on_both(house_on_both: House) -> Safe:
    """Once on each database."""
    return await furnish(house_on_both)
