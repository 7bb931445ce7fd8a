"""Logs of runs: taken from agents piece by piece, read by people as one stream of bytes.

A workload's log is that of its attempts, one after another; an offset counts bytes from the
start of the first. Pieces are immutable objects; their rows say what is there, so a piece
counts once its row is committed and a repeated one changes nothing. The bytes are the run's
own: nothing here decodes them but the text views, which replace what is not UTF-8.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import func, insert, select

from services.core.database import Transaction
from services.core.errors import NotFound, TooLarge
from services.core.events import wake
from services.core.metrics import LOG_BYTES
from services.core.work import Work, settings_of
from services.storage import ObjectStore
from services.workloads import store
from services.workloads.merging import MERGED_MOST, Merging, key_of
from services.workloads.rules import Status
from services.workloads.tables import log_pieces

PIECE_MOST = 1 << 20
NOTICE_ROOM = 4096  # an agent may add a line of its own to a log that reached its limit


@dataclass(frozen=True)
class Piece:
    """A stretch of a workload's log: where it starts, how long it is, and its object."""

    start: int
    size: int
    key: str


@dataclass(frozen=True)
class LogNow:
    """What is there of a log from some offset on, and how its workload stands."""

    pieces: list[Piece]
    end: int
    status: Status
    reason: str | None
    collected: bool


async def append(work: Work, run: tuple[str, str, int], offset: int, data: bytes) -> int:
    """Take a piece of a run's log (plane, workload, attempt); give where the log ends now.

    A piece that does not start at the end is not taken: the answer tells where to go on.
    """
    plane_id, workload_id, attempt = run
    end = await work.read(_end, plane_id, workload_id, attempt)
    if offset > end or offset + len(data) <= end or not data:
        return end
    fresh = data[end - offset :]
    await work.context.get(ObjectStore).put_bytes(
        key_of(workload_id, attempt, end), fresh, vital=True
    )
    end = await work.write(_note, run, end, len(fresh))
    await work.context.get(Merging).took(work, workload_id, attempt)
    return end


async def end_of(work: Work, plane_id: str, workload_id: str, attempt: int) -> int:
    """Say where the stored log of an attempt ends."""
    return await work.read(_end, plane_id, workload_id, attempt)


def _end(tx: Transaction, plane_id: str, workload_id: str, attempt: int) -> int:
    row = store.load(tx, workload_id)
    if row is None or row.plane_id != plane_id or attempt != row.attempt:
        raise NotFound("this run is not known")
    if Status(row.status).is_final:
        raise NotFound("this run is finished")
    end = _attempt_end(tx, workload_id, attempt)
    if end > settings_of(tx).log_max + NOTICE_ROOM:
        raise TooLarge("the log has reached its limit")
    return end


def _attempt_end(tx: Transaction, workload_id: str, attempt: int) -> int:
    last = (
        select(log_pieces.c.offset + log_pieces.c.size)
        .where(log_pieces.c.workload_id == workload_id, log_pieces.c.attempt == attempt)
        .order_by(log_pieces.c.offset.desc())
        .limit(1)
    )
    return int(tx.scalar(last) or 0)


def _note(tx: Transaction, run: tuple[str, str, int], offset: int, size: int) -> int:
    plane_id, workload_id, attempt = run
    end = _end(tx, plane_id, workload_id, attempt)
    if end != offset:
        return end  # another request brought the same piece
    row = {"workload_id": workload_id, "attempt": attempt, "offset": offset, "size": size}
    tx.execute(insert(log_pieces), row)
    LOG_BYTES.inc(size)
    wake(tx, f"workload:{workload_id}")
    return offset + size


def look(tx: Transaction, workload_id: str, offset: int, most: int = 64) -> LogNow:
    """Find the pieces from an offset on. The caller has checked that it may be read."""
    row = store.load(tx, workload_id)
    if row is None:
        raise NotFound("this run does not exist")
    bases = _bases(tx, workload_id)
    end = sum(bases.values())
    pieces: list[Piece] = []
    base = 0
    for attempt, size in sorted(bases.items()):
        if base + size > offset and len(pieces) < most:
            local = max(0, offset - base)
            pieces += _pieces(tx, workload_id, attempt, base, local)[: most - len(pieces)]
        base += size
    collected = "log" not in row.kept.split()
    return LogNow(pieces, end, Status(row.status), row.reason, collected)


def _bases(tx: Transaction, workload_id: str) -> dict[int, int]:
    sizes = (
        select(log_pieces.c.attempt, func.max(log_pieces.c.offset + log_pieces.c.size).label("end"))
        .where(log_pieces.c.workload_id == workload_id)
        .group_by(log_pieces.c.attempt)
    )
    return {row.attempt: int(row.end) for row in tx.all(sizes)}


def _pieces(tx: Transaction, workload_id: str, attempt: int, base: int, local: int) -> list[Piece]:
    table = log_pieces
    ends_after = table.c.offset > local - max(
        PIECE_MOST, MERGED_MOST
    )  # no piece is longer: keeps to the index
    statement = (
        select(table.c.offset, table.c.size)
        .where(table.c.workload_id == workload_id, table.c.attempt == attempt, ends_after)
        .where(table.c.offset + table.c.size > local)
        .order_by(table.c.offset)
        .limit(64)
    )
    return [
        Piece(base + row.offset, row.size, key_of(workload_id, attempt, row.offset))
        for row in tx.all(statement)
    ]


async def read(work: Work, now: LogNow, offset: int) -> AsyncIterator[bytes]:
    """Yield the bytes of the pieces that `look` found, from an offset on."""
    objects = work.context.get(ObjectStore)
    for piece in now.pieces:
        skip = max(0, offset - piece.start)
        yield await objects.get_bytes(piece.key, skip, piece.size)
