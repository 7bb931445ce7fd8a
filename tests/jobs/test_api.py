"""Jobs over HTTP: what people start, see, stop and run again, and what they may not."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.core.paging import Page
from services.core.rights import PlatformRole
from services.jobs.schemas import JobView
from services.planes.protocol import Outcome, Phase, UsageReport
from tests.jobs.conftest import Lab


async def test_a_job_is_accepted_with_everything_settled(lab: Lab) -> None:
    job = await lab.started(title="First", tags=["wine"], env={"DEPTH": "3"}, timeout=60)
    assert (job["number"], job["status"], job["ref"]) == (1, "Pending", "main")
    assert len(job["commit"]) == 40
    assert job["owner"]["name"] == "ada"
    assert (job["tier"], job["revision"], job["attempt"]) == ("small", 1, 1)
    [command] = await lab.agent.poll()
    order = command.order
    assert order is not None
    assert order.argv == ["python", "main.py"]
    assert (order.project, order.env, order.timeout) == ("ada/wine", {"DEPTH": "3"}, 60)
    assert (await lab.get(f"/jobs/{job['id']}")).json() == job


async def test_numbers_count_up_in_each_project(lab: Lab) -> None:
    numbers = [(await lab.started())["number"] for _ in range(3)]
    assert numbers == [1, 2, 3]
    made = await lab.house.call("POST", "/projects", as_=lab.ada, json={"name": "other"})
    other = made.json()["id"]
    await lab.house.call("PUT", f"/projects/{other}/content/a.py", as_=lab.ada, content=b"1\n")
    assert (await lab.started(project_id=other))["number"] == 1


async def test_a_job_runs_at_a_branch_a_tag_or_a_commit(lab: Lab) -> None:
    first = (await lab.started())["commit"]
    second = await lab.commit("main.py", "print('again')\n")
    assert (await lab.started())["commit"] == second
    assert (await lab.started(ref=first))["commit"] == first
    assert (await lab.started(ref=first[:10]))["commit"] == first
    refused = await lab.start(ref="no-such-branch")
    assert refused.status_code == 422
    assert "no-such-branch" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": None},
        {"command": []},
        {"command": ""},
        {"command": ["python"], "file": "main.py"},
        {"command": None, "file": "../x.py"},
        {"command": None, "file": "/etc/x.py"},
        {"command": None, "file": "data.csv"},
        {"command": None, "file": "missing.py"},
        {"env": {"SMALTI_TOKEN": "x"}},
        {"env": {"A B": "x"}},
        {"env": {"LD_PRELOAD": "x"}},
        {"timeout": 0},
        {"timeout": 1e12},
        {"retries": 11},
        {"retries": -1},
        {"title": "x" * 201},
        {"tags": ["x"] * 21},
        {"tier": "enormous"},
        {"tier": "large"},
        {"environment_id": "00000000-0000-0000-0000-000000000000"},
        {"revision": 99},
        {"command": ["a\u0000b"]},
        {"command": ["x" * 40_000]},
        {"ref": "--upload-pack=evil"},
        {"ref": "a..b"},
        {"unknown": 1},
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_made(
    lab: Lab, wrong: dict[str, Any]
) -> None:
    response = await lab.start(**wrong)
    assert response.status_code in (404, 422), response.text
    assert response.json()["error"]["message"]
    assert (await lab.get("/jobs")).json()["items"] == []


async def test_the_same_post_twice_is_one_job(lab: Lab) -> None:
    body = {"project_id": lab.project["id"], "command": ["true"]}
    headers = {"Idempotency-Key": "once"}
    first, *others = await asyncio.gather(
        *(
            lab.house.call("POST", "/jobs", as_=lab.ada, json=body, headers=headers)
            for _ in range(5)
        )
    )
    assert {other.json()["id"] for other in others} == {first.json()["id"]}
    assert all(answer.status_code == 201 for answer in others)
    body["command"] = ["false"]
    other = await lab.house.call("POST", "/jobs", as_=lab.ada, json=body, headers=headers)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"
    assert len((await lab.get("/jobs")).json()["items"]) == 1


async def test_a_job_is_stopped_and_stays_so(lab: Lab) -> None:
    job = await lab.started()
    await lab.agent.poll()
    await lab.agent.say(job["id"], Phase.RUNNING)
    stop = f"/jobs/{job['id']}/stop"
    stopping = (await lab.house.call("POST", stop, as_=lab.ada)).json()
    assert (stopping["status"], stopping["target"]) == ("Stopping", "stopped")
    await lab.agent.poll()
    await lab.agent.say(job["id"], Phase.FINISHED, outcome=Outcome.STOPPED)
    again = (await lab.house.call("POST", stop, as_=lab.ada)).json()
    assert again["status"] == "Stopped"


async def test_a_rerun_has_the_same_settings_and_says_of_what(lab: Lab) -> None:
    old = await lab.started(title="T", tags=["a"], env={"A": "1"}, retries=2, tier="medium")
    newest = await lab.commit("main.py", "print('newer')\n")
    path = f"/jobs/{old['id']}/rerun"
    same = (await lab.house.call("POST", path, as_=lab.ada, json={})).json()
    kept = ("command", "title", "tags", "env", "retries", "tier", "timeout", "commit")
    assert {name: same[name] for name in kept} == {name: old[name] for name in kept}
    assert (same["rerun_of"], same["number"]) == (old["id"], 2)
    body = {"commit": "newest"}
    newer = (await lab.house.call("POST", path, as_=lab.ada, json=body)).json()
    assert newer["commit"] == newest


async def test_lists_are_filtered_and_paged(lab: Lab) -> None:
    made = [await lab.started(tags=["even"] if n % 2 == 0 else []) for n in range(5)]
    ids = [job["id"] for job in reversed(made)]
    found, cursor = [], ""
    while cursor is not None:
        page = (await lab.get(f"/jobs?limit=2{cursor and '&cursor=' + cursor}")).json()
        found += [job["id"] for job in page["items"]]
        cursor = page["next_cursor"]
    assert found == ids
    for query, expected in [
        ("tag=even", ids[0::2]),
        (f"project_id={lab.project['id']}", ids),
        (f"owner={made[0]['owner']['id']}", ids),
        ("status=Running", []),
        (f"project_id={lab.project['id']}&number=2", [made[1]["id"]]),
        ("number=77", []),
        ("status=Pending", ids[1:]),
    ]:
        page = (await lab.get(f"/jobs?{query}")).json()
        assert [job["id"] for job in page["items"]] == expected, query
    for wrong in ("limit=0", "limit=1000", "cursor=x", "status=Asleep", "colour=red"):
        assert (await lab.get(f"/jobs?{wrong}")).status_code == 400, wrong


async def test_strangers_see_nothing_and_change_nothing(lab: Lab) -> None:
    job = await lab.started()
    bob = await lab.house.sign_in("bob")
    for method, path in [
        ("GET", ""),
        ("GET", "/logs"),
        ("GET", "/outputs"),
        ("GET", "/outputs/a"),
        ("GET", "/metrics"),
        ("POST", "/stop"),
        ("POST", "/rerun"),
    ]:
        body = {"json": {}} if method == "POST" else {}
        response = await lab.house.call(method, f"/jobs/{job['id']}{path}", as_=bob, **body)
        assert response.status_code == 404, (method, path)
    assert (await lab.get("/jobs", bob)).json()["items"] == []
    assert (await lab.get(f"/jobs?project_id={lab.project['id']}", bob)).status_code == 404
    assert (await lab.start(as_=bob)).status_code == 404
    compare = f"/jobs/compare?left={job['id']}&right={job['id']}"
    assert (await lab.get(compare, bob)).status_code == 404


async def test_a_consumer_sees_results_and_starts_nothing(lab: Lab) -> None:
    job = await lab.started()
    bob = await lab.house.sign_in("bob")
    members = f"/projects/{lab.project['id']}/members"
    body = {"person": "bob", "role": "consumer"}
    added = await lab.house.call("POST", members, as_=lab.ada, json=body)
    assert added.status_code == 201, added.text
    assert (await lab.get(f"/jobs/{job['id']}", bob)).status_code == 200
    assert (await lab.start(as_=bob)).status_code == 403
    stop = f"/jobs/{job['id']}/stop"
    assert (await lab.house.call("POST", stop, as_=bob)).status_code == 403


async def test_a_run_acts_in_its_project_alone_and_only_while_it_lives(lab: Lab) -> None:
    job = await lab.started()
    [command] = await lab.agent.poll()
    assert command.order is not None
    token = command.order.token
    me = (await lab.get("/me", token)).json()
    assert (me["kind"], me["id"]) == ("run", job["id"])
    assert (await lab.get(f"/jobs/{job['id']}", token)).status_code == 200
    other = await lab.house.call("POST", "/projects", as_=lab.ada, json={"name": "other"})
    other_id = other.json()["id"]
    assert (await lab.get(f"/projects/{other_id}", token)).status_code == 404
    for path, body in [("/projects", {"name": "x"}), ("/tokens", {"name": "x"})]:
        refused = await lab.house.call("POST", path, as_=token, json=body)
        assert refused.status_code in (403, 404, 422), path
    await lab.agent.finish(job["id"])
    assert (await lab.get("/me", token)).status_code == 401


async def test_an_admin_sees_all(lab: Lab) -> None:
    job = await lab.started()
    root = await lab.house.sign_in("root", PlatformRole.ADMIN)
    assert (await lab.get(f"/jobs/{job['id']}", root)).status_code == 200
    assert len((await lab.get("/jobs", root)).json()["items"]) == 1


async def test_a_list_costs_the_same_few_statements_whatever_its_length(lab: Lab) -> None:
    for _ in range(3):
        await lab.started()
    db = lab.house.context.db

    async def cost(limit: int) -> int:
        before = db.statements
        assert (await lab.get(f"/jobs?limit={limit}")).status_code == 200
        return int(db.statements - before)

    await cost(1)
    one, three = await cost(1), await cost(3)
    assert one == three <= 6


async def test_events_tell_what_became_of_a_job(lab: Lab) -> None:
    job = await lab.started()
    await lab.agent.poll()
    await lab.agent.finish(job["id"])
    from services.core.tables import events

    rows = await lab.house.context.db.read(lambda tx: tx.all(events.select()))
    told = [(row.kind, row.data.get("status")) for row in rows if row.subject_id == job["id"]]
    assert told == [
        ("job.changed", "Pending"),
        ("job.created", None),
        ("job.changed", "Preparing"),
        ("job.changed", "Running"),
        ("job.changed", "Succeeded"),
    ]


async def test_a_body_that_is_no_job_is_refused_in_words(lab: Lab) -> None:
    for content in (b"[]", b"{", b"\xff", b"null", b'{"project_id": NaN}', b"[" * 10_000):
        response = await lab.house.call("POST", "/jobs", as_=lab.ada, content=content)
        assert response.status_code in (400, 422), content[:20]
        assert response.json()["error"]["request_id"]
    deep = json.loads('{"env":' * 50 + "{}" + "}" * 50)
    response = await lab.house.call("POST", "/jobs", as_=lab.ada, json=deep)
    assert response.status_code == 400


async def test_a_list_shows_of_each_job_what_the_job_itself_shows(lab: Lab) -> None:
    waiting = await lab.started(tags=["wine"], title="one", env={"A": "1"}, retries=2)
    ended = await lab.started()
    await lab.agent.poll()
    started = datetime.now(UTC)
    usage = UsageReport(cpu_seconds=1.5, memory_peak=1 << 20)
    more = {"started_at": started, "finished_at": started + timedelta(seconds=3), "usage": usage}
    await lab.agent.finish(ended["id"], **more)
    for query in ("", f"?project_id={lab.project['id']}", "?status=Succeeded", "?tag=wine"):
        page = (await lab.get(f"/jobs{query}")).json()
        assert page["items"]
        assert page == Page[JobView].model_validate(page).model_dump(mode="json")
        for item in page["items"]:
            assert item == (await lab.get(f"/jobs/{item['id']}")).json()
    assert {waiting["id"], ended["id"]} == {one["id"] for one in await items(lab, "")}


async def items(lab: Lab, query: str) -> list[dict[str, Any]]:
    """The items of a list of jobs."""
    found: list[dict[str, Any]] = (await lab.get(f"/jobs{query}")).json()["items"]
    return found
