"""Looks at a Smalti from outside while drills hurt it, and says whether it kept its word.

The word (invariants): every accepted job reaches exactly one true final state; each program
ran once; no line and no output that it wrote is lost or doubled; every failure has a reason;
nothing is left running.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path
from typing import Any

import httpx

from tests.instance import Instance

FINAL = {"Succeeded", "Failed", "Error", "Stopped"}
LINES = 20

# Says its lines slowly enough to be hit in the middle, and leaves a file that proves its run.
PROGRAM = f"""
import os, pathlib, sys, time
name, pause = sys.argv[1], float(sys.argv[2])
for number in range({LINES}):
    print(f"{{name}} line {{number}}", flush=True)
    time.sleep(pause)
pathlib.Path(os.environ["SMALTI_OUTPUTS"], "done.txt").write_text(name * 100)
sys.exit(3 if name.endswith("fails") else 0)
"""


class Observer:
    """Starts jobs as a person does, and checks in the end what became of each."""

    def __init__(self, smalti: Instance, seed: int) -> None:
        self.smalti, self.random = smalti, random.Random(seed)
        self.client = smalti.client()
        self.jobs: dict[str, str] = {}
        self.project_id = self._project(f"drill-{seed}-{os.urandom(3).hex()}")
        print(f"seed {seed}")

    def _project(self, name: str) -> str:
        made = self.client.post("/projects", json={"name": name})
        made.raise_for_status()
        project_id: str = made.json()["id"]
        path = f"/projects/{project_id}/content/main.py"
        self.client.put(path, content=PROGRAM.encode()).raise_for_status()
        tier = {"name": "drill", "cpu": 0.02, "memory": 64 << 20}
        answer = self.client.post("/hardware-tiers", json=tier)
        assert answer.status_code in (201, 409), answer.text
        return project_id

    def start(self, count: int, pause: float = 0.1) -> None:
        """Start jobs; one in five fails by itself. What is not accepted is tried again."""
        for number in range(count):
            fails = "fails" if self.random.random() < 0.2 else "works"
            name = f"job{number}-{fails}"
            body = {
                "project_id": self.project_id,
                "command": ["python", "main.py", name, str(pause)],
                "tier": "drill",
            }
            key = os.urandom(8).hex()
            answer = self.insist("POST", "/jobs", json=body, headers={"Idempotency-Key": key})
            self.jobs[answer.json()["id"]] = name

    def insist(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask until there is an answer that is not about something being away."""
        end_by = time.monotonic() + 60
        while True:
            try:
                answer = self.client.request(method, path, **more)
                if answer.status_code not in (502, 503, 504):
                    assert answer.status_code < 400, answer.text
                    return answer
            except httpx.TransportError:
                pass
            assert time.monotonic() < end_by, f"{method} {path}: nothing for 60 s"
            time.sleep(0.1)

    def some_running(self, count: int = 1) -> None:
        """Wait until some of the jobs run."""
        self.smalti.wait(lambda: len(self._in({"Running"})) >= count, 60, "jobs to run")

    def _in(self, states: set[str]) -> list[str]:
        found = []
        for state in states:
            path = f"/jobs?project_id={self.project_id}&status={state}&limit=200"
            found += [job["id"] for job in self.insist("GET", path).json()["items"]]
        return found

    def wait_for_the_end(self, seconds: float = 120) -> None:
        """Wait until every job is final."""
        self.smalti.wait(lambda: len(self._in(FINAL)) >= len(self.jobs), seconds, "all to end")

    def check(self, *, may_be_tried_again: bool = False) -> None:
        """Hold the platform to its word."""
        listed = self._in(FINAL)
        assert sorted(listed) == sorted(self.jobs), "not the jobs that were accepted"
        for job_id, name in self.jobs.items():
            self._check_job(job_id, name, may_be_tried_again)
        self.check_orphans()

    def _check_job(self, job_id: str, name: str, may_be_tried_again: bool) -> None:
        job = self.insist("GET", f"/jobs/{job_id}").json()
        status, code = ("Failed", 3) if name.endswith("fails") else ("Succeeded", 0)
        assert (job["status"], job["exit_code"]) == (status, code), job
        if status == "Failed":
            assert job["reason"], job
        text = self.insist("GET", f"/jobs/{job_id}/logs?follow=false").text
        expected = "".join(f"{name} line {number}\n" for number in range(LINES))
        if may_be_tried_again:
            assert text.endswith(expected), (job, text)
        else:
            assert job["attempt"] == 1, job
            assert text == expected, (job, text)
        [output] = self.insist("GET", f"/jobs/{job_id}/outputs").json()["items"]
        digest = hashlib.sha256((name * 100).encode()).hexdigest()
        assert (output["path"], output["sha256"]) == ("done.txt", digest), output

    def check_orphans(self) -> None:
        """Nothing of the finished runs is left running."""
        runs = str(self.smalti.home / "agent")
        self.smalti.wait(lambda: not runs_in(runs), 20, "runs' processes to be gone")


def runs_in(folder: str) -> list[int]:
    """Processes whose working folder is below a folder: programs of runs."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            where = os.readlink(process / "cwd")
        except OSError:
            continue
        if where.startswith(f"{folder}/runs"):
            found.append(int(process.name))
    return found
