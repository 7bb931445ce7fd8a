"""The agent and the real control plane: one job all the way, over real HTTP and real git."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.planes.agent import settings
from services.planes.agent.agent import Agent
from services.planes.agent.client import Client
from services.planes.agent.settings import Address, Settings
from spawners.fakes import FakeRuntime, Script
from spawners.runtime import RunSpec
from tests.house import House
from tests.planes.agent.conftest import QUICK


def program(spec: RunSpec) -> Script:
    """Do what the test's commands say, as a program would."""
    code = int(spec.argv[-1])
    present = "\n".join(sorted(path.name for path in spec.workdir.iterdir()))
    return Script(code, present.encode() + b"\n", {"m.json": b'{"a": 1}'}, hold=code == 99)


@pytest.fixture
async def agent(house: House, tmp_path: Path) -> AsyncIterator[FakeRuntime]:
    (house.home / "environments/default/1/bin/python").symlink_to(sys.executable)
    home = tmp_path / "agent"
    home.mkdir()
    found = Settings(home=home, environments=house.home / "environments", pace=QUICK, disk_floor=0)
    here = Address(house.origin, house.agent_token, house.origin + settings.API_PATH, loopback=True)
    runtime = FakeRuntime(program)
    task = asyncio.create_task(Agent(found, Client(lambda: here), runtime).run())
    yield runtime
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def finished(house: House, token: str, job: dict[str, Any], *wanted: str) -> dict[str, Any]:
    """Wait for one of some states of a job."""
    async with asyncio.timeout(20):
        while True:
            answer = await house.call("GET", f"/jobs/{job['id']}", as_=token)
            view: dict[str, Any] = answer.json()
            if view["status"] in wanted:
                return view
            await asyncio.sleep(0.05)


async def test_jobs_all_the_way(house: House, agent: FakeRuntime) -> None:
    token = await house.sign_in("ada")
    made = await house.call("POST", "/projects", as_=token, json={"name": "tiles"})
    assert made.status_code == 201, made.text
    project = made.json()["id"]
    put = await house.call(
        "PUT", f"/projects/{project}/content/main.py", as_=token, content=b"print(1)\n"
    )
    assert put.status_code < 300, put.text
    jobs = []
    for code in (0, 3, 99):
        body = {"project_id": project, "file": "main.py", "args": [str(code)]}
        answer = await house.call("POST", "/jobs", as_=token, json=body)
        assert answer.status_code == 201, answer.text
        jobs.append(answer.json())
    assert (await finished(house, token, jobs[0], "Succeeded"))["exit_code"] == 0
    failed = await finished(house, token, jobs[1], "Failed")
    assert failed["reason"].startswith("exit code 3")
    await finished(house, token, jobs[2], "Running")
    await house.call("POST", f"/jobs/{jobs[2]['id']}/stop", as_=token)
    await finished(house, token, jobs[2], "Stopped")
    log = await house.call("GET", f"/jobs/{jobs[0]['id']}/logs?follow=false", as_=token)
    assert "main.py" in log.text
    outputs = await house.call("GET", f"/jobs/{jobs[0]['id']}/outputs", as_=token)
    assert [item["path"] for item in outputs.json()["items"]] == ["m.json"]
    async with asyncio.timeout(10):
        while agent.states():
            await asyncio.sleep(0.02)
