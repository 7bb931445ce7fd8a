"""The command itself: which cluster and values, what is written, which exit status.

Called by `cli`, and imported only then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from services.supervisor.home import SupervisorError
from services.supervisor.preflight.examine import examine
from services.supervisor.preflight.findings import Grade
from services.supervisor.preflight.values import load
from spawners.kubernetes import access
from spawners.runtime import RuntimeFailure


def run(namespace: str, files: Sequence[Path], say: Callable[[str], None]) -> int:
    """Examine the cluster; 1 when something is wrong. Raises SupervisorError."""
    values = load(files)
    try:
        found = access.find()
    except RuntimeFailure as error:
        raise SupervisorError(f"{error}.") from None

    async def all_of_it() -> int:
        wrong = 0
        async for finding in examine(found, values, namespace):
            wrong += finding.grade is Grade.BAD
            for line in finding.lines():
                say(line)
        return wrong

    return 1 if asyncio.run(all_of_it()) else 0
