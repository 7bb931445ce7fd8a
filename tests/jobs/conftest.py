"""A project with code in it, its people, and an agent that says what the test wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.house import House
from tests.workloads.agent import ScriptedAgent


@dataclass
class Lab:
    """What a test of jobs works with."""

    house: House
    agent: ScriptedAgent
    ada: str
    project: dict[str, Any]

    async def start(self, *, as_: str | None = None, **more: Any) -> Any:
        """Start a job; give the response."""
        body = {"project_id": self.project["id"], "command": ["python", "main.py"], **more}
        body = {name: value for name, value in body.items() if value is not None}
        return await self.house.call("POST", "/jobs", as_=as_ or self.ada, json=body)

    async def started(self, **more: Any) -> dict[str, Any]:
        """Start a job that must be accepted; give its view."""
        response = await self.start(**more)
        assert response.status_code == 201, response.text
        view: dict[str, Any] = response.json()
        return view

    async def get(self, path: str, as_: str | None = None) -> Any:
        """Read something as Ada."""
        return await self.house.call("GET", path, as_=as_ or self.ada)

    async def commit(self, path: str, text: str, branch: str = "main") -> str:
        """Write a file; give the commit."""
        url = f"/projects/{self.project['id']}/content/{path}?branch={branch}"
        response = await self.house.call("PUT", url, as_=self.ada, content=text.encode())
        assert response.status_code in (200, 201), response.text
        return str(response.json()["id"])


@pytest.fixture
async def lab(house: House) -> Lab:
    """Ada's project "wine" on a platform with a connected plane."""
    ada = await house.sign_in("ada")
    made = await house.call("POST", "/projects", as_=ada, json={"name": "wine"})
    assert made.status_code == 201, made.text
    agent = ScriptedAgent(house)
    await agent.hello()
    lab = Lab(house, agent, ada, made.json())
    await lab.commit("main.py", "print('hello')\n")
    return lab
