"""Decisions of the agent, as pure functions on values.

Owns which of two commands counts, what to do next for a workload, which of two reports counts
and how a run's end is told to a person. Called by the rest of this package. Must never do I/O,
read a clock or keep state: everything here is tested by properties.
"""

from __future__ import annotations

import re
import signal
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from services.planes.protocol import Command, Outcome, Phase, RunOrder, RunReport
from spawners.runtime import RunEnd, RunKey, RunPhase, RunState

SAMPLES_KEPT = 120
REASON_MAX = 2000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ACTIONS = ("run", "stop", "forget")
_LIVE = (RunPhase.STARTING, RunPhase.RUNNING)


class Kept(BaseModel):
    """What the agent keeps of one workload: the command that counts, and how it finished."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    command: Command
    final: RunReport | None = None

    @property
    def key(self) -> RunKey:
        """The run that this workload is about now."""
        return RunKey(self.command.workload_id, self.command.attempt)


class Step(StrEnum):
    """What to do next for one workload."""

    PREPARE = "prepare"  # get the code, then start
    WATCH = "watch"  # it runs: ship its log until it ends
    STOP = "stop"  # it runs and should not: ask it to end, then watch
    FINISH = "finish"  # it ended: ship the rest and report
    DECLINE = "decline"  # stopped before it was started: report just that
    KILL = "kill"  # it runs and nobody wants to know of it any more
    REMOVE = "remove"  # nothing runs: free all that is kept of it
    REST = "rest"  # its final report is made; nothing to do until told to forget


class Verdict(NamedTuple):
    """How a run finished, for a person."""

    outcome: Outcome
    reason: str | None
    retryable: bool = False


def is_name(text: str) -> bool:
    """Tell whether an id or a name may become one part of a path."""
    return _NAME.fullmatch(text) is not None


def weight(command: Command) -> tuple[int, int, int]:
    """Order commands for one workload: the heaviest counts.

    Among equals of generation and attempt, stop outweighs run and forget outweighs both, so
    that a repeated older word never brings back what was ended.
    """
    return command.generation, command.attempt, _ACTIONS.index(command.action)


def merge(kept: Kept | None, command: Command) -> Kept:
    """Take in a command that may be a duplicate or late; returns `kept` when it changes nothing."""
    if kept is None:
        return Kept(command=command)
    if weight(command) <= weight(kept.command):
        return kept
    return replace(kept, command)


def replace(kept: Kept | None, command: Command) -> Kept:
    """Take a command as the truth, keeping what is known of the same attempt."""
    if kept is None or kept.command.attempt != command.attempt:
        return Kept(command=command)
    if command.order is None and kept.command.order is not None:
        command = command.model_copy(update={"order": kept.command.order})
    final = kept.final
    if final is not None and final.generation != command.generation:
        final = final.model_copy(update={"generation": command.generation})
    return Kept(command=command, final=final)


def forgetting(workload_id: str, attempt: int, generation: int = 0) -> Command:
    """Build the command that an absent workload amounts to."""
    return Command(workload_id=workload_id, generation=generation, attempt=attempt, action="forget")


def next_step(kept: Kept, phase: RunPhase | None) -> Step:
    """Decide what to do for a workload whose run is in `phase` (None: never started)."""
    live = phase in _LIVE
    action = kept.command.action
    if action == "forget":
        return Step.KILL if live else Step.REMOVE
    if kept.final is not None:
        return Step.REST
    if live:
        return Step.STOP if action == "stop" else Step.WATCH
    if phase is not None:
        return Step.FINISH
    return Step.DECLINE if action == "stop" else Step.PREPARE


def later(old: RunReport, new: RunReport) -> RunReport:
    """Join two reports of one attempt that wait to be sent: the further one, all samples."""
    keep = new if new.phase.rank >= old.phase.rank else old
    if old.samples or new.samples:
        samples = [*old.samples, *new.samples][-SAMPLES_KEPT:]
        keep = keep.model_copy(update={"samples": samples})
    generation = max(old.generation, new.generation)
    if keep.generation != generation:
        keep = keep.model_copy(update={"generation": generation})
    return keep


def reported_phase(state: RunState | None) -> Phase:
    """Put a runtime's phase into the protocol's words, as long as there is no final report."""
    if state is None:
        return Phase.PREPARING
    if state.phase is RunPhase.RUNNING:
        return Phase.RUNNING
    return Phase.PREPARING if state.phase is RunPhase.STARTING else Phase.FINISHING


def judge(state: RunState, order: RunOrder | None) -> Verdict:
    """Say how an ended run finished. A limit that ended it comes before its exit code."""
    if state.phase is RunPhase.LOST:
        return Verdict(Outcome.ERROR, f"its process disappeared{_because(state)}", retryable=True)
    if state.end is RunEnd.STOPPED:
        return Verdict(Outcome.STOPPED, "stopped on request")
    if state.end is RunEnd.NOT_STARTED:
        return Verdict(Outcome.FAILED, state.reason or "the program could not be started")
    if state.end is RunEnd.NOT_PLACED:
        reason = state.reason or "the plane could not bring it to run"
        return Verdict(Outcome.ERROR, reason, retryable=True)
    if state.end is not None:
        return Verdict(Outcome.FAILED, _limit(state, order))
    # The runtime's own remark, such as of output that a full disk could not take, is kept.
    if state.exit_code == 0:
        return Verdict(Outcome.SUCCEEDED, state.reason)
    if state.exit_code is None:
        reason = f"it ended without an exit code{_because(state)}"
        return Verdict(Outcome.ERROR, reason, retryable=True)
    return Verdict(Outcome.FAILED, with_notes(exit_reason(state.exit_code), [state.reason or ""]))


def exit_reason(code: int) -> str:
    """Say what an exit code means: `exit code 3`, `killed by SIGSEGV`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def with_notes(reason: str | None, notes: list[str]) -> str | None:
    """Add remarks to a reason, cut to what a report may hold."""
    parts = [part for part in (reason, *notes) if part]
    text = "; ".join(parts)
    if len(text) > REASON_MAX:
        text = text[: REASON_MAX - 4] + " ..."
    return text or None


def tail_lines(data: bytes, lines: int = 20, characters: int = 8000) -> str:
    """Take the last lines of a log's last bytes, as text that can be shown."""
    text = data.decode("utf-8", "replace").replace("\0", "\ufffd")
    return "\n".join(text.rstrip("\n").split("\n")[-lines:])[-characters:]


def size_text(size: int) -> str:
    """Write bytes for a person: `512 MiB`, `1.5 GiB`."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.3g} TiB"


def _because(state: RunState) -> str:
    return f": {state.reason}" if state.reason else ""


def _limit(state: RunState, order: RunOrder | None) -> str:
    if order is None:
        return state.reason or f"a limit was reached ({state.end})"
    limits = order.limits
    if state.end is RunEnd.TIME_LIMIT and order.timeout is not None:
        return f"time limit of {order.timeout:g} s reached"
    if state.end is RunEnd.OUT_OF_MEMORY:
        return f"memory limit of {size_text(limits.memory)} reached"
    if state.end is RunEnd.PROCESS_LIMIT:
        return f"limit of {limits.processes} processes reached"
    if state.end is RunEnd.DISK_LIMIT:
        return f"disk limit of {size_text(limits.disk)} reached"
    return state.reason or f"a limit was reached ({state.end})"
