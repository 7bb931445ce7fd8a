"""Kill -9 of every part: no run is lost, doubled or forgotten, and every end is a true one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from spawners.process import groups as group_detection
from spawners.runtime import RunEnd, RunKey, RunPhase
from spawners.shim import cgroups, files, processes
from tests.spawners.conftest import MakeYard
from tests.spawners.yard import Yard, until

ROOT = Path(__file__).parents[2]


def shim_of(yard: Yard, key: RunKey) -> int:
    record = files.record(str(yard.settings.state / "runs" / str(key)))
    assert record is not None
    return int(record["shim"])


@pytest.mark.parametrize("isolation", ["auto", "none"])
@pytest.mark.parametrize("groups", ["auto", "sampling"])
async def test_killed_shim_takes_the_program_with_it(
    make_yard: MakeYard, isolation: str, groups: str
) -> None:
    yard = await make_yard(isolation=isolation, groups=groups)
    word = f"{time.time():.6f}"
    code = f"setsid sleep {word} & (setsid sleep {word} &) ; echo up; sleep {word}"
    spec = yard.spec("sh", "-c", code)
    await yard.runtime.start(spec)
    await yard.wrote(spec.key, b"up")
    assert processes.with_argument(word.encode())
    os.kill(shim_of(yard, spec.key), signal.SIGKILL)
    state = await yard.over(spec.key)
    assert state.phase is RunPhase.LOST
    assert state.reason == "the run's watching process was killed, and the program with it"
    assert not processes.with_argument(word.encode())
    assert state.log_size == 3
    await until(lambda: len(yard.heard) > 1, "the loss is told")
    assert [s.phase for s in yard.heard] == [RunPhase.RUNNING, RunPhase.LOST]


async def test_killed_zygote_disturbs_nobody_and_is_replaced(yard: Yard) -> None:
    code = "echo up; while [ ! -e go ]; do sleep 0.05; done; exit 5"
    before = yard.spec("sh", "-c", code, name="before")
    await yard.runtime.start(before)
    await yard.wrote(before.key, b"up")
    first = yard.runtime.nursery.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: yard.runtime.nursery.pid != first, "the death is noticed")
    state, _ = await yard.run("true", name="after")
    assert state.exit_code == 0
    (before.workdir / "go").touch()
    assert (await yard.over(before.key)).exit_code == 5


async def test_zygote_killed_while_starting_doubles_nothing(yard: Yard) -> None:
    specs = [yard.spec("sh", "-c", "echo once >> count", name=f"r{n}") for n in range(12)]
    starts = [asyncio.create_task(yard.runtime.start(spec)) for spec in specs]
    for _ in range(3):
        pid = yard.runtime.nursery.pid
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        await until(lambda pid=pid: yard.runtime.nursery.pid != pid, "the death is noticed")
        yard.runtime.nursery.open()
    await asyncio.gather(*starts)
    for spec in specs:
        assert (await yard.over(spec.key)).exit_code == 0
        assert (spec.workdir / "count").read_text() == "once\n"


@asynccontextmanager
async def runtime_process(
    folder: Path, *runs: str, **settings: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A runtime in a process of its own with the runs going; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.spawners.runtime_program"),
        *(str(folder), json.dumps(settings), *runs),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
async def heir(tmp_path: Path) -> AsyncIterator[Yard]:
    """A yard not yet opened, for what a killed runtime leaves in the same folder."""
    yard = Yard(tmp_path / "inherited")
    yield yard
    await yard.clear()


async def test_killed_runtime_is_adopted_by_the_next(heir: Yard) -> None:
    wait = "while [ ! -e go ]; do sleep 0.05; done"
    runs = [f"going=echo up; {wait}; echo on; exit 6", "done=exit 7", f"stopped={wait}"]
    async with runtime_process(heir.folder, *runs) as process:
        keys = {name: RunKey(name, 1) for name in ("going", "done", "stopped")}
        shim = shim_of(heir, keys["going"])
        process.kill()
        await process.wait()
    assert processes.start_time(shim) is not None, "the shim outlives the runtime"
    await heir.open()
    going = heir.runtime.state(keys["going"])
    assert going is not None
    assert going.phase is RunPhase.RUNNING
    assert going.pid is not None
    await heir.runtime.start(heir.spec("sh", "-c", "exit 1", name="going"))
    done = await heir.over(keys["done"])
    assert done.exit_code == 7
    await heir.runtime.stop(keys["stopped"], 0.2)
    assert (await heir.over(keys["stopped"])).end is RunEnd.STOPPED
    (heir.spec(name="going").workdir / "go").touch()
    assert (await heir.over(keys["going"])).exit_code == 6
    assert await heir.log(keys["going"]) == b"up\non\n"


async def test_run_that_ended_and_shim_that_died_meanwhile_are_told(heir: Yard) -> None:
    wait = "while [ ! -e go ]; do sleep 0.05; done; exit 8"
    async with runtime_process(heir.folder, f"ends={wait}", "dies=sleep 600"):
        pass
    shims = {name: shim_of(heir, RunKey(name, 1)) for name in ("ends", "dies")}
    (heir.spec(name="ends").workdir / "go").touch()
    os.kill(shims["dies"], signal.SIGKILL)
    for pid in shims.values():
        await until(lambda pid=pid: processes.start_time(pid) is None, "the shim is gone")
    await heir.open()
    assert (await heir.over(RunKey("ends", 1))).exit_code == 8
    assert (await heir.over(RunKey("dies", 1))).phase is RunPhase.LOST


async def test_fifty_running_runs_are_adopted_within_five_seconds(heir: Yard) -> None:
    runs = [f"r{n}=sleep 600" for n in range(50)]
    async with runtime_process(heir.folder, *runs):
        pass
    began = time.monotonic()
    await heir.open()
    took = time.monotonic() - began
    phases = [state.phase for state in heir.runtime.states()]
    assert phases == [RunPhase.RUNNING] * 50
    assert took < 5.0
    print(f"50 runs adopted in {took:.3f} s")


async def test_start_that_was_cut_off_can_be_made_again(heir: Yard) -> None:
    folder = heir.settings.state / "runs" / "run.1"
    folder.mkdir(parents=True)
    (folder / "tmp").mkdir()
    await heir.open()
    assert heir.runtime.states() == []
    state, _ = await heir.run("true")
    assert state.exit_code == 0


async def test_run_of_an_earlier_boot_is_lost_and_its_pid_spared(heir: Yard) -> None:
    folder = heir.settings.state / "runs" / "run.1"
    folder.mkdir(parents=True)
    claim = {"key": "run.1", "isolation": "none", "group": None, "mark": None}
    claim |= {"shim": os.getpid(), "shim_start": processes.start_time(os.getpid())}
    files.claim(str(folder), claim | {"boot_id": "another"})
    await heir.open()
    state = heir.runtime.state(RunKey("run", 1))
    assert state is not None
    assert state.phase is RunPhase.LOST
    assert "restarted" in (state.reason or "")


async def test_stray_group_is_swept_with_what_lives_in_it(heir: Yard) -> None:
    base = group_detection.detect("auto", heir.settings.state)
    if base is None:
        pytest.skip("no control group is writable here")
    stray = cgroups.child(base, "stray.1")
    cgroups.create(stray)
    process = await asyncio.create_subprocess_exec("sleep", "600")
    cgroups.join(stray, process.pid)
    await heir.open()
    assert await process.wait() == -signal.SIGKILL
    assert group_detection.strays(base, set()) == []


async def test_closed_runtime_leaves_runs_going(heir: Yard) -> None:
    first = Yard(heir.folder)
    await first.open()
    spec = first.spec("sleep", "600")
    await first.runtime.start(spec)
    await first.reached(spec.key, RunPhase.RUNNING)
    await first.close()
    await heir.open()
    state = heir.runtime.state(spec.key)
    assert state is not None
    assert state.phase is RunPhase.RUNNING
