"""D1 to D4, D8, D9 with sessions: JupyterLab and its kernels live on while processes are killed.

Jobs are accepted, run and finish beside them, and are held to their word too.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.benchmarks.platform_use import settle
from tests.drills.desks import Desks
from tests.drills.observer import Observer
from tests.drills.report import Tell
from tests.drills.test_kills import kill_one
from tests.e2e.lab import shims
from tests.instance import Instance

JOBS = 50
DESKS = int(os.environ.get("SMALTI_DRILL_DESKS", "5"))


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """A Smalti with workspaces that run through all drills of this file."""
    with Instance(tmp_path_factory.mktemp("desks")) as smalti:
        settle(smalti)
        made = Desks(smalti, DESKS)
        asyncio.run(made.open())
        yield made
        made.stop()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("platform", marks=pytest.mark.drill("D1", "platform killed, sessions")),
        pytest.param("agent", marks=pytest.mark.drill("D2", "agent killed, sessions")),
        pytest.param("hub", marks=pytest.mark.drill("D3", "hub killed, sessions")),
        pytest.param("frontdoor", marks=pytest.mark.drill("D4", "front door killed, sessions")),
    ],
)
async def test_a_process_killed_under_work(desks: Desks, name: str, seed: int, tell: Tell) -> None:
    def harm() -> None:
        tell(kill_one(desks.smalti, name, seed, JOBS))

    await desks.through(harm, reconnects=name == "frontdoor")


@pytest.mark.drill("D9", "supervisor killed, sessions")
async def test_the_supervisor_killed(desks: Desks, seed: int, tell: Tell) -> None:
    await desks.through(lambda: tell(kill_supervisor(desks.smalti, seed, JOBS)))


@pytest.mark.drill("D9", "all killed at once, sessions")
async def test_everything_killed_at_once(desks: Desks, seed: int, tell: Tell) -> None:
    def harm() -> None:
        tell(kill_everything(desks.smalti, seed, JOBS))

    await desks.through(harm, reconnects=True)


@pytest.mark.drill("D8", "a session's shim killed")
async def test_a_sessions_shim_killed(desks: Desks, seed: int, tell: Tell) -> None:
    await kill_session(desks, seed, JOBS // 2)
    tell({"sessions killed": 1})


def kill_supervisor(smalti: Instance, seed: int, jobs: int) -> dict[str, float]:
    """Kill the supervisor in the midst of some jobs; a new one takes over what runs."""
    observer = Observer(smalti, seed)
    observer.start(jobs)
    observer.some_running()
    time.sleep(observer.random.uniform(0, 2))  # anywhere in the runs: that is the drill
    before = smalti.pids()
    smalti.kill("supervisor")
    smalti.up()
    after = smalti.pids()
    del before["supervisor"], after["supervisor"]
    assert after == before, "processes that ran were not adopted"
    observer.wait_for_the_end()
    observer.check()
    return {"processes killed": 1, "processes adopted": len(after)}


def kill_everything(smalti: Instance, seed: int, jobs: int) -> dict[str, float]:
    """Kill all processes at once in the midst of some jobs, and start anew."""
    observer = Observer(smalti, seed)
    observer.start(jobs)
    observer.some_running()
    time.sleep(observer.random.uniform(0, 2))
    pids = smalti.pids()
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    smalti.up()
    observer.wait_for_the_end()
    observer.check()
    return {"processes killed": len(pids)}


async def kill_session(desks: Desks, seed: int, jobs: int) -> None:
    """Kill one session's shim; it is tried again with its files, and the others do not notice."""
    hurt = random.Random(seed).choice(desks.all)
    [shim] = shims(desks.smalti, hurt.workspace)

    def harm() -> None:
        observer = Observer(desks.smalti, seed)
        observer.start(jobs)
        observer.some_running()
        os.kill(shim, signal.SIGKILL)
        observer.wait_for_the_end()
        observer.check()

    await desks.through(harm, hurt=hurt)
    await desks.come_back(hurt, shim)
