"""The real hub's spawner against the real platform; agent and tool are played by the test."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.planes.protocol import Outcome
from tests.instance import Instance
from tests.sessions.real import Stage, Tool

PROCESSES = "frontdoor,hub,platform"


@pytest.fixture(scope="module")
def smalti(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A real Smalti without an agent."""
    with Instance(tmp_path_factory.mktemp("sessions"), processes=PROCESSES) as made:
        # Nothing runs in it here, so an empty one will do.
        (made.home / "environments/default/1/bin").mkdir(parents=True, exist_ok=True)
        yield made


@pytest.fixture
async def stage(smalti: Instance) -> AsyncIterator[Stage]:
    """The admin, and the test as the agent."""
    made = Stage(smalti)
    await made.agent.hello()
    yield made
    await made.far.client.aclose()


@pytest.fixture
async def tool() -> AsyncIterator[Tool]:
    """A tool that answers."""
    async with Tool() as made:
        yield made


async def make(stage: Stage, name: str) -> Any:
    """Make a project and a workspace of one name."""
    project = await stage.project(name)
    made = await stage.call("POST", "/workspaces", json={"project_id": project, "name": name})
    assert made.status_code == 201, made.text
    return made.json()


async def start(stage: Stage, workspace: Any) -> Any:
    """Ask for a start; the view once the hub has had its workload made."""
    asked = await stage.call("POST", f"/workspaces/{workspace['id']}/start")
    assert asked.status_code == 202, asked.text
    return await stage.workspace(workspace["name"], "Preparing")


async def test_a_start_by_the_platform_is_a_server_of_the_hub(stage: Stage, tool: Tool) -> None:
    made = await start(stage, await make(stage, "whole"))
    await stage.run(made, tool)
    server = await stage.ready("whole")
    assert server["url"].endswith("/user/admin/whole/")
    await stage.answers("whole", tool)
    view = await stage.workspace("whole", "Running")
    host = f"http://admin.localhost:{stage.smalti.port}"
    assert view["url"] == f"{host}/user/admin/whole/"
    await stage.call("POST", f"/workspaces/{made['id']}/stop")
    await stage.ends(made)
    await stage.workspace("whole", "Stopped")
    await stage.forgotten("whole")


