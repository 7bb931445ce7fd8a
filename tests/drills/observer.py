"""Looks at a Smalti from outside while drills hurt it, and says whether it kept its word.

The word (invariants): every accepted job reaches exactly one true final state; each program
ran once (it names itself by a number that it drew, in its log and in its output); no line and
no output that it wrote is lost or doubled; every failure has a reason; nothing is left running.
A run that was itself killed is tried again: then only its last try must be whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.instance import Instance

FINAL = {"Succeeded", "Failed", "Error", "Stopped"}
AWAY = {502, 503, 504, 507}
LINES = 20
REFUSED = re.compile("the log was kept only|the log was not all kept|not taken by the platform")
LINE = re.compile(r"(\S+) ([0-9a-f]{16}) line (\d+)")

# Says its lines slowly enough to be hit in the middle, and leaves a file that proves its run.
PROGRAM = f"""
import os, pathlib, sys, time
name, pause = sys.argv[1], float(sys.argv[2])
drawn = os.urandom(8).hex()
for number in range({LINES}):
    print(f"{{name}} {{drawn}} line {{number}}", flush=True)
    time.sleep(pause)
pathlib.Path(os.environ["SMALTI_OUTPUTS"], "done.txt").write_text(f"{{name}} {{drawn}}" * 100)
sys.exit(3 if name.endswith("fails") else 0)
"""


class Observer:
    """Starts jobs as a person does, and checks in the end what became of each."""

    def __init__(self, smalti: Instance, seed: int) -> None:
        self.smalti, self.random = smalti, random.Random(seed)
        self.client = smalti.client()
        self.jobs: dict[str, str] = {}
        self.mark = f"drill-{seed}-{os.urandom(3).hex()}"
        self.project_id = self._project(self.mark)
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
        for _ in range(count):
            fails = "fails" if self.random.random() < 0.2 else "works"
            name = f"{self.mark}-{len(self.jobs)}-{fails}"
            body = {
                "project_id": self.project_id,
                "command": ["python", "main.py", name, str(pause)],
                "tier": "drill",
            }
            key = os.urandom(8).hex()
            answer = self.insist("POST", "/jobs", json=body, headers={"Idempotency-Key": key})
            self.jobs[answer.json()["id"]] = name

    def insist(
        self, method: str, path: str, client: httpx.Client | None = None, **more: Any
    ) -> httpx.Response:
        """Ask until there is an answer that is not about something being away."""
        end_by = time.monotonic() + 60
        while True:
            try:
                answer = (client or self.client).request(method, path, **more)
                # A front door that has just been started answers 404 before it has its routes;
                # that is not the platform's word, which would be an error object.
                routeless = answer.status_code == 404 and '"error"' not in answer.text
                if answer.status_code not in AWAY and not routeless:
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

    def shims(self) -> Iterator[tuple[str, int]]:
        """(job id, pid) of the shim of every run of ours that is going on."""
        for path in (self.smalti.home / "agent").rglob("record"):
            try:
                lines = [json.loads(line) for line in path.read_text().splitlines()]
            except (OSError, ValueError):
                continue
            job_id = next((one for one in self.jobs if one in lines[0].get("key", "")), None)
            if job_id and lines[0]["shim"] and not any("finished_at" in line for line in lines):
                yield job_id, lines[0]["shim"]

    def check(self, *, hurt: Collection[str] = (), starved: Collection[str] = ()) -> int:
        """Hold the platform to its word; return how many jobs were tried again.

        `hurt`: jobs whose own run was killed; it is tried again, unless it had just ended.
        `starved`: jobs that ran while there was no room; no line of theirs is lost, but writing
        their own file may have failed (exit code 1). What a platform without room refused is
        handed over again, so nothing may be missing in the end.
        """
        listed = self._in(FINAL)
        assert sorted(listed) == sorted(self.jobs), "not the jobs that were accepted"
        again = 0
        for job_id, name in self.jobs.items():
            job = self.insist("GET", f"/jobs/{job_id}").json()
            lines = self._lines(job_id)
            assert job["status"] == "Succeeded" or job["reason"], job
            if job_id in starved:
                assert len(lines) <= job["attempt"], f"ran more often than it was tried: {job}"
                self._check_starved(job, name, lines)
            elif job_id not in hurt:
                assert job["attempt"] == 1, job
                assert len(lines) == 1, f"ran {len(lines)} times: {job}"
                self._check_whole(job, name, lines)
            else:
                assert len(lines) <= job["attempt"] <= 2, f"ran more often than it was tried: {job}"
                self._check_whole(job, name, lines)
            again += job["attempt"] > 1
        self.check_orphans()
        return again

    def _lines(self, job_id: str) -> dict[str, list[int]]:
        """The numbers of the lines of each run of a program, in the order of the log."""
        text = self.insist("GET", f"/jobs/{job_id}/logs?follow=false").text
        found: dict[str, list[int]] = {}
        for match in LINE.finditer(text):
            assert match[1] == self.jobs[job_id], "a line of another job"
            found.setdefault(match[2], []).append(int(match[3]))
        for numbers in found.values():
            assert numbers == list(range(len(numbers))), (job_id, "lines lost or doubled", found)
        return found

    def _check_whole(self, job: Any, name: str, lines: dict[str, list[int]]) -> None:
        status, code = ("Failed", 3) if name.endswith("fails") else ("Succeeded", 0)
        assert (job["status"], job["exit_code"]) == (status, code), job
        assert lines, f"a whole log is lost: {job}"
        drawn, numbers = list(lines.items())[-1]
        assert len(numbers) == LINES, (job, numbers)
        [output] = self.insist("GET", f"/jobs/{job['id']}/outputs").json()["items"]
        digest = hashlib.sha256((f"{name} {drawn}" * 100).encode()).hexdigest()
        assert (output["path"], output["sha256"]) == ("done.txt", digest), output

    def _check_starved(self, job: Any, name: str, lines: dict[str, list[int]]) -> None:
        assert not REFUSED.search(job["reason"] or ""), job
        if job["exit_code"] in (0, 3):
            self._check_whole(job, name, lines)
        elif job["exit_code"] == 1:
            assert lines, f"a whole log is lost: {job}"
            assert len(list(lines.values())[-1]) == LINES, (job, lines)

    def check_orphans(self) -> None:
        """Nothing of the finished runs is left running."""
        runs = str(self.smalti.home / "agent")
        self.smalti.wait(lambda: not alive(runs, self.mark), 20, "runs' processes to be gone")


def alive(folder: str, mark: str) -> list[int]:
    """Processes that work below a folder's runs, or whose command line has a mark."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        try:
            where = os.readlink(process / "cwd")
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if where.startswith(f"{folder}/runs") or f"{mark}-" in words:
            found.append(int(process.name))
    return found
