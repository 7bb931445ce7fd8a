"""Limits hold, by control groups and by sampling, and the reason says which one was hit."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import pytest

from spawners.runtime import RunEnd, RunKey, RunPhase
from spawners.shim import processes
from tests.spawners.conftest import MakeYard
from tests.spawners.yard import LIMITS, Yard


@pytest.fixture(params=["v2", "v1", "sampling"])
async def each_yard(request: pytest.FixtureRequest, make_yard: MakeYard) -> Yard:
    """A yard that holds its limits in each way this machine knows."""
    return await make_yard(groups=request.param)


async def test_memory_hog_is_ended_with_the_reason(each_yard: Yard) -> None:
    code = "import time\nkeep = bytearray(400 << 20)\ntime.sleep(60)"
    limits = replace(LIMITS, memory=128 << 20)
    state, _ = await each_yard.run("python", "-c", code, limits=limits)
    assert (state.end, state.exit_code) == (RunEnd.OUT_OF_MEMORY, -signal.SIGKILL)
    assert state.reason == "memory limit of 128 MiB reached"
    assert state.usage.memory_peak > 64 << 20


async def test_program_that_survives_its_child_is_not_out_of_memory(yard: Yard) -> None:
    hog = "python -c 'x = bytearray(400 << 20)'; exit 0"
    state, _ = await yard.run("sh", "-c", hog, limits=replace(LIMITS, memory=128 << 20))
    assert (state.exit_code, state.end) == (0, None)


async def test_fork_bomb_is_contained_and_gone(each_yard: Yard) -> None:
    code = (
        "import os,time\n"
        "for n in range(300):\n"
        "    if os.fork() == 0: time.sleep(600)\n"
        "time.sleep(600)"
    )
    limits = replace(LIMITS, processes=40)
    state, log = await each_yard.run("python", "-c", code, "fork-bomb", limits=limits)
    assert state.end is RunEnd.PROCESS_LIMIT, (state, log)
    assert state.reason == "limit of 40 processes reached"
    assert not processes.with_argument(b"fork-bomb")


@pytest.mark.parametrize("place", [".", "/tmp", "$HOME", "$OUT"])
async def test_disk_filler_is_ended_wherever_it_writes(yard: Yard, place: str) -> None:
    spec = yard.spec("true")
    code = f"for n in 1 2 3 4 5 6; do head -c 3000000 /dev/zero > {place}/f$n; done; sleep 60"
    limits = replace(LIMITS, disk=10 << 20)
    state, _ = await yard.run("sh", "-c", code, limits=limits, env={"OUT": str(spec.outputs)})
    assert (state.end, state.reason) == (RunEnd.DISK_LIMIT, "disk limit of 10 MiB reached")


async def test_one_file_cannot_pass_the_disk_limit(yard: Yard) -> None:
    limits = replace(LIMITS, disk=10 << 20)
    state, _ = await yard.run("head", "-c", "50000000", "/dev/zero", limits=limits)
    assert state.exit_code == 0, "only what it writes to a file counts"
    code = "head -c 50000000 /dev/zero > file"
    state, _ = await yard.run("bash", "-c", f"exec {code}", limits=limits, name="file")
    assert state.end is RunEnd.DISK_LIMIT
    assert (yard.spec(name="file").workdir / "file").stat().st_size == 10 << 20


async def test_time_limit_is_held_by_the_shim(yard: Yard) -> None:
    began = time.monotonic()
    state, _ = await yard.run("sleep", "60", timeout=0.2)
    assert (state.end, state.exit_code) == (RunEnd.TIME_LIMIT, -signal.SIGTERM)
    assert state.reason == "time limit of 0.2 s reached"
    assert time.monotonic() - began < 20


async def test_time_limit_kills_what_ignores_sigterm(yard: Yard) -> None:
    code = "trap '' TERM; while :; do sleep 1; done"
    state, _ = await yard.run("sh", "-c", code, timeout=0.2, grace=0.2)
    assert (state.end, state.exit_code) == (RunEnd.TIME_LIMIT, -signal.SIGKILL)


async def test_cpu_quota_holds(make_yard: MakeYard) -> None:
    yard = await make_yard()
    if yard.runtime.limits_by == "sampling":
        pytest.skip("no control group is writable here, and nothing else limits cpu")
    code = "import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass"
    state, _ = await yard.run("python", "-c", code, limits=replace(LIMITS, cpu=0.2))
    assert 0.05 < state.usage.cpu_seconds < 0.6


async def test_reading_a_large_file_is_no_memory_peak(yard: Yard) -> None:
    if yard.runtime.limits_by == "sampling":
        pytest.skip("sampling does not see the page cache at all")
    code = "head -c 100000000 /dev/zero > big; cat big > /dev/null"
    state, _ = await yard.run("sh", "-c", code)
    assert state.exit_code == 0
    assert state.usage.memory_peak < 60 << 20


async def test_group_is_gone_after_the_run(yard: Yard) -> None:
    base = yard.runtime._groups
    if base is None:
        pytest.skip("no control group is writable here")
    spec = yard.spec("sleep", "60")
    await yard.runtime.start(spec)
    await yard.reached(spec.key, RunPhase.RUNNING)
    from spawners.process import groups

    assert [g.folders for g in groups.strays(base, set())]
    await yard.runtime.stop(RunKey("run", 1), 0.0)
    await yard.over(spec.key)
    assert groups.strays(base, set()) == []
