"""Background loops: each does one turn of work when woken, and at the latest every so often.

A loop's turn must find its work in the database and must be harmless when done twice. With
several platform processes a loop that declares a `lease` runs in one of them at a time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.core.database import Transaction
from services.core.metrics import LOOP_FAILURES, LOOP_LAG
from services.core.tables import leases
from services.core.work import Context, Work

log = logging.getLogger("smalti.loops")

LEASE_SECONDS = 15.0
BACKOFF_MOST = 30.0
HOLDER = f"{os.uname().nodename[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Loop:
    """One loop: its turn, its wake-up subjects and its slowest beat in seconds."""

    name: str
    turn: Callable[[Work], Awaitable[None]]
    every: float
    wakes: tuple[str, ...] = ()
    lease: bool = True


async def run(context: Context, loop: Loop) -> None:
    """Turn for ever. A failing turn is logged, counted and tried again with back-off."""
    failures = 0
    with context.bus.listen(*loop.wakes, f"loop:{loop.name}") as listener:
        while True:
            try:
                if not loop.lease or await holds(context, loop.name):
                    await loop.turn(Work(context))
                failures = 0
                pause = loop.every
            except Exception:  # a loop must outlive whatever one turn meets
                failures += 1
                LOOP_FAILURES.labels(loop.name).inc()
                log.exception("loop %s failed %d times in a row", loop.name, failures)
                pause = min(BACKOFF_MOST, 0.2 * 2**failures) * random.uniform(0.8, 1.2)  # noqa: S311
            await listener.wait(pause)


_held_until: dict[str, float] = {}


async def holds(context: Context, name: str) -> bool:
    """Take or keep a lease; tell whether this process has it.

    An embedded platform is alone with its SQLite file, which its supervisor locks.
    """
    if context.db.is_sqlite:
        return True
    if _held_until.get(name, 0.0) - LEASE_SECONDS / 2 > time.monotonic():
        return True
    began = time.monotonic()
    if not await context.db.write(take, name, HOLDER, LEASE_SECONDS):
        _held_until.pop(name, None)
        return False
    _held_until[name] = began + LEASE_SECONDS
    return True


def take(tx: Transaction, name: str, holder: str, seconds: float) -> bool:
    """Take a lease that is free, ours or over; tell whether it is ours now."""
    until = tx.now + timedelta(seconds=seconds)
    dialect = postgresql if tx.dialect == "postgresql" else sqlite
    fresh = dialect.insert(leases).values(name=name, holder=holder, expires_at=until)
    tx.execute(fresh.on_conflict_do_nothing())
    free = (leases.c.holder == holder) | (leases.c.expires_at < tx.now)
    tx.execute(
        update(leases).where(leases.c.name == name, free).values(holder=holder, expires_at=until)
    )
    return bool(tx.scalar(select(leases.c.holder).where(leases.c.name == name)) == holder)


async def measure_lag() -> None:
    """Observe for ever how late the event loop comes back from a short sleep."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.25)
        LOOP_LAG.observe(max(0.0, time.monotonic() - before - 0.25))
