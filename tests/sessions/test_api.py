"""Workspaces over HTTP: made, started through the hub, stopped, kept, deleted and had back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.core.ids import new_id
from services.core.rights import PlatformRole
from services.planes.protocol import Outcome, Phase
from services.workloads import engine, idle, store
from tests.sessions.conftest import Desk


async def test_a_workspace_goes_its_whole_way(desk_on_both: Desk) -> None:
    desk = desk_on_both
    made = await desk.make(title="Wine, tasted")
    assert (made["name"], made["status"], made["target"]) == ("wine", "Stopped", "stopped")
    assert (made["project"], made["owner"]["name"], made["url"]) == ("ada/wine", "ada", None)
    asked = await desk.call("POST", f"/workspaces/{made['id']}/start")
    assert asked.status_code == 202
    assert (asked.json()["status"], asked.json()["target"]) == ("Starting", "running")
    await desk.until(made, "Preparing")
    method, path, body = desk.hub.told[0]
    assert (method, path) == ("POST", "/users/ada/servers/wine")
    assert body["display_name"] == "Wine, tasted"
    [command] = await desk.agent.poll()
    order = command.order
    assert order is not None
    assert order.session is not None
    assert (order.kind, order.timeout, order.argv) == ("session", None, None)
    assert (order.session.volume, order.session.branch) == (made["id"], "main")
    assert order.session.base_url == "/user/ada/wine/"
    assert "canary-of-the-hub" not in order.model_dump_json()
    view = await desk.answers(made)
    assert (view["status"], view["starts"]) == ("Running", 1)
    assert view["url"] == "http://ada.localhost:8000/user/ada/wine/"
    seen = await desk.hub.look("ada", "wine")
    assert (seen["address"], seen["over"]) == ("http://127.0.0.1:4711", False)
    stopping = await desk.do(made, "stop")
    assert (stopping["status"], stopping["target"]) == ("Stopping", "stopped")
    await desk.agent.poll()
    await desk.agent.say(view["workload_id"], Phase.FINISHED, outcome=Outcome.STOPPED)
    stopped = await desk.until(made, "Stopped")
    assert stopped["url"] is None
    assert (await desk.hub.look("ada", "wine"))["over"]


async def test_it_runs_only_once_it_answers(desk: Desk) -> None:
    made = await desk.make()
    await desk.do(made, "start")
    view = await desk.until(made, "Preparing")
    await desk.agent.poll()
    await desk.agent.say(view["workload_id"], Phase.RUNNING)
    view = await desk.view(made)
    assert (view["status"], view["reason"]) == ("Preparing", "its tool is starting")
    address = "http://127.0.0.1:4711"
    await desk.agent.say(view["workload_id"], Phase.RUNNING, address=address)
    assert (await desk.view(made))["status"] == "Running"


async def test_each_start_is_a_new_workload_on_the_same_volume(desk: Desk) -> None:
    made = await desk.make()
    first = await desk.running(made)
    await desk.do(made, "stop")
    again = await desk.do(made, "start")
    assert again["status"] == "Starting"  # the former run ends first: one volume, one run
    await desk.agent.poll()
    await desk.agent.say(first["workload_id"], Phase.FINISHED, outcome=Outcome.STOPPED)
    await desk.until(made, "Preparing")
    second = await desk.answers(made)
    assert second["workload_id"] != first["workload_id"]
    assert second["starts"] == 2
    order = desk.agent.commands[second["workload_id"]].order
    assert order is not None
    assert order.session is not None
    assert order.session.volume == made["id"]


async def test_a_start_is_told_how_long_the_last_ones_took(desk: Desk) -> None:
    first, second = await desk.make("one"), await desk.make("two")
    assert (await desk.do(first, "start"))["usual_start"] is None  # nobody knows yet
    await desk.until(first, "Preparing")
    began = datetime.fromisoformat((await desk.view(first))["started_at"])
    assert (await desk.answers(first))["usual_start"] is None  # it runs: nothing to wait for
    most = (datetime.now(UTC) - began).total_seconds()
    assert 0 < (await desk.do(second, "start"))["usual_start"] <= most


async def test_a_hub_that_is_away_is_waited_for_with_that_reason(desk: Desk) -> None:
    made = await desk.make()
    desk.hub.broken = 502
    began = await desk.do(made, "start")
    assert began["status"] == "Starting"
    await desk.until(made, "Starting", "the hub is away")
    desk.hub.broken = 0
    await desk.until(made, "Preparing")


async def test_a_stop_does_not_wait_for_the_hub(desk: Desk) -> None:
    made = await desk.make()
    view = await desk.running(made)
    desk.hub.broken = 502
    await desk.do(made, "stop")
    [command] = await desk.agent.poll()
    assert command.action == "stop"
    await desk.agent.say(view["workload_id"], Phase.FINISHED, outcome=Outcome.STOPPED)
    await desk.until(made, "Stopped")


async def test_what_the_hub_refuses_is_a_reason_and_not_tried_for_ever(desk: Desk) -> None:
    made = await desk.make()
    desk.hub.refuses = (400, "no server of this name")
    await desk.do(made, "start")
    view = await desk.until(made, "Failed", "no server of this name")
    assert view["target"] == "stopped"


async def test_a_hub_in_the_midst_of_something_is_asked_again(desk: Desk) -> None:
    made = await desk.make()
    desk.hub.refuses = (400, "ada:wine is pending stop")
    await desk.do(made, "start")
    view = await desk.until(made, "Starting")
    assert view["target"] == "running"
    desk.hub.refuses = None
    await desk.until(made, "Preparing")


async def test_a_start_that_was_called_off_does_not_happen(desk: Desk) -> None:
    made = await desk.make()
    desk.hub.spawns = False  # accepted, and the hub is killed before it goes on
    await desk.do(made, "start")
    await desk.until(made, "Starting", "the hub is starting it")
    ticket = desk.hub.told[0][2]["user_options"]["ticket"]
    await desk.do(made, "stop")
    late = await desk.hub.start("ada", "wine", options={"ticket": ticket})
    assert late.status_code == 409
    assert (await desk.view(made))["status"] == "Stopped"


async def test_a_tool_that_fails_says_so(desk: Desk) -> None:
    made = await desk.make()
    view = await desk.running(made)
    await desk.agent.say(view["workload_id"], Phase.FINISHED, outcome=Outcome.FAILED,
                         reason="exit code 1", exit_code=1)  # fmt: skip
    failed = await desk.until(made, "Failed", "exit code 1")
    assert failed["target"] == "stopped"


async def test_a_session_that_the_agent_lost_is_started_again_elsewhere(desk: Desk) -> None:
    made = await desk.make()
    view = await desk.running(made)
    await desk.agent.hello()  # with an empty inventory
    waiting = await desk.until(made, "Queued", "lost")
    assert waiting["workload_id"] == view["workload_id"]
    assert (await desk.hub.look("ada", "wine"))["address"] is None

    def hurry(tx: Any) -> None:
        store.change(tx, view["workload_id"], not_before=tx.now)

    await desk.house.context.db.write(hurry)
    desk.house.context.bus.wake("loop:queue")
    await desk.until(made, "Preparing")
    await desk.answers(made, port=4712)
    assert (await desk.hub.look("ada", "wine"))["address"] == "http://127.0.0.1:4712"


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1:80",
        "http://127.0.0.1",
        "file:///x",
        "http://127.0.0.1:80@evil.example/",
        "http://localhost:1/x",
    ],
)
async def test_an_agent_cannot_lead_the_front_door_elsewhere(desk: Desk, address: str) -> None:
    made = await desk.make()
    await desk.do(made, "start")
    view = await desk.until(made, "Preparing")
    await desk.agent.poll()
    await desk.agent.say(view["workload_id"], Phase.RUNNING, address=address)
    assert (await desk.hub.look("ada", "wine"))["address"] is None


async def test_who_waits_is_told_the_place(desk: Desk) -> None:
    desk.agent.capacity = desk.agent.capacity.model_copy(update={"cpu": 1.0})
    await desk.agent.hello()
    for name in ("one", "two", "three"):
        made = await desk.make(name)
        await desk.do(made, "start")
        await desk.until(made, "Preparing" if name == "one" else "Queued")
    view = await desk.until(made, "Queued", "position 2 in the queue")
    assert "waiting for 1 CPU" in view["reason"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "Wine"},
        {"name": "../wine"},
        {"name": "a--b"},
        {"name": "-a"},
        {"name": "1a"},
        {"name": "a" * 31},
        {"name": "wïne"},
        {"title": " x"},
        {"title": "a  b"},
        {"title": "a\u202eb"},
        {"title": "x" * 101},
        {"title": ""},
        {"tool": "vim"},
        {"tier": "enormous"},
        {"environment_id": "00000000-0000-0000-0000-000000000000"},
        {"revision": 99},
        {"branch": "no-such-branch"},
        {"branch": "--upload-pack=evil"},
        {"unknown": 1},
        {"project_id": "00000000-0000-0000-0000-000000000000"},
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_made(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    body = {"project_id": desk.project["id"], **wrong}
    answer = await desk.call("POST", "/workspaces", json=body)
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["error"]["message"]
    assert (await desk.call("GET", "/workspaces")).json()["items"] == []


async def test_names_are_derived_and_each_person_has_them_once(desk: Desk) -> None:
    names = [(await desk.make(None))["name"] for _ in range(3)]
    assert names == ["wine", "wine-2", "wine-3"]
    body = {"project_id": desk.project["id"], "name": "wine"}
    taken = await desk.call("POST", "/workspaces", json=body)
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "name_taken")


async def test_settings_change_for_the_next_start(desk: Desk) -> None:
    made = await desk.make()
    path = f"/workspaces/{made['id']}"
    changed = await desk.call("PATCH", path, json={"title": "Better", "tier": "medium"})
    assert (changed.json()["title"], changed.json()["tier"]) == ("Better", "medium")
    tag = (await desk.call("GET", path)).headers["ETag"]
    await desk.call("PATCH", path, json={"tier": None})
    old = await desk.call("PATCH", path, json={"title": "Lost"}, headers={"If-Match": tag})
    assert old.status_code == 412
    for wrong in ({"title": None}, {"tier": "enormous"}, {"branch": "nowhere"}, {"name": "x"}):
        assert (await desk.call("PATCH", path, json=wrong)).status_code == 422, wrong
    await desk.running(made)
    again = await desk.call("PATCH", path, json={"branch": "main"})
    assert again.status_code == 200  # no change


async def test_deleted_ones_can_be_had_back_for_a_while(desk: Desk) -> None:
    made = await desk.make()
    view = await desk.running(made)
    path = f"/workspaces/{made['id']}"
    assert (await desk.call("DELETE", path)).status_code == 204
    assert (await desk.call("GET", "/workspaces")).json()["items"] == []
    [gone] = (await desk.call("GET", "/workspaces?deleted=true")).json()["items"]
    assert gone["gone_at"] > gone["deleted_at"]
    refused = await desk.call("POST", f"{path}/start")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "deleted")
    await desk.agent.poll()
    await desk.agent.say(view["workload_id"], Phase.FINISHED, outcome=Outcome.STOPPED)
    volumes = await desk.call("GET", "/agent/volumes", desk.house.agent_token)
    assert volumes.json() == {"volumes": [made["id"]]}
    other = await desk.make()  # the name is free
    taken = await desk.call("POST", f"{path}/undelete")
    assert taken.status_code == 409
    await desk.call("DELETE", f"/workspaces/{other['id']}")
    assert (await desk.do(made, "undelete"))["deleted_at"] is None
    await desk.call("DELETE", path)
    desk.house.settings.keep_workspaces_days = 0
    from services.core.work import Work
    from services.sessions.wiring import purge

    await purge(Work(desk.house.context))
    assert (await desk.call("GET", path)).status_code == 404
    volumes = await desk.call("GET", "/agent/volumes", desk.house.agent_token)
    assert volumes.json() == {"volumes": []}


async def test_lists_are_filtered_and_paged(desk_on_both: Desk) -> None:
    desk = desk_on_both
    made = [await desk.make(f"w{number}") for number in range(5)]
    ids = [one["id"] for one in reversed(made)]
    found, cursor = [], ""
    while cursor is not None:
        page = (await desk.call("GET", f"/workspaces?limit=2&{cursor}")).json()
        found += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"] and f"cursor={page['next_cursor']}"
    assert found == ids
    for query, expected in [
        (f"project_id={desk.project['id']}", ids),
        (f"person={made[0]['owner']['id']}", ids),
        ("status=Running", []),
        ("status=Stopped", ids),
        ("name=w2", [ids[2]]),
        ("deleted=true", []),
    ]:
        page = (await desk.call("GET", f"/workspaces?{query}")).json()
        assert [one["id"] for one in page["items"]] == expected, query
    for wrong in ("limit=0", "status=Asleep", "colour=red", "cursor=x"):
        assert (await desk.call("GET", f"/workspaces?{wrong}")).status_code == 400, wrong


async def test_a_list_costs_the_same_few_statements_whatever_its_length(desk: Desk) -> None:
    for number in range(3):
        await desk.make(f"w{number}")
    db = desk.house.context.db

    async def cost(limit: int) -> int:
        before = db.statements
        assert (await desk.call("GET", f"/workspaces?limit={limit}")).status_code == 200
        return int(db.statements - before)

    await cost(1)
    costs = {min([await cost(limit) for _ in range(3)]) for limit in (1, 3)}
    assert len(costs) == 1
    assert costs.pop() <= 6


async def test_what_nothing_happens_in_is_warned_and_ended_with_the_reason(desk: Desk) -> None:
    made = await desk.make()
    view = await desk.running(made)
    turn = idle.turn
    work = desk.house.work(desk.house.tokens.actors.get("", None) or _system())
    long_ago = datetime.now(UTC) - timedelta(hours=2)

    def since_long(tx: Any) -> None:
        store.change(tx, view["workload_id"], started_at=long_ago)

    await desk.active(made, last=long_ago, busy="kernel of fit.ipynb is busy")
    await desk.house.context.db.write(since_long)
    await turn(work)
    assert (await desk.view(made))["ends_at"] is None
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert (await desk.do(made, "keep", json={"until": until}))["keep_until"]
    await desk.active(made, last=long_ago)
    await turn(work)
    kept = await desk.view(made)
    assert (kept["status"], kept["ends_at"]) == ("Running", kept["keep_until"])
    await desk.do(made, "keep", json={"until": None})
    await turn(work)
    assert (await desk.view(made))["status"] == "Running"  # warned, by a report after the end
    events = await desk.house.context.db.read(lambda tx: tx.all(_events().select()))
    assert "workspace.warned" in [row.kind for row in events if row.subject_id == made["id"]]
    await desk.active(made, last=long_ago)
    await turn(work)
    ended = await desk.until(made, "Stopping", "no activity for 60 minutes")
    assert ended["target"] == "running"
    await desk.agent.poll()
    await desk.agent.say(view["workload_id"], Phase.FINISHED, outcome=Outcome.STOPPED,
                         reason="stopped on request")  # fmt: skip
    over = await desk.until(made, "Stopped", "no activity for 60 minutes")
    assert over["target"] == "stopped"


def _system() -> Any:
    from services.core.actor import SYSTEM

    return SYSTEM


def _events() -> Any:
    from services.core.tables import events

    return events


async def test_a_lease_is_for_what_runs_and_not_for_ever(desk: Desk) -> None:
    made = await desk.make()
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    path = f"/workspaces/{made['id']}/keep"
    assert (await desk.call("POST", path, json={"until": soon})).status_code == 409
    await desk.running(made)
    far = (datetime.now(UTC) + timedelta(days=400)).isoformat()
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for wrong in (far, past, "tomorrow", "2026-01-01T00:00:00"):
        assert (await desk.call("POST", path, json={"until": wrong})).status_code == 422, wrong


async def test_a_workspace_is_its_persons_own(desk: Desk) -> None:
    made = await desk.make()
    await desk.running(made)
    desk.hub.add("bob")
    desk.hub.add("carol")
    desk.hub.add("root", admin=True)
    bob, carol, root = (desk.hub.token(name) for name in ("bob", "carol", "root"))
    await desk.call("GET", "/me", bob)
    members = f"/projects/{desk.project['id']}/members"
    body = {"person": "bob", "role": "contributor"}
    assert (await desk.call("POST", members, json=body)).status_code == 201
    path = f"/workspaces/{made['id']}"
    assert (await desk.call("GET", path, bob)).status_code == 200
    assert len((await desk.call("GET", "/workspaces", bob)).json()["items"]) == 1
    until = {"until": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"title": "Mine"}), ("POST", "/start", None), ("POST", "/stop", None),
        ("POST", "/keep", until), ("POST", "/undelete", None), ("DELETE", "", None),
    ]  # fmt: skip
    for method, end, sent in calls:
        more = {} if sent is None else {"json": sent}
        assert (await desk.call(method, path + end, bob, **more)).status_code == 403, (method, end)
        assert (await desk.call(method, path + end, carol, **more)).status_code == 404
    assert (await desk.call("GET", path, carol)).status_code == 404
    assert (await desk.call("GET", "/workspaces", carol)).json()["items"] == []
    stopped = await desk.call("POST", f"{path}/stop", root)
    assert (stopped.status_code, stopped.json()["reason"]) == (200, "stopped by root")


async def test_a_workspace_without_snapshots_has_an_empty_list_of_them(desk_on_both: Desk) -> None:
    desk = desk_on_both
    made = await desk.make()
    path = f"/workspaces/{made['id']}/snapshots"
    empty = await desk.call("GET", path)
    assert (empty.status_code, empty.json()) == (200, {"items": [], "next_cursor": None})
    desk.hub.add("bob")
    desk.hub.add("carol")
    bob, carol = (desk.hub.token(name) for name in ("bob", "carol"))
    await desk.call("GET", "/me", bob)
    body = {"person": "bob", "role": "contributor"}
    members = f"/projects/{desk.project['id']}/members"
    assert (await desk.call("POST", members, json=body)).status_code == 201
    nothing = await desk.call("GET", f"/workspaces/{new_id()}/snapshots", carol)
    for person in (bob, carol):  # it is not theirs: as one that does not exist
        answer = await desk.call("GET", path, person)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == nothing.json()["error"]["message"]
    assert (await desk.call("GET", f"{path}/1")).status_code == 404
    mine = await desk.make("bobs", bob)
    theirs = f"/workspaces/{mine['id']}/snapshots"
    assert (await desk.call("GET", theirs, bob)).status_code == 200
    who = (await desk.call("GET", "/me", bob)).json()["person"]["id"]
    assert (await desk.call("DELETE", f"{members}/{who}")).status_code == 204
    assert (await desk.call("GET", theirs, bob)).status_code == 404


async def test_a_token_or_a_run_makes_no_workspaces(desk: Desk) -> None:
    made = await desk.make()
    view = await desk.running(made)
    robot = (await desk.call("POST", "/tokens", json={"name": "robot"})).json()
    assert not {"workspace:start", "workspace:stop", "hub:spawn"} & set(robot["rights"])
    order = desk.agent.commands[view["workload_id"]].order
    assert order is not None
    for token in (robot["token"], order.token):
        body = {"project_id": desk.project["id"]}
        assert (await desk.call("POST", "/workspaces", token, json=body)).status_code == 403
        assert (await desk.call("GET", f"/workspaces/{made['id']}", token)).status_code == 200
    pushed = f"/projects/{desk.project['id']}/content/new.py"
    answer = await desk.call("PUT", pushed, order.token, content=b"1\n")
    assert answer.status_code in (200, 201)  # a session's own token may write files


async def test_what_runs_is_in_the_way_of_deletion(desk: Desk) -> None:
    made = await desk.make()
    await desk.running(made)
    path = f"/projects/{desk.project['id']}"
    refused = await desk.call("DELETE", path)
    assert refused.status_code == 409
    kinds = {one["kind"] for one in refused.json()["error"]["details"]["used_by"]}
    assert kinds == {"session", "workspace"}


async def test_a_person_has_only_so_many(desk: Desk) -> None:
    desk.house.settings.workspaces_max_per_person = 1
    await desk.make()
    body = {"project_id": desk.project["id"], "name": "more"}
    assert (await desk.call("POST", "/workspaces", json=body)).status_code == 429


async def test_an_admin_sees_all_and_support_too(desk: Desk) -> None:
    await desk.make()
    for role in (PlatformRole.ADMIN, PlatformRole.SUPPORT):
        token = await desk.house.sign_in(f"the-{role.value}", role)
        assert len((await desk.call("GET", "/workspaces", token)).json()["items"]) == 1


def test_the_engine_knows_what_an_attempt_takes_over() -> None:
    assert "keep_until" not in engine._ATTEMPT_ANEW
