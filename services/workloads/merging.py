"""Keeps the pieces of a log few: a run that writes a line a second would else leave 86,400 a day.

Every `MANY` small pieces are put together into one object, at the key of the first of them:
it then holds the bytes that it held before and those of its successors, so whoever reads by
the old rows meanwhile reads right. Called by `logs.append`, in between two pieces of the same
run, so never twice at once for one run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select, update

from services.core.database import Transaction
from services.core.work import Work
from services.storage import ObjectStore
from services.workloads.tables import log_pieces

MANY = 64
SMALL = 128 << 10  # bytes; a larger piece stays as it is
MERGED_MOST = MANY * SMALL


class Merging:
    """How many pieces this process has taken of each run since it last merged."""

    def __init__(self) -> None:
        self._taken: Counter[tuple[str, int]] = Counter()

    async def took(self, work: Work, workload_id: str, attempt: int) -> None:
        """Count one more piece; merge when there are many."""
        run = (workload_id, attempt)
        self._taken[run] += 1
        if self._taken[run] >= MANY:
            self._taken[run] = 0
            await merge(work, workload_id, attempt)

    def forget(self, workload_id: str, attempt: int) -> None:
        """Stop counting for a run that is over."""
        self._taken.pop((workload_id, attempt), None)


async def merge(work: Work, workload_id: str, attempt: int) -> None:
    """Put the newest small pieces of a run together."""
    rows = await work.read(_small_tail, workload_id, attempt)
    if len(rows) < 2:
        return
    objects = work.context.get(ObjectStore)
    keys = [key_of(workload_id, attempt, row.offset) for row in rows]
    pairs = zip(keys, rows, strict=True)
    data = b"".join([await objects.get_bytes(key, 0, row.size) for key, row in pairs])
    await objects.put_bytes(keys[0], data, vital=True)
    await work.write(_replace, workload_id, attempt, rows)
    for key in keys[1:]:
        await objects.delete(key)


def key_of(workload_id: str, attempt: int, offset: int) -> str:
    """Name the object of a piece."""
    return f"logs/{workload_id}/{attempt}/{offset:016d}"


def _small_tail(tx: Transaction, workload_id: str, attempt: int) -> Sequence[Row[Any]]:
    statement = (
        select(log_pieces.c.offset, log_pieces.c.size)
        .where(log_pieces.c.workload_id == workload_id, log_pieces.c.attempt == attempt)
        .order_by(log_pieces.c.offset.desc())
        .limit(MANY)
    )
    tail: list[Row[Any]] = []
    for row in tx.all(statement):
        if row.size > SMALL:
            break
        tail.append(row)
    return tail[::-1]


def _replace(tx: Transaction, workload_id: str, attempt: int, rows: Sequence[Row[Any]]) -> None:
    first, last = rows[0], rows[-1]
    mine = (log_pieces.c.workload_id == workload_id) & (log_pieces.c.attempt == attempt)
    others = (log_pieces.c.offset > first.offset) & (log_pieces.c.offset <= last.offset)
    tx.execute(delete(log_pieces).where(mine & others))
    size = last.offset + last.size - first.offset
    tx.execute(
        update(log_pieces).where(mine, log_pieces.c.offset == first.offset).values(size=size)
    )
