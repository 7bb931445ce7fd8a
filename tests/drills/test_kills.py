"""D1 to D4, D8, D9: each process killed with -9 while jobs are accepted, run and finish."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.drills.observer import Observer
from tests.instance import Instance

JOBS = 50


@pytest.mark.parametrize("name", ["platform", "agent", "hub", "frontdoor"])
def test_a_process_killed_under_work_loses_nothing(smalti: Instance, name: str, seed: int) -> None:
    kill_one(smalti, name, seed, JOBS)


def test_shims_killed_hurt_their_own_runs_alone(smalti: Instance, seed: int) -> None:
    kill_shims(smalti, seed, 20)


def test_the_supervisor_killed_adopts_what_it_left(smalti: Instance, seed: int) -> None:
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
    observer.wait_for_the_end()
    observer.check()


def test_everything_killed_at_once_loses_nothing(smalti: Instance, seed: int) -> None:
    observer = Observer(smalti, seed)
    observer.start(JOBS)
    observer.some_running()
    time.sleep(observer.random.uniform(0, 2))
    for pid in smalti.pids().values():
        os.kill(pid, signal.SIGKILL)
    smalti.up()
    observer.wait_for_the_end()
    observer.check()


def kill_one(smalti: Instance, name: str, seed: int, jobs: int) -> None:
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


def kill_shims(smalti: Instance, seed: int, jobs: int) -> None:
    """Kill the shims of some runs; those end truthfully or are tried again, others go on."""
    observer = Observer(smalti, seed)
    observer.start(jobs)
    observer.some_running(3)
    time.sleep(observer.random.uniform(0, 1))
    running = list(observer.shims())
    assert running, "no shim was found"
    chosen = observer.random.sample(running, min(5, len(running)))
    for _, pid in chosen:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue  # it ended in the same moment
    observer.wait_for_the_end()
    observer.check(hurt={job_id for job_id, _ in chosen})
