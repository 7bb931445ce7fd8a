"""What the benchmarks of the whole platform do with it: projects, jobs, processes' cost."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.instance import Instance

FINAL = {"Succeeded", "Failed", "Error", "Stopped"}


def make_project(client: httpx.Client, name: str = "bench") -> str:
    """Create a project with one small commit; give its id."""
    made = client.post("/projects", json={"name": name})
    made.raise_for_status()
    project_id: str = made.json()["id"]
    put = client.put(f"/projects/{project_id}/content/main.py", content=b"print('hello')\n")
    put.raise_for_status()
    return project_id


def make_tier(client: httpx.Client, name: str, cpu: float, memory: int = 64 << 20) -> None:
    """Add a hardware tier."""
    client.post(
        "/hardware-tiers", json={"name": name, "cpu": cpu, "memory": memory}
    ).raise_for_status()


def start(client: httpx.Client, project_id: str, command: list[str], **more: Any) -> Any:
    """Start a job; give its view."""
    body = {"project_id": project_id, "command": command, **more}
    answer = client.post("/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def wait_for(client: httpx.Client, job_id: str, wanted: Iterable[str], seconds: float = 60) -> Any:
    """Wait until a job has one of these states; give its view."""
    states, end_by = set(wanted), time.monotonic() + seconds
    while True:
        job = client.get(f"/jobs/{job_id}").json()
        if job["status"] in states:
            return job
        assert job["status"] not in FINAL, job
        assert time.monotonic() < end_by, job
        time.sleep(0.01)


def pss(pid: int) -> int:
    """Proportional set size of a process and of all below it, in bytes."""
    total = 0
    for one in [pid, *descendants(pid)]:
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue  # it ended meanwhile
        line = next(line for line in text.splitlines() if line.startswith("Pss:"))
        total += int(line.split()[1]) << 10
    return total


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    children = [int(word) for word in text.split()]
    return children + [below for child in children for below in descendants(child)]


def at(text: str) -> datetime:
    """Read a time of the API."""
    return datetime.fromisoformat(text).astimezone(UTC)


def settle(smalti: Instance) -> None:
    """Wait until the local plane is connected and the default environment is there."""
    with smalti.client() as client:

        def ready() -> bool:
            plane = client.get("/planes").json()["items"][0]
            environment = client.get("/environments").json()["items"][0]
            return plane["status"] == "connected" and environment["status"] == "Ready"

        smalti.wait(ready, 180, "plane and environment")
