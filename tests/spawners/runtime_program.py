"""A runtime in a process of its own, which tests kill: starts runs, says so, then waits.

Arguments: the yard's folder, its settings as JSON, and any number of `name=shell command`.
Prints `ready` once all of them run, and `over NAME` when one ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from spawners.runtime import RunPhase
from tests.spawners.yard import Yard


async def serve(folder: Path, settings: dict[str, object], runs: list[str]) -> None:
    """Start the runs and wait for the kill."""
    yard = await Yard(folder, **settings).open()
    for run in runs:
        name, _, code = run.partition("=")
        spec = yard.spec("sh", "-c", code, name=name, timeout=None)
        await yard.runtime.start(spec)
        await yard.reached(spec.key, RunPhase.RUNNING, RunPhase.EXITED)
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]))
