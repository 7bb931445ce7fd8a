"""The one idle rule: when a session in which nothing happens is ended. Pure decisions on values.

Vocabulary
    busy        something works (a kernel, a program in a terminal): it is never ended
    idle        seconds without activity after which a session that nobody is connected to ends
    forgotten   the same, longer, for one that a page is connected to: a forgotten tab
    kept        a lease that its person took: until then it is not ended
    end         the moment that follows from all these; nothing ends before it was warned of

The end is decided only by what was told *after* that moment, so that work which began in the
last second is seen. Without any word of activity nothing is ended. Property-tested in
`tests/workloads/test_idle_rules.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any


class Turn(Enum):
    """What is to be done about a session now."""

    LEAVE = "leave"
    WARN = "warn"
    END = "end"


@dataclass(frozen=True)
class Limits:
    """Seconds: without activity, connected without activity, of warning. 0: never ended."""

    idle: float
    forgotten: float
    warning: float


@dataclass(frozen=True)
class Quiet:
    """What is known of a running session; no `told_at` where its agent never told anything."""

    started_at: datetime
    last: datetime | None
    told_at: datetime | None
    busy: str | None
    connections: int
    keep_until: datetime | None
    warned_of: datetime | None


def allowed(quiet: Quiet, limits: Limits) -> float | None:
    """Seconds without activity that this session may have; None: as many as it likes."""
    if limits.idle <= 0 or quiet.told_at is None or quiet.busy is not None:
        return None
    if quiet.connections == 0:
        return limits.idle
    return max(limits.idle, limits.forgotten) if limits.forgotten > 0 else None


def end_of(quiet: Quiet, limits: Limits) -> datetime | None:
    """When it is ended if nothing more happens; None when it is not."""
    seconds = allowed(quiet, limits)
    if seconds is None:
        return None
    since = max(quiet.started_at, quiet.last or quiet.started_at)
    end = since + timedelta(seconds=seconds)
    return end if quiet.keep_until is None else max(end, quiet.keep_until)


def turn_of(quiet: Quiet, limits: Limits, now: datetime) -> Turn:
    """Decide what is to be done now."""
    end = end_of(quiet, limits)
    if end is None or quiet.told_at is None:
        return Turn.LEAVE
    if quiet.warned_of != end:
        return Turn.WARN if now >= end - timedelta(seconds=limits.warning) else Turn.LEAVE
    return Turn.END if now >= end and quiet.told_at >= end else Turn.LEAVE


def reason_of(quiet: Quiet, limits: Limits) -> str:
    """Say why it is ended, for its person."""
    seconds = allowed(quiet, limits) or 0.0
    why = f"no activity for {span(seconds)}"
    return why if quiet.connections == 0 else f"{why}, though a page was open"


def span(seconds: float) -> str:
    """Write a time for people: "60 minutes", "1 minute", "30 seconds"."""
    number, unit = (seconds / 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{number:g} {unit}{'' if number == 1 else 's'}"


def quiet_of(row: Any) -> Quiet:
    """Take from a workload's row what the rule needs."""
    return Quiet(
        started_at=row.started_at or row.admitted_at or row.queued_at,
        last=row.activity_at,
        told_at=row.activity_told_at,
        busy=row.busy,
        connections=row.connections or 0,
        keep_until=row.keep_until,
        warned_of=row.warned_of,
    )
