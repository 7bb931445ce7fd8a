"""Tells the hub which named servers should run. The loop `workspaces-hub`.

Level, not edge: what a workspace's row wants is told until the hub has taken it, with pauses
while it is away. A start is over with when the hub has asked us for its workload
(`serving.take`), so a hub that is killed in between is asked again. Stopping does not wait
for the hub: here it only learns of it, so that its pages and tokens agree.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row

from services import people
from services.core.auth.hub import HubApi
from services.core.auth.resolver import SourceAway
from services.core.database import Transaction
from services.core.work import Work
from services.sessions import actions, rules, store
from services.sessions.rules import Status

log = logging.getLogger("smalti.sessions")

AT_ONCE = 16
AGAIN = 10.0  # seconds after which a hub that accepted a start, and did not go on, is asked anew
AWAY = "the hub is away; it is started as soon as it is back"
STARTING = "the hub is starting it"


async def turn(work: Work) -> None:
    """Tell the hub what is due."""
    due = await work.read(store.due_at_hub, AT_ONCE)
    await asyncio.gather(*(_tell(work, row) for row in due))


async def _tell(work: Work, row: Row[Any]) -> None:
    person = await work.read(people.find, row.person_id)
    path = f"/users/{quote(person.name, safe='')}/servers/{quote(row.name, safe='')}"
    wants = row.target == "running" and row.deleted_at is None
    if wants and store.is_live(row):
        return await work.write(_pause, row, 1.0)  # the former one has to end first
    try:
        if wants:
            body = {"display_name": row.title, "user_options": {"ticket": row.ticket}}
            status, answer = await work.context.get(HubApi).call("POST", path, body)
        elif person.retired_at is not None:
            status, answer = 404, None  # the name may be somebody else's by now
        else:
            remove = {"remove": row.deleted_at is not None}
            status, answer = await work.context.get(HubApi).call("DELETE", path, remove)
    except SourceAway as error:
        log.info("the hub is not told of workspace %s now: %s", row.id, error.why)
        return await work.write(_away, row, wants)
    message = str(answer.get("message", "")) if isinstance(answer, dict) else ""
    if wants:
        await work.write(_asked, row, status, message)
    elif status < 300 or status in (400, 404):
        again = status in (202, 400) and row.deleted_at is not None
        await work.write(_pause, row, AGAIN if again else None)
    else:
        log.warning("the hub answered %d when workspace %s was stopped", status, row.id)
        await work.write(_away, row, wants)


def _same(tx: Transaction, row: Row[Any]) -> Row[Any] | None:
    """Load the row again, if it still wants what the hub was just told."""
    fresh = store.find(tx, row.id)
    mark = ("target", "ticket", "workload_id", "deleted_at", "hub_due")
    same = all(getattr(fresh, name) == getattr(row, name) for name in mark)
    return fresh if same else None


def _pause(tx: Transaction, row: Row[Any], seconds: float | None) -> None:
    if _same(tx, row) is not None:
        due = None if seconds is None else tx.now + timedelta(seconds=seconds)
        store.change(tx, row.id, hub_due=due, hub_tries=0)


def _away(tx: Transaction, row: Row[Any], wants: bool) -> None:
    fresh = _same(tx, row)
    if fresh is None:
        return
    tries = row.hub_tries + 1
    values = {"hub_tries": tries, "hub_due": tx.now + timedelta(seconds=rules.pause(tries))}
    if wants:
        actions.move(tx, fresh, Status.STARTING, AWAY, **values)
    else:
        store.change(tx, row.id, **values)


def _asked(tx: Transaction, row: Row[Any], status: int, message: str) -> None:
    fresh = _same(tx, row)
    if fresh is None:
        return
    if status < 300:
        due = tx.now + timedelta(seconds=AGAIN)
        actions.move(tx, fresh, Status.STARTING, STARTING, hub_due=due, hub_tries=0)
    elif rules.is_for_later(status, message):
        tries = row.hub_tries + 1
        due = tx.now + timedelta(seconds=rules.pause(tries))
        store.change(tx, row.id, hub_tries=tries, hub_due=due)
    else:
        why = f"the hub does not start it: {message or status}"
        over = {"target": "stopped", "ticket": None, "hub_due": None}
        actions.move(tx, fresh, Status.FAILED, why[:1000], **over)
