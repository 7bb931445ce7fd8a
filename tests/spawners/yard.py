"""A place where tests run real programs under a `ProcessRuntime`.

Owns folders, specs and waiting on conditions; used by every test of `spawners.process`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spawners.process import ProcessRuntime, ProcessSettings
from spawners.runtime import Limits, RunKey, RunPhase, RunSpec, RunState
from spawners.shim import cgroups

PATIENCE = 30.0
OVER = (RunPhase.EXITED, RunPhase.LOST)
LIMITS = Limits(cpu=2.0, memory=256 << 20, processes=64, disk=1 << 30, log=1 << 28)


async def until(condition: Callable[[], Any], what: str = "condition") -> Any:
    """Wait until a condition holds and return its value; AssertionError after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"waited in vain for: {what}"
        await asyncio.sleep(0.005)
    return value


class Yard:
    """A runtime with a state folder, and the runs in it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.settings = ProcessSettings(state=folder / "state", **settings)
        self.runtime = ProcessRuntime(self.settings)
        self.heard: list[RunState] = []
        self._news = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None

    async def open(self) -> Yard:
        """Open the runtime and listen to its changes."""
        await self.runtime.open()
        self._listener = asyncio.create_task(self._listen())
        return self

    async def close(self) -> None:
        """Let go of the runs, without ending them."""
        if self._listener is not None:
            self._listener.cancel()
        await self.runtime.close()

    async def clear(self) -> None:
        """End and remove everything; nothing may be left of it."""
        for state in self.runtime.states():
            await self.runtime.stop(state.key, 0.0)
        for state in self.runtime.states():
            await self.over(state.key)
            await self.runtime.remove(state.key)
        left = os.listdir(self.settings.state / "runs")
        await self.close()
        base = self.runtime._groups
        if base is not None:
            assert cgroups.remove(base, 2.0), "a group was left"
        assert left == [], "a run's folder was left"
        shutil.rmtree(self.folder / "files", ignore_errors=True)

    async def _listen(self) -> None:
        async for state in self.runtime.changes():
            self.heard.append(state)
            self._news.set()

    def spec(self, *argv: str, name: str = "run", **fields: Any) -> RunSpec:
        """A spec with folders of its own; `fields` replace what is usual."""
        key = RunKey(name, fields.pop("attempt", 1))
        workdir = self.folder / "files" / str(key) / "work"
        outputs = workdir.with_name("outputs")
        for path in (workdir, outputs):
            path.mkdir(parents=True, exist_ok=True)
        usual: dict[str, Any] = {
            "env": {},
            "environment": Path(sys.prefix),
            "person_id": "ada",
            "limits": LIMITS,
            "timeout": 60.0,
            "grace": 2.0,
        }
        return RunSpec(key, argv, workdir=workdir, outputs=outputs, **(usual | fields))

    async def reached(self, key: RunKey, *phases: RunPhase) -> RunState:
        """Wait until a run is in one of the phases."""

        def there() -> RunState | None:
            state = self.runtime.state(key)
            return state if state is not None and state.phase in phases else None

        found: RunState = await until(there, f"{key} in {phases}")
        return found

    async def over(self, key: RunKey) -> RunState:
        """Wait for a run's end."""
        return await self.reached(key, *OVER)

    async def run(self, *argv: str, **fields: Any) -> tuple[RunState, bytes]:
        """Run a program to its end; how it ended and what it wrote."""
        spec = self.spec(*argv, **fields)
        await self.runtime.start(spec)
        state = await self.over(spec.key)
        return state, await self.log(spec.key)

    async def log(self, key: RunKey) -> bytes:
        """All that a run has written so far (at most 16 MiB)."""
        return await self.runtime.read_log(key, 0, 1 << 24)

    async def wrote(self, key: RunKey, piece: bytes) -> bytes:
        """Wait until a piece stands in a run's log."""
        end = time.monotonic() + PATIENCE
        while piece not in (found := await self.log(key)):
            assert time.monotonic() < end, f"{piece!r} never came; the log: {found[-500:]!r}"
            await asyncio.sleep(0.005)
        return found
