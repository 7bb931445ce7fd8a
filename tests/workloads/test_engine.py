"""The engine with an agent that speaks the real protocol, on both databases."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from services.core.errors import TooMany, Unprocessable
from services.planes.protocol import Outcome, Phase, SamplePoint, UsageReport
from services.workloads import queue as queue_module
from services.workloads import rules, store
from tests.house import House
from tests.workloads.agent import ScriptedAgent
from tests.workloads.conftest import Queue


async def test_a_workload_goes_its_whole_way(queue_on_both: Queue) -> None:
    queue = queue_on_both
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    assert await queue.status(workload_id) == "Pending"
    [command] = await agent.poll()
    assert (command.action, command.attempt) == ("run", 1)
    assert command.order is not None
    assert command.order.argv == ["true"]
    seen = []
    for phase in (Phase.PREPARING, Phase.RUNNING, Phase.FINISHING):
        await agent.say(workload_id, phase, isolation="full")
        seen.append(await queue.status(workload_id))
    assert seen == ["Preparing", "Running", "Finishing"]
    usage = UsageReport(cpu_seconds=1.5, memory_peak=1000)
    await agent.say(
        workload_id, Phase.FINISHED, outcome=Outcome.SUCCEEDED, exit_code=0, usage=usage
    )
    row = await queue.row(workload_id)
    assert (row.status, row.exit_code, row.cpu_seconds, row.isolation) == (
        "Succeeded", 0, 1.5, "full",
    )  # fmt: skip
    [forget] = await agent.poll()
    assert forget.action == "forget"
    assert forget.generation > command.generation


async def test_reports_may_come_twice_and_in_any_order(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    await agent.poll()
    reports = [
        agent.report(workload_id, Phase.PREPARING),
        agent.report(workload_id, Phase.RUNNING),
        agent.report(workload_id, Phase.FINISHING),
        agent.report(workload_id, Phase.FINISHED, outcome=Outcome.FAILED, exit_code=3),
    ] * 3
    random.Random(7).shuffle(reports)
    for report in reports:
        await agent.send(report)
    row = await queue.row(workload_id)
    assert (row.status, row.exit_code) == ("Failed", 3)
    assert await agent.send(*reports) == 0


async def test_what_does_not_fit_waits_with_a_reason_and_goes_when_there_is_room(
    queue: Queue,
) -> None:
    agent = ScriptedAgent(queue.house, cpu=2.0)
    await agent.hello()
    ids = [await queue.add() for _ in range(4)]
    await queue_module.turn(queue.work)
    assert [await queue.status(one) for one in ids] == ["Pending", "Pending", "Queued", "Queued"]
    waiting = [(await queue.row(one)).reason for one in ids[2:]]
    assert waiting[0] == "waiting for 1 CPU for tier small (0 free)"
    assert waiting[1].endswith("1 before it")
    await agent.poll()
    await agent.finish(ids[0])
    assert await queue.status(ids[2]) == "Pending"
    assert await queue.status(ids[3]) == "Queued"


async def test_a_plane_that_is_away_gets_nothing_and_says_so(queue: Queue) -> None:
    workload_id = await queue.add()
    await queue_module.turn(queue.work)
    row = await queue.row(workload_id)
    assert (row.status, row.reason) == ("Queued", "waiting: data plane local is away")
    await ScriptedAgent(queue.house).hello()
    assert await queue.status(workload_id) == "Pending"


async def test_a_tier_larger_than_its_plane_is_refused(queue: Queue) -> None:
    await ScriptedAgent(queue.house, cpu=2.0).hello()
    with pytest.raises(Unprocessable, match="tier large needs 8 CPUs; plane local has 2"):
        await queue.add(tier="large")
    with pytest.raises(Unprocessable, match="no hardware tier named nothing"):
        await queue.add(tier="nothing")


async def test_without_isolation_only_the_first_person_runs(queue: Queue) -> None:
    await queue.add(person="ada")
    agent = ScriptedAgent(queue.house)
    agent.isolation = "none"
    await agent.hello()
    await queue.add(person="ada")
    with pytest.raises(Unprocessable, match="cannot keep people's runs apart"):
        await queue.add(person="bob")
    queue.house.settings.allow_without_isolation = True
    await queue.add(person="bob")


async def test_a_person_runs_only_so_many_at_once_and_others_pass(queue: Queue) -> None:
    queue.house.settings.running_max_per_person = 1
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    mine = [await queue.add(person="ada") for _ in range(2)]
    theirs = await queue.add(person="bob")
    await queue_module.turn(queue.work)
    assert await queue.status(mine[1]) == "Queued"
    assert "the most one person may" in (await queue.row(mine[1])).reason
    assert await queue.status(theirs) == "Pending"


async def test_a_person_has_only_so_many_unfinished(queue: Queue) -> None:
    queue.house.settings.queue_max_per_person = 2
    await queue.add()
    await queue.add()
    with pytest.raises(TooMany):
        await queue.add()


async def test_a_large_one_that_has_waited_for_long_is_not_passed_any_more(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = ScriptedAgent(queue.house, cpu=2.0)
    await agent.hello()
    first = await queue.add()
    large = await queue.add(tier="medium")
    passing = await queue.add()
    assert await queue.status(passing) == "Pending"
    monkeypatch.setattr(queue_module, "PATIENCE", timedelta(0))
    await agent.poll()
    await agent.finish(passing)
    held = await queue.add()
    await queue_module.turn(queue.work)
    assert await queue.status(held) == "Queued"
    await agent.finish(first)
    assert await queue.status(large) == "Pending"


async def test_stop_before_it_is_sent_ends_it_at_once(queue: Queue) -> None:
    workload_id = await queue.add()
    assert await queue.stop(workload_id)
    assert await queue.status(workload_id) == "Stopped"
    assert not await queue.stop(workload_id)


async def test_stop_of_a_running_one_goes_by_its_agent(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    await agent.poll()
    await agent.say(workload_id, Phase.RUNNING)
    await queue.stop(workload_id)
    assert await queue.status(workload_id) == "Stopping"
    [command] = await agent.poll()
    assert command.action == "stop"
    await agent.say(workload_id, Phase.FINISHED, outcome=Outcome.STOPPED)
    assert await queue.status(workload_id) == "Stopped"


async def test_a_failure_is_tried_again_as_often_as_asked(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add(retries=1)
    await agent.poll()
    await agent.finish(workload_id, 1, reason="exit code 1")
    row = await queue.row(workload_id)
    assert (row.status, row.attempt) == ("Queued", 2)
    assert row.reason == "trying again (attempt 2) after: exit code 1"
    assert row.not_before > datetime.now(UTC)
    [forget] = await agent.poll()
    assert (forget.action, forget.attempt) == ("forget", 1)
    await queue.work.write(lambda tx: store.change(tx, workload_id, not_before=tx.now))
    await queue_module.turn(queue.work)
    [again] = await agent.poll()
    assert (again.action, again.attempt) == ("run", 2)
    await agent.finish(workload_id, 1)
    assert await queue.status(workload_id) == "Failed"


async def test_each_attempt_has_a_token_of_its_own_and_it_ends_with_it(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    [command] = await agent.poll()
    assert command.order is not None
    token = command.order.token
    assert token.startswith("sml_")
    await agent.finish(workload_id)
    response = await queue.house.call("GET", "/me", as_=token)
    assert response.status_code == 401


async def test_what_an_agent_lost_is_tried_again_and_what_it_never_got_is_sent(
    queue: Queue,
) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    running, pending = await queue.add(), await queue.add()
    await agent.poll()
    await agent.say(running, Phase.RUNNING)
    answer = await agent.hello()
    assert [command.workload_id for command in answer.commands] == [pending]
    row = await queue.row(running)
    assert (row.status, row.attempt, row.mishaps) == ("Queued", 2, 1)
    assert "lost" in row.reason


async def test_what_an_agent_still_has_goes_on(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    await agent.poll()
    await agent.say(workload_id, Phase.RUNNING)
    report = agent.report(workload_id, Phase.RUNNING)
    answer = await agent.hello(report)
    assert [command.action for command in answer.commands] == ["run"]
    assert await queue.status(workload_id) == "Running"


async def test_a_long_poll_is_answered_as_soon_as_there_is_something(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    loop = asyncio.get_running_loop()
    polling = asyncio.create_task(agent.poll(wait=30))
    began = loop.time()
    workload_id = await queue.add()
    commands = await polling
    assert [command.workload_id for command in commands] == [workload_id]
    assert loop.time() - began < 5


async def test_samples_are_kept_once(queue: Queue) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    await agent.poll()
    point = SamplePoint(at=datetime.now(UTC), cpu=0.5, memory=100)
    for _ in range(2):
        await agent.say(workload_id, Phase.RUNNING, samples=[point])
    from services.workloads import samples

    rows = await queue.work.read(lambda tx: tx.all(samples.select()))
    assert [len(row.points) for row in rows] == [1]


async def test_another_planes_agent_is_not_heard(queue: Queue, house: House) -> None:
    agent = ScriptedAgent(queue.house)
    await agent.hello()
    workload_id = await queue.add()
    await agent.poll()
    admin = await house.sign_in("root", *_admin())
    plane = (await house.call("POST", "/planes", as_=admin, json={"name": "far"})).json()
    path = f"/planes/{plane['id']}/enrolments"
    token = (await house.call("POST", path, as_=admin)).json()["token"]
    body = {"token": token, "version": "1"}
    enrolled = (await house.call("POST", "/agents/enrol", json=body)).json()
    stranger = ScriptedAgent(house)
    stranger.token, stranger.commands = enrolled["credential"], agent.commands
    applied = await stranger.say(workload_id, Phase.FINISHED, outcome=Outcome.FAILED, exit_code=1)
    assert applied == 0
    assert (await stranger.put_log(workload_id, 0, b"forged")).status_code == 404
    assert (await stranger.put_output(workload_id, "a.txt", b"forged")).status_code == 404
    assert await stranger.poll() == []
    assert await queue.status(workload_id) == "Pending"
    again = await house.call("POST", "/agents/enrol", json=body)
    assert again.status_code in (401, 403)


def _admin() -> tuple[object, ...]:
    from services.core.rights import PlatformRole

    return (PlatformRole.ADMIN,)


async def test_two_reconcilers_at_once_admit_each_workload_once(queue_on_both: Queue) -> None:
    queue = queue_on_both
    ids = [await queue.add() for _ in range(6)]
    agent = ScriptedAgent(queue.house, cpu=3.0)
    await agent.hello()
    await asyncio.gather(*(queue_module.turn(queue.work) for _ in range(8)))
    found = [await queue.status(one) for one in ids]
    assert found.count("Pending") == 3
    await agent.poll()
    assert len(agent.commands) == 3
    assert all(rules.Status(one) in rules.ADMITTED | {rules.Status.QUEUED} for one in found)
