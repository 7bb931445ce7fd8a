"""Runtimes that run nothing, for tests of whatever stands above a runtime.

Owns `FakeRuntime` (in memory, deterministic, scriptable), `SlowRuntime` (each act waits until
the test lets it go) and `BrokenRuntime` (fails where it is told to). They ship with the package
so that the agent's, the engine's and other people's tests use the same ones.

Must never start a process, sleep or read a clock for its decisions. Nothing here is used when
a real run is started.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from spawners.process import reading
from spawners.runtime import (
    Capacity,
    Isolation,
    Reading,
    RunEnd,
    RunKey,
    RunPhase,
    RunSpec,
    RunState,
    Runtime,
    RuntimeFailure,
    Sample,
    Usage,
)


@dataclass(frozen=True)
class Script:
    """What a faked run does: writes `log`, leaves `outputs`, ends with `exit_code`.

    With `hold` it goes on running after that until it is stopped or `FakeRuntime.finish`
    is called; `stubborn` also survives a stop, as a program that ignores SIGTERM would until
    its grace is over.
    """

    exit_code: int = 0
    log: bytes = b""
    outputs: Mapping[str, bytes] = field(default_factory=dict)
    end: RunEnd | None = None
    reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    samples: tuple[Sample, ...] = ()
    hold: bool = False
    stubborn: bool = False


HOLD = Script(hold=True)


@dataclass
class _Run:
    spec: RunSpec
    script: Script
    state: RunState
    log: bytearray
    samples: list[Sample]


class FakeRuntime(Runtime):
    """A runtime in memory.

    `script` says what each run does; by default it succeeds at once and writes nothing.
    `after` takes over the runs of an earlier fake, as a new agent process adopts those of a
    killed one. `started` lists the specs that were really started, `stops` the stops asked.
    """

    def __init__(
        self,
        script: Callable[[RunSpec], Script] | Script | None = None,
        *,
        capacity: Capacity | None = None,
        isolation: Isolation = Isolation.NONE,
        after: FakeRuntime | None = None,
    ) -> None:
        self._script = script if script is not None else Script()
        self._capacity = capacity or Capacity(cpu=4.0, memory=8 << 30)
        self.isolation = isolation
        self._runs: dict[RunKey, _Run] = after._runs if after is not None else {}
        self._changes: asyncio.Queue[RunState] = asyncio.Queue()
        self.is_open = False
        self.started: list[RunSpec] = []
        self.stops: list[tuple[RunKey, float, RunEnd]] = []
        self.removed: list[RunKey] = []

    async def open(self) -> None:
        """Get ready; runs taken over from `after` are there already."""
        self.is_open = True

    async def close(self) -> None:
        """Let go of the runs; a fake made with `after=self` finds them."""
        self.is_open = False

    async def capacity(self) -> Capacity:
        """Say what the test gave."""
        return self._capacity

    async def start(self, spec: RunSpec) -> None:
        """Start a faked run and play its script; a second start of a key does nothing."""
        if spec.key in self._runs:
            return
        script = self._script(spec) if callable(self._script) else self._script
        state = RunState(spec.key, RunPhase.STARTING, self.isolation)
        run = _Run(spec, script, state, bytearray(), list(script.samples))
        self._runs[spec.key] = run
        self.started.append(spec)
        if script.end is RunEnd.NOT_STARTED:
            self.finish(spec.key, script.exit_code)
            return
        self._move(
            run, phase=RunPhase.RUNNING, pid=10_000 + len(self._runs), started_at=datetime.now(UTC)
        )
        self.write(spec.key, script.log)
        for path, content in script.outputs.items():
            target = spec.outputs / PurePosixPath(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if not script.hold:
            self.finish(spec.key, script.exit_code)

    async def stop(self, key: RunKey, grace: float, end: RunEnd = RunEnd.STOPPED) -> None:
        """End a held run with -15 and `end`; a stubborn one only notes that it was asked."""
        self.stops.append((key, grace, end))
        run = self._runs.get(key)
        if run is None or run.state.phase is not RunPhase.RUNNING or run.script.stubborn:
            return
        self.finish(key, -15, end=end, reason="stopped")

    def finish(
        self,
        key: RunKey,
        exit_code: int = 0,
        *,
        end: RunEnd | None = None,
        reason: str | None = None,
    ) -> None:
        """End a run now, as its program would; used by tests with held runs."""
        run = self._runs[key]
        if run.state.phase in (RunPhase.EXITED, RunPhase.LOST):
            return
        self._move(
            run,
            phase=RunPhase.EXITED,
            exit_code=exit_code,
            end=end or run.script.end,
            reason=reason or run.script.reason,
            usage=run.script.usage,
            finished_at=datetime.now(UTC),
        )

    def lose(self, key: RunKey, reason: str = "the process and its exit code are gone") -> None:
        """Make a run LOST, as after a machine's reset; used by tests."""
        self._move(
            self._runs[key], phase=RunPhase.LOST, reason=reason, finished_at=datetime.now(UTC)
        )

    def write(self, key: RunKey, data: bytes) -> None:
        """Append to a run's log, as its program would; used by tests with held runs."""
        run = self._runs[key]
        run.log += data
        run.state = replace(run.state, log_size=len(run.log))

    def sample(self, key: RunKey, sample: Sample) -> None:
        """Add a sample that the next `samples` call hands over; used by tests."""
        self._runs[key].samples.append(sample)

    def state(self, key: RunKey) -> RunState | None:
        """Say where a run stands."""
        run = self._runs.get(key)
        return run.state if run is not None else None

    def states(self) -> list[RunState]:
        """Every run that was started and not removed."""
        return [run.state for run in self._runs.values()]

    async def changes(self) -> AsyncIterator[RunState]:
        """Yield each change of phase, in order."""
        while True:
            yield await self._changes.get()

    def samples(self, key: RunKey) -> list[Sample]:
        """Hand over the samples not handed over yet."""
        run = self._runs.get(key)
        if run is None:
            return []
        taken, run.samples = run.samples, []
        return taken

    async def read_log(self, key: RunKey, offset: int, limit: int) -> bytes:
        """Read the faked log; b"" at its end and of an unknown run."""
        run = self._runs.get(key)
        return bytes(run.log[offset : offset + limit]) if run is not None else b""

    def reader(self, key: RunKey, person: str, folder: Path, readable: tuple[Path, ...]) -> Reading:
        """Say how to run the reader, with nothing around it."""
        return reading.command(None, None, None, folder, readable)

    async def remove(self, key: RunKey) -> None:
        """Forget an exited run; of an unknown or running one: does nothing."""
        run = self._runs.get(key)
        if run is None or run.state.phase not in (RunPhase.EXITED, RunPhase.LOST):
            return
        del self._runs[key]
        self.removed.append(key)

    def _move(self, run: _Run, **fields: object) -> None:
        run.state = replace(run.state, **fields)  # type: ignore[arg-type]
        self._changes.put_nowait(run.state)


