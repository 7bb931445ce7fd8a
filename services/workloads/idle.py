"""The loop `idle`: sessions in which nothing happens are warned, and then ended.

There is no other one that ends them (no culler of the hub's, none in the tool). The decision
is `idle_rules`; here it is carried out, in a transaction that decides again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select

from services.core.database import Transaction
from services.core.work import Work, context_of, settings_of
from services.workloads import engine, idle_rules, store
from services.workloads.idle_rules import Turn
from services.workloads.interactive import SESSION, limits_of
from services.workloads.kinds import Kinds
from services.workloads.rules import Status
from services.workloads.tables import workloads

_RUNNING = select(workloads).where(
    workloads.c.kind == SESSION,
    workloads.c.status == Status.RUNNING.value,
    workloads.c.activity_told_at.is_not(None),
)


async def turn(work: Work) -> None:
    """Look at every running session that tells what happens in it."""
    for workload_id in await work.read(_due):
        await work.write(_act, workload_id)


def _due(tx: Transaction) -> list[str]:
    return [row.id for row in tx.all(_RUNNING) if _turn_of(tx, row) is not Turn.LEAVE]


def _turn_of(tx: Transaction, row: Row[Any]) -> Turn:
    return idle_rules.turn_of(idle_rules.quiet_of(row), limits_of(row, settings_of(tx)), tx.now)


def _act(tx: Transaction, workload_id: str) -> None:
    row = store.load(tx, workload_id)
    if row is None or Status(row.status) is not Status.RUNNING:
        return
    quiet, limits = idle_rules.quiet_of(row), limits_of(row, settings_of(tx))
    turn = _turn_of(tx, row)
    if turn is Turn.WARN:
        end = idle_rules.end_of(quiet, limits)
        assert end is not None, "what is warned of has a time"
        store.change(tx, row.id, warned_of=end)
        context_of(tx).get(Kinds).warned(tx, row, end)
    elif turn is Turn.END:
        engine.stop(tx, row, reason=idle_rules.reason_of(quiet, limits))
