"""Clean-up of what finished runs left: logs, outputs and samples whose time is over.

The workload's `kept` says what is still there, so that a reader hears "cleaned away" and not
"never existed". Rows go first, objects after: a crash between leaves objects that the next
turn lets go again, never rows without objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Table, delete, select

from services.core.database import Transaction
from services.core.work import Context, Work, settings_of
from services.storage import ObjectStore, Retention
from services.workloads import store
from services.workloads.tables import log_pieces, outputs, samples, workloads

AT_ONCE = 100


@dataclass(frozen=True)
class Kept:
    """One thing that is kept of a run: its word in `kept`, its setting, table and objects."""

    word: str
    setting: str
    table: Table
    prefix: str | None


THINGS = (
    Kept("log", "keep_logs_days", log_pieces, "logs"),
    Kept("outputs", "keep_outputs_days", outputs, "outputs"),
    Kept("samples", "keep_samples_days", samples, None),
)


def register(context: Context) -> None:
    """Have all three cleaned by the retention loop."""
    retention = context.get(Retention)
    for thing in THINGS:
        retention.register(f"run {thing.word}", partial(clean, thing=thing))


async def clean(work: Work, thing: Kept) -> int:
    """Clean one kind of thing; return of how many runs."""
    count = 0
    while ids := await work.read(_over, thing):
        for workload_id in ids:
            await work.write(_forget, thing, workload_id)
            if thing.prefix is not None:
                objects = work.context.get(ObjectStore)
                await objects.delete_prefix(f"{thing.prefix}/{workload_id}")
            await work.write(_mark, thing, workload_id)
        count += len(ids)
    return count


def _over(tx: Transaction, thing: Kept) -> Sequence[str]:
    days: int = getattr(settings_of(tx), thing.setting)
    if days <= 0:
        return []
    statement = (
        select(workloads.c.id)
        .where(
            workloads.c.finished_at < tx.now - timedelta(days=days),
            workloads.c.kept.contains(thing.word),
        )
        .order_by(workloads.c.finished_at)
        .limit(AT_ONCE)
    )
    return [row.id for row in tx.all(statement)]


def _forget(tx: Transaction, thing: Kept, workload_id: str) -> None:
    tx.execute(delete(thing.table).where(thing.table.c.workload_id == workload_id))


def _mark(tx: Transaction, thing: Kept, workload_id: str) -> None:
    row = store.load(tx, workload_id)
    if row is not None:
        kept = " ".join(word for word in row.kept.split() if word != thing.word)
        store.change(tx, workload_id, kept=kept)
