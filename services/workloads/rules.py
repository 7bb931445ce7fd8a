"""How a workload moves: pure decisions on values, one legal step at a time.

Vocabulary
    status   where a workload is; `target` where its owner wants it ("running" or "stopped")
    attempt  one try at running it; a retry is the next attempt of the same workload
    phase    how far an agent says an attempt has come (`planes.protocol.Phase`)

    Queued -> Pending -> Preparing -> Running -> Finishing -> Succeeded | Failed | Error
      ^          |           |           |           |                      |
      |          +-----------+-----------+-----------+--> Stopping -> Stopped
      +---------------------------- next attempt ---------------------------+

Queued may also go straight to Stopped. A final status never changes again. Property-tested in
`tests/workloads/test_rules.py`; nothing here reads a clock or a database.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.planes.protocol import Outcome, Phase


class Status(StrEnum):
    """Where a workload is."""

    QUEUED = "Queued"
    PENDING = "Pending"
    PREPARING = "Preparing"
    RUNNING = "Running"
    FINISHING = "Finishing"
    STOPPING = "Stopping"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    STOPPED = "Stopped"

    @property
    def is_final(self) -> bool:
        """Tell whether it stays so for ever."""
        return self in FINAL


FINAL = frozenset({Status.SUCCEEDED, Status.FAILED, Status.ERROR, Status.STOPPED})
ADMITTED = frozenset(
    {Status.PENDING, Status.PREPARING, Status.RUNNING, Status.FINISHING, Status.STOPPING}
)
OF_PHASE = {
    Phase.PREPARING: Status.PREPARING,
    Phase.RUNNING: Status.RUNNING,
    Phase.FINISHING: Status.FINISHING,
}
OF_OUTCOME = {
    Outcome.SUCCEEDED: Status.SUCCEEDED,
    Outcome.FAILED: Status.FAILED,
    Outcome.ERROR: Status.ERROR,
    Outcome.STOPPED: Status.STOPPED,
}
RANK = {status: rank for rank, status in enumerate(Status)}

RETRY_PAUSE = 2.0  # seconds before the second attempt; doubles with each
RETRY_PAUSE_MOST = 300.0
MISHAPS_MOST = 3  # times that a failure of ours is made good by another attempt, unasked

LEGAL: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.PENDING, Status.STOPPED, Status.ERROR}),
    Status.PENDING: frozenset(
        {Status.PREPARING, Status.RUNNING, Status.FINISHING, Status.STOPPING, Status.QUEUED} | FINAL
    ),
    Status.PREPARING: frozenset(
        {Status.RUNNING, Status.FINISHING, Status.STOPPING, Status.QUEUED} | FINAL
    ),
    Status.RUNNING: frozenset({Status.FINISHING, Status.STOPPING, Status.QUEUED} | FINAL),
    Status.FINISHING: frozenset({Status.STOPPING, Status.QUEUED} | FINAL),
    Status.STOPPING: FINAL,
    **dict.fromkeys(FINAL, frozenset[Status]()),
}


@dataclass(frozen=True)
class Standing:
    """What the rules need to know of a workload."""

    status: Status
    wants_stop: bool
    attempt: int
    retries: int
    mishaps: int


@dataclass(frozen=True)
class Ending:
    """How an attempt finished, as its agent reports it."""

    outcome: Outcome
    reason: str | None
    retryable: bool


@dataclass(frozen=True)
class Step:
    """One step: the new status and its reason; with a pause, a new attempt after it."""

    status: Status
    reason: str | None
    pause: float | None = None
    mishap: bool = False


def on_phase(standing: Standing, attempt: int, phase: Phase) -> Step | None:
    """Decide what a report of progress changes; None when it is old or says nothing new."""
    if attempt != standing.attempt or standing.status not in ADMITTED:
        return None
    if standing.status is Status.STOPPING or phase is Phase.FINISHED:
        return None
    status = OF_PHASE[phase]
    if RANK[status] <= RANK[standing.status]:
        return None
    return Step(status, None)


def on_finished(standing: Standing, attempt: int, ending: Ending) -> Step | None:
    """Decide what a report of the end changes; None when it is old."""
    if attempt != standing.attempt or standing.status not in ADMITTED:
        return None
    status = OF_OUTCOME[ending.outcome]
    stopping = standing.wants_stop or standing.status is Status.STOPPING
    if stopping or status in (Status.SUCCEEDED, Status.STOPPED):
        # Who asked for the end and got a success in the same moment got a success.
        return Step(status, ending.reason)
    return _again(standing, ending) or Step(status, ending.reason)


def _again(standing: Standing, ending: Ending) -> Step | None:
    mishap = ending.outcome is Outcome.ERROR and ending.retryable
    tried = standing.attempt - standing.mishaps  # attempts that were the person's own
    if mishap and standing.mishaps >= MISHAPS_MOST:
        return None
    if not mishap and tried > standing.retries:
        return None
    pause = min(RETRY_PAUSE_MOST, RETRY_PAUSE * 2 ** min(standing.attempt - 1, 16))
    why = ending.reason or ending.outcome.value
    reason = f"trying again (attempt {standing.attempt + 1}) after: {why}"
    return Step(Status.QUEUED, reason, pause, mishap)


def on_stop(standing: Standing) -> Step | None:
    """Decide what a wish to stop changes; None when it is finished or on its way."""
    if standing.status is Status.QUEUED:
        return Step(Status.STOPPED, "stopped before it was started")
    if standing.status in ADMITTED and standing.status is not Status.STOPPING:
        return Step(Status.STOPPING, "asked to stop")
    return None


@dataclass(frozen=True)
class Amount:
    """Cores, bytes and devices: of a plane, or asked for."""

    cpu: float
    memory: int
    gpu: int = 0

    def minus(self, other: Amount) -> Amount:
        """What is left."""
        return Amount(self.cpu - other.cpu, self.memory - other.memory, self.gpu - other.gpu)

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self.cpu + other.cpu, self.memory + other.memory, self.gpu + other.gpu)


def too_large(wanted: Amount, whole: Amount, tier: str, plane: str) -> str | None:
    """Say why a plane could never run this, or None when it could."""
    if wanted.cpu > whole.cpu:
        return f"tier {tier} needs {cpus(wanted.cpu)}; plane {plane} has {whole.cpu:g}"
    if wanted.memory > whole.memory:
        need, has = gib(wanted.memory), gib(whole.memory)
        return f"tier {tier} needs {need} of memory; plane {plane} has {has}"
    if wanted.gpu > whole.gpu:
        return f"tier {tier} needs {wanted.gpu} GPUs; plane {plane} has {whole.gpu}"
    return None


_SLACK = 1e-9  # cores are floats: ten tenths fill one


def waits_for(wanted: Amount, free: Amount, tier: str) -> str | None:
    """Say what a plane must first have free for this, or None when it fits now."""
    if wanted.cpu > free.cpu + _SLACK:
        return f"waiting for {cpus(wanted.cpu)} for tier {tier} ({max(0.0, free.cpu):g} free)"
    if wanted.memory > free.memory:
        free_memory = gib(max(0, free.memory))
        return f"waiting for {gib(wanted.memory)} of memory for tier {tier} ({free_memory} free)"
    if wanted.gpu > free.gpu:
        return f"waiting for {wanted.gpu} GPUs for tier {tier} ({max(0, free.gpu)} free)"
    return None


def cpus(number: float) -> str:
    """Write a number of cores for people."""
    return f"{number:g} CPU{'' if number == 1 else 's'}"


def gib(size: int) -> str:
    """Write a size in GiB for people."""
    return f"{size / (1 << 30):.3g} GiB"


def cost(price_per_hour: float, seconds: float | None) -> float | None:
    """Price of a run, in the currency of the tier's price."""
    return None if seconds is None else round(price_per_hour * seconds / 3600, 6)


def standing_of(row: Any) -> Standing:
    """Take from a workload's row what the rules need."""
    return Standing(
        status=Status(row.status),
        wants_stop=row.target == "stopped",
        attempt=row.attempt,
        retries=row.retries,
        mishaps=row.mishaps,
    )
