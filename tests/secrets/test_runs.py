"""Which run is given which secrets, and who is told of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from services import people
from services.core.work import Work
from services.people import entry
from services.planes.protocol import Phase
from services.storage import Retention
from services.vault.tables import sealed
from tests.secrets.conftest import CANARY, Safe


async def service_token(safe: Safe, who: str, **more: Any) -> str:
    """Make a service token of somebody's."""
    answer = await safe.call(who, "POST", "/tokens", json={"name": "narrow", **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def test_persons_override_projects_and_a_jobs_own_variables_both(safe: Safe) -> None:
    for name in ("BOTH", "PROJECT", "GIVEN"):
        assert (await safe.put("owner", name, f"project-{name}", project=True)).status_code == 201
    for name in ("BOTH", "MINE"):
        assert (await safe.put("contributor", name, f"mine-{name}")).status_code == 201
    told = await safe.told(await safe.job("contributor", env={"GIVEN": "plain"}))
    assert told == {"BOTH": "mine-BOTH", "PROJECT": "project-PROJECT", "MINE": "mine-MINE"}
    told = await safe.told(await safe.job("owner"))
    assert told == {name: f"project-{name}" for name in ("BOTH", "PROJECT", "GIVEN")}


async def test_a_narrowed_token_starts_runs_without_secrets(safe: Safe) -> None:
    await safe.put("owner", "MINE")
    await safe.put("owner", "PROJECT", project=True)
    rights = ["job:start", "project:read"]
    narrow = await service_token(safe, "owner", rights=rights, project_id=safe.project_id)
    assert await safe.told(await safe.job(narrow)) == {}
    wide = await service_token(safe, "owner", rights=[*rights, "secrets:use"])
    assert set(await safe.told(await safe.job(wide))) == {"MINE", "PROJECT"}


async def test_a_token_for_one_project_reaches_no_other_secrets(safe: Safe) -> None:
    await safe.put("owner", "MINE")
    await safe.put("owner", "PROJECT", project=True)
    token = await service_token(safe, "owner", project_id=safe.project_id)
    assert (await safe.call(token, "GET", "/secrets")).status_code == 403
    listed = await safe.call(token, "GET", f"/secrets?project_id={safe.project_id}")
    assert [one["name"] for one in listed.json()["items"]] == ["PROJECT"]
    assert (await safe.put(token, "X")).status_code == 403


async def test_a_run_cannot_list_or_write_secrets(safe: Safe) -> None:
    await safe.put("owner", "MINE")
    job = await safe.job("owner")
    order = safe.agent.commands[job].order
    assert order is not None
    token = order.token
    assert (await safe.call(token, "GET", "/secrets")).status_code == 403
    assert (await safe.put(token, "X", project=True)).status_code == 403


async def test_who_is_taken_out_of_the_project_gets_nothing(safe: Safe) -> None:
    await safe.put("owner", "PROJECT", project=True)
    await safe.put("contributor", "MINE")
    job = await safe.job("contributor")
    actor = safe.house.tokens.actors[safe.people["contributor"]]
    path = f"/projects/{safe.project_id}/members/{actor.id}"
    assert (await safe.call("owner", "DELETE", path)).status_code == 204
    assert await safe.told(job) == {}


async def test_an_attempt_is_told_the_same_however_often_it_asks(safe_on_both: Safe) -> None:
    safe = safe_on_both
    made = (await safe.put("owner", "A", project=True)).json()
    job = await safe.job("owner")
    assert await safe.told(job) == {"A": CANARY}
    await safe.call("owner", "PUT", f"/secrets/{made['id']}", json={"value": "another one"})
    assert await safe.told(job) == {"A": CANARY}
    await safe.call("owner", "DELETE", f"/secrets/{made['id']}")
    assert await safe.told(job) == {"A": CANARY}


async def test_who_uses_it_is_shown(safe_on_both: Safe) -> None:
    safe = safe_on_both
    made = (await safe.put("owner", "A", project=True)).json()
    assert made["last_used_at"] is None
    jobs = [await safe.job("contributor") for _ in range(3)]
    for job in jobs:
        await safe.told(job)
    shown = (await safe.call("owner", "GET", f"/secrets/{made['id']}")).json()
    assert [use["id"] for use in shown["used_by"]] == jobs[::-1]
    assert shown["used_by"][0]["person"]["name"] == "contributor"
    assert shown["last_used_at"] == shown["used_by"][0]["at"]


async def test_one_made_while_the_run_is_on_its_way_is_not_missed(safe_on_both: Safe) -> None:
    safe = safe_on_both
    body = {"project_id": safe.project_id, "command": ["true"]}
    job = (await safe.call("owner", "POST", "/jobs", json=body)).json()["id"]
    assert (await safe.put("owner", "LATE")).status_code == 201
    await safe.agent.poll()
    order = safe.agent.commands[job].order
    assert order is not None
    assert order.secrets
    assert await safe.told(job) == {"LATE": CANARY}
    await safe.agent.say(job, Phase.RUNNING)
    await safe.agent.hello(safe.agent.report(job, Phase.RUNNING))
    order = safe.agent.commands[job].order
    assert order is not None
    assert order.secrets
    assert await safe.told(job) == {"LATE": CANARY}


async def test_one_made_after_the_run_began_is_not_its_own(safe: Safe) -> None:
    job = await safe.job("owner")
    await safe.agent.say(job, Phase.RUNNING)
    made = (await safe.put("owner", "LATE")).json()
    assert await safe.told(job) == {}
    assert (await safe.call("owner", "GET", f"/secrets/{made['id']}")).json()["used_by"] == []


async def test_those_of_who_is_gone_are_deleted(safe_on_both: Safe) -> None:
    safe = safe_on_both
    for who in ("owner", "contributor"):
        await safe.put(who, "MINE")
    await safe.put("owner", "PROJECT", project=True)
    context = safe.house.context
    clean_up = context.get(Retention).clean_ups["secrets of who is gone"]
    work = Work(context)
    assert await clean_up(work) == 0
    gone = safe.house.tokens.actors[safe.people["contributor"]].id
    await work.write(lambda tx: entry.retire(tx, people.find(tx, gone)))
    assert await clean_up(work) == 1
    path = f"/projects/{safe.project_id}"
    assert (await safe.call("owner", "DELETE", path)).status_code == 204
    assert await clean_up(work) == 1
    left = await work.read(lambda tx: tx.all(select(sealed.c.owner_kind, sealed.c.name)))
    assert [tuple(row) for row in left] == [("person", "MINE")]
