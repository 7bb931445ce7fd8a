"""D1 to D4, D8, D9: each process killed with -9 while jobs are accepted, run and finish."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.drills.observer import Observer
from tests.drills.report import Tell
from tests.instance import Instance

JOBS = 50


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("platform", marks=pytest.mark.drill("D1", "platform killed with -9")),
        pytest.param("agent", marks=pytest.mark.drill("D2", "agent killed with -9")),
        pytest.param("hub", marks=pytest.mark.drill("D3", "hub killed with -9")),
        pytest.param("frontdoor", marks=pytest.mark.drill("D4", "front door killed with -9")),
    ],
)
def test_a_process_killed_under_work_loses_nothing(
    smalti: Instance, name: str, seed: int, tell: Tell
) -> None:
    tell(kill_one(smalti, name, seed, JOBS))


@pytest.mark.drill("D8", "shims killed with -9")
def test_shims_killed_hurt_their_own_runs_alone(smalti: Instance, seed: int, tell: Tell) -> None:
    tell(kill_shims(smalti, seed, 20))


@pytest.mark.drill("D9", "supervisor killed with -9")
def test_the_supervisor_killed_adopts_what_it_left(smalti: Instance, seed: int, tell: Tell) -> None:
    observer = Observer(smalti, seed)
    observer.start(JOBS // 2)
    observer.some_running()
    before = smalti.pids()
    smalti.kill("supervisor")
    observer.start(JOBS - JOBS // 2)
    smalti.up()
    after = smalti.pids()
    del before["supervisor"], after["supervisor"]
    assert after == before, "processes that ran were not adopted"
    tell({"processes killed": 1, "processes adopted": len(after)})
    observer.wait_for_the_end()
    observer.check()


@pytest.mark.drill("D9", "all processes killed at once")
def test_everything_killed_at_once_loses_nothing(smalti: Instance, seed: int, tell: Tell) -> None:
    observer = Observer(smalti, seed)
    observer.start(JOBS)
    observer.some_running()
    time.sleep(observer.random.uniform(0, 2))
    pids = smalti.pids()
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    tell({"processes killed": len(pids)})
    smalti.up()
    observer.wait_for_the_end()
    observer.check()


def kill_one(smalti: Instance, name: str, seed: int, jobs: int) -> dict[str, float]:
    """Kill a process somewhere in the runs of some jobs, while others are accepted."""
    observer = Observer(smalti, seed)
    observer.start(jobs // 2)
    observer.some_running()
    time.sleep(observer.random.uniform(0, 2))  # anywhere in the runs: that is the drill
    pid = smalti.kill(name)
    observer.start(jobs - jobs // 2)
    smalti.wait_ready(name, not_pid=pid)
    observer.wait_for_the_end()
    observer.check()
    return {"processes killed": 1, "jobs": jobs}


def kill_shims(smalti: Instance, seed: int, jobs: int) -> dict[str, float]:
    """Kill the shims of some runs; those are tried again, the others go on."""
    observer = Observer(smalti, seed)
    observer.start(jobs)
    observer.some_running(3)
    time.sleep(observer.random.uniform(0, 1))
    running = list(observer.shims())
    assert running, "no shim was found"
    chosen = observer.random.sample(running, min(5, len(running)))
    hurt = set()
    for job_id, pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
            hurt.add(job_id)
        except ProcessLookupError:
            continue  # it ended in the same moment
    observer.wait_for_the_end()
    again = observer.check(hurt=hurt)
    # One may have been killed with its last word said; not all of them.
    assert again, f"of {len(hurt)} runs that were killed none was tried again"
    return {"shims killed": len(hurt), "runs tried again": again}
