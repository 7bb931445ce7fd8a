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
from itertools import combinations

from sqlalchemy import Table, delete, select

from services.core.database import Transaction
from services.core.work import Context, Work, settings_of
from services.storage import ObjectStore, Retention
from services.workloads import store
from services.workloads.tables import log_pieces, outputs, samples, workloads

AT_ONCE = 20  # runs in one transaction: the writer is not held for long


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
        await work.write(_forget, thing, ids)
        if thing.prefix is not None:
            objects = work.context.get(ObjectStore)
            for workload_id in ids:
                await objects.delete_prefix(f"{thing.prefix}/{workload_id}")
        await work.write(_mark, thing, ids)
        count += len(ids)
    return count


def _over(tx: Transaction, thing: Kept) -> Sequence[str]:
    days: int = getattr(settings_of(tx), thing.setting)
    if days <= 0:
        return []
    # Asked by the whole values of `kept`, which the index begins with: what has been cleaned
    # long ago is not gone through again.
    statement = (
        select(workloads.c.id)
        .where(
            workloads.c.kept.in_(_values_with(thing.word)),
            workloads.c.finished_at < tx.now - timedelta(days=days),
        )
        .limit(AT_ONCE)
    )
    return [row.id for row in tx.all(statement)]


def _values_with(word: str) -> list[str]:
    words = [thing.word for thing in THINGS]
    kept = [some for count in range(len(words)) for some in combinations(words, count + 1)]
    return [" ".join(some) for some in kept if word in some]


def _forget(tx: Transaction, thing: Kept, ids: Sequence[str]) -> None:
    tx.execute(delete(thing.table).where(thing.table.c.workload_id.in_(ids)))


def _mark(tx: Transaction, thing: Kept, ids: Sequence[str]) -> None:
    for workload_id in ids:
        row = store.load(tx, workload_id)
        if row is not None:
            kept = " ".join(word for word in row.kept.split() if word != thing.word)
            store.change(tx, workload_id, kept=kept)
