"""What the hub's process may ask, said twice, out of order and by the wrong ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.planes.protocol import Outcome, Phase
from tests.sessions.conftest import Desk

KEY = "ab" * 16


async def test_a_start_at_the_hub_makes_the_same_rows(desk_on_both: Desk) -> None:
    desk = desk_on_both
    answer = await desk.hub.start("ada", "lab", options={"project": "ada/wine", "tier": "medium"})
    assert answer.status_code == 200, answer.text
    [view] = (await desk.call("GET", "/workspaces")).json()["items"]
    assert (view["name"], view["tier"], view["target"]) == ("lab", "medium", "running")
    assert view["workload_id"] == answer.json()["workload_id"]
    stop = {"created": desk.hub.created("ada"), "workload_id": view["workload_id"]}
    await desk.hub.ask("POST", "ada", "lab", "/stop", json=stop)
    assert (await desk.view(view))["target"] == "stopped"


async def test_the_same_start_twice_is_one_workload(desk: Desk) -> None:
    options = {"project": "ada/wine"}
    answers = [await desk.hub.start("ada", "lab", start_key=KEY, options=options) for _ in range(3)]
    assert len({answer.json()["workload_id"] for answer in answers}) == 1
    [view] = (await desk.call("GET", "/workspaces")).json()["items"]
    assert view["starts"] == 1


async def test_a_start_after_the_hub_forgot_waits_for_the_former_run(desk: Desk) -> None:
    desk.hub.spawns = False  # its start is pending: asked once more, it says so
    first = (await desk.hub.start("ada", "lab", options={"project": "ada/wine"})).json()
    await desk.agent.poll()
    await desk.agent.say(first["workload_id"], Phase.RUNNING)
    waiting = (await desk.hub.start("ada", "lab", start_key=KEY)).json()
    assert (waiting["workload_id"], waiting["over"]) == (None, False)
    await desk.agent.poll()
    await desk.agent.say(first["workload_id"], Phase.FINISHED, outcome=Outcome.STOPPED)
    second = (await desk.hub.start("ada", "lab", start_key=KEY)).json()
    assert second["workload_id"] not in (None, first["workload_id"])


async def test_a_look_waits_for_news(desk: Desk) -> None:
    first = (await desk.hub.start("ada", "lab", options={"project": "ada/wine"})).json()
    await desk.agent.poll()
    params = {
        "created": desk.hub.created("ada"),
        "workload_id": first["workload_id"],
        "seen": first["seen"],
        "wait": "20",
    }
    now = await desk.hub.look("ada", "lab", first["workload_id"])
    params["seen"] = now["seen"]
    looking = asyncio.create_task(desk.hub.ask("GET", "ada", "lab", params=params))
    await desk.agent.say(first["workload_id"], Phase.RUNNING, address="http://127.0.0.1:4711")
    assert (await asyncio.wait_for(looking, 10)).json()["address"] == "http://127.0.0.1:4711"


async def test_news_of_another_start_are_none(desk: Desk) -> None:
    await desk.hub.start("ada", "lab", options={"project": "ada/wine"})
    other = await desk.hub.look("ada", "lab", "00000000-0000-0000-0000-000000000000")
    assert (other["over"], other["workload_id"]) == (True, None)
    stop = {"created": desk.hub.created("ada"), "workload_id": "0" * 36}
    await desk.hub.ask("POST", "ada", "lab", "/stop", json=stop)
    assert not (await desk.hub.look("ada", "lab"))["over"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "a new workspace needs a project"),
        ({"project": "bob/secret"}, "does not exist"),
        ({"project": "bob/nothing"}, "no project bob/nothing"),
        ({"project": "../../etc"}, "no project"),
        ({"project": "ada/wine", "tier": "enormous"}, "no hardware tier"),
        ({"project": "ada/wine", "environment": "nothing"}, "no environment nothing"),
        ({"project": "ada/wine", "branch": "nowhere"}, "nowhere"),
        ({"project": "ada/wine", "tool": "vim"}, "jupyterlab"),
        ({"project": "ada/wine", "cmd": ["evil"]}, "cmd"),
        ({"project": ["ada/wine"]}, "project"),
    ],
)
async def test_options_that_cannot_be_are_refused_with_the_reason(
    desk: Desk, options: dict[str, Any], words: str
) -> None:
    desk.hub.add("bob")
    bob = desk.hub.token("bob")
    secret = await desk.call("POST", "/projects", bob, json={"name": "secret"})
    assert secret.status_code == 201
    answer = await desk.hub.start("ada", "lab", options=options)
    assert answer.status_code in (404, 409, 422), answer.text
    assert words in answer.json()["error"]["message"]
    assert (await desk.call("GET", "/workspaces")).json()["items"] == []


async def test_a_workspace_does_not_move_to_another_project(desk: Desk) -> None:
    await desk.make("lab")
    other = await desk.call("POST", "/projects", json={"name": "other"})
    answer = await desk.hub.start("ada", "lab", options={"project": other.json()["id"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "other_project")


async def test_a_name_that_is_given_again_inherits_nothing(desk: Desk) -> None:
    """S2: the hub's user of the same name is another person."""
    made = await desk.make("lab")
    before = desk.hub.created("ada")
    desk.hub.add("ada")  # removed and added anew
    late = await desk.hub.ask("PUT", "ada", "lab", json={
        "created": before, "start_key": KEY, "base_url": "/user/ada/lab/",
        "url": "http://ada.localhost/user/ada/lab/",
    })  # fmt: skip
    assert late.status_code == 404
    fresh = await desk.hub.start("ada", "lab", options={"project": "ada/wine"})
    assert fresh.status_code in (404, 422)
    empty = await desk.hub.start("ada", "lab")
    assert (empty.status_code, empty.json()["error"]["code"]) == (422, "project_needed")
    token = desk.hub.token("ada")
    assert (await desk.call("GET", f"/workspaces/{made['id']}", token)).status_code == 404


