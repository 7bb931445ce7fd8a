"""What agents are told: the outbox turned into commands, and the long poll that carries them.

A command is made from the workload's row at the moment of its delivery, so however often and
late it is delivered, it says what should be now. Nothing here changes a workload.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from sqlalchemy import Row

from services import planes
from services.core.bus import RECHECK
from services.core.database import Transaction
from services.core.settings import Settings
from services.core.work import Work, settings_of
from services.planes.protocol import Command, CommandsAnswer, Hello, HelloAnswer, RunOrder
from services.workloads import engine, private, store, tokens
from services.workloads.rules import ADMITTED, Status

BATCH = 200


async def hello(work: Work, plane_id: str, greeting: Hello) -> HelloAnswer:
    """Greet a (re)connecting agent: take its inventory, tell it everything it should have."""
    return await work.write(_hello, plane_id, greeting)


def _hello(tx: Transaction, plane_id: str, greeting: Hello) -> HelloAnswer:
    planes.greet(tx, plane_id, greeting)
    engine.take_inventory(tx, plane_id, greeting.inventory)
    settings = settings_of(tx)
    return HelloAnswer(
        plane_id=plane_id,
        plane=planes.plane(tx, plane_id).name,
        commands=[_command(tx, row, settings) for row in store.admitted(tx, plane_id)],
        cursor=store.newest_position(tx, plane_id),
        poll=settings.agent_poll,
    )


async def poll(work: Work, plane_id: str, after: int, wait: float) -> CommandsAnswer:
    """Give the commands after a cursor, waiting for some if there are none.

    Asking with a cursor says that everything up to it has been taken over.
    """
    deadline = asyncio.get_running_loop().time() + wait
    with work.context.bus.listen(f"plane:{plane_id}") as listener:
        due, answer = await work.read(_first_look, plane_id, after)
        if due:
            await work.write(_note, plane_id, after)
        while True:
            left = deadline - asyncio.get_running_loop().time()
            if answer.commands or left <= 0:
                return answer
            await listener.wait(min(left, RECHECK))
            answer = await work.read(_commands, plane_id, after)


def _first_look(tx: Transaction, plane_id: str, after: int) -> tuple[bool, CommandsAnswer]:
    return planes.is_due(tx, plane_id), _commands(tx, plane_id, after)


def _note(tx: Transaction, plane_id: str, after: int) -> None:
    """Write a sign of life down, and forget what was taken over since the last one.

    Rows that were taken over do no harm: they lie before the cursor, and would say what is.
    """
    planes.saw(tx, plane_id)
    store.clear_outbox(tx, plane_id, after)


def _commands(tx: Transaction, plane_id: str, after: int) -> CommandsAnswer:
    rows = store.unsent(tx, plane_id, after, BATCH)
    settings = settings_of(tx)
    cursor = rows[-1].position if rows else after
    return CommandsAnswer(commands=[_command(tx, row, settings) for row in rows], cursor=cursor)


def _command(tx: Transaction, row: Row[Any], settings: Settings) -> Command:
    return command_for(row, settings, private.wanted(tx, row))


def command_for(row: Row[Any], settings: Settings, secrets: bool) -> Command:
    """Say what should be of a workload now; `secrets`: whether it is to ask for some."""
    status = Status(row.status)
    action: Literal["run", "stop", "forget"]
    if status in ADMITTED:
        action = "stop" if row.target == "stopped" else "run"
        attempt = row.attempt
    else:
        # Final, or queued for its next attempt: the agent may drop what it kept of the last.
        action = "forget"
        attempt = row.attempt - 1 if status is Status.QUEUED else row.attempt
    order = None
    if action == "run":
        secret = tokens.secret_of(settings, row.id, row.attempt)
        told = {**row.order, "secrets": secrets}
        order = RunOrder(**told, kind=row.kind, token=secret, grace=settings.stop_grace)
    return Command(
        workload_id=row.id,
        generation=row.generation,
        attempt=attempt,
        action=action,
        order=order,
    )
