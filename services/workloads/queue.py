"""Admission: which of the waiting workloads goes to its plane next, and why the others wait.

First come, first served on each plane; what does not fit is stepped over by what does, until
it has waited for `PATIENCE`: from then on nothing passes it. Called inside the transactions
that make room or make work (so that no turn of a loop lies between), and by the queue's loop,
which also writes down the reasons. Cost grows with what is admitted, never with history.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from services import environments, people, planes
from services.core import events
from services.core.database import Transaction
from services.core.metrics import QUEUE_SECONDS
from services.core.work import Work, context_of, settings_of
from services.storage import Disk
from services.workloads import changes, store, tokens
from services.workloads.rules import Amount, Status, Step, waits_for

AT_ONCE = 20  # admitted by one transaction: the next one follows at once
HEAD = 8  # of the queue that is looked at inside the transactions of others
EXPLAINED = 100  # waiting workloads whose reason is kept up to date, from the head on
PATIENCE = timedelta(minutes=5)
PLACE_EVERY = timedelta(seconds=10)  # how exact the place in a reason is: places change with each


@dataclass
class Room:
    """What there is to give on one plane while a queue is gone through."""

    free: Amount
    people: Counter[str]
    tiers: Counter[str]
    limit_per_person: int
    unready: dict[tuple[str, int], str]
    tier_limits: dict[str, int | None] = field(default_factory=dict)

    def refusal(self, tx: Transaction, row: Row[Any]) -> str | None:
        """Say what this workload waits for, or None when it can go."""
        environment = (row.order["environment"]["name"], row.order["environment"]["revision"])
        if environment in self.unready:
            name, revision = environment
            why = self.unready[environment]
            return f"waiting for environment {name} revision {revision}: {why}"
        if self.people[row.person_id] >= self.limit_per_person:
            return f"waiting: you have {self.limit_per_person} running, the most one person may"
        if row.tier_id not in self.tier_limits:
            tier = planes.tier_named(tx, row.tier)
            self.tier_limits[row.tier_id] = tier.max_running if tier else None
        most = self.tier_limits[row.tier_id]
        if most is not None and self.tiers[row.tier_id] >= most:
            return f"waiting: tier {row.tier} runs {most} at once at the most"
        return waits_for(_wanted(row), self.free, row.tier)

    def take(self, row: Row[Any]) -> None:
        """Give this workload its place."""
        self.free = self.free.minus(_wanted(row))
        self.people[row.person_id] += 1
        self.tiers[row.tier_id] += 1


def admit(
    tx: Transaction, plane_id: str, *, explain: bool = False, plane: Row[Any] | None = None
) -> int:
    """Admit what fits on a plane, and with `explain` write why the rest waits.

    `plane` is its row, where the caller has just loaded it.
    """
    looked_at = EXPLAINED if explain else HEAD
    queued = store.queued(tx, plane_id, looked_at)
    if not queued:
        return 0
    if plane is None:
        plane = planes.plane(tx, plane_id)
    closed = _closed(tx, plane)
    if closed is not None:
        if explain:
            _explain(tx, [(row, closed) for row in queued])
        return 0
    admitted, waiting = _go_through(tx, _room(tx, plane), queued)
    if explain:
        _explain(tx, waiting)
    if admitted:
        events.wake(tx, f"plane:{plane_id}")
    if admitted >= min(looked_at, AT_ONCE):
        events.wake(tx, "loop:queue")  # there may be more behind those that were looked at
    return admitted


def _go_through(tx: Transaction, room: Room, queued: Any) -> tuple[int, list[tuple[Row[Any], str]]]:
    admitted, held = 0, False
    waiting: list[tuple[Row[Any], str]] = []
    for row in queued:
        if held:
            waiting.append((row, "waiting behind a larger one that has waited for long"))
            continue
        refusal = "waiting for its turn" if admitted >= AT_ONCE else room.refusal(tx, row)
        if refusal is None:
            room.take(row)
            _send(tx, row)
            admitted += 1
        else:
            waiting.append((row, refusal))
            lacks_room = refusal == waits_for(_wanted(row), room.free, row.tier)
            held = lacks_room and tx.now - row.queued_at > PATIENCE
    return admitted, waiting


def _closed(tx: Transaction, plane: Row[Any]) -> str | None:
    if not planes.is_connected(tx, plane):
        return f"waiting: data plane {plane.name} is away"
    if context_of(tx).get(Disk).low:
        return "waiting: the platform's disk is nearly full"
    return None


def _room(tx: Transaction, plane: Row[Any]) -> Room:
    free = Amount(plane.cpu, plane.memory, plane.gpu)
    by_person: Counter[str] = Counter()
    by_tier: Counter[str] = Counter()
    for account in store.accounts(tx, plane.id):
        free = free.minus(account.amount)
        by_person[account.person_id] += account.number
        by_tier[account.tier_id] += account.number
    most = settings_of(tx).running_max_per_person
    return Room(free, by_person, by_tier, most, environments.unready(tx))


def _wanted(row: Row[Any]) -> Amount:
    return Amount(row.cpu, row.memory, row.gpu)


def _send(tx: Transaction, row: Row[Any]) -> None:
    people.issue_token(
        tx,
        kind="run",
        principal_id=row.id,
        name=f"run {row.id}",
        person_id=row.person_id,
        project_id=row.project_id,
        rights=tokens.given(row.rights, row.kind),
        secret=tokens.secret_of(settings_of(tx), row.id, row.attempt),
    )
    QUEUE_SECONDS.observe((tx.now - row.queued_at).total_seconds())
    step = Step(Status.PENDING, "sent to its data plane")
    values: dict[str, Any] = {
        "generation": row.generation + 1,
        "admitted_at": tx.now,
        "not_before": None,
    }
    order = _complete(tx, row)
    if order != row.order:
        values["order"] = order
    changes.apply(tx, row, step, **values)
    store.tell_agent(tx, row.plane_id, row.id)


def _complete(tx: Transaction, row: Row[Any]) -> dict[str, Any]:
    """Say in the order what was not known, or may have changed, since it was accepted."""
    order: dict[str, Any] = row.order
    wanted = order["environment"]
    if wanted["digest"]:
        return order
    digest = environments.digest_of(tx, wanted["name"], wanted["revision"])
    return {**order, "environment": {**wanted, "digest": digest}}


def _explain(tx: Transaction, waiting: list[tuple[Row[Any], str]]) -> None:
    for place, (row, refusal) in enumerate(waiting):
        reason = _with_place(row, refusal, place)
        if row.reason == reason:
            continue
        only_the_place = (row.reason or "").partition(";")[0] == refusal
        if only_the_place and place and tx.now - row.updated_at < PLACE_EVERY:
            continue
        changes.apply(tx, row, Step(Status.QUEUED, reason))


def _with_place(row: Row[Any], refusal: str, before: int) -> str:
    if row.kind == "session":  # somebody sits there and waits
        return f"{refusal}; position {before + 1} in the queue"
    return f"{refusal}; {before} before it" if before else refusal


async def turn(work: Work) -> None:
    """One turn of the loop: admit on every plane for which something waits, and explain."""
    waiting = await work.read(store.planes_with_queue)
    for plane_id in waiting:
        await work.write(admit, plane_id, explain=True)
