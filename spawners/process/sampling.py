"""Takes one look at a running run: cores in use since the last look, bytes resident now.

Called by `ProcessRuntime`'s one loop for every running run. Must be cheap: a few small files.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from spawners.process.records import Run
from spawners.runtime import Sample
from spawners.shim import cgroups, processes


def look(run: Run) -> None:
    """Add a sample to a run; nothing when the run has just ended."""
    try:
        if run.group is not None:
            seconds, memory = cgroups.cpu_seconds(run.group), cgroups.memory_now(run.group)
        elif run.shim is not None:
            used = processes.tree_usage(run.shim[0])
            seconds, memory = used.cpu_seconds, used.memory
        else:
            return
    except (OSError, ValueError):
        return  # its group is gone: the end is being told elsewhere
    now = time.monotonic()
    if run.looked is not None:
        before, used_before = run.looked
        cores = max(0.0, seconds - used_before) / max(now - before, 1e-3)
        run.samples.append(Sample(datetime.now(UTC), round(cores, 4), memory))
    run.looked = (now, seconds)
