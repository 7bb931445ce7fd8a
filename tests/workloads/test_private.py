"""What a run's agent is told in secret, when, and what is left of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from services import vault
from services.core.database import Database, metadata
from services.core.errors import Unprocessable
from services.planes.protocol import Outcome, Phase
from services.vault.tables import sealed
from tests.house import House
from tests.workloads.agent import ScriptedAgent
from tests.workloads.conftest import Queue

CANARY = "canary-5ecret-value-0123456789"


async def ask(agent: ScriptedAgent, workload_id: str, attempt: int = 1) -> Any:
    """Ask for the secrets of a run."""
    path = f"/agent/runs/{workload_id}/{attempt}/secrets"
    return await agent.house.call("GET", path, as_=agent.token)


def everything(db: Database) -> str:
    """Every row of every table, as text."""

    def read(tx: Any) -> str:
        return "".join(
            repr(tuple(row)) for table in metadata.sorted_tables for row in tx.all(select(table))
        )

    return db.read_now(read)


@pytest.fixture
async def both(queue_on_both: Queue) -> tuple[Queue, ScriptedAgent]:
    agent = ScriptedAgent(queue_on_both.house)
    await agent.hello()
    return queue_on_both, agent


async def test_private_variables_are_told_to_the_agent_and_stand_in_no_row(
    both: tuple[Queue, ScriptedAgent],
) -> None:
    queue, agent = both
    workload_id = await queue.add(private={"JUPYTERHUB_API_TOKEN": CANARY})
    (command,) = await agent.poll()
    assert command.order is not None
    assert command.order.secrets
    assert CANARY not in command.model_dump_json()
    assert (await ask(agent, workload_id)).json() == {"env": {"JUPYTERHUB_API_TOKEN": CANARY}}
    assert (await ask(agent, workload_id)).json() == {"env": {"JUPYTERHUB_API_TOKEN": CANARY}}
    assert CANARY not in everything(queue.house.context.db)
    await agent.finish(workload_id)
    assert (await ask(agent, workload_id)).status_code == 404
    assert await queue.work.read(lambda tx: tx.all(select(sealed))) == []


async def test_without_any_the_agent_has_nothing_to_ask(
    both: tuple[Queue, ScriptedAgent],
) -> None:
    queue, agent = both
    workload_id = await queue.add()
    (command,) = await agent.poll()
    assert command.order is not None
    assert not command.order.secrets
    assert (await ask(agent, workload_id)).json() == {"env": {}}


async def test_only_the_attempt_that_was_sent_is_told(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house, cpu=1.0)
    await agent.hello()
    first = await queue.add(private={"A": CANARY}, retries=1)
    waiting = await queue.add(private={"A": CANARY})
    assert await queue.status(waiting) == "Queued"
    assert (await ask(agent, waiting)).status_code == 404
    assert (await ask(agent, first, attempt=2)).status_code == 404
    assert (await ask(agent, "nothing")).status_code == 404
    await agent.poll()
    more = {"outcome": Outcome.ERROR, "reason": "x", "retryable": True}
    await agent.say(first, Phase.FINISHED, **more)
    assert (await ask(agent, first)).status_code == 404


async def test_a_retry_has_them_again(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add(private={"A": CANARY}, retries=1)
    await agent.poll()
    await ask(agent, workload_id)
    more = {"outcome": Outcome.FAILED, "exit_code": 1}
    await agent.say(workload_id, Phase.RUNNING)
    await agent.say(workload_id, Phase.FINISHED, **more)
    row = await queue.row(workload_id)
    assert (row.status, row.attempt) == ("Queued", 2)
    kept = await queue.work.read(lambda tx: vault.sealed_of(tx, "workload", [workload_id]))
    assert [one.owner.name for one in kept] == ["delivered 1", "private"]


async def test_another_planes_agent_is_told_nothing(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add(private={"A": CANARY})
    admin = await queue.house.sign_in("root", *_admin())
    plane = (await queue.house.call("POST", "/planes", as_=admin, json={"name": "far"})).json()
    enrolment = await queue.house.call("POST", f"/planes/{plane['id']}/enrolments", as_=admin)
    body = {"token": enrolment.json()["token"], "version": "1"}
    enrolled = (await queue.house.call("POST", "/agents/enrol", json=body)).json()
    agent.token = enrolled["credential"]
    assert (await ask(agent, workload_id)).status_code == 404


def _admin() -> tuple[Any, ...]:
    from services.core.rights import PlatformRole

    return (PlatformRole.ADMIN,)


async def test_too_much_is_refused(queue: Queue) -> None:
    with pytest.raises(Unprocessable, match="at most"):
        await queue.add(private={"A": "x" * (1 << 20)})


async def test_repr_shows_no_value(queue: Queue, house: House) -> None:
    from services.workloads import NewWorkload

    new = NewWorkload("i", "job", "p", "a", None, {}, 1.0, private={"A": CANARY})
    assert CANARY not in repr(new) + json.dumps(house.settings.trait_values(), default=str)
