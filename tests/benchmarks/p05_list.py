"""P5: the list of jobs with 100,000 rows behind it, beside 1,000, and beside a bare handler."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from types import TracebackType

import aiohttp

from services.core.routing import API
from tests.benchmarks.list_server import PROJECT, TOKEN
from tests.benchmarks.rows import Row, median_ratio

ROUNDS, REQUESTS, CLIENTS = 5, 200, 8
PATH = f"{API}/jobs?project_id={PROJECT}&limit=50"


class ListServer:
    """One server process."""

    def __init__(self, kind: str, rows: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.list_server", kind, str(rows)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> str:
        assert self._process.stdout is not None
        port = int(self._process.stdout.readline())
        return f"http://127.0.0.1:{port}{PATH}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


async def _ask(session: aiohttp.ClientSession, url: str, count: int) -> list[float]:
    times = []
    for _ in range(count):
        began = time.perf_counter()
        async with session.get(url) as answer:
            assert answer.status == 200, await answer.text()
            await answer.read()
        times.append(time.perf_counter() - began)
    return times


async def latency(url: str) -> float:
    """Median seconds of one lone client."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        return statistics.median(await _ask(session, url, REQUESTS))


async def rate(url: str) -> float:
    """Requests a second of eight clients."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        began = time.perf_counter()
        await asyncio.gather(*(_ask(session, url, REQUESTS // 4) for _ in range(CLIENTS)))
        return CLIENTS * (REQUESTS // 4) / (time.perf_counter() - began)


def run() -> list[Row]:
    """Measure, in turn."""
    with (
        ListServer("ours", 1_000) as small,
        ListServer("ours", 100_000) as large,
        ListServer("bare", 100_000) as bare,
    ):
        for url in (small, large, bare):
            asyncio.run(latency(url))
        smalls, larges, ours, theirs = [], [], [], []
        for _ in range(ROUNDS):
            smalls.append(asyncio.run(latency(small)))
            larges.append(asyncio.run(latency(large)))
            ours.append(asyncio.run(rate(large)))
            theirs.append(asyncio.run(rate(bare)))
    growth, share = median_ratio(larges, smalls), median_ratio(ours, theirs)
    large_ms, small_ms = (1000 * statistics.median(times) for times in (larges, smalls))
    mine, bares = statistics.median(ours), statistics.median(theirs)
    return [
        Row("P5", "list of 50 jobs, 100,000 rows, p50", f"{large_ms:.1f} ms",
            f"1,000 rows: {small_ms:.1f} ms", f"at most 1.2 times: {growth:.2f}", growth <= 1.2),
        Row("P5", "list of 50 jobs, 8 clients", f"{mine:.0f}/s",
            f"bare handler: {bares:.0f}/s", f"at least 0.7: {share:.2f}", share >= 0.7),
    ]  # fmt: skip
