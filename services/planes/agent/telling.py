"""Building the reports on one run, as pure functions.

Owns how a command, a runtime's state and a verdict become a `RunReport`. Called by the work on
each workload. Must never send anything.
"""

from __future__ import annotations

from services.planes.agent import rules
from services.planes.protocol import (
    Command,
    Outcome,
    OutputEntry,
    Phase,
    RunReport,
    SamplePoint,
    UsageReport,
)
from spawners.runtime import RunState, Sample


def report_on(
    command: Command,
    phase: Phase,
    state: RunState | None = None,
    reason: str | None = None,
    log_end: int | None = None,
) -> RunReport:
    """Say what is of a run that has not finished."""
    return RunReport(
        workload_id=command.workload_id,
        generation=command.generation,
        attempt=command.attempt,
        phase=phase,
        reason=reason,
        isolation=state.isolation.value if state else None,
        started_at=state.started_at if state else None,
        usage=usage_of(state) if state else None,
        log_end=log_end,
    )


def unstarted(command: Command, outcome: Outcome, reason: str, retryable: bool) -> RunReport:
    """Make the final report of a run that was never started."""
    return RunReport(
        workload_id=command.workload_id,
        generation=command.generation,
        attempt=command.attempt,
        phase=Phase.FINISHED,
        outcome=outcome,
        reason=rules.with_notes(reason, []),
        retryable=retryable,
        outputs=[],
        log_end=0,
    )


def concluded(
    report: RunReport,
    state: RunState,
    verdict: rules.Verdict,
    outputs: list[OutputEntry],
    notes: list[str],
) -> RunReport:
    """Turn what is known of an ended run into its final report."""
    return report.model_copy(
        update={
            "phase": Phase.FINISHED,
            "outcome": verdict.outcome,
            "reason": rules.with_notes(verdict.reason, notes),
            "retryable": verdict.retryable,
            "exit_code": state.exit_code,
            "finished_at": state.finished_at,
            "outputs": outputs,
        }
    )


def usage_of(state: RunState) -> UsageReport:
    """Put what a run has used into the protocol's words."""
    return UsageReport(cpu_seconds=state.usage.cpu_seconds, memory_peak=state.usage.memory_peak)


def points(samples: list[Sample]) -> list[SamplePoint]:
    """Put samples into the protocol's words; the newest ones where there are too many."""
    kept = samples[-rules.SAMPLES_KEPT :]
    return [SamplePoint(at=one.at, cpu=one.cpu, memory=one.memory) for one in kept]


def bare(report: RunReport) -> RunReport:
    """Leave out of a final report all that makes it long and final: it follows by itself."""
    return report.model_copy(
        update={"phase": Phase.FINISHING, "outcome": None, "exit_code": None, "outputs": None}
        | {"samples": [], "last_lines": None}
    )
