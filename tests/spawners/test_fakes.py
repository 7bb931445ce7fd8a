"""The shipped fakes keep the promises of the Runtime interface."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from spawners.fakes import HOLD, BrokenRuntime, FakeRuntime, Script, SlowRuntime
from spawners.runtime import Limits, RunEnd, RunKey, RunPhase, RunSpec, RuntimeFailure

LIMITS = Limits(cpu=1.0, memory=1 << 28)


def make_spec(folder: Path, name: str = "a", attempt: int = 1) -> RunSpec:
    outputs = folder / f"{name}-outputs"
    outputs.mkdir(exist_ok=True)
    return RunSpec(RunKey(name, attempt), ("true",), {}, folder, outputs, None, "someone", LIMITS)


async def test_script_is_played_and_changes_come_in_order(tmp_path: Path) -> None:
    runtime = FakeRuntime(Script(exit_code=3, log=b"hello\n", outputs={"d/x": b"1"}))
    await runtime.open()
    spec = make_spec(tmp_path)
    await runtime.start(spec)
    changes = runtime.changes()
    phases = [(await anext(changes)).phase for _ in range(2)]
    assert phases == [RunPhase.RUNNING, RunPhase.EXITED]
    state = runtime.state(spec.key)
    assert state is not None
    assert (state.exit_code, state.log_size) == (3, 6)
    assert await runtime.read_log(spec.key, 2, 3) == b"llo"
    assert (spec.outputs / "d" / "x").read_bytes() == b"1"


async def test_second_start_does_nothing_and_stop_ends_a_held_run(tmp_path: Path) -> None:
    runtime = FakeRuntime(HOLD)
    spec = make_spec(tmp_path)
    await runtime.start(spec)
    await runtime.start(spec)
    assert len(runtime.started) == 1
    await runtime.remove(spec.key)
    assert runtime.states()
    await runtime.stop(spec.key, 1.0)
    state = runtime.state(spec.key)
    assert state is not None
    assert (state.phase, state.end, state.exit_code) == (RunPhase.EXITED, RunEnd.STOPPED, -15)
    await runtime.remove(spec.key)
    assert runtime.state(spec.key) is None


async def test_runs_are_adopted_by_the_next_fake(tmp_path: Path) -> None:
    first = FakeRuntime(HOLD)
    spec = make_spec(tmp_path)
    await first.start(spec)
    await first.close()
    second = FakeRuntime(after=first)
    await second.open()
    await second.start(spec)
    assert second.started == []
    second.finish(spec.key, 0)
    assert [state.phase for state in second.states()] == [RunPhase.EXITED]


async def test_slow_runtime_waits_for_release(tmp_path: Path) -> None:
    runtime = SlowRuntime()
    task = asyncio.create_task(runtime.start(make_spec(tmp_path)))
    while runtime.waiting == 0:
        await asyncio.sleep(0)
    assert runtime.states() == []
    runtime.release()
    await task
    assert len(runtime.states()) == 1


async def test_broken_runtime_fails_as_often_as_told(tmp_path: Path) -> None:
    runtime = BrokenRuntime(times=1)
    spec = make_spec(tmp_path)
    with pytest.raises(RuntimeFailure):
        await runtime.start(spec)
    assert runtime.state(spec.key) is None
    await runtime.start(spec)
    assert runtime.state(spec.key) is not None
