"""P3: jobs that do nothing, with checkout, sandbox and log, beside a bare loop of processes."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import aiohttp
import httpx

from tests.benchmarks.cpu import Meter
from tests.benchmarks.platform_use import FINAL, at, make_project, make_tier, start, wait_for
from tests.benchmarks.rows import Row, percentile
from tests.instance import Instance

BURST, ALONE, CLIENTS = 200, 60, 8
NOTHING = ["python", "-c", "pass"]


def bare(python: Path, meter: Meter, count: int) -> tuple[float, float]:
    """Run processes from an asyncio loop, four at once; give rate and CPU seconds of each."""

    async def worker(number: int) -> None:
        for _ in range(number):
            process = await asyncio.create_subprocess_exec(str(python), "-c", "pass")
            await process.wait()

    async def all_of_them() -> None:
        await asyncio.gather(*(worker(count // 4) for _ in range(4)))

    began, busy = time.perf_counter(), meter.used()
    asyncio.run(all_of_them())
    return count / (time.perf_counter() - began), (meter.used() - busy) / count


async def burst(smalti: Instance, meter: Meter, project_id: str, count: int) -> tuple[float, float]:
    """Start many jobs from several clients; give rate to the last end and CPU seconds of each."""
    body = {"project_id": project_id, "command": NOTHING, "tier": "tiny"}
    left = iter(range(count))
    ids: list[str] = []

    async def worker(session: aiohttp.ClientSession) -> None:
        for _ in left:
            async with session.post(f"{smalti.api}/jobs", json=body) as answer:
                assert answer.status == 201, await answer.text()
                ids.append((await answer.json())["id"])

    async with aiohttp.ClientSession(headers=smalti.bearer()) as session:
        began, busy = time.perf_counter(), meter.used()
        await asyncio.gather(*(worker(session) for _ in range(CLIENTS)))
        while not await _final(session, smalti, ids[-1]):
            await asyncio.sleep(0.1)
        seconds, used = time.perf_counter() - began, meter.used() - busy
        for job_id in ids:  # asked afterwards, so that the questions cost nothing
            assert await _final(session, smalti, job_id)
    return count / seconds, used / count


async def _final(session: aiohttp.ClientSession, smalti: Instance, job_id: str) -> bool:
    async with session.get(f"{smalti.api}/jobs/{job_id}") as answer:
        return (await answer.json())["status"] in FINAL


def alone(client: httpx.Client, project_id: str) -> list[float]:
    """Seconds from POST to the start of the process, one job after the other."""
    times = []
    for _ in range(ALONE):
        asked = time.time()
        job = start(client, project_id, NOTHING, tier="tiny")
        done = wait_for(client, job["id"], {"Succeeded"})
        times.append(at(done["started_at"]).timestamp() - asked)
    return times


def run(smalti: Instance, meter: Meter) -> list[Row]:
    """Measure on a running platform."""
    # The interpreter that jobs get, so that only what Smalti adds is between them.
    python = smalti.home / "environments" / "default" / "1" / "bin" / "python"
    with smalti.client() as client:
        project_id = make_project(client, "p3")
        make_tier(client, "tiny", 0.25)
        asyncio.run(burst(smalti, meter, project_id, 20))
        rates, costs, bare_rates, bare_costs = [], [], [], []
        for _ in range(3):
            rate, cost = asyncio.run(burst(smalti, meter, project_id, BURST))
            bare_rate, bare_cost = bare(python, meter, BURST)
            rates.append(rate)
            costs.append(cost)
            bare_rates.append(bare_rate)
            bare_costs.append(bare_cost)
        times = alone(client, project_id)
    added = statistics.median(a - b for a, b in zip(costs, bare_costs, strict=True)) * 1000
    rate, bare_rate = statistics.median(rates), statistics.median(bare_rates)
    bare_ms = statistics.median(bare_costs) * 1000
    p50, p99 = (1000 * percentile(times, share) for share in (0.5, 0.99))
    return [
        Row("P3", f"{BURST} no-op jobs at once", f"{rate:.1f} jobs/s",
            f"bare loop: {bare_rate:.0f}/s", "at least 20/s", rate >= 20),
        Row("P3", "CPU added per no-op job", f"{added:.1f} ms",
            f"bare process: {bare_ms:.1f} ms", "at most 25 ms", added <= 25),
        Row("P3", "POST to process start, p50", f"{p50:.0f} ms", "", "50 ms", p50 <= 50),
        Row("P3", "POST to process start, p99", f"{p99:.0f} ms", "", "250 ms", p99 <= 250),
    ]  # fmt: skip
