"""D5: the experiments killed with -9 while jobs and a session's kernel log to them.

Invariants: whoever logs waits and goes on, nothing that was acknowledged is lost or doubled,
and the session does not notice.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.benchmarks.platform_use import FINAL, make_tier, settle
from tests.drills.desks import Desks
from tests.drills.report import Tell
from tests.e2e.lab import execute
from tests.instance import EVERY_PROCESS, Instance

JOBS, STEPS = 3, 100
LOG = f"""
import time, mlflow
with mlflow.start_run() as run:
    print("run", run.info.run_id, flush=True)
    for step in range({STEPS}):
        mlflow.log_metric("step", step, step=step)
        print("step", step, flush=True)
        time.sleep(0.05)
    mlflow.log_text("all of it", "end.txt")
print("logged", flush=True)
"""


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """A Smalti with MLflow and a workspace that runs through all drills of this file."""
    with Instance(tmp_path_factory.mktemp("logging"), processes=EVERY_PROCESS) as smalti:
        settle(smalti)
        smalti.wait_ready("experiments", seconds=100)
        with smalti.client() as client:
            make_tier(client, "logging", 0.4, 1 << 30)
        made = Desks(smalti, 1)
        asyncio.run(made.open())
        yield made
        made.stop()


@pytest.mark.drill("D5", "experiments killed with -9")
async def test_the_experiments_killed(desks: Desks, seed: int, tell: Tell) -> None:
    print(f"seed {seed}")
    smalti, [desk] = desks.smalti, desks.all
    path = f"/projects/{desks.project_id}/content/log.py"
    with smalti.client() as client:
        client.put(path, content=LOG.encode()).raise_for_status()
    kernel = await asyncio.to_thread(desk.lab.kernel)
    page = await desk.lab.connect(kernel)
    logging = asyncio.create_task(execute(page, LOG))  # a second kernel of the session
    jobs = [start_job(desks) for _ in range(JOBS)]
    await desks.through(lambda: kill(smalti, jobs, seed))
    runs = [await logging, *(said(smalti, job_id) for job_id in jobs)]
    page.close()
    await asyncio.to_thread(desk.lab.api, "DELETE", f"/kernels/{kernel}")
    for text in runs:
        check(smalti, desks.project_id, text)
    tell({"processes killed": 1, "values logged": len(runs) * STEPS})


def start_job(desks: Desks) -> str:
    """Start a job that logs."""
    body = {"project_id": desks.project_id, "file": "log.py"}
    with desks.smalti.client() as client:
        made = client.post("/jobs", json={**body, "tier": "logging"})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


def log_of(smalti: Instance, job_id: str) -> str:
    """What a job has printed."""
    with smalti.client() as client:
        return client.get(f"/jobs/{job_id}/logs", params={"follow": "false"}).text


def kill(smalti: Instance, jobs: list[str], seed: int) -> None:
    """Kill the experiments while all of them log, and wait until they are back and all is done."""
    smalti.wait(lambda: all("step" in log_of(smalti, one) for one in jobs), 100, "all to log")
    time.sleep(random.Random(seed).uniform(0, 2))  # anywhere: that is the drill
    pid = smalti.kill("experiments")
    smalti.wait_ready("experiments", not_pid=pid, seconds=100)

    def over() -> bool:
        with smalti.client() as client:
            states = [client.get(f"/jobs/{one}").json()["status"] for one in jobs]
        return all(state in FINAL for state in states)

    smalti.wait(over, 200, "the jobs to end")


def said(smalti: Instance, job_id: str) -> str:
    """What a job has printed, which must have succeeded at its first try."""
    with smalti.client() as client:
        job = client.get(f"/jobs/{job_id}").json()
    text = log_of(smalti, job_id)
    assert (job["status"], job["attempt"]) == ("Succeeded", 1), (job, text)
    return text


def check(smalti: Instance, project_id: str, text: str) -> None:
    """Hold the experiments to what they acknowledged to one who logged."""
    assert text.rstrip().endswith("logged"), text
    run_id = next(line.split()[1] for line in text.splitlines() if line.startswith("run "))
    history: dict[str, Any] = _ask(
        smalti, project_id, "metrics/get-history", run_id=run_id, metric_key="step"
    )
    steps = sorted(int(one["value"]) for one in history["metrics"])
    assert steps == list(range(STEPS)), "lost or doubled"
    files = _ask(smalti, project_id, "artifacts/list", run_id=run_id)["files"]
    assert [one["path"] for one in files] == ["end.txt"]
    run = _ask(smalti, project_id, "runs/get", run_id=run_id)["run"]
    assert run["info"]["status"] == "FINISHED"


def _ask(smalti: Instance, project_id: str, what: str, **query: str) -> Any:
    url = f"{smalti.url}/services/mlflow/api/2.0/mlflow/{what}"
    headers = {**smalti.bearer(), "X-MLFLOW-WORKSPACE": project_id}
    answer = httpx.get(url, params=query, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()
