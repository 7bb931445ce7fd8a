"""Smalti is stopped and started while a job runs: the job does not notice."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.platform_use import FINAL, make_project, settle, start, wait_for
from tests.drills.observer import alive
from tests.instance import Instance

COUNTING = "import time\nfor n in range(60): print(n, flush=True); time.sleep(0.1)"


def test_a_job_runs_on_while_smalti_is_down_and_is_adopted(tmp_path: Path) -> None:
    with Instance(tmp_path) as smalti:
        settle(smalti)
        with smalti.client() as client:
            project_id = make_project(client)
            job = start(client, project_id, ["python", "-c", COUNTING])
            before = wait_for(client, job["id"], {"Running"})
            smalti.down()
            runs = alive(str(smalti.home / "agent"), "no such mark")
            assert runs, "the run ended with the platform"
            smalti.up()
            after = wait_for(client, job["id"], FINAL)
            log = client.get(f"/jobs/{job['id']}/logs?follow=false").text
    assert (after["status"], after["attempt"]) == ("Succeeded", 1)
    assert after["started_at"] == before["started_at"]
    assert log == "".join(f"{number}\n" for number in range(60))
