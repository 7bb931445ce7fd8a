"""One run as the runtime remembers it, and how its files are read back.

Owns the translation of a shim's files into `RunState`. Used by `ProcessRuntime`. Must decide
nothing about processes: whether a shim lives is asked elsewhere.
"""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spawners.runtime import Isolation, RunEnd, RunKey, RunPhase, RunState, Sample, Usage
from spawners.shim import files
from spawners.shim.cgroups import Group

OVER = (RunPhase.EXITED, RunPhase.LOST)
SHIM_KILLED = "the run's watching process was killed, and the program with it"
REBOOTED = "the machine was restarted while the run was going on"
STOP_REASONS = {
    RunEnd.STOPPED: "stopped",
    RunEnd.TIME_LIMIT: "time limit reached",
    RunEnd.OUT_OF_MEMORY: "memory limit reached",
    RunEnd.PROCESS_LIMIT: "limit of processes reached",
    RunEnd.DISK_LIMIT: "disk limit reached",
    RunEnd.NOT_STARTED: "not started",
}
_KEPT_SAMPLES = 1000


@dataclass
class Run:
    """A run that this runtime started or adopted."""

    folder: Path
    state: RunState
    group: Group | None
    mark: str | None = None
    shim: tuple[int, int] | None = None  # pid and start time
    watch: int | None = None  # pidfd of the shim
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=_KEPT_SAMPLES))
    looked: tuple[float, float] | None = None  # monotonic time and cpu seconds at the last look

    def now(self) -> RunState:
        """The state with the log's present size, which grows without telling anybody."""
        if self.state.phase in OVER:
            return self.state
        return replace(self.state, log_size=self.log_size())

    def log_size(self) -> int:
        """Bytes in the log file now."""
        try:
            return os.stat(self.folder / files.LOG).st_size
        except FileNotFoundError:
            return 0


def adopt(folder: Path, record: dict[str, Any]) -> Run:
    """A run as its record names it, in the phase that the record tells."""
    state = RunState(RunKey.parse(record["key"]), RunPhase.STARTING, Isolation(record["isolation"]))
    group = Group(*record["group"]) if record["group"] else None
    shim = (record["shim"], record["shim_start"])
    return Run(folder, advance(state, record), group, record["mark"], shim)


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def running(state: RunState, pid: int, started_at: float) -> RunState:
    """The state of a run whose program has been started."""
    return replace(state, phase=RunPhase.RUNNING, pid=pid, started_at=_time(started_at))


def advance(state: RunState, record: dict[str, Any] | None) -> RunState:
    """The state after what a run's record says by now."""
    if record is None:
        return state
    if "started_at" in record:
        state = running(state, record["pid"], record["started_at"])
    if "finished_at" not in record:
        return replace(state, reason=record.get("remark"))
    return replace(
        state,
        phase=RunPhase.EXITED,
        finished_at=_time(record["finished_at"]),
        exit_code=record["exit_code"],
        end=None if record["end"] is None else RunEnd(record["end"]),
        reason=record["reason"],
        usage=Usage(**record["usage"]),
        log_size=record["log_size"],
    )


def lose(run: Run, reason: str) -> RunState:
    """The state of a run whose shim is gone without a last word."""
    return replace(
        run.state,
        phase=RunPhase.LOST,
        reason=reason,
        finished_at=datetime.now(UTC),
        log_size=run.log_size(),
    )
