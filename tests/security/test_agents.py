"""S16 agents: enrolment once, in time; replays; another plane's work; tokens in the wrong place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from services.core.rights import Permission
from services.people.tables import tokens
from services.planes.protocol import Outcome, Phase, RunReport
from tests.house import House
from tests.security.furnished import Furnished, furnish, made, routes_of
from tests.workloads.agent import ScriptedAgent


@pytest.fixture
async def two(house: House) -> Furnished:
    """Alice and Bob and the local plane's agent."""
    return await furnish(house)


async def plane(two: Furnished, name: str = "far") -> str:
    """Add a plane; give its id."""
    return str((await made(two.house, "POST", "/planes", two.admin, json={"name": name}))["id"])


async def ticket(two: Furnished, plane_id: str) -> str:
    """Make an enrolment token."""
    path = f"/planes/{plane_id}/enrolments"
    return str((await made(two.house, "POST", path, two.admin))["token"])


async def enrol(two: Furnished, token: str) -> Any:
    """Show an enrolment token."""
    body = {"token": token, "version": "1"}
    return await two.house.call("POST", "/agents/enrol", json=body)


async def far_agent(two: Furnished, name: str = "far") -> ScriptedAgent:
    """Enrol an agent of another plane and have it connect."""
    answer = await enrol(two, await ticket(two, await plane(two, name)))
    assert answer.status_code == 200, answer.text
    agent = ScriptedAgent(two.house)
    agent.token = answer.json()["credential"]
    await agent.hello()
    return agent


async def test_an_enrolment_token_is_used_once(two: Furnished) -> None:
    token = await ticket(two, await plane(two))
    first = await enrol(two, token)
    assert first.status_code == 200
    second = await enrol(two, token)
    assert (second.status_code, second.json()["error"]["code"]) == (403, "bad_enrolment")
    assert first.json()["credential"] not in second.text


async def test_an_enrolment_token_ends(two: Furnished) -> None:
    token = await ticket(two, await plane(two))
    past = datetime.now(UTC) - timedelta(seconds=1)
    statement = update(tokens).where(tokens.c.kind == "enrolment").values(expires_at=past)
    two.house.context.db.write_now(lambda tx: tx.execute(statement))
    assert (await enrol(two, token)).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "sml_wrong", "sml_" + "x" * 150])
async def test_a_made_up_enrolment_token_is_nothing(two: Furnished, token: str) -> None:
    assert (await enrol(two, token)).status_code == 403


async def test_other_tokens_do_not_enrol_and_an_enrolment_token_does_nothing_else(
    two: Furnished,
) -> None:
    order = two.agent.commands[two.alice.ids["running"]].order
    assert order is not None
    service = await made(two.house, "POST", "/tokens", two.alice.token, json={"name": "r"})
    for token in (two.agent.token, order.token, service["token"], two.admin):
        assert (await enrol(two, token)).status_code == 403
    fresh = await ticket(two, await plane(two))
    for path in ("/me", "/jobs", "/agent/commands"):
        assert (await two.house.call("GET", path, as_=fresh)).status_code == 401


async def test_only_administrators_enrol(two: Furnished) -> None:
    plane_id = await plane(two)
    path = f"/planes/{plane_id}/enrolments"
    for token in (two.alice.token, two.agent.token, None):
        answer = await two.house.call("POST", path, as_=token)
        assert answer.status_code in (401, 403), answer.text
    local = (await made(two.house, "GET", "/planes", two.admin))["items"]
    [local_id] = [one["id"] for one in local if one["name"] == "local"]
    answer = await two.house.call("POST", f"/planes/{local_id}/enrolments", as_=two.admin)
    assert answer.status_code == 422


async def test_a_new_enrolment_ends_the_old_credential(two: Furnished) -> None:
    plane_id = await plane(two)
    old = (await enrol(two, await ticket(two, plane_id))).json()["credential"]
    path = "/agent/commands?after=0&wait=0"
    assert (await two.house.call("GET", path, as_=old)).status_code == 200
    new = (await enrol(two, await ticket(two, plane_id))).json()["credential"]
    assert (await two.house.call("GET", path, as_=new)).status_code == 200
    assert (await two.house.call("GET", path, as_=old)).status_code == 401


async def test_an_agents_token_opens_no_route_of_people(two: Furnished) -> None:
    for route in routes_of(two.house):
        if route.permission in (Permission.PUBLIC, Permission.AGENT_WORK, Permission.AGENT_ENROL):
            continue
        path = route.path
        for name in route.parameters:
            value = two.alice.ids["project"]
            path = path.replace(f"{{{name}*}}", value).replace(f"{{{name}}}", value)
        answer = await two.house.call(route.method, path, as_=two.agent.token)
        assert answer.status_code in (401, 403), (route.method, path, answer.text)


