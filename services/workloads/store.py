"""SQL of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, bindparam, delete, func, insert, select, update

from services.core.database import Transaction
from services.core.references import Reference
from services.planes import Used
from services.workloads.rules import ADMITTED, Amount, Status
from services.workloads.tables import outbox, workloads

_ADMITTED = sorted(ADMITTED)


_ONE = select(workloads).where(workloads.c.id == bindparam("workload"))


def load(tx: Transaction, workload_id: str) -> Row[Any] | None:
    """Load a workload."""
    return tx.first(_ONE, {"workload": workload_id})


# Values go beside a statement, not into it: a statement that stays the same is compiled once.
_CHANGE = update(workloads).where(workloads.c.id == bindparam("workload"))


def change(tx: Transaction, workload_id: str, **values: Any) -> None:
    """Write some columns of a workload."""
    tx.execute(_CHANGE, {**values, "updated_at": tx.now, "workload": workload_id})


_UNTELL = delete(outbox).where(outbox.c.workload_id == bindparam("workload"))


_TELL = insert(outbox)
_TELL_AGAIN = _TELL.prefix_with("OR REPLACE")  # takes the former row away and gives a new position


def tell_agent(tx: Transaction, plane_id: str, workload_id: str) -> None:
    """Put a workload to the end of its plane's outbox: its agent should look at it again."""
    row = {"plane_id": plane_id, "workload_id": workload_id}
    if tx.dialect == "sqlite":
        tx.execute(_TELL_AGAIN, row)
        return
    tx.execute(_UNTELL, {"workload": workload_id})
    tx.execute(_TELL, row)


_UNSENT = (
    select(outbox.c.position, workloads)
    .join(workloads, workloads.c.id == outbox.c.workload_id)
    .where(outbox.c.plane_id == bindparam("plane"), outbox.c.position > bindparam("after"))
    .order_by(outbox.c.position)
    .limit(bindparam("most"))
)


def unsent(tx: Transaction, plane_id: str, after: int, limit: int) -> Sequence[Row[Any]]:
    """Workloads that a plane's agent should look at, in order, each with its position."""
    return tx.all(_UNSENT, {"plane": plane_id, "after": after, "most": limit})


def newest_position(tx: Transaction, plane_id: str) -> int:
    """Where a plane's outbox ends now."""
    statement = select(func.max(outbox.c.position)).where(outbox.c.plane_id == plane_id)
    return int(tx.scalar(statement) or 0)


def clear_outbox(tx: Transaction, plane_id: str, upto: int) -> None:
    """Forget what an agent has taken over."""
    taken = (outbox.c.plane_id == plane_id) & (outbox.c.position <= upto)
    tx.execute(delete(outbox).where(taken))


def admitted(tx: Transaction, plane_id: str) -> Sequence[Row[Any]]:
    """Everything that should be on a plane now."""
    statement = select(workloads).where(
        workloads.c.plane_id == plane_id,
        workloads.c.status.in_(_ADMITTED),
        workloads.c.finished_at.is_(None),
    )
    return tx.all(statement)


def used(tx: Transaction) -> dict[str, Used]:
    """What admitted work has of each plane."""
    statement = (
        select(
            workloads.c.plane_id,
            func.sum(workloads.c.cpu).label("cpu"),
            func.sum(workloads.c.memory).label("memory"),
            func.sum(workloads.c.gpu).label("gpu"),
        )
        .where(workloads.c.status.in_(_ADMITTED), workloads.c.finished_at.is_(None))
        .group_by(workloads.c.plane_id)
    )
    return {
        row.plane_id: Used(float(row.cpu), int(row.memory), int(row.gpu))
        for row in tx.all(statement)
    }


@dataclass(frozen=True)
class Account:
    """What one person's admitted work of one tier has of a plane."""

    person_id: str
    tier_id: str
    number: int
    amount: Amount


_ACCOUNTS = (
    select(
        workloads.c.person_id,
        workloads.c.tier_id,
        func.count().label("number"),
        func.sum(workloads.c.cpu).label("cpu"),
        func.sum(workloads.c.memory).label("memory"),
        func.sum(workloads.c.gpu).label("gpu"),
    )
    .where(
        workloads.c.plane_id == bindparam("plane"),
        workloads.c.status.in_(_ADMITTED),
        workloads.c.finished_at.is_(None),
    )
    .group_by(workloads.c.person_id, workloads.c.tier_id)
)


def accounts(tx: Transaction, plane_id: str) -> list[Account]:
    """What admitted work has of a plane, by person and tier."""
    return [
        Account(
            row.person_id,
            row.tier_id,
            row.number,
            Amount(float(row.cpu), int(row.memory), int(row.gpu)),
        )
        for row in tx.all(_ACCOUNTS, {"plane": plane_id})
    ]


_QUEUED = (
    select(workloads)
    .where(
        workloads.c.plane_id == bindparam("plane"),
        workloads.c.status == Status.QUEUED.value,
        workloads.c.finished_at.is_(None),
        (workloads.c.not_before.is_(None)) | (workloads.c.not_before <= bindparam("now")),
    )
    .order_by(workloads.c.id)
    .limit(bindparam("most"))
)


def queued(tx: Transaction, plane_id: str, limit: int) -> Sequence[Row[Any]]:
    """The head of a plane's queue, oldest first, without those that pause before a retry."""
    return tx.all(_QUEUED, {"plane": plane_id, "now": tx.now, "most": limit})


def planes_with_queue(tx: Transaction) -> list[str]:
    """Planes for which something waits."""
    statement = (
        select(workloads.c.plane_id)
        .where(workloads.c.status == Status.QUEUED, workloads.c.finished_at.is_(None))
        .distinct()
    )
    return [row.plane_id for row in tx.all(statement)]


def references(tx: Transaction, column: Column[Any], value: str) -> list[Reference]:
    """Unfinished workloads with this value in a column, for whoever wants to delete it."""
    statement = (
        select(workloads.c.id, workloads.c.kind)
        .where(column == value, workloads.c.finished_at.is_(None))
        .limit(20)
    )
    return [Reference(row.kind, row.id, row.id, live=True) for row in tx.all(statement)]


_UNFINISHED = select(func.count().label("number")).where(
    workloads.c.person_id == bindparam("person"), workloads.c.finished_at.is_(None)
)


def unfinished_of(tx: Transaction, person_id: str) -> int:
    """How many workloads of a person are not finished."""
    row = tx.first(_UNFINISHED, {"person": person_id})
    return row.number if row is not None else 0


def unfinished_by_status(tx: Transaction) -> dict[str, int]:
    """How many unfinished workloads there are in each status."""
    statement = (
        select(workloads.c.status, func.count().label("number"))
        .where(workloads.c.finished_at.is_(None))
        .group_by(workloads.c.status)
    )
    return {row.status: row.number for row in tx.all(statement)}
