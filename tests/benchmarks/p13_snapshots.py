"""P13: how soon a workspace's changed file is safe, and what watching an idle one costs.

The agent is a process of its own with the sandbox of this machine, the platform is real and in
the benchmark's process. Safe is what the platform has acknowledged and shows to its person.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from spawners.reader.objects import BLOB, object_id
from tests.benchmarks.rows import Row
from tests.house import House
from tests.sessions.snapshots.conftest import Bench
from tests.sessions.snapshots.processes import Killable, agent_process
from tests.sessions.snapshots.test_kills import end_runs, give_to_person

FILES, FILE_SIZE = 10_000, 100 << 10  # 1 GB
IDLE_SECONDS = 30.0
CHANGES = 7
TICKS = os.sysconf("SC_CLK_TCK")


def run() -> list[Row]:
    """Measure on a platform of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(Path(folder)))


async def _run(folder: Path) -> list[Row]:
    async with House(folder) as house:
        bench = Bench(house, folder / "agent")
        await bench.set_up()
        agent = agent_process(house, bench.home, house.port)
        agent.start()
        try:
            await bench.start_session()
            await _whole(bench)
            idle = await _idle(agent)
            small = [await _change(bench, 4 << 10) for _ in range(CHANGES)]
            large = [await _change(bench, 50 << 20) for _ in range(CHANGES)]
        finally:
            agent.kill()
            end_runs(bench)
    share = 100 * idle / IDLE_SECONDS
    files = f"{FILES:,} files, 1 GB"
    return [
        Row("P13", f"idle, {files}: agent and reader", f"{share:.2f} % of a core", "",
            "under 2 %", share < 2),
        _row("4 KiB", small),
        _row("50 MB", large),
    ]  # fmt: skip


def _row(what: str, seconds: list[float]) -> Row:
    middle, worst = statistics.median(seconds), max(seconds)
    text = f"{middle:.2f} s, worst {worst:.2f} s"
    return Row("P13", f"changed file of {what} safe", text, "", "5 s", worst <= 5)


def _fill(project: Path) -> None:
    for number in range(FILES):
        folder = project / f"part{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.bin").write_bytes(os.urandom(FILE_SIZE))


async def _whole(bench: Bench) -> None:
    """Wait for the first snapshot with everything, then for rest."""
    async with asyncio.timeout(600):
        people = bench.home / "runtime" / "people.json"
        while os.getuid() == 0 and not people.exists():
            await asyncio.sleep(0.1)
        await bench.snapshot()
        _fill(bench.project)
        give_to_person(bench)
        while True:
            found = await bench.snapshots()
            if found and found[0]["files"] == FILES + 2:
                break
            await asyncio.sleep(0.5)
    await asyncio.sleep(10)  # a later look finds all times settled


async def _idle(agent: Killable) -> float:
    before = _cpu(agent.pid)
    await asyncio.sleep(IDLE_SECONDS)
    return _cpu(agent.pid) - before


def _cpu(pid: int) -> float:
    """CPU seconds of the agent and of the readers below it, ended ones included."""
    listing = ["ps", "-e", "-o", "pid=,ppid="]
    out = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    parents = {int(one): int(parent) for one, parent in map(str.split, out.splitlines())}
    mine = {pid}
    while more := {one for one, parent in parents.items() if parent in mine and one not in mine}:
        mine |= more
    total = 0
    for one in mine:
        try:
            words = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(word) for word in words[11:15])
    return total / TICKS


async def _change(bench: Bench, size: int) -> float:
    content = os.urandom(size)
    wanted = object_id(BLOB, content)
    await asyncio.sleep(0.7)  # at no certain moment between two looks
    (bench.project / "changed.bin").write_bytes(content)
    began = time.monotonic()
    known = 0
    while True:
        found = await bench.snapshots()
        if found and found[0]["number"] != known:
            known = found[0]["number"]
            if await bench.blob(known, "changed.bin") == wanted:
                return time.monotonic() - began
        await asyncio.sleep(0.1)