async def test_nobody_elses_token_opens_an_agents_route(two: Furnished) -> None:
    order = two.agent.commands[two.alice.ids["running"]].order
    assert order is not None
    run = two.alice.ids["running"]
    service = await made(two.house, "POST", "/tokens", two.alice.token, json={"name": "r"})
    for token in (two.alice.token, two.admin, order.token, service["token"], None):
        for method, path in (
            ("POST", "/agent/hello"),
            ("GET", "/agent/commands"),
            ("POST", "/agent/reports"),
            ("GET", f"/agent/runs/{run}/1/log"),
            ("PUT", f"/agent/runs/{run}/1/log?offset=0"),
            ("PUT", f"/agent/runs/{run}/1/outputs/x"),
        ):
            answer = await two.house.call(method, path, as_=token)
            assert answer.status_code in (401, 403), (method, path, answer.text)


async def test_another_planes_work_is_out_of_reach(two: Furnished) -> None:
    stranger = await far_agent(two)
    house, run = two.house, two.alice.ids["running"]
    assert stranger.commands == {}
    assert await stranger.poll() == []
    command = two.agent.commands[run]
    forged = RunReport(
        workload_id=run,
        generation=command.generation + 5,
        attempt=command.attempt,
        phase=Phase.FINISHED,
        outcome=Outcome.SUCCEEDED,
        exit_code=0,
    )
    assert await stranger.send(forged) == 0
    await stranger.hello(forged)
    for method, path in (
        ("GET", f"/agent/runs/{run}/1/log"),
        ("PUT", f"/agent/runs/{run}/1/log?offset=0"),
        ("PUT", f"/agent/runs/{run}/1/outputs/forged.txt"),
    ):
        answer = await house.call(method, path, as_=stranger.token, content=b"forged")
        assert answer.status_code == 404, (method, path, answer.text)
    job = await made(house, "GET", f"/jobs/{run}", two.alice.token)
    assert job["status"] == "Pending"
    assert (await made(house, "GET", f"/jobs/{run}/outputs", two.alice.token))["items"] == []


async def test_a_replayed_report_changes_nothing(two: Furnished) -> None:
    run, agent = two.alice.ids["running"], two.agent
    preparing = agent.report(run, Phase.PREPARING)
    running = agent.report(run, Phase.RUNNING)
    finished = agent.report(run, Phase.FINISHED, outcome=Outcome.FAILED, exit_code=3)
    forged = agent.report(run, Phase.FINISHED, outcome=Outcome.SUCCEEDED, exit_code=0)
    await agent.send(preparing, running, finished)
    before = await made(two.house, "GET", f"/jobs/{run}", two.alice.token)
    assert (before["status"], before["exit_code"]) == ("Failed", 3)
    for report in (preparing, running, finished, forged, running, finished):
        await agent.send(report)
    await agent.hello(forged)
    after = await made(two.house, "GET", f"/jobs/{run}", two.alice.token)
    assert after == before
    late = await agent.put_log(run, 0, b"forged later\n")
    assert late.status_code in (200, 404, 409, 410)
    text = await two.house.call("GET", f"/jobs/{run}/logs?follow=false", as_=two.alice.token)
    assert late.status_code != 200 or b"forged" not in text.content


async def test_words_that_are_no_reports_are_refused(two: Furnished) -> None:
    run = two.alice.ids["running"]
    good = two.agent.report(run, Phase.RUNNING).model_dump(mode="json")
    for bent in (
        {**good, "extra": 1},
        {**good, "phase": "won"},
        {**good, "attempt": "1 OR 1=1"},
        {**good, "reason": "x" * 5000},
        {**good, "outputs": [{"path": "x", "size": -1, "sha256": "0" * 64}]},
    ):
        body = {"reports": [bent]}
        answer = await two.house.call("POST", "/agent/reports", as_=two.agent.token, json=body)
        assert answer.status_code == 422, (bent, answer.text)
    many = {"reports": [good] * 501}
    answer = await two.house.call("POST", "/agent/reports", as_=two.agent.token, json=many)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "a//b", "./x", "a\x01b", "x" * 2000, "~/x", "a/./b"],
)
async def test_an_outputs_path_stays_inside(two: Furnished, path: str) -> None:
    from urllib.parse import quote

    run = two.alice.ids["running"]
    url = f"/agent/runs/{run}/1/outputs/{quote(path, safe='~')}"
    answer = await two.house.call("PUT", url, as_=two.agent.token, content=b"x")
    if answer.status_code == 200:  # a plain name then: kept under the run, nowhere else
        assert answer.json()["path"] == path
        assert ".." not in path
        assert not path.startswith("/")
    folder = two.house.home
    outside = [file for file in folder.rglob("*") if file.name in ("x", "passwd")]
    assert all("objects" in file.parts for file in outside)
