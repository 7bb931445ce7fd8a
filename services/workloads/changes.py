"""Writes a step of a workload: its row, its event, its metrics. The only writer of `status`."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from services.core import events
from services.core.database import Transaction
from services.core.metrics import WORKLOADS_FINISHED
from services.core.work import context_of
from services.workloads import private, store
from services.workloads.kinds import Kinds
from services.workloads.rules import LEGAL, Status, Step


class IllegalStep(Exception):
    """A step that the rules do not know. Always a mistake of ours."""


def apply(tx: Transaction, row: Row[Any], step: Step, **values: Any) -> None:
    """Write a step and whatever else changes with it. Raises IllegalStep."""
    before = Status(row.status)
    if step.status is not before and step.status not in LEGAL[before]:
        raise IllegalStep(f"{row.id}: {before} -> {step.status}")
    if step.status.is_final:
        values.setdefault("finished_at", tx.now)
        WORKLOADS_FINISHED.labels(step.status.value).inc()
        private.forget(tx, row)
    store.change(tx, row.id, status=step.status.value, reason=step.reason, **values)
    if not context_of(tx).get(Kinds).changed(tx, row, step, values):
        data = {"status": step.status.value, "reason": step.reason, "attempt": row.attempt}
        events.publish(tx, f"{row.kind}.changed", row.id, data, project_id=row.project_id)
    events.wake(tx, f"workload:{row.id}")
