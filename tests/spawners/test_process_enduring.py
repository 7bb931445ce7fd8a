"""Runs whose programs come and go, in folders that outlive them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from spawners.process import ProcessRuntime
from spawners.runtime import RunEnd, RunPhase
from spawners.shim import disk
from spawners.shim.disk import DiskWatch
from tests.spawners.conftest import MakeYard
from tests.spawners.yard import LIMITS, Yard, until

SERVER = """
import subprocess, sys
print("server", flush=True)
child = subprocess.run([sys.executable, "-c", "x = [b'x' * 10**7 for n in range(60)]"])
print("child ended with", child.returncode, flush=True)
"""


@pytest.fixture(params=["v2", "v1", "sampling"])
async def each_yard(request: pytest.FixtureRequest, make_yard: MakeYard) -> Yard:
    """A yard that holds its limits in each way this machine knows."""
    return await make_yard(groups=request.param)


async def test_the_largest_program_is_ended_and_the_first_goes_on(each_yard: Yard) -> None:
    limits = replace(LIMITS, memory=200 << 20)
    code = f"{SERVER}\nimport time\ntime.sleep(60)"
    spec = each_yard.spec("python", "-c", code, limits=limits, endures=True)
    await each_yard.runtime.start(spec)
    await each_yard.wrote(spec.key, b"child ended with -9")
    said = b"[smalti] memory limit of 200 MiB reached: the largest program was ended"
    await each_yard.wrote(spec.key, said)
    state = await until(lambda: next((one for one in each_yard.heard if one.reason), None))
    assert state.phase is RunPhase.RUNNING
    assert state.reason.startswith("memory limit of 200 MiB reached: the largest program was ended")
    await each_yard.close()
    each_yard.runtime = ProcessRuntime(each_yard.settings)
    await each_yard.open()
    adopted = each_yard.runtime.state(spec.key)
    assert adopted is not None
    assert (adopted.phase, adopted.reason) == (state.phase, state.reason)


async def test_its_own_failure_is_not_blamed_on_a_limit_that_a_child_had_met(
    each_yard: Yard,
) -> None:
    limits = replace(LIMITS, memory=200 << 20)
    code = f"{SERVER}\nsys.exit(3)"
    state, _ = await each_yard.run("python", "-c", code, limits=limits, endures=True)
    assert (state.exit_code, state.end) == (3, None)


async def test_the_first_program_ends_at_the_limit_when_it_is_the_one(each_yard: Yard) -> None:
    limits = replace(LIMITS, memory=128 << 20)
    code = "x = [b'x' * 10_000_000 for n in range(60)]; import time; time.sleep(60)"
    state, _ = await each_yard.run("python", "-c", code, limits=limits, endures=True)
    assert (state.end, state.reason) == (RunEnd.OUT_OF_MEMORY, "memory limit of 128 MiB reached")


async def test_home_and_further_folders_are_the_runs_own_and_stay(
    yard: Yard, tmp_path: Path
) -> None:
    home, live = tmp_path / "given" / "home", tmp_path / "given" / "live"
    for folder in (home, live):
        folder.mkdir(parents=True)
    code = f"echo hi > ~/kept && echo yes > {live}/told && cat ~/kept"
    for name in ("one", "two"):
        state, log = await yard.run(
            "sh", "-c", code, name=name, home=home, writable=(live,), endures=True
        )
        assert (state.exit_code, log) == (0, b"hi\n")
    assert (home / "kept").read_text() == "hi\n"
    assert (live / "told").read_text() == "yes\n"


def test_who_has_too_much_already_can_come_in_and_clear_up(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(os.urandom(3 << 20))
    full = DiskWatch([str(tmp_path)], 1 << 20, spare=2 << 20)
    assert not full.exceeded()
    (tmp_path / "new").write_bytes(os.urandom(3 << 20))
    assert full.exceeded()
    assert DiskWatch([str(tmp_path)], 1 << 20).exceeded()


def test_looks_at_many_files_take_half_a_percent_of_a_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = DiskWatch([str(tmp_path)], 1 << 40)
    moments = iter([100.0, 100.04])
    monkeypatch.setattr(disk.time, "monotonic", lambda: next(moments))
    watch.exceeded()
    assert watch.due - 100.04 >= 0.04 * 190