class SlowRuntime(FakeRuntime):
    """A fake whose `start`, `stop` and `open` wait until the test calls `release`.

    `waiting` counts the acts that wait now, so that a test can wait for that condition.
    """

    def __init__(
        self,
        script: Callable[[RunSpec], Script] | Script | None = None,
        *,
        slow: frozenset[str] = frozenset({"start"}),
        after: FakeRuntime | None = None,
    ) -> None:
        super().__init__(script, after=after)
        self.slow = slow
        self.waiting = 0
        self._gate = asyncio.Event()

    def release(self) -> None:
        """Let all that waits, and all that comes later, go on."""
        self._gate.set()

    async def _wait(self, act: str) -> None:
        if act not in self.slow:
            return
        self.waiting += 1
        try:
            await self._gate.wait()
        finally:
            self.waiting -= 1

    async def open(self) -> None:
        """Open once released."""
        await self._wait("open")
        await super().open()

    async def start(self, spec: RunSpec) -> None:
        """Start once released."""
        await self._wait("start")
        await super().start(spec)

    async def stop(self, key: RunKey, grace: float, end: RunEnd = RunEnd.STOPPED) -> None:
        """Stop once released."""
        await self._wait("stop")
        await super().stop(key, grace, end)


class BrokenRuntime(FakeRuntime):
    """A fake that raises `RuntimeFailure` in the named acts, `times` times, then works.

    Acts: open, capacity, start, stop, read_log, remove. A failed start leaves nothing.
    """

    def __init__(
        self,
        broken: frozenset[str] = frozenset({"start"}),
        *,
        times: int = 1_000_000,
        script: Callable[[RunSpec], Script] | Script | None = None,
        after: FakeRuntime | None = None,
    ) -> None:
        super().__init__(script, after=after)
        self.broken = broken
        self.left = times
        self.failures: list[str] = []

    def _fail(self, act: str) -> None:
        if act in self.broken and self.left > 0:
            self.left -= 1
            self.failures.append(act)
            raise RuntimeFailure(f"the runtime is broken on purpose: {act}")

    async def open(self) -> None:
        """Fail or open."""
        self._fail("open")
        await super().open()

    async def capacity(self) -> Capacity:
        """Fail or answer."""
        self._fail("capacity")
        return await super().capacity()

    async def start(self, spec: RunSpec) -> None:
        """Fail or start."""
        self._fail("start")
        await super().start(spec)

    async def stop(self, key: RunKey, grace: float, end: RunEnd = RunEnd.STOPPED) -> None:
        """Fail or stop."""
        self._fail("stop")
        await super().stop(key, grace, end)

    async def read_log(self, key: RunKey, offset: int, limit: int) -> bytes:
        """Fail or read."""
        self._fail("read_log")
        return await super().read_log(key, offset, limit)

    async def remove(self, key: RunKey) -> None:
        """Fail or remove."""
        self._fail("remove")
        await super().remove(key)
