"""One run as the runtime remembers it, and how what is heard of it becomes its state.

Owns the translation of a pod's look (`reading`) and of the shim's record into `RunState`. Used by
`runtime`. Must do no I/O. The record comes from a folder that the person's program can write to:
nothing in it is believed beyond what it may be.
"""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from spawners.kubernetes.reading import Seen, Stage
from spawners.runtime import (
    Isolation,
    RunEnd,
    RunKey,
    RunPhase,
    RunState,
    Sample,
    Usage,
)
from spawners.shim.endings import DELETED

OVER = (RunPhase.EXITED, RunPhase.LOST)
_KEPT_SAMPLES = 1000
_REASON_MAX = 1000
UNCOLLECTED = "its log and outputs could not be collected from the cluster"
POD_DELETED = "its pod was deleted"
SHIM_KILLED = "the run's watching process was killed, and the program with it"


@dataclass
class Run:
    """A run that this runtime started or adopted.

    `opens` is the key to its collector, not known of an adopted run until it is asked for;
    `wish` is the end that somebody asked for.
    Of a session, `listens` and `activity` are what its collector said last.
    """

    state: RunState
    opens: str | None = None
    pod: str | None = None
    ip: str | None = None
    wish: RunEnd | None = None
    volume: str | None = None  # of a session: what outlives it
    serving: bool = False
    service: str | None = None  # where its Service answers
    listens: bool = False
    activity: bytes | None = None
    collecting: bool = False
    stuck_since: float | None = None
    cpu: tuple[float, float] | None = None  # time and cpu seconds of the last sample
    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=_KEPT_SAMPLES))

    @property
    def over(self) -> bool:
        """Tell whether it has ended."""
        return self.state.phase in OVER


def new(key: RunKey, volume: str | None = None) -> Run:
    """A run of which nothing has been heard yet; with a volume it is a session."""
    return Run(RunState(key, RunPhase.STARTING, Isolation.NAMESPACES), volume=volume)


def waiting(state: RunState, seen: Seen) -> RunState:
    """The state of a run whose program has not been started."""
    return replace(state, reason=seen.reason)


def running(state: RunState, seen: Seen) -> RunState:
    """The state of a run whose program runs."""
    return replace(state, phase=RunPhase.RUNNING, started_at=seen.started_at, reason=None)


def ended(run: Run, seen: Seen, record: dict[str, Any] | None, log_size: int) -> RunState:
    """The final state of a run; `record` is None when it could not be had from the pod."""
    if seen.stage is Stage.FAILED:
        return _exited(run, seen, None, seen.end or RunEnd.NOT_PLACED, seen.reason)
    if record is None or "finished_at" not in record:
        state = _unrecorded(run, seen, record)
        return replace(state, log_size=log_size)
    end, code = _end(record.get("end")), _number(record.get("exit_code"))
    reason = record.get("reason")
    state = replace(
        run.state,
        exit_code=None if code is None else int(code),
        started_at=_time(record.get("started_at")) or seen.started_at,
        finished_at=_time(record["finished_at"]) or datetime.now(UTC),
        reason=str(reason)[:_REASON_MAX] if reason else None,
        usage=_usage(record.get("usage")),
        log_size=log_size,
        phase=RunPhase.EXITED,
        end=end,
    )
    if end is None and state.exit_code == -9 and seen.end is RunEnd.OUT_OF_MEMORY:
        return replace(state, end=seen.end)
    if record.get("end") == DELETED or (seen.stage is Stage.LOST and end is None):
        if run.wish is not None:
            return replace(state, end=run.wish, reason=None)
        return replace(state, phase=RunPhase.LOST, end=None, reason=seen.reason or POD_DELETED)
    return state


def gone(run: Run, reason: str = POD_DELETED) -> RunState:
    """The final state of a run whose pod is there no more."""
    if run.wish is not None:
        return _exited(run, None, None, run.wish, None)
    return replace(run.state, phase=RunPhase.LOST, reason=reason, finished_at=datetime.now(UTC))


def take(run: Run, facts: dict[str, Any] | None, session: dict[str, Any] | None) -> RunState:
    """Take in what a collector says beside the log: what is in use, what a session's tool does.

    Gives the state as it is then, with what happened to the run last.
    """
    if facts is not None:
        _sample(run, facts)
    if session is not None and run.volume is not None:
        run.listens = run.listens or session.get("listens") is True
        told = session.get("activity")
        run.activity = json.dumps(told).encode() if isinstance(told, dict) else None
        remark = session.get("remark")
        if remark and run.state.phase is RunPhase.RUNNING:
            return replace(run.state, reason=str(remark)[:_REASON_MAX])
    return run.state


def _sample(run: Run, facts: dict[str, Any]) -> None:
    at, used = _number(facts.get("at")), _number(facts.get("cpu_seconds"))
    memory, time = _number(facts.get("memory")), _time(facts.get("at"))
    if at is None or used is None or memory is None or time is None:
        return
    before, run.cpu = run.cpu, (at, used)
    if before is not None and at > before[0]:
        cores = max(0.0, used - before[1]) / (at - before[0])
        run.samples.append(Sample(time, cores, int(memory)))


def _unrecorded(run: Run, seen: Seen, record: dict[str, Any] | None) -> RunState:
    """Say how a run ended from what the cluster says alone."""
    if seen.stage is Stage.LOST:
        return gone(run, seen.reason or POD_DELETED)
    if run.wish is not None:
        return _exited(run, seen, seen.exit_code, run.wish, None)
    if seen.end is not None or record is None:
        reason = UNCOLLECTED if record is None else None
        return _exited(run, seen, seen.exit_code, seen.end, reason)
    return replace(run.state, phase=RunPhase.LOST, reason=SHIM_KILLED, finished_at=seen.finished_at)


def _exited(
    run: Run, seen: Seen | None, code: int | None, end: RunEnd | None, reason: str | None
) -> RunState:
    finished = seen.finished_at if seen is not None else None
    return replace(
        run.state,
        phase=RunPhase.EXITED,
        exit_code=code,
        end=end,
        reason=reason,
        finished_at=finished or datetime.now(UTC),
    )


def _end(word: object) -> RunEnd | None:
    try:
        return RunEnd(str(word))
    except ValueError:
        return None


def _number(found: object) -> float | None:
    if isinstance(found, int | float) and math.isfinite(found) and abs(found) < 1e15:
        return float(found)
    return None


def _time(seconds: object) -> datetime | None:
    number = _number(seconds)
    return datetime.fromtimestamp(number, UTC) if number and 0 < number < 2**33 else None


def _usage(found: object) -> Usage:
    if not isinstance(found, dict):
        return Usage()
    cpu, peak = _number(found.get("cpu_seconds")), _number(found.get("memory_peak"))
    return Usage(max(0.0, cpu or 0.0), max(0, int(peak or 0)))
