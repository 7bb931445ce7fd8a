"""What jobs bring to a platform process: they say which environments they use."""

from __future__ import annotations

from sqlalchemy import select

from services import workloads
from services.core.database import Transaction
from services.core.references import Reference, References
from services.core.work import Context
from services.jobs.tables import jobs


def provide(context: Context) -> None:
    """Register with the references."""
    context.get(References).register("environment", _of_environment)


def _of_environment(tx: Transaction, environment_id: str) -> list[Reference]:
    table = workloads.workloads
    statement = (
        select(jobs.c.id, jobs.c.number)
        .join(table, table.c.id == jobs.c.id)
        .where(table.c.finished_at.is_(None), jobs.c.environment_id == environment_id)
        .limit(20)
    )
    return [Reference("job", row.id, f"#{row.number}", live=True) for row in tx.all(statement)]
