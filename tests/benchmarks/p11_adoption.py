"""P11: 50 running jobs, platform and agent killed with -9: all adopted soon, none doubled."""

from __future__ import annotations

import time

from tests.benchmarks.cpu import Meter
from tests.benchmarks.platform_use import at, make_project, make_tier, settle, start, wait_for
from tests.benchmarks.rows import Row
from tests.instance import Instance

JOBS = 50


def run(smalti: Instance, _: Meter) -> list[Row]:
    """Measure on a running platform."""
    settle(smalti)
    with smalti.client() as client:
        project_id = make_project(client, "p11")
        make_tier(client, "sleeper", 0.02, 16 << 20)
        ids = [
            start(client, project_id, ["sleep", "600"], tier="sleeper")["id"] for _ in range(JOBS)
        ]
        started = {one: wait_for(client, one, {"Running"})["started_at"] for one in ids}
        pids = {name: smalti.kill(name) for name in ("platform", "agent")}
        for name, pid in pids.items():
            smalti.wait_ready(name, not_pid=pid)
        began = max(
            at(row["started_at"])
            for row in smalti.status()["processes"]
            if row["name"] in ("platform", "agent")
        )

        def adopted() -> bool:
            plane = client.get("/planes").json()["items"][0]
            return bool(plane["last_seen_at"] and at(plane["last_seen_at"]) > began)

        smalti.wait(adopted, 60, "the agent to report")
        seconds = time.time() - began.timestamp()
        now = {one: client.get(f"/jobs/{one}").json() for one in ids}
        same = all(
            job["status"] == "Running" and job["attempt"] == 1 and job["started_at"] == started[one]
            for one, job in now.items()
        )
        for one in ids:
            client.post(f"/jobs/{one}/stop").raise_for_status()
        for one in ids:
            wait_for(client, one, {"Stopped"})
    return [
        Row("P11", f"{JOBS} jobs adopted after kill -9 of both", f"{seconds:.1f} s", "",
            "5 s, none lost or doubled", seconds <= 5 and same),
    ]  # fmt: skip
