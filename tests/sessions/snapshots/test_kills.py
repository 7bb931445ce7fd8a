"""Agent and platform are processes here, killed with -9 while files change."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.house import House
from tests.instance import free_port
from tests.sessions.snapshots.conftest import Bench, git
from tests.sessions.snapshots.processes import Killable, agent_process, platform_process


def give_to_person(bench: Bench) -> None:
    """Make the folder the person's, as the agent's own code does."""
    people = bench.home / "runtime" / "people.json"
    if os.getuid() != 0 or not people.exists():
        return
    uid = next(iter(json.loads(people.read_text()).values()))
    subprocess.run(["chown", "-R", f"{uid}:{uid}", str(bench.project)], check=True)


def end_runs(bench: Bench) -> None:
    """End what the agent left running: processes that name its folder."""
    own = str(bench.home).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if any(word.startswith(own) for word in words):
                os.kill(int(folder.name), signal.SIGKILL)


@pytest.mark.timeout(240)
async def test_an_agent_killed_in_the_middle_loses_nothing(bench: Bench) -> None:
    agent = agent_process(bench.house, bench.home, bench.house.port)
    agent.start()
    try:
        await bench.start_session()
        await bench.snapshot()
        give_to_person(bench)
        for turn in range(4):
            for number in range(20):
                data = os.urandom(200_000)
                (bench.project / f"f{number}").write_bytes(data)
                await asyncio.sleep(0.02)
            agent.kill()
            (bench.project / "while-away").write_text(str(turn))
            agent.start()
            await bench.safe("while-away", str(turn).encode())
            for number in range(20):
                await bench.safe(f"f{number}", (bench.project / f"f{number}").read_bytes())
        store = bench.house.home / "platform" / "snapshots" / f"{bench.workspace_id}.git"
        git(store, "fsck", "--strict", "--no-dangling")
        began = time.monotonic()
        (bench.project / "last").write_text("last")
        await bench.safe("last", b"last")
        assert time.monotonic() - began < 5
        await bench.stop_workload()
        await bench.finished()
    finally:
        agent.kill()
        end_runs(bench)


@pytest.fixture
async def moved(tmp_path: Path) -> Bench:
    """A bench whose house is closed: its platform is to be a process."""
    async with House(tmp_path) as house:
        made = Bench(house, tmp_path / "agent")
        await made.set_up()
        await made.start_session()
    return made


async def up(port: int) -> None:
    """Wait until a platform answers."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/services/smalti/health")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.timeout(240)
async def test_a_platform_killed_while_packs_come_loses_nothing(moved: Bench) -> None:
    port = free_port()
    platform: Killable = platform_process(moved.house, port, moved.token)
    agent = agent_process(moved.house, moved.home, port)
    moved.house.client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30)
    platform.start()
    try:
        await up(port)
        agent.start()
        await moved.snapshot()
        give_to_person(moved)
        for turn in range(4):
            data = os.urandom(30 << 20)
            (moved.project / "model.bin").write_bytes(data)
            await asyncio.sleep(0.4 + 0.5 * turn)  # somewhere in the middle, elsewhere each time
            platform.kill()
            platform.start()
            await up(port)
            await moved.safe("model.bin", data)
        store = moved.house.home / "platform" / "snapshots" / f"{moved.workspace_id}.git"
        git(store, "fsck", "--strict", "--no-dangling")
        first = await moved.content(1, "main.py")
        assert first == b"print(1)\n"
    finally:
        await moved.house.client.aclose()
        platform.kill()
        agent.kill()
        end_runs(moved)
