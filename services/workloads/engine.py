"""The engine's verbs: create, stop, and what agents' reports do to workloads.

Every function here is one part of somebody's transaction (an action's or an agent's call);
none of them waits for anything. Kinds of workloads (jobs now) build on `create`, `stop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert

from services import people, planes
from services.core import events
from services.core.database import Transaction
from services.core.errors import TooMany, Unprocessable
from services.core.work import actor_of, context_of, settings_of
from services.planes.protocol import Outcome, Phase, RunReport
from services.workloads import changes, interactive, private, queue, rules, store, tokens
from services.workloads.kinds import Kinds
from services.workloads.merging import Merging
from services.workloads.rules import Amount, Ending, Status, Step
from services.workloads.tables import samples, workloads

# What a session's next attempt must not take over from the last one.
_ATTEMPT_ANEW = dict.fromkeys(("address", "activity_at", "activity_told_at", "busy", "warned_of"))
LOST = Ending(Outcome.ERROR, "the data plane lost this run", retryable=True)


@dataclass(frozen=True)
class NewWorkload:
    """What a kind hands to the engine. `order` is a `RunOrder` without its token.

    `timeout` in seconds, None without an end. `private` are variables that only the run may
    see: sealed, told to its agent, and deleted when the workload ends.
    """

    id: str
    kind: str
    project_id: str
    person_id: str
    tier: str | None
    order: dict[str, Any]
    timeout: float | None
    retries: int = 0
    private: dict[str, str] = field(default_factory=dict, repr=False)


def create(tx: Transaction, new: NewWorkload) -> None:
    """Accept a workload into the queue, and start it at once where there is room.

    Raises Unprocessable for a tier that is unknown or larger than its plane, TooMany for a
    person who has too many unfinished ones.
    """
    tier = _tier(tx, new.tier)
    plane = planes.plane(tx, tier.plane_id)
    wanted = Amount(tier.cpu, tier.memory, tier.gpu)
    if plane.last_seen_at is not None:
        _require_isolation(tx, plane, new.person_id)
        whole = Amount(plane.cpu, plane.memory, plane.gpu)
        never = rules.too_large(wanted, whole, tier.name, plane.name)
        if never:
            raise Unprocessable(never, code="tier_too_large")
    most = settings_of(tx).queue_max_per_person
    if store.unfinished_of(tx, new.person_id) >= most:
        raise TooMany(f"you have {most} unfinished runs, the most one person may have")
    tx.execute(insert(workloads), _row(tx, new, tier))
    if new.private:
        private.seal(tx, new.id, new.private)
    queue.admit(tx, tier.plane_id, plane=plane)


def _tier(tx: Transaction, name: str | None) -> Row[Any]:
    tier = planes.tier_named(tx, name) if name else planes.default_tier(tx)
    if tier is None:
        named = f"there is no hardware tier named {name}" if name else "no default hardware tier"
        raise Unprocessable(named, code="unknown_tier")
    return tier


def _require_isolation(tx: Transaction, plane: Row[Any], person_id: str) -> None:
    """Let nobody but the first person run where runs can read each other's files."""
    if plane.isolation != "none" or settings_of(tx).allow_without_isolation:
        return
    if people.first(tx) != person_id:
        raise Unprocessable(
            f"plane {plane.name} cannot keep people's runs apart (isolation none): only the "
            "platform's first person may run there, unless an admin allows it in the settings",
            code="no_isolation",
        )


def _row(tx: Transaction, new: NewWorkload, tier: Row[Any]) -> dict[str, Any]:
    limits = _limits(tx, tier)
    return {
        "id": new.id,
        "kind": new.kind,
        "project_id": new.project_id,
        "person_id": new.person_id,
        "plane_id": tier.plane_id,
        "tier_id": tier.id,
        "tier": tier.name,
        "cpu": tier.cpu,
        "memory": tier.memory,
        "gpu": tier.gpu,
        "price_per_hour": tier.price_per_hour,
        "status": Status.QUEUED.value,
        "target": "running",
        "generation": 1,
        "attempt": 1,
        "retries": new.retries,
        "mishaps": 0,
        "reason": "waiting for its turn",
        "order": {
            **new.order,
            "limits": limits,
            "placement": _placement(tier),
            "timeout": new.timeout,
            "secrets": bool(new.private),
        },
        "rights": tokens.narrowed(actor_of(tx).rights),
        "timeout": new.timeout or 0.0,
        "idle_seconds": _idle(tx, tier) if new.kind == interactive.SESSION else None,
        "queued_at": tx.now,
        "updated_at": tx.now,
        "kept": "log outputs samples",
    }


def _idle(tx: Transaction, tier: Row[Any]) -> float:
    minutes: int | None = tier.idle_minutes
    return settings_of(tx).session_idle if minutes is None else minutes * 60.0


def _limits(tx: Transaction, tier: Row[Any]) -> dict[str, Any]:
    settings = settings_of(tx)
    return {
        "cpu": tier.cpu,
        "memory": tier.memory,
        "processes": settings.processes_max,
        "disk": settings.run_disk_max,
        "log": settings.log_max,
        "outputs": settings.outputs_max,
        "output_files": settings.output_files_max,
    }


def _placement(tier: Row[Any]) -> dict[str, Any] | None:
    """Where on a cluster it may be put; None where the tier leaves all to the cluster."""
    found = {
        "gpu": tier.gpu,
        "gpu_resource": tier.gpu_resource,
        "node_selector": tier.node_selector,
        "tolerations": tier.tolerations,
        "shared_memory": tier.shared_memory,
    }
    plain = not (tier.gpu or tier.node_selector or tier.tolerations or tier.shared_memory)
    return None if plain else found