async def test_choices_are_ones_own(desk: Desk) -> None:
    desk.hub.add("bob")
    await desk.call("POST", "/projects", desk.hub.token("bob"), json={"name": "secret"})
    body = {"created": desk.hub.created("ada")}
    found = (await desk.hub.ask("POST", "ada", "lab", "/choices", json=body)).json()
    assert [one["text"] for one in found["projects"]] == ["ada/wine"]
    assert {one["value"] for one in found["tiers"]} == {"small", "medium", "large"}
    assert [one["value"] for one in found["environments"]] == ["default"]
    assert found["workspace"] is None


async def test_nobody_but_the_hub_gets_at_these_routes(desk: Desk) -> None:
    robot = (await desk.call("POST", "/tokens", json={"name": "robot"})).json()["token"]
    desk.hub.add("root", admin=True)
    root = desk.hub.token("root")
    body = {"created": desk.hub.created("ada")}
    for token in (desk.ada, robot, root, desk.house.agent_token):
        for verb in ("/check", "/choices", "/stop"):
            path = f"/hub-servers/ada/lab{verb}"
            assert (await desk.call("POST", path, token, json=body)).status_code == 403
    # And the hub's credential is good for nothing else.
    for path in ("/workspaces", "/projects", "/me", "/people", "/agent/volumes"):
        assert (await desk.call("GET", path, desk.house.hub_token)).status_code == 403, path


async def test_an_environment_that_vanished_is_named(desk: Desk) -> None:
    made = await desk.make("lab")

    def vanish(tx: Any) -> None:
        from services.sessions import store

        store.change(tx, made["id"], environment_id="0" * 36)

    await desk.house.context.db.write(vanish)
    answer = await desk.call("POST", f"/workspaces/{made['id']}/start")
    assert answer.status_code == 422
    assert "no such environment" in answer.json()["error"]["message"]
    at_hub = await desk.hub.start("ada", "lab")
    assert "no such environment" in at_hub.json()["error"]["message"]