async def test_a_start_by_the_hubs_api_is_a_workspace(stage: Stage, tool: Tool) -> None:
    await stage.project("at-hub")
    body = {"display_name": "At the hub", "user_options": {"project": "admin/at-hub"}}
    answer = await stage.hub("POST", "/users/admin/servers/athub", json=body)
    assert answer.status_code in (201, 202), answer.text
    made = await stage.workspace("athub", "Preparing")
    assert (made["title"], made["project"]) == ("At the hub", "admin/at-hub")
    await stage.run(made, tool)
    await stage.ready("athub")
    gone = await stage.hub("DELETE", "/users/admin/servers/athub")
    assert gone.status_code in (202, 204)
    stopping = await stage.workspace("athub", "Stopping")
    await stage.ends(stopping)
    await stage.workspace("athub", "Stopped")
    await stage.forgotten("athub")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "a new workspace needs a project"),
        ({"project": "admin/nothing"}, "there is no project admin/nothing"),
        ({"project": "admin/refusing", "tier": "enormous"}, "no hardware tier named enormous"),
        ({"project": "admin/refusing", "cmd": "evil"}, "cmd"),
    ],
)
async def test_what_cannot_be_is_refused_by_the_hub_with_the_reason(
    stage: Stage, options: dict[str, str], words: str
) -> None:
    await stage.call("POST", "/projects", json={"name": "refusing"})
    body = {"display_name": "x", "user_options": options}
    answer = await stage.hub("POST", "/users/admin/servers/refused", json=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert words in answer.json()["message"]
    unnamed = await stage.hub("POST", "/users/admin/server", json=body)
    assert unnamed.status_code == 400
    assert "give it a name" in unnamed.json()["message"]


async def test_another_persons_project_is_no_option(stage: Stage) -> None:
    """S3, S4: rights are asked of the person, whatever the hub's options name."""
    project = await stage.project("guarded")
    smalti = stage.smalti
    token = smalti.add_person("mallory")
    headers = {"Authorization": f"token {token}"}
    url = f"http://127.0.0.1:{smalti.ports()['hub']}/hub/api/users"
    for named in ("admin/guarded", project):
        body = {"display_name": "x", "user_options": {"project": named}}
        own = httpx.post(f"{url}/mallory/servers/mine", headers=headers, json=body, timeout=30)
        assert 400 <= own.status_code < 500, own.text
        assert "does not exist" in own.json()["message"]
        other = httpx.post(f"{url}/admin/servers/mine", headers=headers, json=body, timeout=30)
        assert other.status_code in (403, 404)


async def test_the_spawn_page_offers_what_one_has(stage: Stage) -> None:
    await stage.project("offered")
    browser = stage.smalti.browse()
    assert stage.smalti.password is not None
    stage.smalti.log_in("admin", stage.smalti.password, browser)
    page = browser.get("/hub/spawn/admin/offering")
    assert page.status_code == 200, page.text
    assert "admin/offered" in page.text
    assert 'name="tier"' in page.text
    home = browser.get("/hub/home")
    assert "Workspaces" in home.text


async def test_progress_tells_the_place_in_the_queue(stage: Stage, tool: Tool) -> None:
    stage.agent.capacity = stage.agent.capacity.model_copy(update={"cpu": 1.0})
    await stage.agent.hello()
    first = await start(stage, await make(stage, "first"))
    second = await make(stage, "second")
    await stage.call("POST", f"/workspaces/{second['id']}/start")
    await stage.workspace("second", "Queued", "position 1 in the queue")
    lines: list[str] = []
    url = f"http://127.0.0.1:{stage.smalti.ports()['hub']}/hub/api/users/admin/servers/second/progress"
    headers = {"Authorization": f"token {stage.token}"}
    async with stage.far.client.stream("GET", url, headers=headers) as stream:
        async for line in stream.aiter_lines():
            lines.append(line)
            if "position 1 in the queue" in line:
                break
    assert any("position 1 in the queue" in line for line in lines), lines
    for one in (first, second):
        await stage.call("POST", f"/workspaces/{one['id']}/stop")
    await stage.ends(first)
    for name in ("first", "second"):
        await stage.workspace(name, "Stopped")
        await stage.forgotten(name)
    stage.agent.capacity = stage.agent.capacity.model_copy(update={"cpu": 4.0})
    await stage.agent.hello()


async def test_a_hub_that_is_killed_takes_up_what_runs(stage: Stage, tool: Tool) -> None:
    made = await start(stage, await make(stage, "kept"))
    await stage.run(made, tool)
    await stage.ready("kept")
    old = stage.smalti.kill("hub")
    assert (await stage.workspace("kept"))["status"] == "Running"
    await stage.answers("kept", tool)  # the page goes on without the hub
    stage.smalti.wait_ready("hub", not_pid=old)
    await stage.ready("kept")
    view = await stage.workspace("kept", "Running")
    assert (view["workload_id"], view["starts"]) == (made["workload_id"], 1)
    await stage.answers("kept", tool)
    await stage.call("POST", f"/workspaces/{made['id']}/stop")
    await stage.ends(made)
    await stage.forgotten("kept")


async def test_a_hub_that_is_killed_during_a_start_goes_on_with_it(
    stage: Stage, tool: Tool
) -> None:
    made = await start(stage, await make(stage, "midway"))
    old = stage.smalti.kill("hub")
    stage.smalti.wait_ready("hub", not_pid=old)
    await stage.run(made, tool)
    await stage.ready("midway")
    view = await stage.workspace("midway", "Running")
    assert (view["workload_id"], view["starts"]) == (made["workload_id"], 1)
    await stage.answers("midway", tool)
    await stage.call("POST", f"/workspaces/{made['id']}/stop")
    await stage.ends(made)
    await stage.forgotten("midway")


async def test_a_hub_that_is_away_is_waited_for(stage: Stage, tool: Tool) -> None:
    made = await make(stage, "patient")
    old = stage.smalti.kill("hub")
    await stage.call("POST", f"/workspaces/{made['id']}/start")
    await stage.workspace("patient", "Starting")
    stage.smalti.wait_ready("hub", not_pid=old)
    view = await stage.workspace("patient", "Preparing")
    await stage.run(view, tool)
    await stage.ready("patient")
    await stage.call("POST", f"/workspaces/{made['id']}/stop")
    await stage.ends(view)
    await stage.forgotten("patient")


async def test_a_platform_that_is_killed_during_a_start_makes_one_workload(
    stage: Stage, tool: Tool
) -> None:
    made = await make(stage, "firm")
    await stage.call("POST", f"/workspaces/{made['id']}/start")
    old = stage.smalti.kill("platform")
    stage.smalti.wait_ready("platform", not_pid=old)
    await stage.agent.hello()
    view = await stage.workspace("firm", "Preparing")
    old = stage.smalti.kill("platform")
    stage.smalti.wait_ready("platform", not_pid=old)
    await stage.run(view, tool)
    await stage.ready("firm")
    after = await stage.workspace("firm", "Running")
    assert (after["workload_id"], after["starts"]) == (view["workload_id"], 1)
    await stage.call("POST", f"/workspaces/{made['id']}/stop")
    await stage.ends(view)
    await stage.forgotten("firm")


async def test_a_session_that_runs_anew_elsewhere_is_found_there(stage: Stage, tool: Tool) -> None:
    made = await start(stage, await make(stage, "moving"))
    await stage.run(made, tool)
    await stage.ready("moving")
    await stage.answers("moving", tool)
    await stage.agent.hello()  # with nothing: it was lost
    await stage.workspace("moving", "Queued", "lost")
    view = await stage.workspace("moving", "Preparing")
    async with Tool() as other:
        await stage.run(view, other)
        await stage.answers("moving", other)
        view = await stage.workspace("moving", "Running")
        assert view["workload_id"] == made["workload_id"]
        await stage.call("POST", f"/workspaces/{made['id']}/stop")
        await stage.ends(made)
    await stage.forgotten("moving")


async def test_a_session_that_ends_by_itself_ends_at_the_hub(stage: Stage, tool: Tool) -> None:
    made = await start(stage, await make(stage, "crashing"))
    await stage.run(made, tool)
    await stage.ready("crashing")
    await stage.ends(made, Outcome.FAILED)
    view = await stage.workspace("crashing", "Failed")
    assert view["target"] == "stopped"
    await stage.forgotten("crashing")


async def test_a_deleted_workspace_is_no_server_any_more(stage: Stage, tool: Tool) -> None:
    made = await start(stage, await make(stage, "thrown"))
    await stage.run(made, tool)
    await stage.ready("thrown")
    assert (await stage.call("DELETE", f"/workspaces/{made['id']}")).status_code == 204
    await stage.ends(made)

    async def gone() -> bool:
        answer = await stage.hub("GET", "/users/admin/servers/thrown")
        return answer.status_code == 404

    await stage.until("the hub to forget it", gone)
    assert (await stage.call("POST", f"/workspaces/{made['id']}/undelete")).status_code == 200


async def smalti_says(stage: Stage, *words: str, code: int = 0) -> tuple[str, str]:
    """Run the command line as the admin; what it printed to both streams."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(stage.smalti.home),
        "NO_COLOR": "1",
        "SMALTI_API_URL": stage.smalti.url,
        "SMALTI_TOKEN": stage.token,
    }
    program = str(Path(sys.executable).with_name("smalti"))
    pipe = asyncio.subprocess.PIPE
    done = await asyncio.create_subprocess_exec(
        program, *words, env=environment, stdout=pipe, stderr=pipe
    )
    out, err = await asyncio.wait_for(done.communicate(), 60)
    assert done.returncode == code, (words, out, err)
    return out.decode(), err.decode()


async def test_the_command_line_goes_all_the_way(stage: Stage, tool: Tool) -> None:
    await stage.project("by-hand")
    await smalti_says(stage, "workspaces", "create", "by-hand", "--name", "byhand", "--no-start")
    starting = asyncio.create_task(smalti_says(stage, "workspaces", "start", "byhand"))
    made = await stage.workspace("byhand", "Preparing")
    await stage.run(made, tool)
    out, err = await starting
    assert out.strip().endswith(f".localhost:{stage.smalti.port}/user/admin/byhand/")
    assert "byhand Starting: asking the hub" in err
    assert "byhand Running" in err
    listed = json.loads((await smalti_says(stage, "workspaces", "list", "--json"))[0])
    assert ("byhand", "Running") in [(one["name"], one["status"]) for one in listed]
    kept, _ = await smalti_says(stage, "workspaces", "keep", "byhand", "8h", "--json")
    assert json.loads(kept)["keep_until"]
    shown, _ = await smalti_says(stage, "workspaces", "show", "byhand")
    assert "kept until" in shown
    opened, _ = await smalti_says(stage, "workspaces", "open", "byhand")
    assert opened == out
    await smalti_says(stage, "workspaces", "stop", "byhand")
    await stage.ends(made)
    await stage.workspace("byhand", "Stopped")
    await smalti_says(stage, "workspaces", "delete", "byhand")
    await smalti_says(stage, "workspaces", "show", "byhand", code=4)
    gone, _ = await smalti_says(stage, "workspaces", "list", "--deleted", "--json")
    assert [one["name"] for one in json.loads(gone) if one["name"] == "byhand"]
    await smalti_says(stage, "workspaces", "undelete", "byhand")
    asked = await smalti_says(stage, "workspaces", "start", "nothing", code=4)
    assert "you have no workspace" in asked[1]


async def test_the_hubs_tokens_of_a_session_are_the_least(stage: Stage, tool: Tool) -> None:
    """What the tool is given may say that it lives and see who comes, and nothing more."""
    made = await start(stage, await make(stage, "least"))
    await stage.run(made, tool)
    await stage.ready("least")
    tokens = (await stage.hub("GET", "/users/admin/tokens")).json()["api_tokens"]
    own = [one for one in tokens if one["note"] == "Server at /user/admin/least/"]
    assert [set(one["scopes"]) for one in own] == [
        {
            "users:activity!user=admin",
            "access:servers!server=admin/least",
            # What the hub itself says is part of the first: to see its own person.
            "read:users:activity!user=admin",
            "read:users:groups!user=admin",
            "read:users:name!user=admin",
        }
    ]
    await stage.call("POST", f"/workspaces/{made['id']}/stop")
    await stage.ends(made)
    await stage.forgotten("least")
    tokens = (await stage.hub("GET", "/users/admin/tokens")).json()["api_tokens"]
    assert not [one for one in tokens if one["note"] == "Server at /user/admin/least/"]


def test_no_secret_of_a_start_is_left_behind(smalti: Instance) -> None:
    """S11: the hub's variables stand in no row and no log of the platform."""
    left = [smalti.home / "platform" / "platform.sqlite", *(smalti.home / "logs").iterdir()]
    for file in left:
        text = file.read_bytes()
        assert b"JUPYTERHUB_API_TOKEN" not in text, file
        secret = (smalti.home / "secrets" / "hub-spawner.token").read_bytes().strip()
        assert secret not in text, file