def stop(tx: Transaction, row: Row[Any], reason: str | None = None) -> bool:
    """Set a workload's target to stopped; tell whether that changed anything.

    With a reason, that is what it ends with: it was not its person who wished it.
    """
    step = rules.on_stop(rules.standing_of(row))
    if step is None:
        return False
    values: dict[str, Any] = {"target": "stopped", "generation": row.generation + 1}
    if reason is not None:
        step = replace(step, reason=reason)
        values["stop_reason"] = reason
    changes.apply(tx, row, step, **values)
    if not step.status.is_final:
        store.tell_agent(tx, row.plane_id, row.id)
        events.wake(tx, f"plane:{row.plane_id}")
    return True


def take_reports(tx: Transaction, plane_id: str, reports: Sequence[RunReport]) -> int:
    """Apply what a plane's agent reports; give how many reports changed something."""
    applied = [report for report in reports if _take(tx, plane_id, report)]
    if any(report.phase is Phase.FINISHED for report in applied):  # else no room was made
        queue.admit(tx, plane_id)
    return len(applied)


def _take(tx: Transaction, plane_id: str, report: RunReport) -> bool:
    row = store.load(tx, report.workload_id)
    if row is None or row.plane_id != plane_id:
        return False  # not this plane's work: nothing it says of it counts
    standing = rules.standing_of(row)
    if report.attempt == row.attempt and standing.status in rules.ADMITTED:
        _keep_samples(tx, report)
        row = _take_told(tx, row, report)
    if report.phase is Phase.FINISHED:
        ending = Ending(report.outcome or Outcome.ERROR, report.reason, report.retryable)
        step = rules.on_finished(standing, report.attempt, ending)
        if step is not None:
            _finish(tx, row, step, report)
    else:
        step = rules.on_phase(standing, report.attempt, report.phase)
        if step is not None:
            step = Step(step.status, report.reason)
            changes.apply(tx, row, step, **_known(row, report))
        elif _says_more(row, standing, report):
            changes.apply(tx, row, Step(standing.status, report.reason))
    return step is not None


def _take_told(tx: Transaction, row: Row[Any], report: RunReport) -> Row[Any]:
    """Write what a report tells of a session; give the row as it is then."""
    values = interactive.told(row, report, tx.now, settings_of(tx).session_networks)
    if not values:
        return row
    store.change(tx, row.id, **values)
    fresh = store.load(tx, row.id)
    assert fresh is not None, "it was there a moment ago"
    if "address" in values and row.status == Status.RUNNING.value:
        context_of(tx).get(Kinds).answers(tx, fresh)
        events.wake(tx, f"workload:{row.id}")
    return fresh


def _says_more(row: Row[Any], standing: rules.Standing, report: RunReport) -> bool:
    same_step = rules.OF_PHASE.get(report.phase) is standing.status
    return same_step and report.attempt == row.attempt and report.reason not in (None, row.reason)


def _known(row: Row[Any], report: RunReport) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if report.started_at is not None and row.started_at is None:
        values["started_at"] = report.started_at
    if report.isolation is not None:
        values["isolation"] = report.isolation
    if report.usage is not None:
        values["cpu_seconds"] = report.usage.cpu_seconds
        values["memory_peak"] = report.usage.memory_peak
    return values


def _finish(tx: Transaction, row: Row[Any], step: Step, report: RunReport | None) -> None:
    values: dict[str, Any] = {"generation": row.generation + 1}
    if step.status is Status.STOPPED and row.stop_reason is not None:
        step = replace(step, reason=row.stop_reason)
    if report is not None:
        values |= _known(row, report)
        values |= {"exit_code": report.exit_code, "last_lines": report.last_lines}
        if report.finished_at is not None and step.status.is_final:
            values["finished_at"] = max(report.finished_at, report.started_at or row.queued_at)
    if step.pause is not None:
        values |= {
            "attempt": row.attempt + 1,
            "not_before": tx.now + timedelta(seconds=step.pause),
            "started_at": None,
            "mishaps": row.mishaps + step.mishap,
            **_ATTEMPT_ANEW,
        }
    changes.apply(tx, row, step, **values)
    people.revoke_tokens(tx, kind="run", principal_id=row.id)
    merging = context_of(tx).get(Merging)
    tx.on_commit(lambda: merging.forget(row.id, row.attempt))
    store.tell_agent(tx, row.plane_id, row.id)
    events.wake(tx, f"plane:{row.plane_id}")


def _keep_samples(tx: Transaction, report: RunReport) -> None:
    if not report.samples:
        return
    key = {
        "workload_id": report.workload_id,
        "attempt": report.attempt,
        "first_at": report.samples[0].at,
    }
    points = [[point.at.isoformat(), point.cpu, point.memory] for point in report.samples]
    known = tx.first(samples.select().filter_by(**key))
    if known is None:  # a report may come twice
        tx.execute(insert(samples).values(**key, points=points))


def take_inventory(tx: Transaction, plane_id: str, reports: Sequence[RunReport]) -> None:
    """Compare what an agent has with what it should have; what it lost is lost.

    A pending one that it does not have never reached it and is simply sent again.
    """
    take_reports(tx, plane_id, reports)
    present = {(report.workload_id, report.attempt) for report in reports}
    for row in store.admitted(tx, plane_id):
        standing = rules.standing_of(row)
        if standing.status is Status.PENDING or (row.id, row.attempt) in present:
            continue
        ending = Ending(Outcome.STOPPED, None, False) if standing.wants_stop else LOST
        step = rules.on_finished(standing, row.attempt, ending)
        if step is not None:
            _finish(tx, row, step, None)
    queue.admit(tx, plane_id)
