"""What the engine brings to a platform process: its accounts, its loops, its retention."""

from __future__ import annotations

from services.core.loops import Loop
from services.core.metrics import WORKLOADS
from services.core.references import References
from services.core.work import Context, Work
from services.planes import Accountant
from services.workloads import idle, queue, retention, store
from services.workloads.kinds import Kinds
from services.workloads.merging import Merging
from services.workloads.rules import Status
from services.workloads.tables import workloads

QUEUE_SECONDS = 2.0
COUNT_SECONDS = 5.0
IDLE_SECONDS = 5.0


def provide(context: Context) -> None:
    """Let planes know what is in use, deletion know what is in the way, retention what is old."""
    context.provide(Accountant, Accountant(store.used))
    context.provide(Merging, Merging())
    context.provide(Kinds, Kinds())
    references = context.get(References)
    references.register("tier", lambda tx, key: store.references(tx, workloads.c.tier_id, key))
    references.register(
        "project", lambda tx, key: store.references(tx, workloads.c.project_id, key)
    )
    retention.register(context)


async def _count(work: Work) -> None:
    found = await work.read(store.unfinished_by_status)
    for status in Status:
        if not status.is_final:
            WORKLOADS.labels(status.value).set(found.get(status.value, 0))


loops = (
    Loop("queue", queue.turn, QUEUE_SECONDS, wakes=("environments", "disk")),
    Loop("idle", idle.turn, IDLE_SECONDS),
    Loop("workload-counts", _count, COUNT_SECONDS, lease=False),
)
