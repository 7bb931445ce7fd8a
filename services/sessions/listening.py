"""Keeps a workspace in step with the workload of its last start.

Called by the engine inside the transaction of each of the workload's steps. What a former
start still does says nothing about the workspace any more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services import workloads
from services.core import events
from services.core.database import Transaction
from services.sessions import actions, snapshots, store
from services.sessions.rules import OF_RUN, ON_THE_WAY, Status
from services.workloads import Step

TOOL = "its tool is starting"


def changed(tx: Transaction, run: Row[Any], step: Step, values: dict[str, Any]) -> None:
    """Take over a step of a workload."""
    row = store.of_workload(tx, run.id)
    if row is None:
        return
    status = OF_RUN[step.status]
    if status is Status.RUNNING and run.address is None:
        actions.move(tx, row, Status.PREPARING, TOOL)
        return
    if status is Status.RUNNING or step.status is workloads.Status.FAILED:
        _restored(tx, row, run)
    if not step.status.is_final:
        more = _took(tx, row) if status is Status.RUNNING else {}
        actions.move(tx, row, status, step.reason, **more)
        return
    if row.target == "running" and row.start_key is None:
        # It was started anew while this one was ending: the next start waits for that.
        actions.move(tx, row, Status.STARTING, actions.ASKING, hub_due=row.hub_due or tx.now)
        return
    # The hub learns of it now, and not only when it looks next.
    actions.move(tx, row, status, step.reason, target="stopped", ticket=None, hub_due=tx.now,
                 hub_tries=0)  # fmt: skip


def answers(tx: Transaction, run: Row[Any]) -> None:
    """Take over that the tool can be reached."""
    row = store.of_workload(tx, run.id)
    if row is not None:
        _restored(tx, row, run)
        actions.move(tx, row, Status.RUNNING, run.reason, **_took(tx, row))


def _took(tx: Transaction, row: Row[Any]) -> dict[str, float]:
    """Reckon how long a start took that is over by now."""
    if row.status not in ON_THE_WAY or row.started_at is None:
        return {}
    return {"start_seconds": (tx.now - row.started_at).total_seconds()}


def _restored(tx: Transaction, row: Row[Any], run: Row[Any]) -> None:
    """Take note that a start is past putting files back."""
    commit = (run.order.get("session") or {}).get("restore")
    if commit is not None:
        snapshots.restored(tx, row.id, commit)


def warned(tx: Transaction, run: Row[Any], end: datetime) -> None:
    """Tell a workspace's person that it is about to be ended."""
    row = store.of_workload(tx, run.id)
    if row is not None:
        data = {"ends_at": end.isoformat().replace("+00:00", "Z"), "name": row.name}
        events.publish(tx, "workspace.warned", row.id, data, project_id=row.project_id)
